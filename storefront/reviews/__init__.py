"""Reviews by people who received what they review, with a few pictures and the facility's reply."""
