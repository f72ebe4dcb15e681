"""Which letters a person wants, beside those about their orders' own steps."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.blueprints.account import bp
from storefront.blueprints.account.routes import me
from storefront.extensions import db
from storefront.people import access, letter_choices


@bp.get("/account/letters")
@access.signed_in
def letters() -> ResponseReturnValue:
    """The choices as they are."""
    return render_template("account/letters.html", me=me(), choices=letter_choices.choices(me().email))


@bp.post("/account/letters")
@access.signed_in
def choose_letters() -> ResponseReturnValue:
    """Keep what is ticked; what is not ticked is not sent from now on."""
    who, wanted = me(), request.form.getlist("kind")
    before = letter_choices.choices(who.email)
    after = {kind: kind in wanted for kind in letter_choices.KINDS}
    for kind in letter_choices.KINDS:
        if after[kind] != before[kind]:
            letter_choices.choose(who.email, kind, after[kind])
    if after != before:
        record("person.letters_chosen", "person", who.id, person_id=who.id, details=after)
    db.session.commit()
    flash(_("Tersimpan."), "ok")
    return redirect(url_for("account.letters"), 303)
