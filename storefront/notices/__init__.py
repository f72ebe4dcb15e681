"""What the people of a facility are told: what waits for them today, and what is new, by letter and by web push."""
