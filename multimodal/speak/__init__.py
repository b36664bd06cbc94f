"""Text to speech: what is said of a text, and who says it."""
