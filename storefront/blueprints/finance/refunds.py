"""Refunds: the list, one refund with what it takes from each fund, and the second person's answer."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.finance import bp, steps
from storefront.blueprints.finance.refund_form import second_people
from storefront.errors import NotFound
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.refunds import refund_effect, refund_list, refunds
from storefront.refunds.refund_list import ALL_REASONS, STATES, Asked, RefundRow
from storefront.written import Written, day


@bp.get("/refunds")
@access.rule(Action.REFUNDS_READ)
def refund_list_page() -> ResponseReturnValue:
    """All refunds, those that wait for a person first; by state, reason, facility and days."""
    errors: dict[str, str] = {}
    days = {name: request.args.get(name, "").strip() for name in ("from", "to")}
    for name, written in days.items():
        if written and day(written) is None:
            errors[name] = _("Tulis tanggalnya seperti 2026-11-30.")
    asked = Asked(
        state=steps.asked("state", STATES),
        reason=steps.asked("reason", ALL_REASONS),
        facility=steps.asked_facility(),
        first=day(days["from"]),
        last=day(days["to"]),
    )
    page = render_template(
        "finance/refunds.html",
        found=refund_list.listing(asked, steps.within(Action.REFUNDS_READ), asked_turn()),
        asked=asked,
        written=days,
        errors=errors,
        states=STATES,
        reasons=ALL_REASONS,
        facilities=steps.codes(Action.REFUNDS_READ),
    )
    return page, 422 if errors else 200


@bp.get("/refunds/<int:refund_id>")
@access.rule(Action.REFUNDS_READ)
def refund_page(refund_id: int) -> ResponseReturnValue:
    """One refund and its next step."""
    return page(own(refund_id, Action.REFUNDS_READ), Written())


@bp.post("/refunds/<int:refund_id>/approve")
@access.rule(Action.REFUNDS_WRITE)
def approve_refund(refund_id: int) -> ResponseReturnValue:
    """Agree, as the second person; it is sent."""
    row, form = whole(refund_id), steps.written()
    done = form.done(lambda: refunds.approve(row.id, access.person_id()))
    return ended(row, form, done, _("Pengembalian disetujui dan dikirim ke penyedia pembayaran."))


@bp.post("/refunds/<int:refund_id>/reject")
@access.rule(Action.REFUNDS_WRITE)
def reject_refund(refund_id: int) -> ResponseReturnValue:
    """Decide against it, or take one's own proposal back."""
    row, form = whole(refund_id), steps.written()
    done = form.done(lambda: refunds.reject(row.id, access.person_id()))
    return ended(row, form, done, _("Pengembalian tidak jadi. Tidak ada uang yang berpindah."))


@bp.post("/refunds/<int:refund_id>/send-again")
@access.rule(Action.REFUNDS_WRITE)
def send_refund_again(refund_id: int) -> ResponseReturnValue:
    """Ask the provider once more."""
    row, form = whole(refund_id), steps.written()
    done = form.done(lambda: refunds.try_again(row.id, access.person_id()))
    return ended(row, form, done, _("Pengembalian dikirim lagi ke penyedia pembayaran."))


def own(refund_id: int, action: Action) -> RefundRow:
    """A refund of which something is in reach for `action`. Raises NotFound for all others."""
    row = refund_list.find(refund_id, steps.within(action))
    if row is None:
        raise NotFound()
    return row


def whole(refund_id: int) -> RefundRow:
    """A refund that the reader may decide on: none of it is another facility's. Raises NotFound."""
    row = own(refund_id, Action.REFUNDS_WRITE)
    if not row.is_whole:
        raise NotFound()
    return row


def ended(row: RefundRow, form: Written, done: object, said: str) -> ResponseReturnValue:
    """After a step: back to the refund, or its page again with what is wrong."""
    if done is None:
        return page(own(row.id, Action.REFUNDS_READ), form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.refund_page", refund_id=row.id), 303)


def page(row: RefundRow, form: Written) -> str:
    ids = steps.within(Action.REFUNDS_READ)
    is_done = row.state == "succeeded"
    is_waiting = row.state == "proposed"
    decidable = refund_list.find(row.id, steps.within(Action.REFUNDS_WRITE))
    return render_template(
        "finance/refund.html",
        row=row,
        form=form,
        parts=refund_list.parts(row.id, ids),
        taken=refund_effect.took(row.id, ids) if is_done else refund_effect.would_take(row.id, ids),
        is_proposer=row.proposed_by == access.person_id(),
        may_decide=decidable is not None and decidable.is_whole,
        second=second_people(set(row.facility_ids), row.proposed_by) if is_waiting else [],
    )
