"""What the demo's shopper keeps in their account: addresses, a wish list, and a proven e-mail address."""

from __future__ import annotations

import datetime
import random

from sqlalchemy import ColumnElement, Select, select

from storefront.catalogue.models import Listing
from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.people.models import Person
from storefront.shoppers import addresses
from storefront.shoppers.models import Wish

ADDRESSES = (
    {
        "label": "Rumah", "phone": "0812 0000 4521", "line1": "Jalan Kenanga 14", "district": "Candisari",
        "city": "Kota Semarang", "province": "Jawa Tengah", "postal_code": "50253",
    },
    {
        "label": "Kantor", "phone": "0812 0000 4521", "line1": "Jalan Veteran 8, lantai 2", "district": "Klojen",
        "city": "Kota Malang", "province": "Jawa Timur", "postal_code": "65119",
    },
)  # fmt: skip
#: How much of today's price each wish cost when it was saved, in percent; the second one is sold out where one is.
SAVED_AT = (100, 100, 115, 90, 100)


def add(shopper: Person, today: datetime.date, seed: str) -> None:
    """Give the shopper their things; the same seed and day give the same rows."""
    shopper.email_proven_at = at(today - days(400), 10)
    for number, one in enumerate(ADDRESSES):
        saved = addresses.add(shopper.id, {"name": shopper.name, **one})
        saved.created_at = at(today - days(300 - number), 10)
    rng = random.Random(f"{seed}:wishes")
    there = list(db.session.execute(_listed(Listing.state != "sold_out")))
    gone = list(db.session.execute(_listed(Listing.state == "sold_out")))
    chosen = rng.sample(there, min(len(SAVED_AT), len(there)))
    if gone and len(chosen) > 1:
        chosen[1] = rng.choice(gone)
    for number, (row, percent) in enumerate(zip(chosen, SAVED_AT, strict=False)):
        price = max(1000, row.price_from * percent // 100 // 1000 * 1000)
        db.session.add(
            Wish(
                person_id=shopper.id,
                product_id=row.product_id,
                price_saved=row.price_from if percent == 100 else price,
                saved_at=at(today - days(20 - 3 * number), 19, number),
            )
        )
    db.session.flush()


def _listed(which: ColumnElement[bool]) -> Select[int, int]:
    return select(Listing.product_id, Listing.price_from).where(which).order_by(Listing.product_id)
