"""The bank's own account of our money: its files and lines, what each belongs to, and money back by bank."""
