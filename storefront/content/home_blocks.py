"""The blocks of the front page: added, edited, moved, removed, and each of it taken back.

A block carries a version: of two curators who edit the same one, the second is told and nothing is lost. Its place is
not part of it, so that moving a neighbour disturbs nobody. Every change stays in `home_changes` with what was before.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, text

from storefront.audit.record import record
from storefront.content.block_draft import BlockDraft, checked
from storefront.content.models import HomeBlock, HomeChange
from storefront.errors import DomainError, NotFound
from storefront.extensions import db
from storefront.people.models import Person

FIELDS = ("kind", "title", "title_en", "body", "body_en", "settings", "starts_on", "ends_on", "is_published")


class BlockChanged(DomainError):
    """Somebody else has changed the block, or the order, since the page was opened."""

    code, status = "block_changed", 409
    message = _l(
        "Blok ini sudah diubah orang lain setelah Anda membukanya. Isian Anda masih di sini: bandingkan dengan yang "
        "terbaru, lalu simpan lagi bila masih perlu."
    )


def blocks() -> Sequence[HomeBlock]:
    """All blocks that were not removed, in their order."""
    query = select(HomeBlock).where(HomeBlock.removed_at.is_(None))
    return db.session.scalars(query.order_by(HomeBlock.position, HomeBlock.id)).all()


def block(block_id: int) -> HomeBlock:
    """A block that was not removed. Raises NotFound."""
    found = db.session.get(HomeBlock, block_id)
    if found is None or found.removed_at is not None:
        raise NotFound()
    return found


def add(draft: BlockDraft, person_id: int) -> HomeBlock:
    """Add a block below the others. Raises Invalid."""
    values = checked(draft)
    _lock_order()
    last = db.session.scalar(select(func.max(HomeBlock.position)))
    added = HomeBlock(position=(last or 0) + 1, changed_by=person_id, **values)
    db.session.add(added)
    db.session.flush()
    _write_down(added, "added", None, state_of(added), person_id)
    return added


def edit(block_id: int, draft: BlockDraft, version: int, person_id: int) -> HomeBlock:
    """Save a block anew. Raises NotFound, Invalid, and BlockChanged when `version` is no longer the one there."""
    values = checked(draft)
    found = _locked(block_id, version)
    before = state_of(found)
    _apply(found, values, person_id)
    db.session.flush()
    _write_down(found, "edited", before, state_of(found), person_id)
    return found


def remove(block_id: int, version: int, person_id: int) -> HomeBlock:
    """Take a block off the page. Raises as `edit`."""
    found = _locked(block_id, version)
    before = state_of(found)
    found.removed_at = db.session.scalar(select(func.now()))
    _touch(found, person_id)
    db.session.flush()
    _write_down(found, "removed", before, None, person_id)
    return found


def move(block_id: int, to: int, seen: list[int], person_id: int) -> HomeBlock:
    """Put a block at place `to` (from 0); `seen` are the ids of all blocks in the order that the person saw.

    Raises NotFound, and BlockChanged when the order is another one by now.
    """
    _lock_order()
    order = [found.id for found in blocks()]
    if block_id not in order:
        raise NotFound()
    if order != seen:
        raise BlockChanged(
            _("Susunannya sudah diubah orang lain. Inilah yang terbaru; pindahkan lagi bila masih perlu.")
        )
    changed = [other for other in order if other != block_id]
    changed.insert(max(0, min(to, len(changed))), block_id)
    moved = block(block_id)
    if changed != order:
        _write_down(moved, "moved", order, changed, person_id)
        _order(changed)
    return moved


def undo(change_id: int, person_id: int) -> HomeChange:
    """Take a change back, by another change that can be taken back itself.

    Raises NotFound, and BlockChanged when the block has been changed again since: the later change goes first.
    """
    change = db.session.get(HomeChange, change_id)
    if change is None:
        raise NotFound()
    _lock_order()
    later = _("Sesudah itu ada perubahan lain pada blok yang sama. Batalkan yang lebih baru dahulu.")
    if db.session.scalar(select(HomeChange.id).where(HomeChange.undoes == change.id)) is not None:
        raise BlockChanged(_("Perubahan ini sudah dibatalkan."))
    if change.act == "moved":
        order = [found.id for found in blocks()]
        if set(order) != set(change.before or []) or order != change.after:
            raise BlockChanged(_("Sesudah itu susunannya berubah lagi. Batalkan perubahan yang lebih baru dahulu."))
        _order(change.before or [])
        return _write_down(
            block(change.block_id), "moved", change.after, change.before, person_id, change.id
        )
    query = select(HomeBlock).where(HomeBlock.id == change.block_id).with_for_update()
    found = db.session.scalars(query.execution_options(populate_existing=True)).one()
    now = None if found.removed_at is not None else state_of(found)
    if now != change.after:
        raise BlockChanged(later)
    if change.before is None:
        found.removed_at = db.session.scalar(select(func.now()))
        _touch(found, person_id)
        act = "removed"
    else:
        found.removed_at = None
        _apply(found, _values(change.before), person_id)
        act = "added" if change.after is None else "edited"
    db.session.flush()
    return _write_down(found, act, change.after, change.before, person_id, change.id)


def changes(limit: int = 30) -> Sequence[Any]:
    """The last changes with who made them, the latest first, and whether each was taken back."""
    undone = select(HomeChange.undoes).where(HomeChange.undoes.is_not(None))
    query = (
        select(
            HomeChange.id,
            HomeChange.block_id,
            HomeChange.act,
            HomeChange.before,
            HomeChange.after,
            HomeChange.undoes,
            HomeChange.changed_at,
            HomeBlock.kind,
            HomeBlock.title,
            HomeBlock.title_en,
            Person.name,
            HomeChange.id.in_(undone).label("is_undone"),
        )
        .join(HomeBlock, HomeBlock.id == HomeChange.block_id)
        .join(Person, Person.id == HomeChange.changed_by)
        .order_by(HomeChange.id.desc())
        .limit(limit)
    )
    return db.session.execute(query).all()


def _locked(block_id: int, version: int) -> HomeBlock:
    query = select(HomeBlock).where(HomeBlock.id == block_id).with_for_update()
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound()
    if found.removed_at is not None or found.version != version:
        raise BlockChanged()
    return found


def _lock_order() -> None:
    """Whoever adds, moves or takes back waits here for the one before."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(hashtext('home_blocks'))"))
    db.session.expire_all()


