"""Correctional facilities and their workshops: who makes and sells."""
