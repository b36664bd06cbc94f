"""Tools of other MCP servers: what they are taken as, how they are called, and what a lost answer means."""
