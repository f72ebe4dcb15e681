"""What becomes of a listing beside being written: copied, taken off, archived, thrown away; all can be undone."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from storefront.audit.models import AuditEvent
from storefront.audit.record import record
from storefront.catalogue.models import Product, ProductStatus
from storefront.days import today
from storefront.errors import DomainError, NotFound
from storefront.extensions import db, defer
from storefront.listings import drafts
from storefront.listings.models import DraftPhoto, ListingDraft
from storefront.listings.needs import missing
from storefront.listings.read import listing_of
from storefront.listings.typed import typed

#: Until then a product that was taken off goes back on sale without a curator.
UNDO = datetime.timedelta(days=1)
KIND = "product"
#: Columns of a photo that a copy and an undo bring along.
PHOTO = (
    "position", "alt", "alt_en", "tint", "state", "fault", "original_key", "turned", "crop", "faces", "key", "widths",
    "width", "height",
)  # fmt: skip


class CannotUndo(DomainError):
    """Something else came after it."""

    code, status = "cannot_undo", 409
    message = _l("Ini tidak dapat diurungkan lagi: sudah ada perubahan sesudahnya.")


class NotOnSaleAgain(DomainError):
    """It lacks by now what its category asks for, so it may not go back on sale; `reasons` by field."""

    code, status = "not_on_sale_again", 409
    message = _l("Karya ini belum boleh tampil lagi di toko.")

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__(" ".join([str(type(self).message), *reasons.values()]), extra={"reasons": dict(reasons)})


def own_product(facility_id: int, product_id: int, *, lock: bool = False) -> Product:
    """The facility's own product. Raises NotFound for another's, as if it did not exist."""
    statement = select(Product).where(Product.id == product_id, Product.facility_id == facility_id)
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    product = db.session.scalar(statement)
    if product is None:
        raise NotFound()
    return product


def copy_draft(draft: ListingDraft, *, form_key: str, person_id: int) -> ListingDraft:
    """A new draft that says the same, photos and all, but has SKUs and pieces of its own. Never commits."""
    content = _as_new(draft.content)
    copy = drafts.begin(draft.facility_id, form_key=form_key, person_id=person_id, content=content)
    if not _has_photos(copy):
        ids = {str(photo.id): _copied(photo, copy) for photo in draft.photos}
        _point_at(copy, ids)
    return copy


def copy_product(product: Product, *, form_key: str, person_id: int) -> ListingDraft:
    """The same from a product's listing as it stands. Never commits."""
    listing = listing_of(product)
    content = _as_new(typed(listing))
    copy = drafts.begin(product.facility_id, form_key=form_key, person_id=person_id, content=content)
    if not _has_photos(copy):
        photo_ids = drafts.copy_photos(product.id, copy.id)
        content = _as_new(typed(listing, photo_ids))
        copy.content = drafts.kept(content)
        db.session.flush()
        db.session.expire(copy, ["photos"])
    return copy


def _as_new(content: dict[str, Any]) -> dict[str, Any]:
    title = _("%(title)s (salinan)", title=content["title"]) if content["title"] else ""
    rows = [{**row, "id": "", "sku": "", "stock": "", "seen": ""} for row in content["variants"]]
    return {**content, "title": title, "variants": rows}


def _has_photos(draft: ListingDraft) -> bool:
    return db.session.scalar(select(func.count()).where(DraftPhoto.draft_id == draft.id)) != 0


def _copied(photo: DraftPhoto, copy: ListingDraft) -> str:
    new = DraftPhoto(
        draft_id=copy.id, uploaded_by=photo.uploaded_by, **{name: getattr(photo, name) for name in PHOTO}
    )
    db.session.add(new)
    db.session.flush()
    if new.state == "waiting":
        defer("listings.prepare_photo", photo_id=new.id, lock="pictures")
    return str(new.id)


def _point_at(draft: ListingDraft, ids: dict[str, str]) -> None:
    """Variants show the draft's own photos."""
    rows = [{**row, "photo": ids.get(row["photo"], "")} for row in draft.content["variants"]]
    draft.content = {**draft.content, "variants": rows}
    db.session.flush()
    db.session.expire(draft, ["photos"])


def unpublish(product: Product, *, person_id: int) -> None:
    """Take it off the shop; what is ordered stays ordered. Never commits."""
    if product.status == ProductStatus.PUBLISHED.value:
        _set(product, ProductStatus.DRAFT, "unpublished", person_id)


