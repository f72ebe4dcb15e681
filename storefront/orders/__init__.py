"""Orders: placed, paid, packed, shipped, received; or expired, or cancelled."""
