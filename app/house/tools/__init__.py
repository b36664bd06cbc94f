"""Requests for tools, with the call that is right for each or the words where none is."""
