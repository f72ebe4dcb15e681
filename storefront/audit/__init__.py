"""The audit trail: who did what, when, to what. Append-only in the database."""
