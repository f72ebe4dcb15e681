"""Figures as files: whole, in one moment's state, and the same again for the same moment."""
