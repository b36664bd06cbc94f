"""Models of our own: rows, LoRA training, export to GGUF, and students small enough for a phone."""
