"""The sales of an export for programs that read page by page: complete as of one moment, whatever is sold meanwhile.

The first page settles a moment (`exports.moment`); its `next` carries it along, so all pages speak of the same state. A
sale that is booked late, with a `paid_at` of before, belongs to later moments alone. Whoever fetches often asks with
`booked_after` for what was booked since the `as_of` of the time before: nothing is missed and nothing comes twice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from flask_babel import lazy_gettext as _
from psycopg.rows import dict_row

from storefront.errors import DomainError
from storefront.exports.columns import SALES
from storefront.exports.moment import parse_moment, rfc3339, settle
from storefront.exports.sales import Selection, where_of
from storefront.extensions import db
from storefront.keyed import in_address, keyed_check
from storefront.snapshot import snapshot

#: Rows on a page: the most, and when nobody says.
MOST, USUAL = 1000, 200
BOOKED = """
   AND EXISTS (SELECT FROM journal_entries e
                WHERE e.order_id = l.order_id AND e.kind = 'sale' AND e.posted_at > %(booked_after)s::timestamptz)
"""
FURTHER = "AND (s.paid_at, s.line_id) > (%(paid_at)s::timestamptz, %(line_id)s)"
#: When the books last grew, as far as a moment knows. Entries are numbered as they are written and dated as their
#: transaction began; a thousand of the last ones hold the latest of those that are settled.
GROWN = """
SELECT max(posted_at) FROM (
    SELECT posted_at FROM journal_entries WHERE posted_at <= %(as_of)s ORDER BY id DESC LIMIT 1000) e"""


class BadCursor(DomainError):
    """`after` was not made by us, or for other filters."""

    code, status = "bad_cursor", 422
    message = _("Nilai after tidak dikenali. Kirim next dari jawaban sebelumnya, dengan saringan yang sama.")


@dataclass(frozen=True)
class SalesPage:
    """Some rows, in the order of (`paid_at`, `line_id`)."""

    #: Columns of `reporting.sales`, times as RFC 3339.
    rows: Sequence[dict[str, Any]]
    as_of: datetime
    #: What to send as `after` for the next page; None: this is the last.
    next: str | None
    #: The same while this page and those behind it would say the same.
    version: str


def sales_page(
    selection: Selection, *, after: str | None = None, limit: int = USUAL, booked_after: datetime | None = None
) -> SalesPage:
    """The first page of a selection, or the one `after` another; ends the session's transaction.

    `booked_after`: only what was booked after that moment. Raises BadCursor, and as `settle` does.
    """
    since = rfc3339(booked_after) if booked_after else ""
    filters = f"{selection.first}|{selection.last}|{selection.filters['facility']}|{since}"
    db.session.commit()  # our own transaction must not be waited for
    key: dict[str, Any] = {}
    if after is None:
        as_of = settle(db.engine)
    else:
        as_of, key = _read(after, filters)
    where = where_of(selection, with_lines=booked_after is not None)
    parts = [where, BOOKED if booked_after else "", FURTHER if key else ""]
    expressions = ", ".join([*(column.plain for column in SALES), "paid_at AS key_paid_at"])
    rows = f"SELECT s.* {' '.join(parts)} ORDER BY s.paid_at, s.line_id LIMIT %(limit)s"
    query = f"SELECT {expressions} FROM ({rows}) AS sale ORDER BY sale.paid_at, sale.line_id"  # noqa: S608
    bound = {**selection.parameters(as_of), **key, "booked_after": booked_after, "limit": limit + 1}
    with snapshot(db.engine) as connection:
        with connection.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(query, bound).fetchall()
        more, found = len(found) > limit, found[:limit]
        # Later pages are of a moment that has gone: they never change.
        grown = _grown(connection, as_of) if more and after is None else ""
    places = [row.pop("key_paid_at") for row in found]
    following = _written(as_of, places[-1], found[-1]["line_id"], filters) if more else None
    version = hashlib.sha256(json.dumps([filters, limit, grown, more, found]).encode()).hexdigest()[:32]
    return SalesPage(found, as_of, following, version)


def _grown(connection: psycopg.Connection[Any], as_of: datetime) -> str:
    row = connection.execute(GROWN, {"as_of": as_of}).fetchone()
    return str(row[0]) if row else ""


def _written(as_of: datetime, paid_at: datetime, line_id: int, filters: str) -> str:
    """A place, signed with the filters that it belongs to: nobody names a moment that has not settled."""
    place = in_address(json.dumps([rfc3339(as_of), rfc3339(paid_at), line_id]).encode())
    return f"{place}.{_seal(place, filters)}"


def _read(text: str, filters: str) -> tuple[datetime, dict[str, Any]]:
    place, _dot, seal = text.partition(".")
    if not hmac.compare_digest(_seal(place, filters).encode(), seal.encode(errors="replace")):
        raise BadCursor()
    try:
        as_of, paid_at, line_id = json.loads(base64.urlsafe_b64decode(place + "=" * (-len(place) % 4)))
        return parse_moment(as_of), {"paid_at": parse_moment(paid_at), "line_id": int(line_id)}
    except (ValueError, binascii.Error):
        raise BadCursor() from None


def _seal(place: str, filters: str) -> str:
    return in_address(keyed_check("storefront:sales-pages", f"{place}|{filters}")[:16])
