"""Unusual rows in the gateway and on the command line: learned from files, served by the registry's champion."""
