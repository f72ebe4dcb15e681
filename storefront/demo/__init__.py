"""The demo: a whole shop with a year of sales, made by a seed through the shop's own code.

`load.py` is the table of contents. The same seed gives the same rows on the same day; nothing here is imported
by the shop itself, only by the command `flask demo` and by tests.
"""
