"""What may be done with tickets, orders and purchase orders: from a noun and an action to the noun afterwards."""
