"""The OpenAPI document (filled below)."""
