"""Submit, decide, undo. Two curators at one item: the second is told, and nothing is decided over a person's head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import record
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.moderation.kinds import KINDS
from storefront.moderation.models import ItemState, ModerationItem

#: What a curator may do with a thing in each state, and the state that follows.
STEPS: dict[tuple[str, str], ItemState] = {
    (ItemState.WAITING, "approve"): ItemState.APPROVED,
    (ItemState.WAITING, "refuse"): ItemState.REFUSED,
    (ItemState.WAITING, "hold"): ItemState.HELD,
    (ItemState.HELD, "approve"): ItemState.APPROVED,
    (ItemState.HELD, "refuse"): ItemState.REFUSED,
    (ItemState.APPROVED, "refuse"): ItemState.REFUSED,
    (ItemState.PASSED, "refuse"): ItemState.REFUSED,
    (ItemState.REFUSED, "approve"): ItemState.APPROVED,
}
LONGEST_NOTE = 500


class AlreadyDecided(DomainError):
    """Somebody else has decided, or the writer has changed it, since the page was opened."""

    code, status = "already_decided", 409
    message = _("Kurator lain baru saja memutuskan ini, atau penulisnya mengubahnya. Lihat lagi di bawah.")


class CannotBeUndone(DomainError):
    code, status = "cannot_be_undone", 409
    message = _("Keputusan ini tidak dapat diurungkan lagi. Putuskan dari keadaannya yang sekarang.")


def submit(kind: str, subject_id: int, *, facility_id: int, reasons: Sequence[str] = ()) -> ModerationItem:
    """Something was written, or written anew: it passes, or waits for the `reasons`. Never commits.

    The caller writes `is_public` of the answer into its own row.
    """
    values: dict[str, Any] = {
        "state": (ItemState.WAITING if reasons else ItemState.PASSED).value,
        "reasons": list(reasons),
        "submitted_at": func.now(),
    }
    forgotten: dict[str, Any] = {
        "note": "", "previous_state": None, "previous_note": None, "decided_at": None, "decided_by": None,
    }  # fmt: skip
    item_id = db.session.execute(
        upsert(ModerationItem)
        .values(kind=kind, subject_id=subject_id, facility_id=facility_id, **values)
        .on_conflict_do_update(
            index_elements=["kind", "subject_id"],
            set_={**values, **forgotten, "version": ModerationItem.version + 1},
        )
        .returning(ModerationItem.id)
    ).scalar_one()
    return db.session.get_one(ModerationItem, item_id, populate_existing=True)


def decide(item_id: int, version: int, step: str, *, person_id: int, note: str = "") -> ModerationItem:
    """Approve, refuse (with a reason) or hold what stood at `version`. Never commits.

    Raises NotFound, AlreadyDecided, Invalid without a reason to refuse.
    """
    item = _locked(item_id, version)
    to = STEPS.get((item.state, step))
    if to is None:
        raise AlreadyDecided()
    note = note.strip()[:LONGEST_NOTE]
    if to is ItemState.REFUSED and not note:
        raise Invalid({"note": _("Pilih atau tulis alasannya: penulisnya membacanya.")})
    item.previous_state, item.previous_note = item.state, item.note
    _become(item, to, note if to is not ItemState.APPROVED else "", person_id)
    return item


def undo(item_id: int, version: int, *, person_id: int) -> ModerationItem:
    """Take the last decision back, if nothing has happened since `version`. Never commits.

    Raises NotFound, AlreadyDecided, CannotBeUndone.
    """
    item = _locked(item_id, version)
    if item.previous_state is None:
        raise CannotBeUndone()
    to, note = ItemState(item.previous_state), item.previous_note or ""
    item.previous_state = item.previous_note = None
    _become(item, to, note, person_id, is_undone=True)
    return item


def withdraw(kind: str, subject_id: int) -> None:
    """What the item is about is gone: nobody need look at it. Never commits."""
    item = db.session.scalar(
        select(ModerationItem)
        .where(ModerationItem.kind == kind, ModerationItem.subject_id == subject_id)
        .with_for_update()
    )
    if item is not None:
        db.session.delete(item)
        db.session.flush()


def _locked(item_id: int, version: int) -> ModerationItem:
    item = db.session.scalar(
        select(ModerationItem)
        .where(ModerationItem.id == item_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if item is None:
        raise NotFound()
    if item.version != version:
        raise AlreadyDecided()
    return item


def _become(
    item: ModerationItem, to: ItemState, note: str, person_id: int, *, is_undone: bool = False
) -> None:
    with db.session.no_autoflush:
        now = db.session.execute(select(func.clock_timestamp())).scalar_one()
    before, was_public = item.state, item.is_public
    undecided = to in (ItemState.WAITING, ItemState.PASSED)
    item.state, item.note, item.decided_at = to.value, note, None if undecided else now
    item.decided_by = None if undecided else person_id
    item.version += 1
    db.session.flush()
    record(
        f"moderation.{'undone' if is_undone else to.value}",
        item.kind,
        item.subject_id,
        person_id=person_id,
        facility_id=item.facility_id,
        details={"before": {"state": before}, "after": {"state": to.value, "note": note}},
    )
    if item.is_public != was_public:
        KINDS[item.kind].apply(item.subject_id, item.is_public)
