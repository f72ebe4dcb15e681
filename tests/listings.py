"""Drafts of listings for tests: begun by the real rules, with a photo that is ready."""

from __future__ import annotations

import datetime
import io
import itertools
from typing import Any

from PIL import Image
from sqlalchemy import func, select

from storefront.audit.models import AuditEvent
from storefront.catalogue.models import CategoryNeed, Product, Variant
from storefront.days import today
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.listings import drafts, lifecycle, review
from storefront.listings.models import DraftPhoto, ListingDraft
from storefront.listings.typed import blank_variant
from storefront.media.photos import store_picture
from storefront.media.storage import private_files
from storefront.people.models import Person
from storefront.stock.models import Batch
from tests.factories import PDF, make_category, make_person

_numbers = itertools.count(1)
PAPER = "papers/contoh.pdf"
FOOD = {
    "composition": "Kedelai, ragi", "composition_en": "", "net_amount": "250", "net_unit": "g",
    "shelf_life_days": "14", "best_before": "", "storage": "Simpan sejuk", "storage_en": "", "allergens": "",
    "allergens_en": "",
}  # fmt: skip


def make_draft(place: Workshop, by: Person | None = None, **content: Any) -> ListingDraft:
    """A whole draft of something new, with one photo that is ready; `content` says the rest otherwise."""
    number = next(_numbers)
    author = by or make_person()
    said = {
        "title": f"Keripik tempe {number}",
        "title_en": f"Tempeh crisps {number}",
        "workshop": str(place.id),
        "category": str(make_category().id),
        "scope": "nationwide",
        "variants": [{**blank_variant(), "price": "25.000", "weight": "300", "stock": "10"}],
        **content,
    }
    draft = drafts.begin(
        place.facility_id, form_key=f"draft-of-tests-{number:04d}", person_id=author.id, content=said
    )
    draft.photos.append(
        DraftPhoto(
            draft_id=draft.id, position=1, alt="Keripik cokelat dalam kantong bening", state="ready", faces=0,
            key=f"photos/aa/{number}", widths=[320], width=320, height=240,
        )
    )  # fmt: skip
    db.session.flush()
    return draft


def asked_for(
    place: Workshop, by: Person, *, publish_at: datetime.datetime | None = None, **content: Any
) -> ListingDraft:
    """The same, handed to a curator by `by`."""
    draft = make_draft(place, by, **content)
    return review.submit(place.facility_id, draft.id, draft.version, person_id=by.id, publish_at=publish_at)


def food_category(*needs: str) -> int:
    """A category of food that asks for papers."""
    category = make_category("camilan", "Camilan", "Snacks")
    for need in needs or ("food", "registration", "halal"):
        db.session.merge(CategoryNeed(category_id=category.id, need=need))
    db.session.flush()
    return category.id


def papers(until: datetime.date) -> list[dict[str, Any]]:
    """Papers of food that hold until a day, with their file."""
    private_files().write(PAPER, PDF)
    return [
        {
            "kind": "pirt",
            "number": "1234567890123-31",
            "issued_by": "",
            "valid_until": str(until),
            "document_key": PAPER,
        },
        {
            "kind": "halal",
            "number": "ID00123456789012",
            "issued_by": "BPJPH",
            "valid_until": "",
            "document_key": PAPER,
        },
    ]


def with_papers(draft: ListingDraft, until: datetime.date) -> ListingDraft:
    """Papers laid into a draft, as the rule that stores them would."""
    draft.content = {**draft.content, "papers": papers(until)}
    db.session.flush()
    return draft


def listed_things(sku: str, document_key: str) -> dict[str, Any]:
    """What `draft_of` gives, with a paper in the draft and a batch of its product, as parts of addresses."""
    ids = draft_of(sku)
    draft = db.session.get_one(ListingDraft, ids["draft_id"])
    paper = {"kind": "pirt", "number": "1", "issued_by": "", "valid_until": "", "document_key": document_key}
    draft.content = {**draft.content, "papers": [paper]}
    batch = Batch(product_id=ids["product_id"], code="B-1", made_on=today(), best_before=today())
    db.session.add(batch)
    db.session.commit()
    return {**ids, "paper": "pirt", "lot_id": batch.id}


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
