"""Supervised tasks on tables: one declaration, and from it the checks, the model, its reasons and its fairness."""
