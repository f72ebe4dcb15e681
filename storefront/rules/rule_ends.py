"""The end of a split rule that no other of its scope follows: the wider rule holds from the next day on."""

from __future__ import annotations

import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.audit.record import record
from storefront.books.four_eyes import Decided, moment, require_second, undecided
from storefront.days import today
from storefront.display import format_date
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.ledger.models import SplitRule, SplitRuleEnd
from storefront.ledger.split_rules import change_rules
from storefront.rules.rule_changes import RuleRefused
from storefront.rules.rule_conflicts import sales_after, scope_of

SHORTEST_REASON, LONGEST_REASON = 10, 1000


def propose_end(rule_id: int, last_day: datetime.date, reason: str, person_id: int) -> SplitRuleEnd:
    """Name a rule's last day; it ends once somebody else has approved it.

    Raises Invalid by field, Decided while another end waits, NotFound for a rule that is not in force.
    """
    rule = _approved(rule_id)
    reason = reason.strip()
    errors = {}
    refused = _refused(rule, last_day)
    if refused:
        errors["last_day"] = refused
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        errors["reason"] = _("Tulis alasannya, 10 sampai 1.000 huruf.")
    if errors:
        raise Invalid(errors)
    if open_end(rule_id) is not None:
        raise Decided(_("Sudah ada usulan akhir untuk aturan ini. Putuskan usulan itu dahulu."))
    end = SplitRuleEnd(split_rule_id=rule.id, last_day=last_day, reason=reason, proposed_by=person_id)
    db.session.add(end)
    db.session.flush()
    _record(rule, end, "end_proposed", person_id, _end_of(rule))
    return end


def approve_end(end_id: int, person_id: int) -> SplitRuleEnd:
    """A second person ends the rule. Raises FourEyes, Decided, RuleRefused, NotFound."""
    change_rules()
    end, rule = _waiting(end_id)
    require_second(end.proposed_by, person_id)
    refused = _refused(rule, end.last_day)
    if refused:
        raise RuleRefused(refused)
    before = _end_of(rule)
    rule.valid_to = end.last_day
    end.approved_by, end.approved_at = person_id, moment(None)
    db.session.flush()
    _record(rule, end, "ended", person_id, before)
    return end


def reject_end(end_id: int, person_id: int) -> SplitRuleEnd:
    """Decide against it, or take one's own back. Raises Decided, NotFound."""
    end, rule = _waiting(end_id)
    end.rejected_by, end.rejected_at = person_id, moment(None)
    db.session.flush()
    _record(rule, end, "end_rejected", person_id, _end_of(rule))
    return end


def open_end(rule_id: int) -> SplitRuleEnd | None:
    """The proposed end of a rule that waits for a second person."""
    return db.session.scalar(
        select(SplitRuleEnd).where(
            SplitRuleEnd.split_rule_id == rule_id,
            SplitRuleEnd.approved_at.is_(None),
            SplitRuleEnd.rejected_at.is_(None),
        )
    )


def may_end(rule: SplitRule) -> bool:
    """Whether a rule may end without another: the default may not, else a sale could find no rule."""
    return rule.approved_at is not None and any(scope_of(rule).values()) and not is_over(rule)


def is_over(rule: SplitRule) -> bool:
    """Whether its last day has passed."""
    return rule.valid_to is not None and rule.valid_to < today()


def _refused(rule: SplitRule, last_day: datetime.date) -> str | None:
    if not any(scope_of(rule).values()):
        return str(_("Aturan umum tidak diakhiri tanpa pengganti. Usulkan aturan umum yang baru."))
    if last_day < rule.valid_from:
        return str(_("Hari terakhir tidak bisa sebelum hari pertama."))
    if rule.valid_to is not None and last_day >= rule.valid_to:
        return str(_("Aturan ini sudah berakhir pada %(day)s.", day=format_date(rule.valid_to)))
    if last_day >= today():
        return None
    found = sales_after(rule.id, last_day)
    if found.latest is not None:
        return str(
            _(
                "Pada %(day)s masih ada penjualan yang dibagi menurut aturan ini. Pilih hari itu atau sesudahnya.",
                day=format_date(found.latest),
            )
        )
    return None


def _approved(rule_id: int) -> SplitRule:
    rule = db.session.get(SplitRule, rule_id, with_for_update=True, populate_existing=True)
    if rule is None or rule.approved_at is None:
        raise NotFound()
    return rule


def _waiting(end_id: int) -> tuple[SplitRuleEnd, SplitRule]:
    end = undecided(SplitRuleEnd, end_id)
    return end, _approved(end.split_rule_id)


def _end_of(rule: SplitRule) -> dict[str, str | None]:
    return {"valid_to": rule.valid_to.isoformat() if rule.valid_to else None}


def _record(
    rule: SplitRule, end: SplitRuleEnd, what: str, person_id: int, before: dict[str, str | None]
) -> None:
    record(
        f"split_rule.{what}",
        "split_rule",
        rule.id,
        person_id=person_id,
        facility_id=rule.facility_id,
        details={"before": before, "after": {"valid_to": end.last_day.isoformat()}, "reason": end.reason},
    )
