"""The WSGI entry point: `flask --app wsgi …`, or any WSGI server with `wsgi:app`."""

from __future__ import annotations

from storefront import create_app

app = create_app()
