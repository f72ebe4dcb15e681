"""A coordinator's work passes to another."""
