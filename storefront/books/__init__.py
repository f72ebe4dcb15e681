"""What becomes of the money after a sale: what is owed and passed on, transfers, disputes, months that close."""
