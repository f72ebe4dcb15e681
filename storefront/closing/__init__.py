"""A month from its checklist to its hash: what is still open, the path through it, and the close itself."""
