"""Carts, what is wrong with them, and the way from a cart to an order."""
