"""The words every room shares: types, ports, errors, settings, database, identity, models. Imports nothing of ours."""
