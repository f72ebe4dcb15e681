"""Drafts for tests: begun by the real rule, with a photo that is ready."""

from __future__ import annotations

import io

from PIL import Image
from sqlalchemy import func, select

from storefront.audit.models import AuditEvent
from storefront.catalogue.models import Product, Variant
from storefront.extensions import db
from storefront.listings import drafts, lifecycle
from storefront.listings.models import DraftPhoto
from storefront.media.photos import store_picture
from storefront.media.storage import private_files
from tests.factories import make_person


def jpeg(colour: tuple[int, int, int] = (150, 90, 40), size: tuple[int, int] = (640, 480)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG")
    return buffer.getvalue()


def draft_of(sku: str) -> dict[str, int]:
    """A draft with a photo of the product of `sku`, and one that was thrown away: their ids by part of the address."""
    product = db.session.scalars(select(Product).join(Variant).where(Variant.sku == sku)).one()
    who = make_person().id
    thrown = drafts.begin(product.facility_id, form_key=None, person_id=who, content={"title": "Dibuang"})
    event_id = lifecycle.discard(thrown, person_id=who)
    draft = drafts.draft_of(product, person_id=who)
    original = jpeg()
    picture = store_picture(original)
    key = f"originals/{draft.id}/test"
    private_files().write(key, original)
    photo = DraftPhoto(
        draft_id=draft.id, position=1 + len(draft.photos), alt="Cokelat, rata", state="ready", original_key=key,
        key=picture.key, widths=list(picture.widths), width=picture.width, height=picture.height,
    )  # fmt: skip
    db.session.add(photo)
    db.session.commit()
    assert event_id == db.session.scalar(select(func.max(AuditEvent.id)).where(AuditEvent.id == event_id))
    return {"draft_id": draft.id, "photo_id": photo.id, "product_id": product.id, "event_id": event_id}
