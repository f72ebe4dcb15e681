"""People who sign in, their sessions, and who may do what."""
