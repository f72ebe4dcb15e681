"""Measurements of the running shop: `make bench`. See docs/bench.md."""
