"""Reading documents, splitting them into passages, and finding those again: read, split, embed, index, search."""
