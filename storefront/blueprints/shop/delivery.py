"""What it costs to send a product somewhere, before anything is in a cart; and places for who fills in an address.

Both answer from their address alone: where somebody lives is kept by their browser, and as far as a district with
their cart.
"""

from __future__ import annotations

import datetime

from flask import jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from storefront.blueprints.shop import bp
from storefront.blueprints.shop.asked import asked_page
from storefront.catalogue.product_page import ProductPage
from storefront.days import today
from storefront.facilities.working_days import calendar_of, ready_on
from storefront.languages import locale
from storefront.shipping.advice import advise
from storefront.shipping.destinations import destination_for
from storefront.shipping.find_places import PLACE_FIELDS, Place, choices_for, fill, search_places
from storefront.shipping.quote import Piece
from storefront.shipping.rates import quote

LONGEST = 120
MOST_PIECES = 999


@bp.get("/places")
def find_places() -> ResponseReturnValue:
    """For a form: what its postal code fills in, what can be chosen next, and what does not fit."""
    typed = {name: request.args.get(name, "")[:LONGEST] for name in PLACE_FIELDS}
    filled = fill(typed)
    known = {**typed, **filled.values}
    response = jsonify(
        fill=filled.values,
        choices=[{"code": place.code, "label": place.label, **place.values()} for place in filled.choices],
        lists=choices_for(known),
        advice=advise(known),
    )
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@bp.get("/products/<slug>/shipping")
def product_shipping(slug: str) -> ResponseReturnValue:
    """Couriers, price and day for one product to a place: a page, or for htmx the part that changes."""
    product = asked_page(slug)
    written = request.args.get("to", "")[:LONGEST].strip()
    found = search_places(written)
    # In one city every price is the same.
    places = list({(place.province_id, place.town): place for place in reversed(found)}.values())[::-1]
    place = places[0] if len(places) == 1 else None
    is_fragment = request.headers.get("HX-Request") == "true"
    page = render_template(
        "shop/_estimate.html" if is_fragment else "shop/shipping.html",
        product=product,
        written=written,
        places=found if place is None else (),
        place=place,
        is_one_district=len(found) == 1,
        **(_estimate(product, place) if place else {}),
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "HX-Request"
    return response


def _estimate(product: ProductPage, place: Place) -> dict[str, object]:
    """The quote for so many pieces of the variant that is asked for, by the same code as checkout's."""
    variant = product.shown
    if variant is None:
        return {"quote": None}
    quantity = min(max(1, request.args.get("quantity", 1, type=int)), MOST_PIECES)
    piece = Piece(variant.sku, product.scope, variant.weight_g, quantity, variant.price * quantity)
    facility = product.facility.id
    found = quote({facility: [piece]}, destination_for(place.province, place.city, place.district))[facility]
    day, lead = today(), variant.lead_time_days if variant.is_made_to_order else None
    leaves_on = ready_on(day, lead, calendar_of(facility, day))
    return {
        "quote": found,
        "quantity": quantity,
        "days": {option.code: leaves_on + datetime.timedelta(days=option.days_max) for option in found.options},
        "language": locale(),
    }
