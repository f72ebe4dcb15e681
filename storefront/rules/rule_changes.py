"""How split rules change: proposed by finance, approved by an administrator, never changed once used.

A new rule follows the old one: approving it ends its predecessor of the same scope on the day before, in one
transaction. It starts tomorrow at the earliest, unless no sale that it would have divided was placed since.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from storefront.audit.record import record
from storefront.books.four_eyes import moment, require_second, undecided
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.ledger.models import Fund, SplitBasis, SplitRule, SplitRuleShare
from storefront.ledger.split_rules import change_rules
from storefront.rules.rule_conflicts import conflicts, predecessor

#: Basis points of the whole.
WHOLE = 10_000
MOST_SHARES = 8
SHORTEST_BASIS, LONGEST_BASIS = 5, 1000
#: Last year that a rule may start or end in; a typing mistake rather than a plan.
LAST_YEAR = 2100


class RuleRefused(DomainError):
    """A proposal that cannot be approved any more, and why."""

    code, status = "rule_refused", 409


@dataclass(frozen=True)
class RuleDraft:
    """A split rule as somebody would like it."""

    basis: str
    valid_from: datetime.date
    #: Last day; None: until another follows.
    valid_to: datetime.date | None
    legal_basis: str
    legal_basis_en: str
    #: Fund's id and basis points, in order.
    shares: Sequence[tuple[int, int]]
    exhibition_id: int | None = None
    facility_id: int | None = None
    workshop_id: int | None = None
    commodity_group_id: int | None = None
    source: str = ""
    document_key: str | None = None

    @property
    def is_default(self) -> bool:
        """Whether it holds wherever no narrower rule does."""
        return not any((self.exhibition_id, self.facility_id, self.workshop_id, self.commodity_group_id))


def propose(draft: RuleDraft, person_id: int) -> SplitRule:
    """Write a rule down; it counts once somebody else has approved it.

    Raises Invalid, which says for each field what is wrong. Never commits.
    """
    errors = check(draft)
    if errors:
        raise Invalid(errors)
    rule = rule_of(draft)
    rule.proposed_by = person_id
    db.session.add(rule)
    db.session.flush()
    _record(rule, "proposed", person_id)
    return rule


def check(draft: RuleDraft) -> dict[str, str]:
    """What is wrong with a draft, by field; nothing when it may be proposed."""
    errors = _shares_refused(draft.shares) | _scope_refused(draft)
    if draft.basis not in set(SplitBasis):
        errors["basis"] = _("Pilih dasar pembagiannya.")
    for field, words in (("legal_basis", draft.legal_basis), ("legal_basis_en", draft.legal_basis_en)):
        if not SHORTEST_BASIS <= len(words) <= LONGEST_BASIS:
            errors[field] = _("Tulis dasar hukumnya, 5 sampai 1.000 huruf.")
    if len(draft.source) > LONGEST_BASIS:
        errors["source"] = _("Sumber paling panjang 1.000 huruf.")
    if draft.valid_from.year > LAST_YEAR:
        errors["valid_from"] = _("Tahun ini terlalu jauh. Periksa tanggalnya.")
    if draft.valid_to is not None and not draft.valid_from <= draft.valid_to:
        errors["valid_to"] = _("Hari terakhir tidak bisa sebelum hari pertama.")
    elif draft.valid_to is not None and draft.is_default:
        errors["valid_to"] = _(
            "Aturan umum berlaku sampai ada penggantinya, supaya selalu ada aturan. Kosongkan hari terakhirnya."
        )
    if not errors:
        errors = conflicts(rule_of(draft))
    return errors


def approve(rule_id: int, person_id: int) -> SplitRule:
    """A second person puts a rule in force, and ends the one before it on the day before.

    Raises FourEyes, Decided, NotFound, and RuleRefused with a sentence when its days cannot be kept any more.
    Never commits.
    """
    change_rules()
    rule = undecided(SplitRule, rule_id)
    require_second(rule.proposed_by, person_id)
    refused = conflicts(rule)
    if refused:
        raise RuleRefused(next(iter(refused.values())))
    former = predecessor(rule)
    if former is not None:
        former.valid_to = rule.valid_from - datetime.timedelta(days=1)
        # Before the new one counts: the two must never overlap, not even in between.
        db.session.flush()
    # Later than every sale that held the rules before: what was placed by then was divided by the former one.
    now = db.session.execute(select(func.clock_timestamp())).scalar_one()
    rule.approved_by, rule.approved_at = person_id, now
    try:
        with db.session.begin_nested():
            db.session.flush()
    except IntegrityError as error:
        raise RuleRefused(
            _("Di cakupan yang sama sudah ada aturan yang berlaku di hari-hari itu. Pilih hari lain.")
        ) from error
    _record(rule, "approved", person_id, former)
    return rule


def reject(rule_id: int, person_id: int, reason: str = "") -> SplitRule:
    """Decide against a proposal, or take one's own back. Raises Decided, NotFound. Never commits."""
    rule = undecided(SplitRule, rule_id)
    rule.rejected_by, rule.rejected_at = person_id, moment(None)
    rule.rejection_reason = reason.strip()[:LONGEST_BASIS]
    db.session.flush()
    _record(rule, "rejected", person_id)
    return rule