def _order(ids: list[int]) -> None:
    places = {block_id: place for place, block_id in enumerate(ids, start=1)}
    for found in blocks():
        found.position = places[found.id]
    db.session.flush()


def _apply(found: HomeBlock, values: dict[str, Any], person_id: int) -> None:
    for name, value in values.items():
        setattr(found, name, value)
    _touch(found, person_id)


def _touch(found: HomeBlock, person_id: int) -> None:
    found.version += 1
    found.changed_by = person_id
    found.changed_at = db.session.scalar(select(func.now()))  # type: ignore[assignment]


def state_of(found: HomeBlock) -> dict[str, Any]:
    """A block's fields as the history keeps them."""
    days = {name: getattr(found, name) for name in ("starts_on", "ends_on")}
    return {name: getattr(found, name) for name in FIELDS if name not in days} | {
        name: day.isoformat() if day else None for name, day in days.items()
    }


def _values(state: dict[str, Any]) -> dict[str, Any]:
    """The columns of a block that the history has kept."""
    days = {
        name: datetime.date.fromisoformat(state[name]) if state[name] else None
        for name in ("starts_on", "ends_on")
    }
    return state | days


def _write_down(
    found: HomeBlock, act: str, before: Any, after: Any, person_id: int, undoes: int | None = None
) -> HomeChange:
    change = HomeChange(
        block_id=found.id, act=act, before=before, after=after, undoes=undoes, changed_by=person_id
    )
    db.session.add(change)
    db.session.flush()
    details = {"kind": found.kind, "act": act, "change": change.id}
    record("home.changed", "home_block", found.id, person_id=person_id, details=details)
    return change
