"""What the shop does, in figures that everybody may recompute: permanent ones of a day, and tables as files."""
