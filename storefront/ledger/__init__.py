"""Double-entry books: accounts, entries, postings, funds and split rules. Knows neither Stripe nor HTML."""
