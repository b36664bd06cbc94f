"""The gateway and the command line: the only room that wires the others together, and the only one that knows HTTP."""
