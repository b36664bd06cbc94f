"""The device's program: the agents' own graph over what an installed bundle holds, without a server or a network."""
