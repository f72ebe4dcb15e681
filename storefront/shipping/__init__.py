"""Where goods go and what that costs."""
