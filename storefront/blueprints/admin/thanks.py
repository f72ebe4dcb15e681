"""Thanks to workshops that wait for a curator. The words alone: no name, no order."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.aftercare import thanks
from storefront.blueprints.admin import bp
from storefront.blueprints.admin.overview import Queue, queue
from storefront.extensions import db
from storefront.people import access
from storefront.people.policy import Action


@queue(Action.PAGES_WRITE)
def waiting() -> Queue:
    """How many wait."""
    return Queue(
        thanks.count_waiting(),
        _("ucapan terima kasih menunggu dibaca"),
        _("diteruskan ke bengkelnya setelah dibaca"),
        url_for("admin.thank_yous"),
    )


@bp.get("/thanks")
@access.rule(Action.PAGES_WRITE)
def thank_yous() -> ResponseReturnValue:
    """What waits first, then the latest decided."""
    return render_template("admin/thanks.html", rows=thanks.to_read())


@bp.post("/thanks/<int:thanks_id>")
@access.rule(Action.PAGES_WRITE)
def decide_thank_you(thanks_id: int) -> ResponseReturnValue:
    """Let it through, or not."""
    show = request.form.get("decision") == "show"
    thanks.decide(thanks_id, show=show, person_id=access.person_id())
    db.session.commit()
    flash(_("Diteruskan ke bengkelnya.") if show else _("Disembunyikan. Pembelinya tidak diberi tahu."), "ok")
    return redirect(url_for("admin.thank_yous"), 303)


@bp.get("/thanks/<int:thanks_id>")
@access.rule(Action.PAGES_WRITE)
def after_thank_you(thanks_id: int) -> ResponseReturnValue:
    """The address of a step, opened again: back to the list."""
    return redirect(url_for("admin.thank_yous"))
