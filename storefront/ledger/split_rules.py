"""Which split rule is in force where and when (PRODUCT.md, "split rule")."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, or_, select, text
from sqlalchemy.orm import joinedload

from storefront.extensions import db
from storefront.ledger.fee_bearers import OPERATOR, borne_by
from storefront.ledger.models import Fund, SplitRule, SplitRuleShare


class NoSplitRule(LookupError):
    """No approved rule covers a sale: the shop must not sell it. Shipped data always hold a default rule."""


@dataclass(frozen=True)
class Scope:
    """What a sale line belongs to, as far as rules may name it."""

    facility_id: int
    workshop_id: int
    commodity_group_id: int | None = None


@dataclass(frozen=True)
class RuleShare:
    position: int
    fund_id: int
    fund_code: str
    basis_points: int


@dataclass(frozen=True)
class RuleInForce:
    """An approved rule, detached from the session."""

    id: int
    basis: str
    legal_basis: str
    legal_basis_en: str
    valid_from: datetime.date
    shares: tuple[RuleShare, ...]
    #: Working capital's fund: under basis `profit` the material cost returns to it, share or no share.
    material_fund_id: int
    #: Who bears the payment's fee on that day: a fund's code, or `operator`.
    fee_borne_by: str = OPERATOR


class Candidate(NamedTuple):
    """A rule in force as read from the database."""

    rule: SplitRule
    material_fund_id: int
    fee_borne_by: str


def hold_rules() -> None:
    """Until this transaction ends, no rule is approved or ended: what was read stays in force.

    Whoever sells by a rule holds it from before reading it, so that a rule which starts today is approved
    either before the sale (and divides it) or after it (and is refused, because the day has a sale). A facility is
    suspended either after the sale or before its goods are looked at (`admission.suspend`).
    """
    db.session.execute(text("SELECT pg_advisory_xact_lock_shared(hashtextextended('split_rules', 0))"))


def change_rules() -> None:
    """Wait for the sales that hold the rules, and keep others waiting until this transaction ends."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('split_rules', 0))"))


def rules_in_force(
    scopes: Sequence[Scope], on: datetime.date, exhibition_id: int | None = None
) -> list[RuleInForce]:
    """The rule for each of `scopes` on the accounting day `on`; the narrowest in force wins.

    Exhibition (within it as follows) > facility and workshop > facility and group > facility > group >
    default. Raises NoSplitRule when nothing covers a scope.
    """
    candidates = _candidates({scope.facility_id for scope in scopes}, on, exhibition_id)
    return [_narrowest(scope, candidates) for scope in scopes]


def _candidates(facility_ids: Iterable[int], on: datetime.date, exhibition_id: int | None) -> list[Candidate]:
    of_exhibition: ColumnElement[bool] = SplitRule.exhibition_id.is_(None)
    if exhibition_id is not None:
        of_exhibition = or_(of_exhibition, SplitRule.exhibition_id == exhibition_id)
    query = (
        select(
            SplitRule,
            select(Fund.id).where(Fund.code == "working_capital").scalar_subquery(),
            borne_by(on),
        )
        .where(
            SplitRule.approved_at.is_not(None),
            SplitRule.valid_from <= on,
            or_(SplitRule.valid_to.is_(None), SplitRule.valid_to >= on),
            or_(SplitRule.facility_id.is_(None), SplitRule.facility_id.in_(list(facility_ids))),
            of_exhibition,
        )
        .options(joinedload(SplitRule.shares).joinedload(SplitRuleShare.fund))
    )
    return [Candidate(*row) for row in db.session.execute(query).unique()]


def _narrowest(scope: Scope, candidates: Iterable[Candidate]) -> RuleInForce:
    covering = [candidate for candidate in candidates if _covers(candidate.rule, scope)]
    if not covering:
        raise NoSplitRule(f"no split rule covers {scope}")
    return _detached(max(covering, key=lambda candidate: _narrowness(candidate.rule)))


def _covers(rule: SplitRule, scope: Scope) -> bool:
    return (
        rule.facility_id in (None, scope.facility_id)
        and rule.workshop_id in (None, scope.workshop_id)
        and rule.commodity_group_id in (None, scope.commodity_group_id)
    )


def _narrowness(rule: SplitRule) -> tuple[bool, bool, bool, bool]:
    return (
        rule.exhibition_id is not None,
        rule.facility_id is not None,
        rule.workshop_id is not None,
        rule.commodity_group_id is not None,
    )


def detached(rule: SplitRule) -> RuleInForce:
    """A rule as the computation of shares wants it, whether it is in force, proposed or only thought of."""
    codes = {row.id: row.code for row in db.session.execute(select(Fund.id, Fund.code))}
    material_fund_id = next(fund_id for fund_id, code in codes.items() if code == "working_capital")
    return _with(rule, codes, Candidate(rule, material_fund_id, OPERATOR))


def _detached(candidate: Candidate) -> RuleInForce:
    codes = {share.fund_id: share.fund.code for share in candidate.rule.shares}
    return _with(candidate.rule, codes, candidate)


def _with(rule: SplitRule, codes: Mapping[int, str], candidate: Candidate) -> RuleInForce:
    return RuleInForce(
        id=rule.id or 0,
        basis=rule.basis,
        legal_basis=rule.legal_basis,
        legal_basis_en=rule.legal_basis_en,
        valid_from=rule.valid_from,
        shares=tuple(
            RuleShare(share.position, share.fund_id, codes[share.fund_id], share.basis_points)
            for share in rule.shares
        ),
        material_fund_id=candidate.material_fund_id,
        fee_borne_by=candidate.fee_borne_by,
    )
