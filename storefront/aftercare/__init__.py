"""After an order has arrived: problems that shoppers report, news of where the money went, thanks to the workshop."""
