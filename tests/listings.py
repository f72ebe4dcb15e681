"""Drafts of listings for tests."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

from sqlalchemy import select

from storefront.catalogue.models import CategoryNeed, Variant
from storefront.days import today
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.listings import drafts, review
from storefront.listings.models import DraftPhoto, ListingDraft
from storefront.listings.typed import blank_variant
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


def listed_things(place: Workshop, sku: str, document_key: str) -> dict[str, Any]:
    """A draft with a paper, a product and a batch of it, as parts of addresses."""
    draft = make_draft(place)
    paper = {"kind": "pirt", "number": "1", "issued_by": "", "valid_until": "", "document_key": document_key}
    draft.content = {**draft.content, "papers": [paper]}
    product_id = db.session.execute(select(Variant.product_id).where(Variant.sku == sku)).scalar_one()
    batch = Batch(product_id=product_id, code="B-1", made_on=today(), best_before=today())
    db.session.add(batch)
    db.session.flush()
    return {"draft_id": draft.id, "paper": "pirt", "product_id": product_id, "batch_id": batch.id}
