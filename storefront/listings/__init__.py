"""How a product comes to be listed: what a facility writes, what is wrong with it, and what becomes of it.

A `ListingDraft` holds what was typed, whole or not (`typed`); `check` reads it as a `Listing` or says, field by field,
what is missing; `apply` writes a listing into the product's own rows, once a curator has let it through. `read` gives
a product's listing back, for the next draft, a comparison, a copy or an export.
"""
