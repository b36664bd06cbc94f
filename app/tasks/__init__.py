"""Supervised tasks in the gateway and on the command line: trained from files, served by the registry's champion."""
