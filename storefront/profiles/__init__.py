"""What a facility says of itself and its workshops to the public."""