def archive(product: Product, *, person_id: int) -> None:
    """Put it away: it is on no list but the archive. Never commits."""
    if product.status != ProductStatus.ARCHIVED.value:
        _set(product, ProductStatus.ARCHIVED, "archived", person_id)


def _set(product: Product, status: ProductStatus, action: str, person_id: int) -> None:
    before, product.status = product.status, status.value
    db.session.flush()
    record(
        f"product.{action}",
        KIND,
        product.id,
        person_id=person_id,
        facility_id=product.facility_id,
        details={"before": before, "after": status.value},
    )


def bring_back(product: Product, *, person_id: int, to_mend: bool = False) -> None:
    """Undo the last of `unpublish` and `archive`. Never commits.

    What was on sale goes back on sale within a day; later, or `to_mend`, it lies unpublished, and a curator looks at
    it again. Raises CannotUndo when something else changed its status since, NotOnSaleAgain.
    """
    if to_mend and product.status == ProductStatus.DRAFT.value:
        return
    status = _status_before(product)
    if status == ProductStatus.PUBLISHED and to_mend:
        status = ProductStatus.DRAFT
    elif status == ProductStatus.PUBLISHED:
        _may_sell_again(product)
    _set(product, status, "brought_back", person_id)


def _may_sell_again(product: Product) -> None:
    """As `publish_complete` in the database would refuse it. Raises NotOnSaleAgain."""
    until = product.sells_unpapered_until
    reasons = missing(listing_of(product), today()) if until is None or until < today() else {}
    if reasons:
        raise NotOnSaleAgain(reasons)


def _status_before(product: Product) -> ProductStatus:
    """What a product was before it was taken off or put away. Raises CannotUndo."""
    last = db.session.execute(
        select(AuditEvent.action, AuditEvent.details, AuditEvent.at, func.now().label("now"))
        .where(AuditEvent.subject_kind == KIND, AuditEvent.subject_id == str(product.id))
        .where(AuditEvent.action.like("product.%"))
        .order_by(AuditEvent.id.desc())
        .limit(1)
    ).one_or_none()
    if (
        last is None
        or last.action not in ("product.unpublished", "product.archived")
        or last.details.get("after") != product.status
    ):
        if product.status != ProductStatus.ARCHIVED.value:
            raise CannotUndo()
        return ProductStatus.DRAFT
    status = ProductStatus(last.details["before"])
    if last.now - last.at > UNDO and status == ProductStatus.PUBLISHED:
        return ProductStatus.DRAFT
    return status


def discard(draft: ListingDraft, *, person_id: int) -> int:
    """Throw a draft away with its photos; returns what `undo_discard` needs. Never commits. Raises DraftWaits."""
    if draft.state not in drafts.OPEN:
        raise drafts.DraftWaits()
    photos = [{name: getattr(photo, name) for name in (*PHOTO, "id")} for photo in draft.photos]
    drafts.discard(draft, person_id=person_id, photos=photos)
    return db.session.execute(
        select(func.max(AuditEvent.id)).where(
            AuditEvent.action == "listing_draft.discarded", AuditEvent.subject_id == str(draft.id)
        )
    ).scalar_one()


def undo_discard(facility_id: int, event_id: int, *, person_id: int) -> ListingDraft:
    """The draft that was thrown away, as it was; asked for twice it comes back once. Never commits.

    Raises NotFound for what is none of this facility's, CannotUndo when its product has another draft by now.
    """
    details = db.session.scalar(
        select(AuditEvent.details).where(
            AuditEvent.id == event_id,
            AuditEvent.facility_id == facility_id,
            AuditEvent.action == "listing_draft.discarded",
        )
    )
    if details is None:
        raise NotFound()
    product_id = details.get("product_id")
    draft = drafts.begin(
        facility_id, form_key=f"undo-discard-{event_id:08d}", person_id=person_id, content=details["content"]
    )
    if _has_photos(draft) or draft.product_id or draft.version > 1:
        return draft
    if product_id:
        if db.session.scalar(select(ListingDraft.id).where(ListingDraft.product_id == product_id)):
            raise CannotUndo()
        draft.product_id = product_id
    draft.content = {**draft.content, "papers": details["content"].get("papers", [])}
    ids = {}
    for photo in details.get("photos", ()):
        new = DraftPhoto(draft_id=draft.id, uploaded_by=person_id, **{name: photo[name] for name in PHOTO})
        db.session.add(new)
        db.session.flush()
        ids[str(photo["id"])] = str(new.id)
    _point_at(draft, ids)
    return draft
