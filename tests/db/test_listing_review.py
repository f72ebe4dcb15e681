"""From draft to public: asked for, let through, sent back, taken back; two at once; on its day; with its papers."""

from __future__ import annotations

import datetime

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.catalogue.models import CategoryNeed, Listing, Photo, Product, ProductPaper, Variant
from storefront.catalogue.product_page import product_page
from storefront.days import today
from storefront.embedded import SUPERUSER
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.listings import decided, drafts, needs, paper_ends, review, scheduled
from storefront.listings.checklist import Level, checklist
from storefront.listings.models import ListingDraft
from storefront.listings.review import Moved, NotAllowedNow, NotYours
from storefront.listings.review_models import ListingDecision, ListingNews
from storefront.mail.models import Message
from storefront.stock.models import StockLevel
from tests.clones import Clone
from tests.factories import (
    make_category,
    make_member,
    make_person,
    make_photo,
    make_product,
    make_variant,
    make_workshop,
)
from tests.listings import FOOD, asked_for, food_category, make_draft, with_papers
from tests.threads import while_held

DAY = datetime.timedelta(days=1)


@pytest.fixture
def workshop(db_session: Session) -> Workshop:
    return make_workshop()


def listed(product_id: int) -> bool:
    return db.session.get(Listing, product_id, populate_existing=True) is not None


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_draft_is_asked_for_let_through_and_public(db_session: Session, workshop: Workshop) -> None:
    keeper, curator = make_member("coordinator", facility=workshop.facility), make_person()
    draft = asked_for(workshop, keeper, title="Keripik tempe")
    assert (draft.state, draft.waits_for) == ("in_review", ["new"])
    with pytest.raises(drafts.DraftWaits):
        drafts.save(workshop.facility_id, draft.id, draft.version, {"title": "Lain"}, person_id=keeper.id)
    with pytest.raises(NotYours):
        review.approve(draft.id, draft.version, person_id=keeper.id)
    product = review.approve(draft.id, draft.version, person_id=curator.id)
    assert product is not None
    assert (product.status, product.slug, listed(product.id)) == ("published", "keripik-tempe", True)
    assert (count(ListingDraft), count(ListingNews), count(Message)) == (0, 1, 1)
    assert (
        db_session.scalar(select(StockLevel.on_hand).join(Variant, Variant.id == StockLevel.variant_id)) == 10
    )
    acts = list(db_session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))
    assert acts == ["listing_draft.begun", "listing_draft.submitted", "listing.published"]
    with pytest.raises(Moved):
        review.approve(draft.id, 2, person_id=make_person().id)


def test_a_proposal_replaces_what_is_public_and_can_be_taken_back(
    db_session: Session, workshop: Workshop
) -> None:
    product = make_product(workshop, title="Kursi lama", slug="kursi-lama")
    make_variant(product, stock=3)
    make_photo(product, key="photos/lama", alt="Kursi cokelat")
    keeper, curator = make_person(), make_person()
    draft = drafts.draft_of(product, person_id=keeper.id)
    drafts.save(
        workshop.facility_id, draft.id, 1, {**draft.content, "title": "Kursi baru"}, person_id=keeper.id
    )
    draft.photos[0].key = "photos/baru"
    review.submit(workshop.facility_id, draft.id, draft.version, person_id=keeper.id)
    assert draft.waits_for == ["proposal"]
    review.approve(draft.id, draft.version, person_id=curator.id)
    assert (product.title, product.slug) == ("Kursi baru", "kursi-lama")
    (decision,) = decided.undoable(curator.id)
    with pytest.raises(review.NotFound):
        decided.undo(decision.id, person_id=keeper.id)
    again = decided.undo(decision.id, person_id=curator.id)
    assert (product.title, product.status) == ("Kursi lama", "published")
    assert list(db_session.scalars(select(Photo.key))) == ["photos/lama"]
    assert (again.state, again.content["title"], again.photos[0].key) == (
        "in_review",
        "Kursi baru",
        "photos/baru",
    )
    with pytest.raises(decided.CannotBeUndone):
        decided.undo(decision.id, person_id=curator.id)
    review.approve(again.id, again.version, person_id=curator.id)
    assert (product.title, db_session.scalar(select(StockLevel.on_hand))) == ("Kursi baru", 3)


