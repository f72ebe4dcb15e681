"""Which state of the catalogue a page shows: a row that rises with each edit of what the public sees."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import text

from storefront.extensions import db


class CatalogueVersion(NamedTuple):
    """A state of the catalogue; equal versions show the same catalogue."""

    number: int
    #: The transaction that raised it: tells states apart when a database is put back to an earlier one.
    raised_by: str | None


READ = text("SELECT version, raised_by::text FROM catalogue_version")


def read() -> CatalogueVersion:
    """The version now. Read it before a page's data: what is read later is at least as new."""
    return CatalogueVersion(*db.session.execute(READ).one())
