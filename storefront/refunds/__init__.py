"""Money that goes back to buyers, and news of payments that a person or the provider must still settle."""
