"""What the house adapter learns from: rows made by seeded grammars, on the demo company and on invented texts."""
