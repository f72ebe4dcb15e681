"""What was decided, and the way back while nothing followed."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import func, or_, select

from storefront.audit.record import record
from storefront.catalogue.models import Product, ProductStatus
from storefront.errors import DomainError, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.listings.apply import apply
from storefront.listings.check import check
from storefront.listings.drafts import draft_of
from storefront.listings.models import DraftPhoto, DraftState, ListingDraft
from storefront.listings.read import listing_of
from storefront.listings.review_models import ListingDecision, ListingNews
from storefront.listings.typed import typed
from storefront.mail.models import Message

#: What of a photo is kept of a version that was replaced.
PHOTO = ("key", "widths", "width", "height", "tint", "alt", "alt_en")
#: For so long a decision stands on the list of those that can be taken back.
SHOWN = datetime.timedelta(days=1)


class CannotBeUndone(DomainError):
    """Something followed."""

    code, status = "cannot_be_undone", 409
    message = _("Keputusan ini tidak dapat diurungkan lagi: sesudahnya sudah ada perubahan lain.")


def as_it_stands(product_id: int | None) -> dict[str, Any] | None:
    """A product's listing as it could be written down again."""
    if product_id is None:
        return None
    listing = listing_of(db.session.get_one(Product, product_id))
    photos = [{name: _plain(getattr(photo, name)) for name in PHOTO} for photo in listing.photos]
    return {"content": typed(listing, range(1, len(photos) + 1)), "photos": photos}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def marks_of(draft: ListingDraft) -> dict[str, Any]:
    """What the draft's photos know beside what is listed of them."""
    return {
        photo.key: {"faces": photo.faces, "original_key": photo.original_key} for photo in draft.photos if photo.key
    }


def note_decision(
    draft: ListingDraft,
    step: str,
    person_id: int,
    *,
    before: Mapping[str, Any] | None = None,
    marks: Mapping[str, Any] | None = None,
    is_flushed: bool = True,
) -> ListingDecision:
    """Keep a decision on a draft that was asked for; not `is_flushed`: the caller writes it, with its product."""
    assert draft.submitted_at is not None
    assert draft.submitted_by is not None
    decision = ListingDecision(
        draft_id=draft.id,
        draft_version=draft.version,
        facility_id=draft.facility_id,
        product_id=draft.product_id,
        title=str(draft.content.get("title", ""))[:140],
        step=step,
        submitted_at=draft.submitted_at,
        submitted_by=draft.submitted_by,
        decided_by=person_id,
        before=dict(before) if before else None,
        marks=dict(marks or {}),
    )
    if is_flushed:
        db.session.add(decision)
        db.session.flush()
    return decision


def undoable(person_id: int, limit: int = 3) -> Sequence[ListingDecision]:
    """The person's own last decisions after which nothing happened."""
    since = db.session.execute(select(func.now())).scalar_one() - SHOWN
    found = db.session.scalars(
        select(ListingDecision)
        .where(
            ListingDecision.decided_by == person_id,
            ListingDecision.undone_at.is_(None),
            ListingDecision.decided_at > since,
        )
        .order_by(ListingDecision.id.desc())
        .limit(20)
    )
    return [decision for decision in found if not _followed(decision)][:limit]


def told_at(decision_ids: Iterable[int]) -> dict[int, datetime.datetime]:
    """When the facility's letter about each decision went out; what has not left yet is left out."""
    found = {}
    for decision_id in decision_ids:
        told = select(ListingNews.id).where(ListingNews.key.like(f"listing:{decision_id}:%"))
        about = (Message.subject_kind == "listing_news", Message.subject_id.in_(told))
        if sent := db.session.scalar(select(func.min(Message.sent_at)).where(*about)):
            found[decision_id] = sent
    return found


def _followed(decision: ListingDecision) -> bool:
    """Whether something happened to what was decided on."""
    if decision.step != "published":
        draft = db.session.get(ListingDraft, decision.draft_id, populate_existing=True)
        return draft is None or draft.version != decision.draft_version
    later = select(ListingDecision.id).where(
        ListingDecision.product_id == decision.product_id, ListingDecision.id > decision.id
    )
    begun = select(ListingDraft.id).where(ListingDraft.product_id == decision.product_id)
    status = db.session.scalar(select(Product.status).where(Product.id == decision.product_id))
    return (
        status != ProductStatus.PUBLISHED
        or db.session.scalar(later.limit(1)) is not None
        or db.session.scalar(begun) is not None
    )


def undo(decision_id: int, *, person_id: int) -> ListingDraft:
    """Take a decision back: the draft waits for a curator again, and what was public is as before. Never commits.

    Raises NotFound for what is not the person's own decision, CannotBeUndone.
    """
    decision = db.session.get(ListingDecision, decision_id, with_for_update=True, populate_existing=True)
    if decision is None or decision.decided_by != person_id:
        raise NotFound()
    statement = select(ListingDraft).where(
        or_(ListingDraft.id == decision.draft_id, ListingDraft.product_id == decision.product_id)
    )
    db.session.execute(statement.with_for_update())
    if decision.product_id is not None:
        db.session.get(Product, decision.product_id, with_for_update=True, populate_existing=True)
    if decision.undone_at is not None or _followed(decision):
        raise CannotBeUndone()
    draft = _restored(decision) if decision.step == "published" else db.session.get_one(ListingDraft, decision.draft_id)
    draft.state = DraftState.IN_REVIEW.value
    draft.submitted_at, draft.submitted_by = decision.submitted_at, decision.submitted_by
    draft.decided_at = draft.decided_by = None
    draft.reasons, draft.note = {}, ""
    draft.version += 1
    decision.undone_at, decision.undone_by = db.session.execute(select(func.now())).scalar_one(), person_id
    db.session.flush()
    record(
        "listing.decision_undone",
        "listing_draft",
        draft.id,
        person_id=person_id,
        facility_id=decision.facility_id,
        details={"decision": decision.id, "step": decision.step, "title": decision.title},
    )
    return draft


def _restored(decision: ListingDecision) -> ListingDraft:
    """What was listed, as a draft again; its product as it was before: the old version, or not public."""
    product = db.session.get_one(Product, decision.product_id)
    draft = draft_of(product, person_id=decision.submitted_by)
    for photo in draft.photos:
        known = decision.marks.get(photo.key or "", {})
        photo.faces, photo.original_key = known.get("faces"), known.get("original_key")
    draft.waits_for = ["proposal" if decision.before else "new"]
    if any(photo.faces for photo in draft.photos):
        draft.waits_for = [*draft.waits_for, "faces"]
    if decision.before is None:
        product.status = ProductStatus.DRAFT.value
    else:
        photos = [DraftPhoto(id=n, state="ready", **said) for n, said in enumerate(decision.before["photos"], start=1)]
        old = check(
            decision.before["content"], photos, facility_id=decision.facility_id, product_id=decision.product_id
        )
        apply(old, db.session.get_one(Facility, decision.facility_id), product, None)
    db.session.flush()
    return draft
