"""Pieces: where they are, how they moved, and what is held for unpaid orders."""
