"""Price and lead time: they change at once, also on a published product."""

from __future__ import annotations

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront.audit.record import record
from storefront.blueprints.seller import bp
from storefront.blueprints.seller.forms import OfferForm
from storefront.blueprints.seller.shelf import own, page
from storefront.catalogue.models import Variant
from storefront.catalogue.offer import change_offer
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.people import access
from storefront.people.policy import Action


@bp.post("/<code>/stock/<sku>/offer")
@access.rule(Action.LISTINGS_WRITE)
def save_offer(code: str, sku: str) -> ResponseReturnValue:
    """Set the price, and the lead time of what is made to order."""
    row = own(sku)
    form = OfferForm()
    if not form.validate():
        return page(row, offer_form=form), 422
    variant = db.session.get_one(
        Variant, row.variant_id, with_for_update={"key_share": True}, populate_existing=True
    )
    try:
        change = change_offer(variant, price=form.price.data, lead_time_days=form.lead_time_days.data)
    except Invalid as refusal:
        for name, sentence in refusal.errors.items():
            form[name].errors = [sentence]
        db.session.rollback()
        return page(own(sku), offer_form=form), 422
    if change:
        record(
            "variant.offered",
            "variant",
            variant.id,
            person_id=access.person_id(),
            facility_id=g.facility.id,
            details={"sku": sku, "before": change.before, "after": change.after},
        )
    db.session.commit()
    flash(_("Harga %(sku)s tersimpan dan langsung tampil di toko.", sku=sku), "ok")
    return redirect(url_for("seller.stock", code=code, sku=sku), 303)
