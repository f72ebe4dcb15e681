"""Marketplaces: what was sold elsewhere, entered once."""
