"""What a shopper with an account keeps for the next time: addresses, and things they would like to have."""
