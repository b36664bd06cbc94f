"""Fraud decisions in the gateway: which model is in force, and how it is trained from the log."""
