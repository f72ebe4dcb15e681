"""What is listed, how it is found, and how it is shown."""
