"""Training of the makers: programmes counted and never named, what became of them, and the targets of a year."""
