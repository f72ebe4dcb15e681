"""What a split rule would have done to a month's sales in its scope. Reckoned by the code that divides sales;
nothing is written."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select, text

from storefront.extensions import db
from storefront.ledger.earnings import after_month
from storefront.ledger.models import Fund, SplitRule
from storefront.ledger.shares import share_out
from storefront.ledger.split_rules import detached
from storefront.rules.rule_conflicts import COVERED, scope_of

SALES = f"""
       FROM orders o
       JOIN order_lines l ON l.order_id = o.id
       JOIN split_rules r ON r.id = l.split_rule_id
      WHERE o.state = 'paid' AND o.paid_at >= CAST(:first AS timestamp) AT TIME ZONE 'Asia/Jakarta'
        AND o.paid_at < CAST(:next AS timestamp) AT TIME ZONE 'Asia/Jakarta'
        AND (CAST(:ids AS bigint[]) IS NULL OR l.facility_id = ANY (CAST(:ids AS bigint[])))
        AND {COVERED}"""
#: Equal lines are reckoned once and counted.
LINES = text(
    f"""SELECT l.facility_id, l.facility_code, l.net_amount, l.material_cost, count(*) AS lines {SALES}
         GROUP BY 1, 2, 3, 4"""
)
OLD_SHARES = text(
    f"""SELECT s.facility_id, x.fund_id, sum(x.amount)::bigint AS amount
          FROM (SELECT l.id, l.facility_id {SALES}) s JOIN order_line_shares x ON x.order_line_id = s.id
         GROUP BY 1, 2"""  # noqa: S608 - our own text
)
NAMES = text("SELECT id, name FROM facilities WHERE id = ANY (CAST(:ids AS bigint[]))")


@dataclass
class Change:
    """What a fund got, and what it would have got, in rupiah."""

    old: int = 0
    new: int = 0

    @property
    def difference(self) -> int:
        return self.new - self.old


@dataclass
class FacilityChange:
    """The same for one facility."""

    code: str
    name: str
    net_amount: int = 0
    lines: int = 0
    #: By the fund's id.
    funds: dict[int, Change] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """A month's sales under a rule."""

    #: Its first day.
    month: datetime.date
    #: Funds concerned, in their order.
    funds: Sequence[Fund]
    facilities: Sequence[FacilityChange]

    @property
    def lines(self) -> int:
        return sum(row.lines for row in self.facilities)

    @property
    def net_amount(self) -> int:
        return sum(row.net_amount for row in self.facilities)

    def total(self, fund_id: int) -> Change:
        """What all facilities together gave to a fund."""
        parts = [row.funds.get(fund_id, Change()) for row in self.facilities]
        return Change(sum(part.old for part in parts), sum(part.new for part in parts))


def preview(rule: SplitRule, month: datetime.date, facility_ids: Iterable[int] | None = None) -> Preview:
    """Divide the sales paid in the accounting month that begins on `month` by `rule`, beside how they were.

    Only sales that the rule covers and no narrower rule divided; of some facilities, or (None) of all. `rule`
    may be in force, proposed or not written at all.
    """
    arguments = {
        **scope_of(rule),
        "first": month.isoformat(),
        "next": after_month(month).isoformat(),
        "ids": None if facility_ids is None else list(facility_ids),
    }
    facilities: dict[int, FacilityChange] = {}
    _reckon_new(rule, arguments, facilities)
    for row in db.session.execute(OLD_SHARES, arguments):
        facilities[row.facility_id].funds.setdefault(row.fund_id, Change()).old += row.amount
    for row in db.session.execute(NAMES, {"ids": list(facilities)}):
        facilities[row.id].name = row.name
    concerned = {fund_id for row in facilities.values() for fund_id in row.funds}
    concerned |= {share.fund_id for share in rule.shares}
    funds = db.session.scalars(select(Fund).where(Fund.id.in_(concerned)).order_by(Fund.position, Fund.id))
    return Preview(month, list(funds), sorted(facilities.values(), key=lambda row: (row.name, row.code)))


def _reckon_new(
    rule: SplitRule, arguments: Mapping[str, object], facilities: dict[int, FacilityChange]
) -> None:
    divided_by = detached(rule)
    for row in db.session.execute(LINES, arguments):
        facility = facilities.setdefault(row.facility_id, FacilityChange(row.facility_code, ""))
        facility.net_amount += row.net_amount * row.lines
        facility.lines += row.lines
        for share in share_out(divided_by, row.net_amount, row.material_cost):
            facility.funds.setdefault(share.fund_id, Change()).new += share.amount * row.lines
