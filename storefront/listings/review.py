"""From draft to public: ask a curator, take it back, let it through, send it back. Nobody lets through their own."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _g
from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, select

from storefront.audit.record import record
from storefront.catalogue.models import Product, ProductStatus
from storefront.content_rule import clean
from storefront.days import accounting_day, today
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.listings import news
from storefront.listings.checklist import FIELD, checklist, may_sell_on, waits_for
from storefront.listings.decided import as_it_stands, marks_of, note_decision
from storefront.listings.drafts import own_draft
from storefront.listings.listing import Listing
from storefront.listings.models import DraftState, ListingDraft
from storefront.listings.put_on import put_on
from storefront.listings.review_models import ListingDecision

#: What may happen to a draft in each state, and the state that follows; None: it is listed, and the draft is gone.
STEPS: dict[tuple[str, str], DraftState | None] = {
    (DraftState.EDITING, "submit"): DraftState.IN_REVIEW,
    (DraftState.SENT_BACK, "submit"): DraftState.IN_REVIEW,
    (DraftState.IN_REVIEW, "withdraw"): DraftState.EDITING,
    (DraftState.APPROVED, "withdraw"): DraftState.EDITING,
    (DraftState.IN_REVIEW, "schedule"): DraftState.APPROVED,
    (DraftState.IN_REVIEW, "publish"): None,
    (DraftState.APPROVED, "publish"): None,
    (DraftState.IN_REVIEW, "send_back"): DraftState.SENT_BACK,
    (DraftState.APPROVED, "send_back"): DraftState.SENT_BACK,
}
LONGEST_REASON, LONGEST_NOTE, MOST_REASONS = 300, 500, 40
#: A day may be chosen so far ahead.
FURTHEST = datetime.timedelta(days=365)


class Moved(DomainError):
    """Somebody else was faster, or what is looked at was changed since the page was opened."""

    code, status = "listing_moved", 409
    message = _("Orang lain baru saja memutuskan atau mengubah karya ini. Lihat keadaannya yang sekarang di bawah.")


class NotYours(DomainError):
    """Who asked would decide."""

    code, status = "four_eyes", 409
    message = _("Anda sendiri yang meminta tinjauan ini. Minta rekan Anda di kantor pusat yang memutuskan.")


class NotAllowedNow(DomainError):
    """It may not be public as it is; the errors say why, by field."""

    code, status = "not_allowed_now", 409
    message = _("Karya ini belum boleh tayang.")

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__(" ".join([str(type(self).message), *reasons.values()]), extra={"reasons": dict(reasons)})


def submit(
    facility_id: int, draft_id: int, version: int, *, person_id: int, publish_at: datetime.datetime | None = None
) -> ListingDraft:
    """Ask a curator. `publish_at`: not before that moment. Never commits.

    Raises NotFound, Moved, and Invalid by field while something is missing.
    """
    draft = own_draft(facility_id, draft_id, lock=True)
    after = _after(draft, "submit", version)
    moment = now()
    if publish_at is not None and not moment < publish_at <= moment + FURTHEST:
        raise Invalid({"publish_at": _g("Pilih waktu yang akan datang, paling lama setahun lagi; atau kosongkan.")})
    found = checklist(draft, accounting_day(publish_at) if publish_at else None)
    if not found.is_ready:
        raise Invalid(found.errors)
    why = waits_for(draft, is_public=is_public(draft))
    draft.submitted_at, draft.submitted_by, draft.publish_at = moment, person_id, publish_at
    draft.decided_at = draft.decided_by = None
    draft.reasons, draft.note = {}, ""
    draft.waits_for = why
    _become(draft, after, "submitted", person_id, publish_at=publish_at.isoformat() if publish_at else None)
    return draft


def withdraw(facility_id: int, draft_id: int, version: int, *, person_id: int) -> ListingDraft:
    """Take it back from the curator, or from the day it waits for, to write on. Never commits.

    Raises NotFound, Moved.
    """
    draft = own_draft(facility_id, draft_id, lock=True)
    after = _after(draft, "withdraw", version)
    draft.submitted_at = draft.submitted_by = draft.decided_at = draft.decided_by = None
    draft.waits_for = []
    _become(draft, after, "withdrawn", person_id)
    return draft


def approve(draft_id: int, version: int, *, person_id: int) -> Product | None:
    """Let it through: public at once, or (None) on the day that was asked for. Never commits.

    Raises NotFound, Moved, NotYours, and NotAllowedNow with what is missing by field.
    """
    draft = _waiting(draft_id)
    moment = now()
    is_later = draft.publish_at is not None and draft.publish_at > moment
    after = _after(draft, "schedule" if is_later else "publish", version)
    _by_another(draft, person_id)
    listing = may_be_public(draft, accounting_day(draft.publish_at) if is_later and draft.publish_at else today())
    if is_later and after is not None:
        draft.decided_at, draft.decided_by = moment, person_id
        _become(draft, after, "approved", person_id)
        note_decision(draft, "approved", person_id)
        return None
    return list_it(draft, listing, decided_by=person_id)


def list_it(draft: ListingDraft, listing: Listing, *, decided_by: int) -> Product:
    """Write the listing into its product, public from now on; the draft is gone. Never commits."""
    before = as_it_stands(draft.product_id) if is_public(draft) else None
    marks, facts = marks_of(draft), _facts(draft)
    decision = note_decision(draft, "published", decided_by, before=before, marks=marks, is_flushed=False)
    db.session.execute(delete(ListingDraft).where(ListingDraft.id == draft.id))
    product = put_on(listing, facts["facility_id"], facts["product_id"], facts["submitted_by"])
    decision.product_id = product.id
    db.session.add(decision)
    db.session.flush()
    record(
        "listing.published",
        "product",
        product.id,
        person_id=decided_by,
        facility_id=product.facility_id,
        details={"title": product.title, "draft": decision.draft_id, "is_proposal": before is not None},
    )
    about = {"title": product.title, "path": f"/products/{product.slug}"}
    news.tell("listing_published", product.facility_id, f"listing:{decision.id}:published", about)
    return product


def send_back(
    draft_id: int, version: int, reasons: Mapping[str, str], note: str = "", *, person_id: int
) -> ListingDraft:
    """Back to the facility, with a reason beside each field concerned. Never commits.

    `reasons`: field path → sentence. Raises NotFound, Moved, NotYours, Invalid without any reason.
    """
    draft = _waiting(draft_id)
    after = _after(draft, "send_back", version)
    _by_another(draft, person_id)
    said = kept_reasons(reasons)
    note = clean(note)[:LONGEST_NOTE]
    if not said and not note:
        raise Invalid({"note": _g("Tulis apa yang perlu diubah, di samping isiannya atau di sini.")})
    draft.reasons, draft.note = said, note
    draft.decided_at, draft.decided_by = now(), person_id
    assert after is not None
    _become(draft, after, "sent_back", person_id, reasons=said, note=note)
    decision = note_decision(draft, "sent_back", person_id)
    tell_sent_back(draft, f"listing:{decision.id}:sent_back")
    return draft


def kept_reasons(reasons: Mapping[str, str]) -> dict[str, str]:
    """Reasons beside fields that there are, each as one short text."""
    said = {name: " ".join(clean(text).split())[:LONGEST_REASON] for name, text in reasons.items()}
    return {name: text for name, text in said.items() if text and FIELD.fullmatch(name)}


def tell_sent_back(draft: ListingDraft, key: str) -> None:
    """Let the facility's coordinators know."""
    about = {
        "title": title_of(draft),
        "reasons": list(draft.reasons.values()),
        "note": draft.note,
        "path": f"/seller/{facility_code(draft.facility_id)}/listings/{draft.id}/review",
    }
    news.tell("listing_sent_back", draft.facility_id, key, about)


