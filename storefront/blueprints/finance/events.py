"""What a person does about events that could not be handled, and about payments that are held."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.finance import bp, payments, steps
from storefront.blueprints.finance.payouts import whole_programme
from storefront.people import access
from storefront.people.policy import Action
from storefront.refunds import event_tries, held_payments
from storefront.written import Written


@bp.post("/payments/events/<int:event_id>/retry")
@access.rule(Action.BOOKS_WRITE)
def retry_event(event_id: int) -> ResponseReturnValue:
    """Have it handled anew, at once."""
    whole_programme()
    form = steps.written()
    done = form.done(lambda: event_tries.retry(event_id, access.person_id()))
    return ended(form, done, _("Kabar ini dicoba lagi. Muat ulang halaman ini sebentar lagi."), "kabar")


@bp.post("/payments/events/<int:event_id>/set-aside")
@access.rule(Action.BOOKS_WRITE)
def set_event_aside(event_id: int) -> ResponseReturnValue:
    """Leave it be, with a reason."""
    whole_programme()
    form = steps.written()
    done = form.done(lambda: event_tries.set_aside(event_id, access.person_id(), form["reason"]))
    return ended(form, done, _("Kabar ini dikesampingkan; alasannya tercatat."), "kabar", f"event-{event_id}")


@bp.post("/payments/held/<payment_id>/give-back")
@access.rule(Action.BOOKS_WRITE)
def give_held_back(payment_id: str) -> ResponseReturnValue:
    """Send all of a held payment back to the shopper."""
    whole_programme()
    form = steps.written()
    done = form.done(lambda: held_payments.give_back(payment_id, access.person_id()))
    said = _("Pengembalian dicatat. Mulai Rp 500.000 orang kedua menyetujuinya dahulu.")
    return ended(form, done, said, "ditahan")


@bp.post("/payments/held/<payment_id>/close")
@access.rule(Action.BOOKS_WRITE)
def close_held(payment_id: str) -> ResponseReturnValue:
    """Say why nothing is left to do about it."""
    whole_programme()
    form = steps.written()
    done = form.done(lambda: held_payments.close(payment_id, access.person_id(), form["reason"]))
    return ended(form, done, _("Pembayaran ini selesai; alasannya tercatat."), "ditahan", f"held-{payment_id}")


def ended(form: Written, done: object, said: str, where: str, open_form: str = "") -> ResponseReturnValue:
    """Back to the list, or the page again with what is wrong and the form open that was sent."""
    if done is None:
        return payments.page(form, open_form), form.status
    flash(said, "ok")
    return redirect(url_for("finance.payments", _anchor=where), 303)
