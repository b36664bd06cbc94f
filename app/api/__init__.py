"""The HTTP surfaces, one noun a file. Each file's `routes` builds a router from the parts that it needs."""
