"""The sandbox provider's own pages; another party that happens to live here."""
