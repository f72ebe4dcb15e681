"""Whether a split rule can start and end when it says: other rules, sales that were divided, closed months."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import or_, select, text

from storefront.days import today
from storefront.display import format_date
from storefront.extensions import db
from storefront.ledger.closed import PeriodClosed, is_closed, month_of
from storefront.ledger.models import SplitRule

#: Lines of orders that a rule with this scope covers, as they were sold, and that no narrower rule divided, as a
#: part of a query. Needs `o` (orders), `l` (order_lines) and `r` (split_rules, the line's own).
COVERED = """
       (CAST(:exhibition_id AS bigint) IS NULL OR o.exhibition_id = CAST(:exhibition_id AS bigint))
   AND (CAST(:facility_id AS bigint) IS NULL OR l.facility_id = CAST(:facility_id AS bigint))
   AND (CAST(:workshop_id AS bigint) IS NULL OR l.workshop_id = CAST(:workshop_id AS bigint))
   AND (CAST(:commodity_group_id AS bigint) IS NULL OR l.commodity_group_id = CAST(:commodity_group_id AS bigint))
   AND (r.exhibition_id IS NOT NULL, r.facility_id IS NOT NULL, r.workshop_id IS NOT NULL,
        r.commodity_group_id IS NOT NULL)
    <= (CAST(:exhibition_id AS bigint) IS NOT NULL, CAST(:facility_id AS bigint) IS NOT NULL,
        CAST(:workshop_id AS bigint) IS NOT NULL, CAST(:commodity_group_id AS bigint) IS NOT NULL)"""

SALES_SINCE = text(
    f"""
    SELECT count(*) AS lines, max(accounting_date(o.placed_at)) AS latest
      FROM orders o
      JOIN order_lines l ON l.order_id = o.id
      JOIN split_rules r ON r.id = l.split_rule_id
     WHERE accounting_date(o.placed_at) BETWEEN :first AND :last AND {COVERED}"""  # noqa: S608 - our own text
)
SALES_BY_RULE = text(
    """
    SELECT count(*) AS lines, max(accounting_date(o.placed_at)) AS latest
      FROM order_lines l JOIN orders o ON o.id = l.order_id
     WHERE l.split_rule_id = :rule_id AND accounting_date(o.placed_at) > :last"""
)


@dataclass(frozen=True)
class SalesDivided:
    """Lines that were divided by another rule, and the day of the last of them."""

    lines: int
    latest: datetime.date | None


def scope_of(rule: SplitRule) -> dict[str, int | None]:
    """What a rule is narrowed to."""
    return {
        "exhibition_id": rule.exhibition_id,
        "facility_id": rule.facility_id,
        "workshop_id": rule.workshop_id,
        "commodity_group_id": rule.commodity_group_id,
    }


def conflicts(rule: SplitRule) -> dict[str, str]:
    """Why a rule's days cannot be kept, by field; nothing when they can."""
    refused = _overlap(rule) or _past(rule)
    return {"valid_from": refused} if refused else {}


def predecessor(rule: SplitRule) -> SplitRule | None:
    """The rule of the same scope that is in force on the first day of this one, if it began before."""
    return next((other for other in _neighbours(rule) if other.valid_from < rule.valid_from), None)


def sales_since(rule: SplitRule) -> SalesDivided:
    """Lines placed on the rule's days so far that it would have divided."""
    last = min(rule.valid_to or datetime.date.max, today())
    days = {"first": rule.valid_from, "last": last}
    return SalesDivided(**db.session.execute(SALES_SINCE, {**scope_of(rule), **days}).mappings().one())


def sales_after(rule_id: int, last_day: datetime.date) -> SalesDivided:
    """Lines that the rule divided after a day."""
    found = db.session.execute(SALES_BY_RULE, {"rule_id": rule_id, "last": last_day})
    return SalesDivided(**found.mappings().one())


def _neighbours(rule: SplitRule) -> list[SplitRule]:
    """Approved rules of the same scope on any of this one's days."""
    same = [
        getattr(SplitRule, name).is_(None) if value is None else getattr(SplitRule, name) == value
        for name, value in scope_of(rule).items()
    ]
    return list(
        db.session.scalars(
            select(SplitRule)
            .where(
                *same,
                SplitRule.approved_at.is_not(None),
                SplitRule.valid_from <= (rule.valid_to or datetime.date.max),
                or_(SplitRule.valid_to.is_(None), SplitRule.valid_to >= rule.valid_from),
            )
            .order_by(SplitRule.valid_from)
            .execution_options(populate_existing=True)
        )
    )


def _overlap(rule: SplitRule) -> str | None:
    for other in _neighbours(rule):
        if other.id != rule.id and other.valid_from >= rule.valid_from:
            return str(
                _(
                    "Aturan nomor %(number)d untuk cakupan yang sama berlaku mulai %(day)s. "
                    "Mulai sesudah hari itu, atau tulis hari terakhir sebelum hari itu.",
                    number=other.id,
                    day=format_date(other.valid_from),
                )
            )
    return None


def _past(rule: SplitRule) -> str | None:
    if rule.valid_from > today():
        return None
    if is_closed(rule.valid_from):
        return str(PeriodClosed(month_of(rule.valid_from)).message)
    found = sales_since(rule)
    if found.lines:
        assert found.latest is not None  # there are lines
        return str(
            _(
                "Sejak hari itu %(lines)d baris penjualan sudah dibagi menurut aturan lain, "
                "yang terakhir pada %(day)s. "
                "Penjualan tidak dibagi ulang; mulai paling cepat besok.",
                lines=found.lines,
                day=format_date(found.latest),
            )
        )
    return None
