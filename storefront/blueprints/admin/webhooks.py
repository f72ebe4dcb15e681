"""Webhooks: other systems that are told what happened, and the log of what was sent to them."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.admin import allowed, bp
from storefront.blueprints.admin.overview import Queue, queue
from storefront.integrations import endpoints, events, lists
from storefront.integrations.models import WebhookEndpoint
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written

KINDS = [kind.value for kind in events.Kind]


@queue(Action.INTEGRATIONS_WRITE)
def failed_deliveries() -> Queue:
    """What another system has not taken for a day."""
    return Queue(
        lists.count_failed(),
        _("kabar yang tidak sampai ke sistem lain"),
        _("Sudah dicoba sehari penuh. Periksa sistemnya, lalu kirim lagi."),
        url_for("admin.webhook_list"),
    )


@bp.get("/webhooks")
@access.rule(Action.INTEGRATIONS_READ)
def webhook_list() -> ResponseReturnValue:
    """All endpoints, and a form for another."""
    return _list(Written())


@bp.post("/webhooks")
@access.rule(Action.INTEGRATIONS_WRITE)
def add_webhook() -> ResponseReturnValue:
    """Another system is told; this answer alone shows the secret."""
    form, me = Written(request.form), access.person_id()
    kinds = request.form.getlist("events")
    made = form.done(lambda: endpoints.add(form.line("name"), form["url"].strip(), kinds, me))
    if made is None:
        return _list(form), form.status
    return _page(made[0].id, Written(), secret=made[1]), 201


@bp.get("/webhooks/<int:endpoint_id>")
@access.rule(Action.INTEGRATIONS_READ)
def webhook(endpoint_id: int) -> ResponseReturnValue:
    """One endpoint and its log."""
    return _page(endpoint_id, Written())


@bp.post("/webhooks/<int:endpoint_id>/secret")
@access.rule(Action.INTEGRATIONS_WRITE)
def renew_webhook_secret(endpoint_id: int) -> ResponseReturnValue:
    """A new secret, shown by this answer alone."""
    form, me = Written(request.form), access.person_id()
    made = form.done(lambda: endpoints.renew_secret(endpoint_id, me))
    return _page(endpoint_id, form, secret=made[1] if made else ""), 201 if made else form.status


@bp.post("/webhooks/<int:endpoint_id>/<any('pause', 'resume', 'remove', 'test'):step>")
@access.rule(Action.INTEGRATIONS_WRITE)
def change_webhook(endpoint_id: int, step: str) -> ResponseReturnValue:
    """Pause it, go on, try it, or tell it nothing any more."""
    acts: dict[str, tuple[Callable[[int, int], WebhookEndpoint], str]] = {
        "pause": (endpoints.pause, _("Dijeda. Kabar baru menunggu sampai dilanjutkan.")),
        "resume": (endpoints.resume, _("Dilanjutkan. Kabar yang menunggu dikirim sekarang.")),
        "remove": (endpoints.remove, _("Dihapus. Sistem itu tidak diberi tahu apa pun lagi.")),
        "test": (endpoints.test, _("Uji coba dikirim. Muat ulang halaman ini sebentar lagi untuk melihat jawabannya.")),
    }
    act, said = acts[step]
    form, me = Written(request.form), access.person_id()
    if form.done(lambda: act(endpoint_id, me)) is None:
        return _page(endpoint_id, form), form.status
    flash(said, "ok")
    if step == "remove":
        return redirect(url_for("admin.webhook_list"), 303)
    return redirect(url_for("admin.webhook", endpoint_id=endpoint_id), 303)


@bp.post("/webhooks/<int:endpoint_id>/deliveries/<int:delivery_id>/again")
@access.rule(Action.INTEGRATIONS_WRITE)
def send_webhook_again(endpoint_id: int, delivery_id: int) -> ResponseReturnValue:
    """Send an event once more, with its old id."""
    form, me = Written(request.form), access.person_id()
    if form.done(lambda: endpoints.send_again(endpoint_id, delivery_id, me)) is None:
        return _page(endpoint_id, form), form.status
    flash(_("Dikirim lagi dengan id yang sama. Muat ulang halaman ini sebentar lagi."), "ok")
    return redirect(url_for("admin.webhook", endpoint_id=endpoint_id), 303)


def _list(form: Written) -> str:
    return render_template(
        "admin/webhooks.html",
        rows=lists.endpoint_lines(),
        kinds=KINDS,
        form=form,
        chosen=request.form.getlist("events") if form.errors else [],
        may_change=allowed(Action.INTEGRATIONS_WRITE),
    )


def _page(endpoint_id: int, form: Written, *, secret: str = "") -> str:
    state, kind = request.args.get("state", ""), request.args.get("kind", "")
    kind = kind if kind in (*KINDS, events.TEST) else ""
    endpoint = endpoints.find(endpoint_id)
    found = lists.deliveries(endpoint_id, state=state, kind=kind, turn=asked_turn())
    return render_template(
        "admin/webhook.html",
        endpoint=endpoint,
        found=found,
        state=state if state in lists.STATES else "",
        states=lists.STATES,
        kind=kind,
        kinds=[*KINDS, events.TEST],
        form=form,
        secret=secret,
        may_change=allowed(Action.INTEGRATIONS_WRITE),
    )
