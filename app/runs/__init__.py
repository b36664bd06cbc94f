"""Runs: one writer per thread, durable, and independent of the client that asked for them."""
