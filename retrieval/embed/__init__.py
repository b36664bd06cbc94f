"""Text to unit-length vectors, on ONNX Runtime and without torch."""
