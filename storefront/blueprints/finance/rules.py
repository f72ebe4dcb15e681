"""Split rules: what is in force, what a change would have done, proposals and the second person's word."""

from __future__ import annotations

import datetime
import re

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.blueprints.finance.rule_form import LESS, MOST, blank_from, draft_of, with_document, words_of
from storefront.books import proof
from storefront.catalogue.models import CommodityGroup
from storefront.display import format_month
from storefront.errors import NotFound
from storefront.exhibitions.models import Exhibition
from storefront.exports.answer import attachment
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.keyset import asked_turn
from storefront.languages import locale
from storefront.ledger.earnings import last_months
from storefront.ledger.models import SplitRule
from storefront.people import access
from storefront.people.policy import Action
from storefront.rules import rule_changes, rule_ends, rule_list, rule_preview
from storefront.rules.rule_changes import check, rule_of
from storefront.rules.rule_list import RuleRow
from storefront.rules.rule_preview import Preview
from storefront.written import Written

MONTH = re.compile(r"(\d{4})-(\d{2})")
#: Months that a preview may reach back.
MONTHS = 12


@bp.get("/rules")
@access.rule(Action.RULES_READ)
def rule_list_page() -> ResponseReturnValue:
    """All rules that concern the reader's facilities."""
    state, facility = steps.asked("state", rule_list.STATES), steps.asked_facility()
    found = rule_list.rules(
        steps.within(Action.RULES_READ), state=state, facility=facility, turn=asked_turn()
    )
    return render_template(
        "finance/rules.html",
        found=found,
        state=state,
        states=rule_list.STATES,
        facility=facility,
        facilities=steps.codes(Action.RULES_READ),
        may_propose=steps.may_somewhere(Action.RULES_PROPOSE),
    )


@bp.get("/rules/new")
@access.rule(Action.RULES_PROPOSE)
def new_rule() -> ResponseReturnValue:
    """A blank proposal, or one that begins as the rule it shall follow (`after`)."""
    former = request.args.get("after", type=int)
    row = own(former, Action.RULES_READ) if former is not None else None
    return form_page(Written(blank_from(row)))


@bp.post("/rules/new")
@access.rule(Action.RULES_PROPOSE)
def propose_rule() -> ResponseReturnValue:
    """Propose a rule, or (`act=preview`) only show what it would have done; then nothing is written."""
    form = steps.written()
    draft = draft_of(form)
    ids = steps.within(Action.RULES_PROPOSE)
    if ids is not None and draft.facility_id not in ids:
        form.wrong("facility_id", _("Pilih UPT yang menjadi tanggung jawab Anda."))
    if form.errors:
        return form_page(form), form.status
    if request.form.get("act") == "preview":
        for name, sentence in check(draft).items():
            form.wrong(name, sentence)
        reckoned = None if form.errors else rule_preview.preview(rule_of(draft), last_month(), ids)
        db.session.rollback()
        return form_page(form, reckoned), form.status
    file = request.files.get("document")
    done = form.done(lambda: rule_changes.propose(with_document(draft, file), access.person_id()))
    if done is None:
        if form.refusal and form.status == proof.BadProof.status:
            form.errors["document"], form.refusal = form.refusal, ""
        return form_page(form), form.status
    flash(_("Aturan diusulkan. Administrator yang menyetujuinya."), "ok")
    return redirect(url_for("finance.rule_page", rule_id=done.id), 303)


@bp.get("/rules/<int:rule_id>")
@access.rule(Action.RULES_READ)
def rule_page(rule_id: int) -> ResponseReturnValue:
    """One rule, what it has divided, and its next step."""
    return page(own(rule_id, Action.RULES_READ), Written())


