"""Messages out: one notifier interface, one row for each message owed."""
