"""Under which entry of the side menu a page stands: said once for each module, not at each link."""

from __future__ import annotations

from flask import current_app, request

#: Module of a page → entry of `seller/_layout.html`.
SECTIONS = {
    "bank_details": "profile",
    "certificates": "sales",
    "delivery": "shipping",
    "distributions": "money",
    "export": "sales",
    "labels": "parcels",
    "listing_acts": "listings",
    "listing_photos": "listings",
    "listing_review": "listings",
    "offers": "shelf",
    "parcel_papers": "parcels",
    "parcel_pieces": "parcels",
    "parcel_queue": "parcels",
    "refunds": "parcels",
    "replies": "questions",
    "shelf_bulk": "shelf",
    "take_count": "takes",
    "tracking": "parcels",
    "training_files": "training",
    "views": "notices",
}
#: Pages that stand beside those of another entry in one module.
APART = {
    "seller.papers": "papers",
    "seller.reply_to_review": "reviews",
    "seller.review_list": "reviews",
    "seller.thank_you_list": "thanks",
}


def section() -> str:
    """The entry of the page that is shown."""
    endpoint = request.endpoint or ""
    view = current_app.view_functions.get(endpoint)
    module = view.__module__.rpartition(".")[2] if view else ""
    return APART.get(endpoint) or SECTIONS.get(module, module)
