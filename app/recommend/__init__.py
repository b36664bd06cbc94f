"""Recommendations in the gateway: purchases from the orders, the model in force, slates and what became of them."""
