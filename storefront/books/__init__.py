"""What becomes of the money after a sale, read from the books: sums, what is owed, what needs a look."""
