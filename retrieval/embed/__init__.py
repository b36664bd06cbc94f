"""Text to unit-length vectors: the GGUF that llama.cpp serves, and the embeddings that it makes."""
