"""Quotes: what a facility offers to a buyer who asked for much or for something made to measure."""
