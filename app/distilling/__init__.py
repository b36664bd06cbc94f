"""Brings the large router, the texts and the training of a student for devices together."""
