"""The words that search knows, for putting typing errors right."""

from __future__ import annotations

from sqlalchemy import text

from storefront.extensions import db

#: Two at once would wait for each other's rows: the second one has nothing new to do.
REFRESH = text(
    """SELECT CASE WHEN pg_try_advisory_xact_lock(hashtext('catalogue.search_words'))
                    THEN refresh_search_words()::text END"""
)


def refresh_search_words() -> None:
    """Count anew which words stand in published products (under a second at 100,000). Never commits."""
    db.session.execute(REFRESH)
