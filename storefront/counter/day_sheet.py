"""What was sold at a stand on one day, by facility: for paper at the evening, and for the office."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from storefront.days import begins
from storefront.extensions import db
from storefront.languages import locale

LINES = text(
    """
    SELECT l.facility_code, l.facility_name, l.sku,
           max(COALESCE(NULLIF(CASE WHEN :english THEN l.title_en END, ''), l.title)) AS title,
           max(COALESCE(NULLIF(CASE WHEN :english THEN l.variant_title_en END, ''), l.variant_title)) AS variant_title,
           sum(l.quantity)::integer AS quantity, sum(l.net_amount)::bigint AS amount
      FROM counter_sales c JOIN orders o ON o.id = c.order_id AND o.state = 'paid'
      JOIN order_lines l ON l.order_id = o.id
     WHERE c.exhibition_id = :fair AND o.paid_at >= :first AND o.paid_at < :after
     GROUP BY l.facility_code, l.facility_name, l.sku ORDER BY l.facility_name, amount DESC, l.sku"""
)
#: Money that went back on the day, whenever the sale was.
BACK = text(
    """
    SELECT l.facility_code, sum(x.quantity)::integer AS quantity, sum(x.amount)::bigint AS amount
      FROM counter_voids v JOIN till_sessions s ON s.id = v.session_id AND s.exhibition_id = :fair
      JOIN refund_lines x ON x.refund_id = v.refund_id JOIN order_lines l ON l.id = x.order_line_id
     WHERE v.at >= :first AND v.at < :after GROUP BY l.facility_code"""
)
PAID = text(
    """
    SELECT count(*)::integer AS sales, COALESCE(sum(o.total), 0)::bigint AS amount,
           COALESCE(sum(o.total) FILTER (WHERE c.payment = 'cash'), 0)::bigint AS cash,
           count(*) FILTER (WHERE c.is_late)::integer AS late
      FROM counter_sales c JOIN orders o ON o.id = c.order_id AND o.state = 'paid'
     WHERE c.exhibition_id = :fair AND o.paid_at >= :first AND o.paid_at < :after"""
)


@dataclass(frozen=True)
class SheetLine:
    """A code that was sold on the day; rupiah."""

    sku: str
    title: str
    variant_title: str
    quantity: int
    amount: int


@dataclass(frozen=True)
class OfFacility:
    """A facility's day at the stand; rupiah."""

    code: str
    name: str
    lines: Sequence[SheetLine]
    quantity: int
    amount: int
    given_back: int


@dataclass(frozen=True)
class DaySheet:
    """A day of a fair; rupiah. `given_back` is what went back that day, of whatever day's sale."""

    day: datetime.date
    facilities: Sequence[OfFacility]
    sales: int
    amount: int
    cash: int
    late: int
    given_back: int


def sheet(exhibition_id: int, day: datetime.date) -> DaySheet:
    """The accounting day `day` of a fair."""
    values = {"fair": exhibition_id, "first": begins(day), "after": begins(day + datetime.timedelta(days=1))}
    back = {row.facility_code: row.amount for row in db.session.execute(BACK, values)}
    found: dict[str, OfFacility] = {}
    rows = db.session.execute(LINES, {**values, "english": locale() == "en"}).all()
    for code in dict.fromkeys(row.facility_code for row in rows):
        own = [row for row in rows if row.facility_code == code]
        lines = [SheetLine(row.sku, row.title, row.variant_title, row.quantity, row.amount) for row in own]
        found[code] = OfFacility(
            code,
            own[0].facility_name,
            lines,
            sum(line.quantity for line in lines),
            sum(line.amount for line in lines),
            back.get(code, 0),
        )
    paid = db.session.execute(PAID, values).one()
    return DaySheet(
        day, list(found.values()), paid.sales, paid.amount, paid.cash, paid.late, sum(back.values())
    )
