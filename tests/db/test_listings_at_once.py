"""Two people, or two workers, at one draft at the same moment."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.catalogue.models import Product
from storefront.extensions import db
from storefront.listings import at_once as shop
from storefront.listings import drafts, lifecycle, photos
from storefront.listings.at_once import shown
from storefront.listings.models import DraftPhoto, ListingDraft
from storefront.listings.preview import as_listed
from storefront.media.storage import private_files
from tests.factories import make_person, make_photo, make_product, make_variant, make_workshop
from tests.listings import jpeg
from tests.threads import at_once
from tests.unit.test_faces import drawn_face


@pytest.fixture
def draft(db_session: Session) -> ListingDraft:
    place = make_workshop()
    draft = drafts.begin(place.facility_id, form_key=None, person_id=make_person().id, content={"title": "Awal"})
    db.session.commit()
    return draft


def test_of_two_who_save_at_once_one_is_told(app: Flask, draft: ListingDraft, db_session: Session) -> None:
    facility_id, draft_id, content = draft.facility_id, draft.id, dict(draft.content)
    who = [make_person().id, make_person().id]
    db.session.commit()

    def save(number: int) -> Callable[[], str]:
        def call() -> str:
            with app.app_context():
                mine = {**content, "title": f"Dari {number}"}
                try:
                    drafts.save(facility_id, draft_id, 1, mine, person_id=who[number], page=f"halaman-{number}")
                    db.session.commit()
                except drafts.DraftMoved:
                    return "told"
                return "saved"

        return call

    assert sorted(at_once([save(0), save(1)])) == ["saved", "told"]
    db_session.expire_all()
    assert (draft.version, draft.content_version) == (2, 2)


def test_the_same_photo_sent_twice_at_once_is_there_once(app: Flask, draft: ListingDraft, db_session: Session) -> None:
    facility_id, draft_id, who = draft.facility_id, draft.id, make_person().id
    db.session.commit()

    def send() -> int:
        with app.app_context():
            own = drafts.own_draft(facility_id, draft_id, lock=True)
            photo_id = photos.add(own, jpeg(), person_id=who).id
            db.session.commit()
            return photo_id

    assert len(set(at_once([send] * 4))) == 1
    assert db_session.scalar(select(func.count(DraftPhoto.id))) == 1


def test_a_photo_is_made_once_however_often_its_job_runs_and_never_as_it_was_before(
    app: Flask, draft: ListingDraft, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    pytest.importorskip("cv2")
    photo = photos.add(draft, drawn_face(), person_id=make_person().id)
    photo_id = photo.id
    db.session.commit()
    run_jobs()
    photo = db_session.get_one(DraftPhoto, photo_id, populate_existing=True)
    assert (photo.state, photo.faces, photo.width) == ("ready", 1, 600)
    first = photo.key
    photos.cut(draft, photo_id, (0, 820, 1000, 1000), person_id=make_person().id)
    db.session.commit()

    def prepare() -> None:
        with app.app_context():
            photos.prepare(photo_id)
            db.session.commit()

    at_once([prepare, prepare])
    photo = db_session.get_one(DraftPhoto, photo_id, populate_existing=True)
    assert (photo.state, photo.faces) == ("ready", 0)
    assert photo.key != first
    # What cannot be decoded after all is told, and its row stays to be taken out.
    assert photo.original_key
    photos.cut(draft, photo_id, None, person_id=make_person().id)
    private_files().write(photo.original_key, jpeg()[:2000])
    photos.turn(draft, photo_id, person_id=make_person().id)
    db.session.commit()
    prepare()
    photo = db_session.get_one(DraftPhoto, photo_id, populate_existing=True)
    assert photo.state == "refused"
    assert "rusak atau terpotong" in photo.fault


def test_stock_typed_on_two_pages_moves_pieces_once(app: Flask, db_session: Session) -> None:
    product = make_product()
    variant = make_variant(product, stock=5)
    make_photo(product)
    who = make_person().id
    draft = drafts.draft_of(product, person_id=who)
    content = shown(draft.content, shop.shelf_of(product.id, product.facility_id))
    content["variants"][0]["stock"] = "8"
    draft = drafts.save(product.facility_id, draft.id, 1, content, person_id=who)
    draft_id, variant_id = draft.id, variant.id
    db.session.commit()

    def press() -> int:
        with app.app_context():
            told = shop.change(db.session.get_one(ListingDraft, draft_id, with_for_update=True), person_id=who)
            db.session.commit()
            return len(told.done)

    assert sorted(at_once([press] * 3)) == [0, 0, 1]
    assert db_session.scalar(text("SELECT on_hand FROM stock_levels WHERE variant_id = :id"), {"id": variant_id}) == 8


def test_a_preview_leaves_nothing_and_an_undone_discard_comes_back_once(app: Flask, db_session: Session) -> None:
    product = make_product()
    make_variant(product, stock=1)
    make_photo(product)
    who = make_person().id
    draft = drafts.draft_of(product, person_id=who)
    draft = drafts.save(
        product.facility_id, draft.id, 1, {**draft.content, "title": "Nama lain"}, person_id=who
    )
    db.session.commit()
    before = db_session.scalar(text("SELECT version FROM catalogue_version"))
    assert as_listed(draft, product.facility, lambda listed: listed.title) == "Nama lain"
    db.session.commit()
    db_session.expire_all()
    assert product.title != "Nama lain"
    assert db_session.scalar(text("SELECT version FROM catalogue_version")) == before
    facility_id, product_id = product.facility_id, product.id
    event_id = lifecycle.discard(draft, person_id=who)
    db.session.commit()

    def undo() -> int:
        with app.app_context():
            draft_id = lifecycle.undo_discard(facility_id, event_id, person_id=who).id
            db.session.commit()
            return draft_id

    assert len(set(at_once([undo] * 3))) == 1
    back = db_session.scalars(select(ListingDraft)).one()
    assert (back.product_id, back.content["title"], len(back.photos)) == (product_id, "Nama lain", 1)
    assert db_session.scalar(select(func.count()).where(AuditEvent.action == "listing_draft.discarded")) == 1
    assert db_session.scalar(select(func.count(Product.id))) == 1
