"""What a sale gives to each fund: the one computation behind pages, orders and books."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from flask_babel import get_locale, gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from storefront.extensions import db
from storefront.ledger.fee_bearers import OPERATOR
from storefront.ledger.models import Fund, SplitBasis
from storefront.ledger.split_rules import RuleInForce
from storefront.money import split

#: Funds that have a colour of their own on every page; all others are `other`.
STANDARD_FUNDS = ("premium", "working_capital", "state_revenue")
MATERIAL = "material"
LABELS = {
    MATERIAL: _("Bahan"),
    "premium": _("Upah pembuat (premi)"),
    "working_capital": _("Modal kerja bengkel"),
    "state_revenue": _("Kas negara (PNBP)"),
}


@dataclass(frozen=True)
class LineShare:
    """One share of a line, as booked."""

    #: 0 for material cost, then the rule's order.
    position: int
    fund_id: int
    fund_code: str
    #: None for material cost.
    basis_points: int | None
    amount: int
    is_material: bool = False


def share_out(rule: RuleInForce, net_amount: int, material_cost: int) -> list[LineShare]:
    """Divide a line's `net_amount` by `rule`; the parts add up to it exactly.

    Under basis `profit` the line's `material_cost` (never more than the line) returns to working capital
    first, as a share of its own at position 0, and the rule divides what is left. Amounts in rupiah.
    """
    shares: list[LineShare] = []
    to_divide = net_amount
    if rule.basis == SplitBasis.PROFIT:
        material = min(material_cost, net_amount)
        to_divide -= material
        if material:
            shares.append(LineShare(0, rule.material_fund_id, "working_capital", None, material, True))
    amounts = split(to_divide, [share.basis_points for share in rule.shares])
    shares += [
        LineShare(share.position, share.fund_id, share.fund_code, share.basis_points, amount)
        for share, amount in zip(rule.shares, amounts, strict=True)
    ]
    return shares


@dataclass(frozen=True)
class Part:
    """A part of the money bar."""

    #: `material` or the fund's code.
    code: str
    #: `material`, `premium`, `working_capital`, `state_revenue` or `other`: colour and pattern.
    kind: str
    #: None when several rules with different shares are summed, and for material.
    basis_points: int | None
    amount: int

    @property
    def label(self) -> str:
        """What the shop calls this part, in the language of the page."""
        known = LABELS.get(self.code)
        return str(known) if known is not None else fund_name(self.code)


@dataclass(frozen=True)
class MoneySplit:
    """*Ke mana uang Anda*: how goods of `total` rupiah are (to be) divided. Shipping is not part of it."""

    total: int
    parts: tuple[Part, ...]
    #: Rules concerned, in order of first appearance: basis, legal basis and since when.
    rules: tuple[RuleInForce, ...] = field(default=())
    #: Who bears the payment's fee: a fund's code or `operator`; None: not said.
    fee_borne_by: str | None = None

    @property
    def basis(self) -> str | None:
        """`net` or `profit` when one basis holds for all, else None."""
        bases = {rule.basis for rule in self.rules}
        return bases.pop() if len(bases) == 1 else None

    @property
    def legal_basis(self) -> str | None:
        """The legal basis when there is one for all, in the language of the page."""
        if len(self.rules) != 1:
            return None
        rule = self.rules[0]
        return (str(get_locale()) == "en" and rule.legal_basis_en) or rule.legal_basis

    @property
    def fee_note(self) -> str | None:
        """Whom the payment's fee burdens, as one sentence in the language of the page."""
        if self.fee_borne_by is None:
            return None
        if self.fee_borne_by == OPERATOR:
            return str(
                gettext("Biaya pembayaran ditanggung pengelola toko; bagian-bagian ini tidak berkurang.")
            )
        known = LABELS.get(self.fee_borne_by)
        label = str(known) if known is not None else fund_name(self.fee_borne_by)
        return str(gettext("Biaya pembayaran diambil dari bagian %(fund)s.", fund=label))

    @property
    def valid_from(self) -> datetime.date | None:
        return self.rules[0].valid_from if len(self.rules) == 1 else None


def money_split(lines: Iterable[tuple[RuleInForce, int, int]]) -> MoneySplit:
    """Sum up what lines of (rule, net amount, material cost) give to each fund."""
    lines = list(lines)
    shared = [share for rule, net, material in lines for share in share_out(rule, net, material)]
    rules = tuple({rule.id: rule for rule, _, _ in lines}.values())
    return sum_shares(shared, rules, fee_borne_by=rules[0].fee_borne_by if rules else None)


def sum_shares(
    shares: Sequence[LineShare],
    rules: tuple[RuleInForce, ...] = (),
    *,
    fee_borne_by: str | None = None,
) -> MoneySplit:
    """The money bar of booked or reckoned `shares`: material first, then in the order of the funds' ids."""
    amounts: dict[tuple[bool, int, str], int] = {}
    points: dict[tuple[bool, int, str], set[int | None]] = {}
    for share in shares:
        key = (not share.is_material, share.fund_id, MATERIAL if share.is_material else share.fund_code)
        amounts[key] = amounts.get(key, 0) + share.amount
        points.setdefault(key, set()).add(share.basis_points)
    parts = tuple(
        Part(
            code=key[2],
            kind=key[2] if key[2] in (*STANDARD_FUNDS, MATERIAL) else "other",
            basis_points=points[key].copy().pop() if len(points[key]) == 1 else None,
            amount=amounts[key],
        )
        for key in sorted(amounts)
    )
    return MoneySplit(sum(part.amount for part in parts), parts, rules, fee_borne_by)


def fund_name(code: str) -> str:
    """What the shop calls a fund beyond the three it is shipped with, in the language of the page."""
    fund = db.session.scalar(select(Fund).where(Fund.code == code))
    if fund is None:
        return code
    return str(fund.name_en if str(get_locale()) == "en" else fund.name)