def rule_of(draft: RuleDraft) -> SplitRule:
    """The draft as a row that is not in the session: to be added, or only to be reckoned with."""
    return SplitRule(
        basis=draft.basis,
        valid_from=draft.valid_from,
        valid_to=draft.valid_to,
        legal_basis=draft.legal_basis,
        legal_basis_en=draft.legal_basis_en,
        source=draft.source,
        exhibition_id=draft.exhibition_id,
        facility_id=draft.facility_id,
        workshop_id=draft.workshop_id,
        commodity_group_id=draft.commodity_group_id,
        document_key=draft.document_key,
        shares=[
            SplitRuleShare(position=position, fund_id=fund_id, basis_points=points)
            for position, (fund_id, points) in enumerate(draft.shares, start=1)
        ],
    )


def percent(basis_points: int) -> str:
    """`33,33 %` as people write it."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}{f',{rest:02d}'.rstrip('0') if rest else ''} %"


def _shares_refused(shares: Sequence[tuple[int, int]]) -> dict[str, str]:
    if not 1 <= len(shares) <= MOST_SHARES:
        return {"shares": _("Isi satu sampai delapan bagian.")}
    if any(not 1 <= points <= WHOLE for _fund, points in shares):
        return {"shares": _("Setiap bagian lebih dari 0 % dan paling banyak 100 %.")}
    funds = {fund_id for fund_id, _points in shares}
    if len(funds) < len(shares):
        return {"shares": _("Satu dana muncul dua kali. Jumlahkan menjadi satu bagian.")}
    known = set(db.session.scalars(select(Fund.id).where(Fund.id.in_(funds))))
    if known != funds:
        return {"shares": _("Pilih dana untuk setiap bagian.")}
    total = sum(points for _fund, points in shares)
    if total != WHOLE:
        return {
            "shares": _(
                "Semua bagian berjumlah %(total)s (%(points)d dari 10.000); harus tepat 100 %%.",
                total=percent(total),
                points=total,
            )
        }
    return {}


def _scope_refused(draft: RuleDraft) -> dict[str, str]:
    if draft.facility_id is not None and db.session.get(Facility, draft.facility_id) is None:
        return {"facility": _("Pilih UPT dari daftar.")}
    if draft.workshop_id is None:
        return {}
    if draft.commodity_group_id is not None:
        return {
            "commodity_group": _("Aturan satu bengkel berlaku untuk semua karyanya. Kosongkan kelompoknya.")
        }
    workshop = db.session.get(Workshop, draft.workshop_id)
    if workshop is None or draft.facility_id is None or workshop.facility_id != draft.facility_id:
        return {"workshop": _("Pilih bengkel dari UPT yang dipilih.")}
    return {}



def _record(rule: SplitRule, what: str, person_id: int, former: SplitRule | None = None) -> None:
    codes = {fund.id: fund.code for fund in db.session.scalars(select(Fund))}
    details: dict[str, object] = {
        "after": {
            "basis": rule.basis,
            "shares": {codes[share.fund_id]: share.basis_points for share in rule.shares},
            "valid_from": rule.valid_from.isoformat(),
            "valid_to": rule.valid_to.isoformat() if rule.valid_to else None,
            "legal_basis": rule.legal_basis,
            "exhibition": rule.exhibition_id,
            "workshop": rule.workshop_id,
            "commodity_group": rule.commodity_group_id,
        }
    }
    if former is not None:
        details["before"] = {
            "rule": former.id,
            "basis": former.basis,
            "shares": {codes[share.fund_id]: share.basis_points for share in former.shares},
        }
        details["former_ends"] = former.valid_to.isoformat() if former.valid_to else None
    if rule.rejection_reason:
        details["reason"] = rule.rejection_reason
    record(
        f"split_rule.{what}",
        "split_rule",
        rule.id,
        person_id=person_id,
        facility_id=rule.facility_id,
        details=details,
    )
