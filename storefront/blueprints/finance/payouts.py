"""What gateways passed on to our bank, and payments that payers' banks took back."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import days
from storefront.blueprints.finance import bp, steps
from storefront.books import attention, payouts
from storefront.books.bank_accounts import find_in_force
from storefront.errors import NotFound
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.reports import journal_lists
from storefront.written import Written, day

DISPUTE_STATES = ("open", "won", "lost")


@bp.get("/payouts")
@access.rule(Action.BOOKS_READ)
def payout_list() -> ResponseReturnValue:
    """Payouts by gateway and day, with what each gateway still holds."""
    whole_programme()
    return page(Written())


@bp.post("/payouts")
@access.rule(Action.BOOKS_WRITE)
def record_payout() -> ResponseReturnValue:
    """Write down what the bank's statement shows."""
    whole_programme(Action.BOOKS_WRITE)
    form = steps.written()
    amount, arrived_on = form.amount("amount"), form.day("arrived_on")
    done = form.done(
        lambda: payouts.record_payout(
            gateway=form["gateway"],
            reference=form.line("reference"),
            amount=amount,
            arrived_on=arrived_on,
            person_id=access.person_id(),
        )
    )
    if done is None:
        return page(form), form.status
    flash(_("Pencairan dicatat dan dibukukan."), "ok")
    return redirect(url_for("finance.payout_list"), 303)


@bp.get("/disputes")
@access.rule(Action.BOOKS_READ)
def dispute_list() -> ResponseReturnValue:
    """Disputed payments, open ones first."""
    whole_programme()
    state = steps.asked("state", DISPUTE_STATES)
    return render_template(
        "finance/disputes.html",
        found=journal_lists.disputes(state=state, turn=asked_turn()),
        counts=journal_lists.counts("disputes"),
        state=state,
        states=DISPUTE_STATES,
    )


def whole_programme(action: Action = Action.BOOKS_READ) -> None:
    """Gateways hold the money of several facilities at once: for those who may do `action` in all of them."""
    if steps.within(action) is not None:
        raise NotFound()


def page(form: Written) -> str:
    known = payouts.gateways()
    gateway = steps.asked("gateway", known)
    first, last = (day(request.args.get(name, "")) for name in ("from", "to"))
    return render_template(
        "finance/payouts.html",
        form=form,
        found=journal_lists.payouts(gateway=gateway, first=first, last=last, turn=asked_turn()),
        gateways=known,
        pairs=[(name, name) for name in known],
        balances=attention.gateway_balances(),
        account=find_in_force(None, days.today()),
        gateway=gateway,
        first=first.isoformat() if first else "",
        last=last.isoformat() if last else "",
        may_record=steps.may(Action.BOOKS_WRITE),
        today=days.today(),
    )
