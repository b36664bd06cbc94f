"""The demo company Harbor & Pine: written articles and made-up records."""