def test_what_was_new_goes_back_to_the_queue_when_undone(db_session: Session, workshop: Workshop) -> None:
    keeper, curator = make_person(), make_person()
    draft = asked_for(workshop, keeper)
    product = review.approve(draft.id, draft.version, person_id=curator.id)
    assert product is not None
    decision = decided.undoable(curator.id)[0]
    again = decided.undo(decision.id, person_id=curator.id)
    assert (product.status, listed(product.id), again.state) == ("draft", False, "in_review")
    review.send_back(
        again.id, again.version, {"title": "Nama terlalu umum.", "x y": "z"}, person_id=curator.id
    )
    assert again.reasons == {"title": "Nama terlalu umum."}
    (sent,) = decided.undoable(curator.id)
    drafts.save(
        workshop.facility_id, again.id, again.version, {**again.content, "title": "Lain"}, person_id=keeper.id
    )
    assert decided.undoable(curator.id) == []
    with pytest.raises(decided.CannotBeUndone):
        decided.undo(sent.id, person_id=curator.id)
    review.submit(workshop.facility_id, again.id, again.version, person_id=keeper.id)
    assert (again.state, again.reasons, again.decided_by) == ("in_review", {}, None)
    review.approve(again.id, again.version, person_id=curator.id)
    assert db_session.scalar(select(StockLevel.on_hand)) == 10  # pieces of a new thing are moved in once


def test_what_is_not_whole_is_not_asked_for(db_session: Session, workshop: Workshop) -> None:
    keeper = make_person()
    draft = make_draft(
        workshop, keeper, title="Ke", description="Hubungi 0812 3456 7890", category=str(food_category())
    )
    draft.photos[0].faces = 2
    with pytest.raises(Invalid) as refusal:
        review.submit(workshop.facility_id, draft.id, draft.version, person_id=keeper.id)
    assert set(refusal.value.errors) == {"title"}
    drafts.save(
        workshop.facility_id,
        draft.id,
        draft.version,
        {**draft.content, "title": "Keripik"},
        person_id=keeper.id,
    )
    with pytest.raises(Invalid) as refusal:
        review.submit(workshop.facility_id, draft.id, draft.version, person_id=keeper.id)
    assert set(refusal.value.errors) == {"food.composition", "papers.pirt", "papers.halal"}
    content = {**draft.content, "food": FOOD}
    drafts.save(workshop.facility_id, draft.id, draft.version, content, person_id=keeper.id)
    with_papers(draft, today() - DAY)
    assert set(checklist(draft).errors) == {"papers.pirt"}
    with_papers(draft, today())
    looks = {item.field for item in checklist(draft).items if item.level is Level.LOOK and not item.is_done}
    assert looks == {"photos.0", "description"}
    review.submit(workshop.facility_id, draft.id, draft.version, person_id=keeper.id)
    assert draft.waits_for == ["new", "faces", "words"]


def test_without_a_declaration_nothing_is_let_through(db_session: Session) -> None:
    place = make_workshop(sells_undeclared_until=None)
    draft = asked_for(place, make_person())
    with pytest.raises(NotAllowedNow) as refusal:
        review.approve(draft.id, draft.version, person_id=make_person().id)
    assert set(refusal.value.extra["reasons"]) == {"workshop"}


def test_the_database_publishes_nothing_without_its_papers(db_session: Session, workshop: Workshop) -> None:
    product = make_product(workshop, status="draft", category_id=food_category("halal"))
    make_variant(product, stock=1)
    product.status = "published"
    db_session.flush()
    with pytest.raises(IntegrityError, match="is published without halal"), db_session.begin_nested():
        db_session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    db_session.refresh(product)
    db_session.add(ProductPaper(product_id=product.id, kind="not_halal"))
    product.status = "published"
    db_session.flush()
    db_session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    assert listed(product.id)


def test_a_paper_that_ends_takes_its_product_off_and_a_new_one_brings_it_back(
    db_session: Session, workshop: Workshop
) -> None:
    keeper, curator = make_member("coordinator", facility=workshop.facility), make_person()
    draft = make_draft(workshop, keeper, category=str(food_category()), food=FOOD)
    with_papers(draft, today() + 20 * DAY)
    review.submit(workshop.facility_id, draft.id, draft.version, person_id=keeper.id)
    product = review.approve(draft.id, draft.version, person_id=curator.id)
    assert product is not None
    before = count(Message)
    assert (paper_ends.queue_reminders(), paper_ends.queue_reminders()) == (1, 0)
    assert count(Message) == before + 1
    db_session.execute(text("SELECT refresh_declared_listings()"))
    assert listed(product.id)
    db_session.execute(
        text("UPDATE product_papers SET valid_until = :gone WHERE kind = 'pirt'"), {"gone": today() - DAY}
    )
    page = product_page(product.slug, "id")
    assert not listed(product.id)
    assert page is not None
    assert (page.may_sell, page.is_declared, [paper.kind for paper in page.words.papers]) == (
        False,
        True,
        ["halal"],
    )
    proposal = drafts.draft_of(product, person_id=keeper.id)
    with_papers(proposal, today() + 300 * DAY)
    review.submit(workshop.facility_id, proposal.id, proposal.version, person_id=keeper.id)
    assert not listed(product.id)
    review.approve(proposal.id, proposal.version, person_id=curator.id)
    assert listed(product.id)


