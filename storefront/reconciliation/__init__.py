"""What providers say of the money that they hold for us, beside our books: fetched, compared, healed or shown."""
