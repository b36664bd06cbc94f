"""The three systems on the tables of the built-in company."""
