"""Field reports in the gateway: what was sent, kept in the database and the workspace, and made in the background."""
