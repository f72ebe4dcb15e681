"""Which facilities there are: the office admits them, changes their data, suspends them and takes them back."""
