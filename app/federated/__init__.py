"""Federations: rounds of training on devices that keep their rows, under a privacy budget that is written down."""
