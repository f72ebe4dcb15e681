"""Threads between people outside and a facility: questions about a product, answered in public or in private.

Larger wishes (kind `large_order`) can use the same thread: a row of `enquiries`, its messages, and the asker's
address apart from both.
"""
