"""What pages of money that leaves have in common: who acts, in which facilities, and how a step ends."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, request
from sqlalchemy import select

from storefront.audit.record import record
from storefront.books import span as spans
from storefront.books.span import BadSpan, Span
from storefront.errors import NotFound
from storefront.exports.answer import answer, table_file
from storefront.exports.table import Table
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.people import access, policy
from storefront.people.policy import Action
from storefront.written import Written, one_line

#: The month whose end is being walked to, so that every page of finance leads back to it.
MONTH_COOKIE = "month_end"


def walked_month() -> Span | None:
    """The month to whose end this browser is on its way, None when it is on none."""
    try:
        span = spans.parse(request.cookies.get(MONTH_COOKIE, ""))
    except BadSpan:
        return None
    return span if span.is_month else None


def within(action: Action) -> frozenset[int] | None:
    """Ids of the facilities in which the reader may do `action` on this face; None: all."""
    found = policy.reach(access.person(), action, face="finance")
    return None if found.everywhere else found.facility_ids


def may(action: Action, facility_id: int | None = None) -> bool:
    """Whether the reader may do `action` in the facility; without one: for the central office."""
    ids = within(action)
    return ids is None or (facility_id is not None and facility_id in ids)


def may_somewhere(action: Action) -> bool:
    """Whether the reader may do `action` in at least one facility."""
    ids = within(action)
    return ids is None or bool(ids)


def require(action: Action, facility_id: int | None) -> None:
    """Return only if the reader may do `action` there; what is out of reach does not exist."""
    if not may(action, facility_id):
        raise NotFound()


def for_all(action: Action) -> None:
    """Return only if the reader may do `action` for the whole programme: the bank knows no facilities."""
    if within(action) is not None:
        raise NotFound()


def codes(action: Action) -> list[tuple[str, str]]:
    """Code and name of the facilities in which the reader may do `action`, to filter by."""
    return [(row.code, row.name) for row in _facilities(action)]


def choices(action: Action) -> list[tuple[int, str]]:
    """Id and name of the same, to choose one on a form."""
    return [(row.id, f"{row.name} ({row.code})") for row in _facilities(action)]


def _facilities(action: Action) -> Sequence[Any]:
    ids = within(action)
    if ids is not None and not ids:
        return []
    query = select(Facility.id, Facility.code, Facility.name).order_by(Facility.name)
    if ids is not None:
        query = query.where(Facility.id.in_(ids))
    return db.session.execute(query).all()


def file(export: str, make: Callable[[datetime.datetime], Table]) -> Response | None:
    """The list as the file that `format` asks for, written down in the trail; None when none is asked for.

    Raises what `exports.answer.table_file` raises.
    """
    form = request.args.get("format", "")
    if not form:
        return None
    asked = {name: value[:80] for name, value in request.args.items()}
    record(f"{export}.exported", "export", export, person_id=access.person_id(), details=asked)
    db.session.commit()  # our own transaction must not be waited for
    return answer(table_file(lambda _connection, moment: make(moment), form))


def written() -> Written:
    """The form of this request."""
    return Written(request.form)


def asked(name: str, among: tuple[str, ...] | list[str]) -> str | None:
    """A filter of the query string, if it is one of the choices."""
    value = request.args.get(name, "")
    return value if value in among else None


def asked_facility() -> str | None:
    """The facility's code to filter by; an unknown one finds nothing."""
    return one_line(request.args.get("facility", ""))[:20].upper() or None