@bp.get("/rules/<int:rule_id>/preview")
@access.rule(Action.RULES_READ)
def rule_preview_page(rule_id: int) -> ResponseReturnValue:
    """What the rule would have done to a month's sales in its scope; nothing is written."""
    row = own(rule_id, Action.RULES_READ)
    months = last_months(days.today(), MONTHS)
    asked = MONTH.fullmatch(request.args.get("month", ""))
    month = (
        datetime.date(int(asked[1]), int(asked[2]), 1) if asked and 1 <= int(asked[2]) <= 12 else last_month()
    )
    if month not in months:
        month = last_month()
    rule = db.session.get_one(SplitRule, rule_id)
    return render_template(
        "finance/rule_preview.html",
        row=row,
        reckoned=rule_preview.preview(rule, month, steps.within(Action.RULES_READ)),
        month=f"{month:%Y-%m}",
        months=[(f"{day:%Y-%m}", format_month(day)) for day in reversed(months)],
    )


@bp.get("/rules/<int:rule_id>/document")
@access.rule(Action.RULES_READ)
def rule_document(rule_id: int) -> ResponseReturnValue:
    """The decree, as a file to keep."""
    row = own(rule_id, Action.RULES_READ)
    return attachment(row.document_key, f"aturan-{row.id}")


@bp.post("/rules/<int:rule_id>/approve")
@access.rule(Action.RULES_APPROVE)
def approve_rule(rule_id: int) -> ResponseReturnValue:
    """Put it in force, as the second person."""
    row, form = own(rule_id, Action.RULES_APPROVE), steps.written()
    done = form.done(lambda: rule_changes.approve(row.id, access.person_id()))
    return ended(
        row, form, done, _("Aturan disetujui. Aturan sebelumnya berakhir sehari sebelum ini berlaku.")
    )


@bp.post("/rules/<int:rule_id>/reject")
@access.rule(Action.RULES_APPROVE)
def reject_rule(rule_id: int) -> ResponseReturnValue:
    """Decide against it."""
    row, form = own(rule_id, Action.RULES_APPROVE), steps.written()
    done = form.done(lambda: rule_changes.reject(row.id, access.person_id(), form.line("reason")))
    return ended(row, form, done, _("Usulan ditolak."))


@bp.post("/rules/<int:rule_id>/withdraw")
@access.rule(Action.RULES_PROPOSE)
def withdraw_rule(rule_id: int) -> ResponseReturnValue:
    """Take one's own proposal back."""
    row, form = own(rule_id, Action.RULES_PROPOSE), steps.written()
    if row.proposed_by != access.person_id():
        raise NotFound()
    done = form.done(lambda: rule_changes.reject(row.id, access.person_id()))
    return ended(row, form, done, _("Usulan ditarik kembali."))


@bp.post("/rules/<int:rule_id>/end")
@access.rule(Action.RULES_PROPOSE)
def end_rule(rule_id: int) -> ResponseReturnValue:
    """Name its last day, with no rule to follow in its place."""
    row, form = own(rule_id, Action.RULES_PROPOSE), steps.written()
    last_day, reason = form.day("last_day"), form.line("reason")
    done = form.done(lambda: rule_ends.propose_end(row.id, last_day, reason, access.person_id()))
    return ended(row, form, done, _("Hari terakhir diusulkan. Administrator yang menyetujuinya."))


@bp.post("/rules/<int:rule_id>/approve-end")
@access.rule(Action.RULES_APPROVE)
def approve_rule_end(rule_id: int) -> ResponseReturnValue:
    """Agree to its last day, as the second person."""
    row, form = own(rule_id, Action.RULES_APPROVE), steps.written()
    done = form.done(lambda: rule_ends.approve_end(waiting_end(row), access.person_id()))
    return ended(row, form, done, _("Hari terakhir aturan ini ditetapkan."))


@bp.post("/rules/<int:rule_id>/reject-end")
@access.rule(Action.RULES_APPROVE)
def reject_rule_end(rule_id: int) -> ResponseReturnValue:
    """Decide against its end."""
    row, form = own(rule_id, Action.RULES_APPROVE), steps.written()
    done = form.done(lambda: rule_ends.reject_end(waiting_end(row), access.person_id()))
    return ended(row, form, done, _("Usulan akhir ditolak; aturan ini tetap berlaku."))


