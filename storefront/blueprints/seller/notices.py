"""What each person is told of this facility, and how: letters, and lines on their devices."""

from __future__ import annotations

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.blueprints.seller import bp
from storefront.errors import NotFound
from storefront.extensions import db, limiter
from storefront.mail.push import public_key
from storefront.notices import devices
from storefront.notices.choices import DEFAULTS, Ways, choices, choose, kinds_for
from storefront.people import access, policy
from storefront.people.models import Role
from storefront.written import Written


@bp.get("/<code>/notices")
@access.signed_in
def notices(code: str) -> ResponseReturnValue:
    """One's own choices for this facility, and one's devices."""
    return _page(Written())


@bp.post("/<code>/notices")
@access.signed_in
def choose_notices(code: str) -> ResponseReturnValue:
    """Keep what is ticked; what is not ticked is not sent from now on."""
    me, facility_id = access.person_id(), g.facility.id
    by_email, by_push = set(request.form.getlist("email")), set(request.form.getlist("push"))
    before = choices(me, facility_id)
    after = {kind: Ways(kind in by_email, kind in by_push) for kind in _kinds()}
    changed = {kind: ways for kind, ways in after.items() if ways != before[kind]}
    choose(me, facility_id, changed)
    if changed:
        told = {kind: [ways.by_email, ways.by_push] for kind, ways in changed.items()}
        record("notices.chosen", "person", me, person_id=me, facility_id=facility_id, details=told)
    db.session.commit()
    flash(_("Tersimpan."), "ok")
    return redirect(url_for("seller.notices", code=code), 303)


@bp.get("/<code>/devices")
@access.signed_in
def after_device(code: str) -> ResponseReturnValue:
    """The address of a refused device, opened again."""
    return redirect(url_for("seller.notices", code=code))


@bp.post("/<code>/devices")
@access.signed_in
@limiter.limit("20 per hour")
def add_device(code: str) -> ResponseReturnValue:
    """This browser takes push messages for who is signed in."""
    form, me = Written(request.form), access.person_id()

    def add() -> bool:
        devices.subscribe(me, form["endpoint"], form["p256dh"], form["auth"], request.user_agent.string)
        record("device.added", "person", me, person_id=me, facility_id=g.facility.id)
        return True

    if form.done(add) is None:
        return _page(form), form.status
    flash(_("Perangkat ini sekarang menerima pemberitahuan."), "ok")
    return redirect(url_for("seller.notices", code=code), 303)


@bp.post("/<code>/devices/<int:device_id>/remove")
@access.signed_in
def remove_device(code: str, device_id: int) -> ResponseReturnValue:
    """A device takes no messages any more. Raises NotFound for another person's."""
    me = access.person_id()
    if not devices.unsubscribe(me, device_id):
        raise NotFound()
    record("device.removed", "person", me, person_id=me, facility_id=g.facility.id)
    db.session.commit()
    flash(
        _("Perangkat itu tidak menerima pemberitahuan lagi. Nyalakan lagi kapan saja dari perangkatnya."),
        "ok",
    )
    return redirect(url_for("seller.notices", code=code), 303)


def _kinds() -> list[str]:
    """The kinds that concern the reader in this facility."""
    here = [m.role for m in policy.living(access.person()) if m.facility_id == g.facility.id]
    return kinds_for(frozenset(Role(role) for role in here) & policy.FACES["seller"])


def _page(form: Written) -> str:
    me = access.person_id()
    is_offered = current_app.extensions["settings"].service_worker
    return render_template(
        "seller/notices.html",
        kinds=_kinds(),
        choices=choices(me, g.facility.id),
        pushable=[kind for kind, ways in DEFAULTS.items() if ways.by_push],
        devices=devices.devices(me),
        key=public_key() if is_offered else None,
        form=form,
        email=getattr(access.person(), "email", ""),
    )
