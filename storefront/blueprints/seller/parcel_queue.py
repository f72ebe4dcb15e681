"""The packing queue: filters in the address, many parcels packed or sent at once, and what to fetch for them."""

from __future__ import annotations

from flask import g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.seller import bp
from storefront.blueprints.seller.forms import COURIER_OPTIONS, OTHER
from storefront.blueprints.seller.parcel_filters import asked, kept
from storefront.extensions import db
from storefront.form_key import kept_key
from storefront.orders import parcel_queue, parcel_steps
from storefront.orders.parcel_queue import Asked
from storefront.orders.pick_list import pick_list as fetched
from storefront.pages import page_number
from storefront.people import access
from storefront.people.policy import Action
from storefront.written import Written


@bp.get("/<code>/parcels")
@access.rule(Action.PARCELS_READ)
def parcels(code: str) -> ResponseReturnValue:
    """The facility's parcels, by what the address asks for."""
    return queue_page(Written())


@bp.post("/<code>/parcels/steps")
@access.rule(Action.PARCELS_WRITE)
def take_steps(code: str) -> ResponseReturnValue:
    """One step with all that are ticked; each row gets its verdict. Sent again, it says what has happened already."""
    form, ids = Written(request.form), ticked()
    step, courier = form["step"], form["courier"]
    if courier == OTHER:
        courier = form.line("other_courier")
    if step not in parcel_steps.STEPS:
        form.wrong("step", _("Pilih apa yang terjadi dengan kiriman yang dicentang."))
    if not ids:
        form.wrong("parcels", _("Centang dahulu kirimannya."))
    if step == "sent" and not 2 <= len(courier) <= 60 and needs_courier(ids):
        form.wrong("courier", _("Pilih kurirnya."))
    if form.errors:
        return queue_page(form, ids), form.status
    verdicts = parcel_steps.take(g.facility.id, ids, step, access.person_id(), courier)
    db.session.commit()
    return render_template("seller/parcel_steps.html", verdicts=verdicts, step=step, kept=kept())


@bp.get("/<code>/pick-list")
@access.rule(Action.PARCELS_READ)
def pick_list(code: str) -> ResponseReturnValue:
    """What to fetch for the parcels of the filter (by default all to pack), on paper for the workshop."""
    wanted = to_pack(asked())
    ids = parcel_queue.ids(g.facility.id, wanted)[: parcel_queue.MOST_PRINTED]
    return render_template("seller/pick_list.html", found=fetched(ids), query=wanted.query)


def to_pack(wanted: Asked) -> Asked:
    """The same filter; without a state what is to pack."""
    return Asked(**{**vars(wanted), "state": wanted.state or "to_pack"})


def ticked() -> list[int]:
    """The parcels that are ticked in the form that was sent."""
    written = request.form.getlist("parcel")
    return [int(text) for text in written if text.isascii() and text.isdigit() and len(text) < 16]


def needs_courier(ids: list[int]) -> bool:
    """Whether one of the facility's own among them is carried rather than collected."""
    return parcel_queue.any_carried(g.facility.id, ids)


def queue_page(form: Written, chosen: list[int] | None = None) -> str:
    """The queue; a refused form keeps what was ticked and chosen."""
    wanted = asked()
    return render_template(
        "seller/parcels.html",
        asked=wanted,
        counts=parcel_queue.counts(g.facility.id, wanted),
        found=parcel_queue.listing(g.facility.id, wanted, page_number()),
        choices=parcel_queue.choices(g.facility.id),
        couriers=COURIER_OPTIONS,
        kept=kept(),
        form=form,
        chosen=frozenset(chosen or ()),
        request_key=kept_key(form["request_key"]),
    )
