"""Store what the rows of one product say, all of it or nothing, in the transaction of their result."""

from __future__ import annotations

import copy
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.audit.record import record
from storefront.catalogue.models import Product, Variant
from storefront.catalogue.offer import change_offer
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.listing_files.content import write
from storefront.listing_files.current import Current
from storefront.listing_files.pictures import BadPhotoFile
from storefront.listing_files.rows import Plan
from storefront.listings import drafts, photos
from storefront.listings.models import DraftPhoto, ListingDraft
from storefront.listings.typed import blank, kept
from storefront.media import pictures
from storefront.stock.adjust import count
from storefront.stock.levels import store_location_id


class Moved(DomainError):
    """Somebody changed the draft since the rows were judged: judge again."""

    code, status = "import_moved", 409


def store(
    plan: Plan, now: Current, *, import_id: int, form_key: str, person_id: int
) -> dict[int, dict[str, Any]]:
    """Store a plan without faults; what changed at once, by row: column → [before, after].

    Something new is begun once for the same `form_key`.
    Never commits. Raises Moved, DraftWaits, NotEnoughStock, Invalid; photos that are bad are noted on their rows.
    """
    done = _at_once(plan, now, import_id, person_id)
    propose(plan, now, form_key=form_key, person_id=person_id)
    return done


def propose(plan: Plan, now: Current, *, form_key: str, person_id: int) -> None:
    """Write into a draft what of a plan does not change at once. Raises as `store`."""
    if not plan.edits and not plan.photos:
        return
    draft = _draft(plan, now, form_key, person_id)
    if draft.state not in drafts.OPEN:
        raise drafts.DraftWaits()
    content = draft.content if plan.is_new else copy.deepcopy(draft.content)
    if not plan.is_new:
        write(content, plan.edits)
        content = kept(content, draft.content)
    _photos(plan, now, draft, person_id)
    if content != draft.content:
        draft.content = content
        drafts.touched(draft, person_id)
    plan.written_to = draft.id


def _draft(plan: Plan, now: Current, form_key: str, person_id: int) -> ListingDraft:
    """The draft to write into, locked, as it was when the rows were judged. Raises Moved."""
    if plan.is_new:
        content = new_content(plan)
        return drafts.begin(now.facility_id, form_key=form_key, person_id=person_id, content=content)
    seen = plan.draft or (plan.product.draft if plan.product else None)
    if seen is None:
        assert plan.product is not None
        there = select(ListingDraft.id).where(ListingDraft.product_id == plan.product.id)
        if db.session.scalar(there) is not None:
            raise Moved()
        return drafts.draft_of(db.session.get_one(Product, plan.product.id), person_id=person_id)
    draft = db.session.scalar(
        select(ListingDraft)
        .where(ListingDraft.id == seen.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if draft is None or draft.version != seen.version:
        raise Moved()
    return draft


def new_content(plan: Plan) -> dict[str, Any]:
    """What the plan of something new says, as typed."""
    content = {**blank(), "variants": []}
    write(content, plan.edits)
    return content


def _at_once(plan: Plan, now: Current, import_id: int, person_id: int) -> dict[int, dict[str, Any]]:
    done: dict[int, dict[str, Any]] = {}
    told: dict[str, Any] = {}
    for row, (variant_id, values) in sorted(plan.at_once.items(), key=lambda one: one[1][0]):
        variant = db.session.get_one(
            Variant, variant_id, with_for_update={"key_share": True}, populate_existing=True
        )
        before = {
            "price": variant.price,
            "lead_time": variant.lead_time_days,
            "capacity": variant.weekly_capacity,
        }
        price, lead = values.get("price", variant.price), values.get("lead_time", variant.lead_time_days)
        change_offer(variant, price=price or 0, lead_time_days=lead)
        if "capacity" in values:
            variant.weekly_capacity = values["capacity"]
        after = {
            "price": variant.price,
            "lead_time": variant.lead_time_days,
            "capacity": variant.weekly_capacity,
        }
        changed: dict[str, Any] = {
            name: [before[name], after[name]] for name in before if before[name] != after[name]
        }
        if (counted := values.get("stock")) is not None:
            moved = count(
                variant_id,
                store_location_id(now.facility_id),
                counted,
                person_id=person_id,
                note=_("Impor nomor %(number)d, baris %(row)d", number=import_id, row=row),
                source=f"import:{import_id}:{row}",
            )
            if moved:
                changed["stock"] = [counted - moved, counted]
        done[row], told[variant.sku] = changed, changed
    db.session.flush()
    if any(told.values()):
        assert plan.product is not None
        record(
            "product.imported",
            "product",
            plan.product.id,
            person_id=person_id,
            facility_id=now.facility_id,
            details={
                "import": import_id,
                "changed": {sku: changed for sku, changed in told.items() if changed},
            },
        )
    return done


def _photos(plan: Plan, now: Current, draft: ListingDraft, person_id: int) -> None:
    """Add the photos to the draft; a bad one is noted on its row, one that is there already is not added again."""
    if not plan.photos:
        return
    listed = set(db.session.scalars(select(DraftPhoto.key).where(DraftPhoto.draft_id == draft.id)))
    rows = {row.number: row for row in plan.rows}
    for name, alt, alt_en, number in plan.photos:
        try:
            content = now.photos.read(name)
            if pictures.key_of(content) in listed:
                continue
            photo = photos.add(draft, content, person_id=person_id)
        except BadPhotoFile as refusal:
            rows[number].pictures.append({"name": name, "text": str(refusal.message)[:300]})
        except Invalid as refusal:
            rows[number].pictures.append({"name": name, "text": str(refusal.errors["photos"])[:300]})
        else:
            photo.alt, photo.alt_en = photo.alt or alt, photo.alt_en or alt_en
    db.session.flush()
