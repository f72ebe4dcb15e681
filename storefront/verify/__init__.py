"""The promises that the shop's data must keep, each as one named query that lists what breaks it."""
