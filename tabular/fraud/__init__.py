"""Fraud on cards: features from the log, a model with reasons, rules, and decisions by cost."""