def may_be_public(draft: ListingDraft, day: datetime.date) -> Listing:
    """The draft as a listing that may be public on `day`. Raises NotAllowedNow with the reasons by field."""
    found = checklist(draft, day)
    reasons = dict(found.errors)
    if found.listing is not None and not may_sell_on(found.listing.workshop_id, day):
        reasons["workshop"] = _g("Pernyataan kerja layak bengkelnya tidak berlaku pada hari itu.")
    if is_archived(draft):
        reasons["title"] = _g("Karyanya diarsipkan. Kembalikan dari arsip dulu.")
    if reasons or found.listing is None:
        raise NotAllowedNow(reasons)
    return found.listing


def is_public(draft: ListingDraft) -> bool:
    """Whether the draft is a proposal on something that is public."""
    return _status(draft) == ProductStatus.PUBLISHED.value


def is_archived(draft: ListingDraft) -> bool:
    return _status(draft) == ProductStatus.ARCHIVED.value


def _status(draft: ListingDraft) -> str | None:
    return db.session.scalar(select(Product.status).where(Product.id == draft.product_id))


def title_of(draft: ListingDraft) -> str:
    """What people call it, also while it has no name."""
    return str(draft.content.get("title", "")).strip()[:140] or _g("karya tanpa nama")


def facility_code(facility_id: int) -> str:
    """The code of a facility, for addresses."""
    code: str = db.session.execute(select(Facility.code).where(Facility.id == facility_id)).scalar_one()
    return code


def now() -> datetime.datetime:
    """This moment, by the database's clock."""
    moment: datetime.datetime = db.session.execute(select(func.now())).scalar_one()
    return moment


def _waiting(draft_id: int) -> ListingDraft:
    """A draft, locked. Raises Moved when it is gone: it was listed or thrown away meanwhile."""
    statement = select(ListingDraft).where(ListingDraft.id == draft_id).with_for_update()
    draft = db.session.scalar(statement.execution_options(populate_existing=True))
    if draft is None:
        was_decided = db.session.scalar(select(ListingDecision.id).where(ListingDecision.draft_id == draft_id).limit(1))
        raise Moved() if was_decided is not None else NotFound()
    db.session.expire(draft, ["photos"])
    return draft


def _after(draft: ListingDraft, step: str, version: int) -> DraftState | None:
    """The state that a step leads to. Raises Moved when it is not allowed there, or the draft is not what was seen."""
    if (draft.state, step) not in STEPS or draft.version != version:
        raise Moved()
    return STEPS[DraftState(draft.state), step]


def _by_another(draft: ListingDraft, person_id: int) -> None:
    if person_id in (draft.submitted_by, draft.changed_by):
        raise NotYours()


def _facts(draft: ListingDraft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in ("facility_id", "product_id", "submitted_by")}


def _become(draft: ListingDraft, state: DraftState | None, act: str, person_id: int | None, **details: Any) -> None:
    assert state is not None
    before, draft.state = draft.state, state.value
    draft.version += 1
    db.session.flush()
    record(
        f"listing_draft.{act}",
        "listing_draft",
        draft.id,
        person_id=person_id,
        facility_id=draft.facility_id,
        details={"before": before, "after": state.value, "title": title_of(draft)}
        | {name: value for name, value in details.items() if value},
    )
