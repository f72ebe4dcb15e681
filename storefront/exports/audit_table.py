"""The audit trail as a table for CSV, XLSX and JSONL."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _

from storefront.audit.trail import FROM, Asked, conditions
from storefront.exports.columns import Column, Kind, number, text
from storefront.exports.table import Table

COLUMNS = (
    number("event_id"),
    Column("at", Kind.TIME),
    text("person"),
    text("action"),
    text("subject_kind"),
    text("subject_id"),
    text("facility_code"),
    text("details"),
    text("request_id"),
    text("network"),
)


def audit_table(
    asked: Asked, facility_ids: Iterable[int] | None, *, with_people: bool, as_of: datetime.datetime
) -> Table:
    """What a page of the trail shows, all of it, up to a moment."""
    values: dict[str, Any] = asked.values(facility_ids, with_people=with_people)
    sql = f"""
        SELECT e.id AS event_id, e.at, p.name AS person, e.action, e.subject_kind, e.subject_id,
               f.code AS facility_code, e.details::text AS details, e.request_id, host(e.network) AS network {FROM}
         WHERE e.at <= %(as_of)s AND {conditions("%%(%s)s")}"""
    filters = {name: values[name] for name in ("who", "action", "subject", "facility", "words")}
    days = {name: values[name].isoformat() if values[name] else None for name in ("first", "last")}
    return Table(
        export="audit",
        name=f"jejak-audit-{as_of:%Y-%m-%d}",
        title=_("Jejak audit"),
        columns=COLUMNS,
        sql=sql,
        order="ORDER BY e.id",
        parameters={**values, "as_of": as_of},
        filters=filters | days,
        as_of=as_of,
    )
