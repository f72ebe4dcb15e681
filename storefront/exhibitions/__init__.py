"""Exhibitions: fairs with days, a venue and a stand's stock."""