@bp.post("/rules/<int:rule_id>/withdraw-end")
@access.rule(Action.RULES_PROPOSE)
def withdraw_rule_end(rule_id: int) -> ResponseReturnValue:
    """Take one's own proposal of an end back."""
    row, form = own(rule_id, Action.RULES_PROPOSE), steps.written()
    end = rule_list.end_of(row.id)
    if end is None or end.proposed_by != access.person_id():
        raise NotFound()
    done = form.done(lambda: rule_ends.reject_end(end.id, access.person_id()))
    return ended(row, form, done, _("Usulan akhir ditarik kembali; aturan ini tetap berlaku."))


def waiting_end(row: RuleRow) -> int:
    """The id of the end that waits. Raises NotFound."""
    end = rule_list.end_of(row.id)
    if end is None:
        raise NotFound()
    return end.id


def own(rule_id: int, action: Action) -> RuleRow:
    """A rule in reach for `action`; general rules may be read by all and changed by who sees everything."""
    ids = steps.within(action)
    row = rule_list.find(rule_id, ids)
    if row is None or (action is not Action.RULES_READ and ids is not None and row.facility_id not in ids):
        raise NotFound()
    return row


def ended(row: RuleRow, form: Written, done: object, said: str) -> ResponseReturnValue:
    """After a step: back to the rule, or its page again with what is wrong."""
    if done is None:
        return page(own(row.id, Action.RULES_READ), form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.rule_page", rule_id=row.id), 303)


def page(row: RuleRow, form: Written) -> str:
    rule = db.session.get_one(SplitRule, row.id)
    propose, approve = steps.within(Action.RULES_PROPOSE), steps.within(Action.RULES_APPROVE)
    return render_template(
        "finance/rule.html",
        row=row,
        form=form,
        used=rule_list.use_of(row.id),
        end=rule_list.end_of(row.id),
        may_end=rule_ends.may_end(rule),
        may_propose=propose is None or row.facility_id in propose,
        may_approve=approve is None or row.facility_id in approve,
        me=access.person_id(),
        today=days.today(),
    )


def form_page(form: Written, reckoned: Preview | None = None) -> str:
    """The proposal's form; a refused one keeps what was written, except the file."""
    ids = steps.within(Action.RULES_PROPOSE)
    english = locale() == "en"
    workshops = (
        select(Workshop.id, Workshop.name, Facility.code)
        .join(Facility, Facility.id == Workshop.facility_id)
        .order_by(Facility.code, Workshop.name)
    )
    if ids is not None:
        workshops = workshops.where(Facility.id.in_(ids))
    groups = db.session.scalars(select(CommodityGroup).order_by(CommodityGroup.position))
    fairs = select(Exhibition.id, Exhibition.name).where(Exhibition.ends_on >= days.today())
    return render_template(
        "finance/new_rule.html",
        form=form,
        reckoned=reckoned,
        funds=words_of(english),
        shown=range(1, max(LESS, *(n for n in range(1, MOST + 1) if form[f"percent-{n}"] or n == 1)) + 1),
        most=MOST,
        sees_all=ids is None,
        facilities=steps.choices(Action.RULES_PROPOSE),
        workshops=[(row.id, f"{row.code} · {row.name}") for row in db.session.execute(workshops)],
        groups=[(row.id, row.name_en if english else row.name) for row in groups],
        exhibitions=[(row.id, row.name) for row in db.session.execute(fairs.order_by(Exhibition.starts_on))],
        tomorrow=days.today() + datetime.timedelta(days=1),
    )


def last_month() -> datetime.date:
    """The first day of the accounting month before this one."""
    return (days.today().replace(day=1) - datetime.timedelta(days=1)).replace(day=1)
