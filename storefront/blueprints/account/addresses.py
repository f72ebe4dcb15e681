"""A person's saved addresses. Nobody else sees them; an order copies the one that was chosen for it."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.blueprints.account import bp
from storefront.extensions import db
from storefront.people import access
from storefront.shipping.destinations import provinces
from storefront.shipping.find_places import choices_for, fill
from storefront.shoppers import addresses
from storefront.shoppers.models import SavedAddress
from storefront.written import Written


@bp.get("/account/addresses")
@access.signed_in
def address_list() -> ResponseReturnValue:
    """All of them, and the way to a new one."""
    saved = addresses.addresses_of(access.person_id())
    return render_template("account/addresses.html", addresses=saved, is_full=len(saved) >= addresses.MOST)


@bp.get("/account/addresses/new")
@access.signed_in
def new_address() -> ResponseReturnValue:
    """The empty form."""
    return address_page(Written(), None)


@bp.post("/account/addresses/new")
@access.signed_in
def add_address() -> ResponseReturnValue:
    """Save it; what is wrong is said beside its field."""
    form, person_id = _written(), access.person_id()
    preferred = bool(form["preferred"])
    if form.done(lambda: addresses.add(person_id, form.values, preferred=preferred)) is None:
        return address_page(form, None), form.status
    return _saved()


@bp.get("/account/addresses/<int:address_id>")
@access.signed_in
def show_address(address_id: int) -> ResponseReturnValue:
    """The form with what is saved. Raises NotFound for another's."""
    address = addresses.own(access.person_id(), address_id)
    values = {name: getattr(address, name) or "" for name in addresses.FIELDS}
    return address_page(Written(values | {"preferred": "1" if address.is_preferred else ""}), address)


@bp.post("/account/addresses/<int:address_id>")
@access.signed_in
def change_address(address_id: int) -> ResponseReturnValue:
    """Change it. Raises NotFound for another's."""
    form, person_id = _written(), access.person_id()
    preferred = bool(form["preferred"])
    if form.done(lambda: addresses.change(person_id, address_id, form.values, preferred=preferred)) is None:
        return address_page(form, addresses.own(person_id, address_id)), form.status
    return _saved()


@bp.post("/account/addresses/<int:address_id>/prefer")
@access.signed_in
def prefer_address(address_id: int) -> ResponseReturnValue:
    """Offer it first. Raises NotFound for another's."""
    addresses.prefer(access.person_id(), address_id)
    db.session.commit()
    return _saved()


@bp.post("/account/addresses/<int:address_id>/remove")
@access.signed_in
def remove_address(address_id: int) -> ResponseReturnValue:
    """Delete it. Raises NotFound for another's."""
    addresses.remove(access.person_id(), address_id)
    db.session.commit()
    flash(_("Alamat dihapus."), "ok")
    return redirect(url_for("account.address_list"), 303)


@bp.get("/account/addresses/<int:address_id>/<any('prefer', 'remove'):step>")
@access.signed_in
def after_address_step(address_id: int, step: str) -> ResponseReturnValue:
    """The address of a step, opened again: back to the list."""
    return redirect(url_for("account.address_list"))


def address_page(form: Written, address: SavedAddress | None) -> str:
    return render_template(
        "account/address.html",
        form=form,
        address=address,
        provinces=[(province.name, province.name) for province in provinces()],
        choices=fill(form.values).choices,
        lists=choices_for(form.values),
    )


def _written() -> Written:
    """The form as it was sent, with what its postal code says of the fields left empty."""
    sent = request.form.to_dict()
    return Written({**sent, **fill(sent, sent.get("place", "")).values})


def _saved() -> ResponseReturnValue:
    flash(_("Tersimpan."), "ok")
    return redirect(url_for("account.address_list"), 303)
