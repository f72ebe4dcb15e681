"""Carts: what a shopper has laid aside, what is wrong with it, and how it becomes an order."""
