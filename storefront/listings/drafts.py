"""Drafts of listings: begun, saved, thrown away. Two people at one draft: the second is shown both versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import record, record_several
from storefront.catalogue.models import Photo, Product
from storefront.errors import DomainError, NotFound
from storefront.extensions import db
from storefront.listings.models import DraftPhoto, DraftState, ListingDraft
from storefront.listings.read import listing_of, listings_of
from storefront.listings.typed import blank, kept, typed

#: In these it can be written on; otherwise it is taken back first.
OPEN = (DraftState.EDITING, DraftState.SENT_BACK)


class DraftMoved(DomainError):
    """Somebody else has saved it since the page was opened; `draft` holds what they wrote."""

    code, status = "draft_moved", 409
    message = _("Orang lain menyimpan karya ini lebih dulu. Bandingkan keduanya di bawah, lalu pilih.")

    def __init__(self, draft: ListingDraft) -> None:
        super().__init__(extra={"version": draft.version})
        self.draft = draft


class DraftWaits(DomainError):
    """It lies with a curator, or waits for its day."""

    code, status = "draft_waits", 409
    message = _("Karya ini sedang menunggu kurator. Tarik kembali dulu untuk mengubahnya.")


def begin(
    facility_id: int, *, form_key: str | None, person_id: int | None, content: Mapping[str, Any] | None = None
) -> ListingDraft:
    """A draft of something new; the same form begins it once. Never commits."""
    values = {
        "facility_id": facility_id,
        "content": kept(content or blank()),
        "form_key": form_key,
        "created_by": person_id,
        "changed_by": person_id,
    }
    made = db.session.execute(
        upsert(ListingDraft).values(values).on_conflict_do_nothing(index_elements=["form_key"]).returning(ListingDraft.id)
    ).scalar()
    if made is not None:
        _note("begun", made, facility_id, person_id)
        return db.session.get_one(ListingDraft, made)
    return db.session.execute(
        select(ListingDraft).where(ListingDraft.form_key == form_key, ListingDraft.facility_id == facility_id)
    ).scalar_one()


def begin_several(
    facility_id: int, contents: Mapping[str, Mapping[str, Any]], *, person_id: int | None
) -> dict[str, int]:
    """Drafts of something new by their form keys, in a few statements; each form begins its own once. Never commits."""
    if not contents:
        return {}
    who = {"facility_id": facility_id, "created_by": person_id, "changed_by": person_id}
    rows = [{**who, "content": kept(content), "form_key": key} for key, content in contents.items()]
    statement = upsert(ListingDraft).on_conflict_do_nothing(index_elements=["form_key"])
    made = db.session.execute(statement.returning(ListingDraft.form_key, ListingDraft.id), rows)
    ids: dict[str, int] = {str(key): draft_id for key, draft_id in made}
    record_several(
        "listing_draft.begun",
        "listing_draft",
        [(draft_id, {}) for draft_id in ids.values()],
        person_id=person_id,
        facility_id=facility_id,
    )
    if missing := contents.keys() - ids.keys():
        there = select(ListingDraft.form_key, ListingDraft.id).where(
            ListingDraft.form_key.in_(missing), ListingDraft.facility_id == facility_id
        )
        ids |= {str(key): draft_id for key, draft_id in db.session.execute(there)}
    return ids


def draft_of(product: Product, *, person_id: int | None) -> ListingDraft:
    """The product's draft, begun from what is listed when there is none. Never commits."""
    made = db.session.execute(
        upsert(ListingDraft)
        .values(
            facility_id=product.facility_id,
            product_id=product.id,
            content={},
            created_by=person_id,
            changed_by=person_id,
        )
        .on_conflict_do_nothing(index_elements=["product_id"])
        .returning(ListingDraft.id)
    ).scalar()
    if made is None:
        return db.session.execute(select(ListingDraft).where(ListingDraft.product_id == product.id)).scalar_one()
    draft = db.session.get_one(ListingDraft, made)
    draft.content = typed(listing_of(product), copy_photos(product.id, draft.id))
    db.session.flush()
    _note("begun", draft.id, product.facility_id, person_id, product_id=product.id)
    return draft