def test_what_was_public_gets_time_for_what_its_category_asks_anew(
    db_session: Session, workshop: Workshop
) -> None:
    category = make_category("mebel", "Mebel", "Furniture")
    old, whole = (
        make_product(workshop, category_id=category.id),
        make_product(workshop, category_id=category.id),
    )
    for product in (old, whole):
        make_variant(product, stock=1)
    db_session.add(
        ProductPaper(product_id=whole.id, kind="svlk", number="SVLK-0001", document_key="papers/x.pdf")
    )
    db_session.flush()
    assert needs.change_needs(category.id, ["svlk", "nonsense"], person_id=make_person().id) == ("svlk",)
    db_session.expire_all()
    assert (old.sells_unpapered_until, whole.sells_unpapered_until) == (today() + 90 * DAY, None)
    assert (listed(old.id), listed(whole.id)) == (True, True)
    old.sells_unpapered_until = today() - DAY
    db_session.flush()
    assert (listed(old.id), listed(whole.id)) == (False, True)
    needs.change_needs(category.id, [], person_id=make_person().id)
    assert (listed(old.id), count(CategoryNeed)) == (True, 0)


def test_what_waits_for_its_day_is_public_then_or_goes_back(db_session: Session, workshop: Workshop) -> None:
    keeper, curator = make_member("coordinator", facility=workshop.facility), make_person()
    later = datetime.datetime.now(datetime.UTC) + DAY
    with pytest.raises(Invalid):
        asked_for(workshop, keeper, publish_at=later - 2 * DAY)
    first, second = (
        asked_for(workshop, keeper, publish_at=later),
        asked_for(workshop, keeper, publish_at=later),
    )
    for draft in (first, second):
        assert review.approve(draft.id, draft.version, person_id=curator.id) is None
    assert (first.state, count(Product), scheduled.publish_due()) == ("approved", 0, (0, 0))
    second.content = {**second.content, "category": str(food_category())}
    db_session.execute(text("UPDATE listing_drafts SET publish_at = now() - interval '1 minute'"))
    title = first.content["title"]
    assert (scheduled.publish_due(), scheduled.publish_due()) == ((1, 1), (0, 0))
    assert db_session.scalars(select(Product.title)).all() == [title]
    db_session.refresh(second)
    assert (second.state, set(second.reasons)) == (
        "sent_back",
        {"food.composition", "papers.pirt", "papers.halal"},
    )
    assert count(ListingNews) == 2
    drafts.save(
        workshop.facility_id, second.id, second.version, {**second.content, "title": "x"}, person_id=keeper.id
    )


def test_of_two_who_decide_at_once_the_second_is_told(app: Flask, database: Clone) -> None:
    with app.app_context():
        place = make_workshop()
        keeper, others = make_person(), [make_person().id for _ in range(2)]
        draft = asked_for(place, keeper)
        facility_id, keeper_id, draft_id, version = place.facility_id, keeper.id, draft.id, draft.version
        db.session.commit()

    def approve(person_id: int) -> str:
        with app.app_context():
            review.approve(draft_id, version, person_id=person_id)
            db.session.commit()
            return "approved"

    def withdraw() -> str:
        with app.app_context():
            review.withdraw(facility_id, draft_id, version, person_id=keeper_id)
            db.session.commit()
            return "withdrawn"

    lock = f"SELECT FROM listing_drafts WHERE id = {draft_id} FOR UPDATE"
    answers = while_held(
        database.addresses[SUPERUSER], lock, [lambda: approve(others[0]), lambda: approve(others[1]), withdraw]
    )
    done = [answer for answer in answers if isinstance(answer, str)]
    refused = [answer for answer in answers if not isinstance(answer, str)]
    assert len(done) == 1
    assert all(isinstance(refusal, Moved | review.NotFound) for refusal in refused), refused
    with app.app_context():
        assert count(Product) == (done == ["approved"])
        assert count(ListingDecision) == count(Product)
