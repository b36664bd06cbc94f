"""The tools of the agents: what each is called with, reads and does."""
