"""The shop's dated settings in one place: what holds, what will hold, who changed what and why."""
