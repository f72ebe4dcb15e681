"""A draft keeps what was typed; what it says becomes the product's rows, and back again."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.audit.record import dated
from storefront.catalogue.models import Photo, Product, Variant
from storefront.errors import Invalid
from storefront.facilities.models import Workshop
from storefront.listings import drafts
from storefront.listings.apply import apply
from storefront.listings.check import check, faults
from storefront.listings.models import DraftPhoto, ListingDraft
from storefront.listings.originals import forget_originals
from storefront.listings.read import listing_of
from storefront.listings.typed import blank_variant
from storefront.media.storage import private_files
from storefront.stock.models import StockLevel
from tests.factories import make_category, make_person, make_photo, make_product, make_variant, make_workshop

KEY = "abcdefghijklmnop"


@pytest.fixture
def workshop(db_session: Session) -> Workshop:
    return make_workshop()


def begun(place: Workshop, **content: Any) -> ListingDraft:
    """A draft of a shirt in two sizes, with one photo that is ready."""
    variants = [
        {**blank_variant(), "options": [size], "price": price, "weight": "300", "stock": "4"}
        for size, price in (("M", "Rp 150.000,-"), ("L", "160,000"))
    ]
    content = {
        "title": "Kemeja batik",
        "workshop": str(place.id),
        "category": str(make_category().id),
        "scope": "nationwide",
        "options": ["Ukuran"],
        "variants": variants,
        "facts": [{"kind": "material", "label": "Bahan", "value": "Katun"}],
        **content,
    }
    draft = drafts.begin(place.facility_id, form_key=KEY, person_id=make_person().id, content=content)
    photo = DraftPhoto(
        draft_id=draft.id, position=1, alt="Kemeja cokelat, lengan panjang", state="ready",
        key="photos/ab/cd", widths=[320], width=320, height=240,
    )  # fmt: skip
    draft.photos.append(photo)
    return draft


def read(draft: ListingDraft) -> Any:
    return check(draft.content, draft.photos, facility_id=draft.facility_id, product_id=draft.product_id)


def test_what_was_typed_becomes_a_product_and_is_read_back_the_same(db_session: Session, workshop: Workshop) -> None:
    draft = begun(workshop)
    listing = read(draft)
    assert [variant.price for variant in listing.variants] == [150_000, 160_000]
    product = apply(listing, workshop.facility, None, None)
    assert (product.slug, product.status) == ("kemeja-batik", "draft")
    levels = select(StockLevel.on_hand).join(Variant, Variant.id == StockLevel.variant_id).order_by(Variant.position)
    assert list(db_session.scalars(levels)) == [4, 4]
    again = drafts.draft_of(product, person_id=None)
    assert read(again) == listing_of(product)
    assert [variant.title for variant in listing_of(product).variants] == ["M", "L"]
    skus = [variant.sku for variant in listing_of(product).variants]
    assert len(set(skus)) == 2
    assert all(sku.startswith(workshop.facility.code) for sku in skus)
    assert apply(listing, workshop.facility, None, None).slug == "kemeja-batik-2"


def test_a_proposal_leaves_what_changes_at_once(db_session: Session) -> None:
    product = make_product()
    sold, dropped = make_variant(product, price=90_000), make_variant(product, price=80_000)
    sold.options, dropped.options, product.options = ["M"], ["L"], ["Ukuran"]
    make_photo(product, key="photos/old")
    kept = make_photo(product, key="photos/kept", position=1, alt="Kursi dari samping")
    db_session.flush()
    draft = drafts.draft_of(product, person_id=None)
    content = {**draft.content, "title": "Kursi jati", "variants": draft.content["variants"][:1]}
    draft = drafts.save(product.facility_id, draft.id, 1, content, person_id=make_person().id)
    db_session.delete(draft.photos[0])
    db_session.flush()
    db_session.expire(draft)
    sold.price = 95_000  # meanwhile, on the shelf
    apply(read(draft), product.facility, product, None)
    assert (product.title, product.status, sold.price, sold.is_active, dropped.is_active) == (
        "Kursi jati", "published", 95_000, True, False,
    )  # fmt: skip
    assert db_session.execute(select(Photo.id, Photo.position).where(Photo.product_id == product.id)).all() == [
        (kept.id, 0)
    ]


def test_each_fault_is_told_at_its_field(db_session: Session, workshop: Workshop) -> None:
    taken = make_variant(sku="MILIK-ORANG")
    other = make_workshop()
    draft = begun(
        workshop,
        title=" Kemeja ",
        workshop=str(other.id),
        variants=[
            {**blank_variant(), "options": ["M"], "price": "12,5", "weight": "0", "sku": taken.sku},
            {**blank_variant(), "options": ["m"], "price": "1000", "weight": "1", "made_to_order": True},
            {**blank_variant(), "price": "1000", "weight": "1", "stock": "banyak"},
        ],
        papers=[{"kind": "halal", "number": "12"}, {"kind": "not_halal"}],
        food={"composition": "", "storage": "Sejuk", "net_amount": "1 kg", "net_unit": "g", "shelf_life_days": ""},
    )
    draft.photos[0].alt = "kemeja"
    told = faults(draft.content, draft.photos, facility_id=workshop.facility_id)
    assert set(told) == {
        "workshop", "photos.0.alt", "variants.0.price", "variants.0.weight", "variants.0.sku", "variants.1.options",
        "variants.1.lead_time", "variants.2.options", "variants.2.stock", "papers.halal", "papers.not_halal",
        "food.composition", "food.net_amount", "food.shelf_life_days",
    }  # fmt: skip
    with pytest.raises(Invalid):
        read(draft)


def test_the_second_of_two_people_is_told_and_nothing_is_lost(db_session: Session, workshop: Workshop) -> None:
    draft = begun(workshop)
    assert drafts.begin(workshop.facility_id, form_key=KEY, person_id=None).id == draft.id
    one, two = make_person(), make_person()
    first = drafts.save(workshop.facility_id, draft.id, 1, {**draft.content, "title": "Satu"}, person_id=one.id)
    assert first.version == 2
    with pytest.raises(drafts.DraftMoved) as refusal:
        drafts.save(workshop.facility_id, draft.id, 1, {**draft.content, "title": "Dua"}, person_id=two.id)
    assert refusal.value.draft.content["title"] == "Satu"
    # The same again, as after a lost answer, is no second change.
    assert drafts.save(workshop.facility_id, draft.id, 1, dict(first.content), person_id=one.id).version == 2
    with pytest.raises(Exception, match="not_found"):
        drafts.save(make_workshop().facility_id, draft.id, 2, first.content, person_id=one.id)
    assert db_session.scalar(select(Product.id)) is None


def test_an_original_goes_once_its_draft_is_gone_and_nothing_can_be_undone(
    db_session: Session, workshop: Workshop
) -> None:
    store, who = private_files(), make_person().id

    def with_original(key: str) -> ListingDraft:
        draft = drafts.begin(workshop.facility_id, form_key=None, person_id=who)
        path = f"originals/{draft.id}/{key * 64}"
        store.write(path, b"with the place where it was taken")
        draft.photos.append(DraftPhoto(draft_id=draft.id, position=1, original_key=path))
        db_session.flush()
        return draft

    with dated(datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=2)):
        long_gone = with_original("a")
        lost = str(long_gone.photos[0].original_key)
        drafts.discard(long_gone, person_id=who)
    just_gone, written_on = with_original("b"), with_original("c")
    kept = [str(draft.photos[0].original_key) for draft in (just_gone, written_on)]
    drafts.discard(just_gone, person_id=who)  # for a day it can be brought back
    assert forget_originals() == 1
    assert [store.exists(key) for key in (lost, *kept)] == [False, True, True]
