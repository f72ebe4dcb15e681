"""Lists as people like to see them: a name for the query string of a list's address. The address stays the truth."""

from __future__ import annotations

import datetime
from urllib.parse import parse_qsl, urlencode

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, Update, delete, func, select, update

from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.notices.models import SavedView
from storefront.people.models import Person

#: Views of one list; longest name and query in letters.
MOST, LONGEST_NAME, LONGEST_QUERY = 20, 60, 1000
#: What is no choice of a view: where somebody was in it, and what only carries a person about.
NOT_KEPT = frozenset({"page", "back", "view", "all"})
#: Days for which a deleted view can be had back.
KEPT_DAYS = 30


def tidy(query: str) -> str:
    """A query string as a view keeps it: no empty fields, no page, in a fixed order."""
    pairs = parse_qsl(query.removeprefix("?")[:4000], max_num_fields=60)
    return urlencode(sorted((name, value) for name, value in pairs if value and name not in NOT_KEPT))


def views(person_id: int, facility_id: int, list_name: str) -> list[SavedView]:
    """Somebody's views of a list, by name."""
    query = _own(person_id, facility_id).where(SavedView.list == list_name, SavedView.deleted_at.is_(None))
    return list(db.session.scalars(query.order_by(func.lower(SavedView.name))))


def save(person_id: int, facility_id: int, list_name: str, name: str, query: str) -> SavedView:
    """Keep the list as it is seen now under `name`; a view of that name is kept anew. Never commits. Raises Invalid."""
    name, kept = _named(name), tidy(query)
    if len(kept) > LONGEST_QUERY:
        raise Invalid({"name": _("Saringan ini terlalu panjang untuk disimpan. Lepas sebagian dulu.")})
    _lock(person_id)
    own = views(person_id, facility_id, list_name)
    known = next((view for view in own if view.name.lower() == name.lower()), None)
    if known is not None:
        known.query, known.name = kept, name
        return known
    if len(own) >= MOST:
        raise Invalid({"name": _("Paling banyak %(most)d tampilan. Hapus satu dulu.", most=MOST)})
    view = SavedView(person_id=person_id, facility_id=facility_id, list=list_name, name=name, query=kept)
    db.session.add(view)
    db.session.flush()
    return view


def rename(view: SavedView, name: str) -> None:
    """Give a view another name. Never commits. Raises Invalid."""
    name = _named(name)
    _lock(view.person_id)
    for other in views(view.person_id, view.facility_id, view.list):
        if other.id != view.id and other.name.lower() == name.lower():
            raise Invalid({"name": _("Sudah ada tampilan dengan nama ini. Pilih nama lain.")})
    view.name = name
    db.session.flush()


def set_default(view: SavedView, is_default: bool) -> None:
    """The list opens with this view, or with none. Never commits."""
    _lock(view.person_id)
    others = _same_list(view).values(is_default=False)
    db.session.execute(others.execution_options(synchronize_session="fetch"))
    view.is_default = is_default
    db.session.flush()


def remove(view: SavedView) -> None:
    """Delete a view; it can be had back for a while. Never commits."""
    view.deleted_at, view.is_default = datetime.datetime.now(datetime.UTC), False
    db.session.flush()


def restore(view: SavedView) -> None:
    """Have a deleted view back. Never commits. Raises Invalid when its name was given to another meanwhile."""
    if view.deleted_at is None:
        return
    rename(view, view.name)
    view.deleted_at = None
    db.session.flush()


def find(person_id: int, facility_id: int, view_id: int) -> SavedView:
    """One of somebody's own views of this facility's lists, a deleted one too. Raises NotFound."""
    found = db.session.scalar(_own(person_id, facility_id).where(SavedView.id == view_id))
    if found is None:
        raise NotFound()
    return found


def forget_deleted() -> int:
    """Views that were deleted long ago are gone; how many. Never commits."""
    before = func.now() - datetime.timedelta(days=KEPT_DAYS)
    gone = db.session.execute(delete(SavedView).where(SavedView.deleted_at < before))
    return int(getattr(gone, "rowcount", 0))


def _own(person_id: int, facility_id: int) -> Select[SavedView]:
    return select(SavedView).where(SavedView.person_id == person_id, SavedView.facility_id == facility_id)


def _same_list(view: SavedView) -> Update:
    return update(SavedView).where(
        SavedView.person_id == view.person_id,
        SavedView.facility_id == view.facility_id,
        SavedView.list == view.list,
    )


def _lock(person_id: int) -> None:
    """One person's views change one after the other, from two tabs too."""
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid({"name": _("Beri nama tampilan ini.")})
    if len(name) > LONGEST_NAME:
        raise Invalid({"name": _("Paling panjang %(most)d huruf.", most=LONGEST_NAME)})
    return name
