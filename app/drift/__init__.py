"""Watching the served models: windows of what they decided, checks on a schedule, alerts, reports."""
