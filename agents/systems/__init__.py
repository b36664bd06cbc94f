"""The help desk, the orders and the procurement of a company: built in, on our own tables, or its own over HTTP."""
