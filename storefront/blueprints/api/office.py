"""`/api/v1/sales`, `/statements`, `/facilities`: what the office's other systems read, by a token."""

from __future__ import annotations

import datetime
import re

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy import select

from storefront.blueprints.api import bp
from storefront.blueprints.api.answers import moment
from storefront.blueprints.api.bearer import private, reader, reads
from storefront.books import span as spans
from storefront.books.span import BadSpan
from storefront.errors import Invalid, NotFound
from storefront.exports import sales as exports
from storefront.exports.moment import BadMoment, parse_moment, rfc3339
from storefront.exports.sales_pages import MOST, USUAL, sales_page
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.integrations.tokens import Scope
from storefront.reports.statement import Amounts, statement
from storefront.shipping.models import Province
from storefront.snapshot import snapshot

MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@bp.get("/sales")
@reads(Scope.SALES)
def list_sales() -> Response:
    """The lines of paid orders of some days, as sold: the columns of `reporting.sales`."""
    errors: dict[str, str] = {}
    first, last = _day("from", errors), _day("to", errors)
    booked_after, limit = _booked_after(errors), _limit(errors)
    if errors or first is None or last is None:
        raise Invalid(errors)
    # A NUL is in no code: the database would not even take the question.
    code = request.args.get("facility", "").replace("\0", "") or None
    selection = exports.select(db.engine, first, last, facility=code, reach=reader().facility_ids)
    after = request.args.get("after") or None
    page = sales_page(selection, after=after, limit=limit, booked_after=booked_after)
    body = {"items": list(page.rows), "next": page.next, "as_of": rfc3339(page.as_of)}
    return private(body, page.version)


@bp.get("/statements/<facility>/<period>")
@reads(Scope.STATEMENTS)
def show_statement(facility: str, period: str) -> Response:
    """One facility's statement of one month, as the books stand now."""
    found = _facility(facility)
    if not MONTH.fullmatch(period):
        raise BadSpan()
    span = spans.parse(period)
    with snapshot(db.engine) as connection:
        told = statement(connection, found.id, span)
        row = connection.execute(
            "SELECT closed_at, encode(hash, 'hex') FROM periods WHERE month = %s AND state = 'closed'", (span.first,)
        ).fetchone()
    codes = [column.code for column in told.columns]

    def whole(amounts: Amounts) -> dict[str, int]:
        return {code: amounts.get(code, 0) for code in codes}

    return private(
        {
            "facility": {"code": found.code, "name": found.name},
            "period": span.name,
            "first_day": span.first.isoformat(),
            "last_day": span.last.isoformat(),
            "closed": row is not None,
            "closed_at": moment(row[0]) if row else None,
            "hash": row[1] if row else None,
            "funds": codes,
            "opening": whole(told.opening),
            "movements": [
                {"kind": one.kind, "amounts": whole(one.amounts), "total": one.total} for one in told.movements
            ],
            "closing": whole(told.closing),
            "receivable": whole(told.receivable),
            # How many people shared a premium is nobody's business outside.
            "distributions": [
                {"distributed_on": one.distributed_on.isoformat(), "workshop": one.workshop, "amount": one.amount}
                for one in told.distributions
            ],
            "distributed": told.distributed,
        }
    )


@bp.get("/facilities")
@reads(Scope.FACILITIES)
def list_facilities() -> Response:
    """The facilities within the token's reach, by code."""
    query = select(Facility, Province.name).join(Province, Province.id == Facility.province_id)
    ids = reader().facility_ids
    if ids is not None:
        query = query.where(Facility.id.in_(ids))
    return private(
        {
            "items": [
                {
                    "code": facility.code,
                    "name": facility.name,
                    "kind": facility.kind,
                    "class": facility.class_,
                    "regional_office": facility.regional_office,
                    "province": province,
                    "city": facility.city,
                    "time_zone": facility.time_zone,
                    "status": facility.status,
                }
                for facility, province in db.session.execute(query.order_by(Facility.code))
            ]
        }
    )


def _facility(code: str) -> Facility:
    """The facility; one outside the token's reach does not exist. Raises NotFound."""
    found = db.session.scalar(select(Facility).where(Facility.code == code.replace("\0", "")))
    ids = reader().facility_ids
    if found is None or (ids is not None and found.id not in ids):
        raise NotFound()
    return found


def _day(name: str, errors: dict[str, str]) -> datetime.date | None:
    text = request.args.get(name, "")
    try:
        if DAY.fullmatch(text):
            return datetime.date.fromisoformat(text)
    except ValueError:
        pass
    errors[name] = _("Tulis tanggalnya seperti 2026-11-30.")
    return None


def _limit(errors: dict[str, str]) -> int:
    text = request.args.get("limit", str(USUAL))
    if re.fullmatch(r"[0-9]{1,5}", text) and 1 <= int(text) <= MOST:
        return int(text)
    errors["limit"] = _("Tulis angka bulat dari 1 sampai %(most)d.", most=MOST)
    return USUAL


def _booked_after(errors: dict[str, str]) -> datetime.datetime | None:
    text = request.args.get("booked_after", "")
    if not text:
        return None
    try:
        return parse_moment(text)
    except BadMoment as bad:
        errors["booked_after"] = str(bad.message)
        return None
