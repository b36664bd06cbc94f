"""Segments of customers in the gateway and on the command line: found in orders, served by the registry's champion."""
