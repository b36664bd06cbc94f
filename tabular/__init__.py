"""Tabular models: the event log and its features, fraud, recommendation, demand; each a folder that stands alone."""
