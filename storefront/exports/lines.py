"""The lines of a sales export as a page shows them: the same rows, the latest first, some at a time."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import dict_row

from storefront.exports.moment import rfc3339
from storefront.exports.sales import Selection, reckon, where_of
from storefront.exports.table import Tally
from storefront.extensions import db
from storefront.snapshot import driver_connection

#: Lines on one page.
PAGE = 50
#: A line's place in the list: when it was paid, and its id.
KEY = re.compile(r"(?P<paid_at>[0-9TZ:.+-]{10,40})_(?P<line_id>[0-9]{1,18})")

#: Two halves of one order: the page after a key going back in time, and the page before it.
OLDER = (
    "AND (s.paid_at, s.line_id) < (%(key_paid_at)s, %(key_line_id)s) ORDER BY s.paid_at DESC, s.line_id DESC"
)
NEWER = "AND (s.paid_at, s.line_id) > (%(key_paid_at)s, %(key_line_id)s) ORDER BY s.paid_at, s.line_id"
ENGLISH = "(SELECT l.title_en FROM order_lines l WHERE l.id = s.line_id) AS product_en"
LATEST = "ORDER BY s.paid_at DESC, s.line_id DESC"


@dataclass(frozen=True)
class LinesPage:
    """A page of sold lines; totals are of the whole selection, and stand still while one turns pages."""

    #: Columns of `reporting.sales`, by name, and `product_en`, the English title as sold (it may be empty).
    rows: Sequence[dict[str, Any]]
    totals: Tally
    #: Keys of the neighbouring pages; None where there is none.
    older: str | None
    newer: str | None


def lines_page(selection: Selection, *, older: str | None = None, newer: str | None = None) -> LinesPage:
    """The lines of `selection` that follow the key `older`, or come before the key `newer`; else the latest.

    Reads in the session's transaction. A key that makes no sense means the first page.
    """
    connection = driver_connection(db.session.connection())
    totals = reckon(connection, selection)
    back, forth = _key(older), _key(newer)
    key, part = (back, OLDER) if back else (forth, NEWER) if forth else (None, LATEST)
    parameters = {**selection.parameters(None), **(key or {}), "limit": PAGE + 1}
    with connection.cursor(row_factory=dict_row) as cursor:
        query = f"SELECT s.*, {ENGLISH} {where_of(selection)} {part} LIMIT %(limit)s"
        found = cursor.execute(query, parameters).fetchall()
    more, rows = len(found) > PAGE, found[:PAGE]
    if part is NEWER:
        rows.reverse()
    if not rows:
        return LinesPage([], totals, None, None)
    has_older = more if part is not NEWER else True
    has_newer = more if part is NEWER else part is OLDER
    return LinesPage(
        rows, totals, _name(rows[-1]) if has_older else None, _name(rows[0]) if has_newer else None
    )


def _name(row: dict[str, Any]) -> str:
    return f"{rfc3339(row['paid_at'])}_{row['line_id']}"


def _key(text: str | None) -> dict[str, Any] | None:
    found = KEY.fullmatch(text or "")
    if found is None:
        return None
    try:
        paid_at = datetime.datetime.fromisoformat(found["paid_at"])
    except ValueError:
        return None
    return {"key_paid_at": paid_at, "key_line_id": int(found["line_id"])} if paid_at.tzinfo else None
