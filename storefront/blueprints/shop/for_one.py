"""Answers that are for whoever asked and for nobody else."""

from __future__ import annotations

from flask import Response, make_response


def for_one(page: str, status: int = 200) -> Response:
    """A page or fragment that nobody keeps and no search engine lists."""
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
