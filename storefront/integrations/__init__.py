"""The office's other systems: the tokens by which they read, and the news that is sent to them."""
