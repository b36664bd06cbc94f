"""The three systems as somebody else's HTTP API, described by the settings."""
