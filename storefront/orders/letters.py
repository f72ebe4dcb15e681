"""What letters of this room say beside the order."""

from __future__ import annotations

from typing import Any

from storefront.catalogue.models import Product
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.mail.models import Message
from storefront.orders import pickups
from storefront.orders.messages import tells
from storefront.orders.models import Parcel
from storefront.orders.recall import KIND
from storefront.stock.batch_models import Batch


@tells(KIND)
def of_recall(message: Message) -> dict[str, Any]:
    """The batch that its key names (`batch:<id>:order:<id>`), and what it is of."""
    batch = db.session.get_one(Batch, int(message.key.split(":")[1]))
    product = db.session.get_one(Product, batch.product_id)
    return {"batch": batch, "product": product, "facility": db.session.get_one(Facility, product.facility_id)}


@tells(pickups.KIND)
def of_pickup(message: Message) -> dict[str, Any]:
    """Until when what lies ready can be collected."""
    return {"until": pickups.last_day(db.session.get_one(Parcel, message.parcel_id))}