def begin_proposals(facility_id: int, products: Sequence[Product], *, person_id: int | None) -> dict[int, ListingDraft]:
    """Drafts of the facility's products as `draft_of` begins them, by product, in a few statements. Never commits.

    Products that have one already are left out; the caller flushes what it writes into the others.
    """
    who = {"facility_id": facility_id, "content": {}, "created_by": person_id, "changed_by": person_id}
    statement = upsert(ListingDraft).on_conflict_do_nothing(index_elements=["product_id"])
    made = db.session.execute(
        statement.returning(ListingDraft.product_id, ListingDraft.id),
        [{**who, "product_id": product.id} for product in products],
    )
    ids: dict[int, int] = {product_id or 0: draft_id for product_id, draft_id in made}
    record_several(
        "listing_draft.begun",
        "listing_draft",
        [(draft_id, {"product_id": product_id}) for product_id, draft_id in ids.items()],
        person_id=person_id,
        facility_id=facility_id,
    )
    copied = copy_photos_of(ids)
    listings = listings_of([product for product in products if product.id in ids])
    found = db.session.scalars(select(ListingDraft).where(ListingDraft.id.in_(ids.values())))
    begun = {draft.product_id or 0: draft for draft in found}
    for product_id, draft in begun.items():
        draft.content = typed(listings[product_id], copied.get(product_id, ()))
    return begun


def own_draft(facility_id: int, draft_id: int, *, lock: bool = False) -> ListingDraft:
    """The facility's own draft. Raises NotFound for another's, as if it did not exist."""
    statement = select(ListingDraft).where(ListingDraft.id == draft_id, ListingDraft.facility_id == facility_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    draft = db.session.scalar(statement)
    if draft is None:
        raise NotFound()
    return draft


def save(
    facility_id: int,
    draft_id: int,
    version: int,
    content: Mapping[str, Any],
    *,
    person_id: int,
    page: str | None = None,
) -> ListingDraft:
    """Keep what was typed, whole or not, over what stood at `version`. Never commits.

    Papers stay as they are: `paper_files` alone writes those. The same content sent again changes nothing. `page`
    names the open page that sends it: when its last answer was lost, what it sends next goes over its own. Raises
    NotFound, DraftMoved, DraftWaits.
    """
    draft = own_draft(facility_id, draft_id, lock=True)
    written = {**kept(content, draft.content), "papers": draft.content.get("papers", [])}
    if written == draft.content:
        return draft
    if draft.state not in OPEN:
        raise DraftWaits()
    if version < draft.content_version and not (page and draft.saved_from == page):
        raise DraftMoved(draft)
    draft.content = written
    touched(draft, person_id)
    draft.content_version, draft.saved_from = draft.version, page
    db.session.flush()
    return draft


def touched(draft: ListingDraft, person_id: int | None) -> None:
    """The draft, its photos or its files changed: older pages of it are told so."""
    draft.version += 1
    draft.changed_at, draft.changed_by = db.session.execute(select(func.now())).scalar_one(), person_id
    db.session.flush()


def discard(draft: ListingDraft, *, person_id: int, photos: Sequence[Mapping[str, Any]] = ()) -> None:
    """Throw a draft away; what it said stays in the audit trail. Never commits."""
    said = {"product_id": draft.product_id, "content": draft.content, "photos": list(photos)}
    _note("discarded", draft.id, draft.facility_id, person_id, **said)
    db.session.delete(draft)
    db.session.flush()


def copy_photos(product_id: int, draft_id: int) -> list[int]:
    """Give a draft the photos of a product; their new ids, in order."""
    return copy_photos_of({product_id: draft_id}).get(product_id, [])


def copy_photos_of(drafts: Mapping[int, int]) -> dict[int, list[int]]:
    """Give drafts, by product, its photos; their new ids by product, in order."""
    statement = select(Photo).where(Photo.product_id.in_(drafts)).order_by(Photo.product_id, Photo.position)
    copies: dict[int, list[DraftPhoto]] = {}
    for photo in db.session.scalars(statement):
        of_product = copies.setdefault(photo.product_id, [])
        copy = DraftPhoto(
            draft_id=drafts[photo.product_id],
            position=len(of_product) + 1,
            alt=photo.alt,
            alt_en=photo.alt_en,
            tint=photo.tint,
            state="ready",
            key=photo.key,
            widths=list(photo.widths),
            width=photo.width,
            height=photo.height,
        )
        of_product.append(copy)
    db.session.add_all([copy for of_product in copies.values() for copy in of_product])
    db.session.flush()
    return {product_id: [copy.id for copy in of_product] for product_id, of_product in copies.items()}


def _note(action: str, draft_id: int, facility_id: int, person_id: int | None, **details: Any) -> None:
    record(
        f"listing_draft.{action}",
        "listing_draft",
        draft_id,
        person_id=person_id,
        facility_id=facility_id,
        details={name: value for name, value in details.items() if value is not None},
    )
