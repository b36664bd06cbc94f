"""Federated training with differential privacy: devices keep their rows, the server learns a sum with noise in it."""
