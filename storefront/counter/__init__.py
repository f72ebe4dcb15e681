"""The counter at a fair: tills, sales made with and without a line, what is voided, and what a person must settle."""
