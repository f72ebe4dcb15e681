"""The tree of categories as curators keep it: added, renamed, put in order, moved, archived and brought back.

An address (`slug`) never changes: links and search engines know it. Two levels, as the shop's menus show. Everything
here waits for whoever is changing the tree at the moment, and then looks anew.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, func, select, text

from storefront.audit.record import record
from storefront.catalogue.models import Category, Product
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db

SHORTEST, LONGEST = 3, 60


class TreeChanged(DomainError):
    """Somebody else has changed the same category since the page was opened."""

    code, status = "tree_changed", 409
    message = _l("Kategori ini baru saja diubah orang lain. Inilah keadaannya sekarang; ulangi bila masih perlu.")


class NotEmpty(DomainError):
    """An archived category would take along what it holds."""

    code, status = "category_not_empty", 409
    message = _l(
        "Kategori ini masih memuat karya, draf, atau cabang. Gabungkan ke kategori lain, atau pindahkan dahulu."
    )


@dataclass
class Branch:
    """A category with what hangs from it."""

    category: Category
    #: Products in it itself: all, and those that are public.
    products: int
    public: int
    #: Drafts and proposed versions that name it.
    drafts: int
    below: list[Branch] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.products or self.drafts or self.below)


COUNTS = text("""
    SELECT c.id, count(p.id) AS products, count(p.id) FILTER (WHERE p.status = 'published') AS public,
           (SELECT count(*) FROM listing_drafts d WHERE d.content ->> 'category' = c.id::text) AS drafts
      FROM categories c LEFT JOIN products p ON p.category_id = c.id GROUP BY c.id""")


def tree() -> list[Branch]:
    """The categories in use, in the order of the menus, each with its counts."""
    counts = {row.id: row for row in db.session.execute(COUNTS)}
    branches = {
        row.id: Branch(row, counts[row.id].products, counts[row.id].public, counts[row.id].drafts)
        for row in _in_use()
    }
    tops: list[Branch] = []
    for branch in branches.values():
        above = branches.get(branch.category.parent_id or 0)
        (above.below if above else tops).append(branch)
    return tops


def branch_of(category_id: int) -> Branch:
    """One category in use with its counts. Raises NotFound."""
    for top in tree():
        for branch in (top, *top.below):
            if branch.category.id == category_id:
                return branch
    raise NotFound()


def archived() -> Sequence[Category]:
    """Categories that are no longer used, the latest first."""
    query = select(Category).where(Category.archived_at.is_not(None))
    return db.session.scalars(query.order_by(Category.archived_at.desc(), Category.id)).all()


def add(name: str, name_en: str, parent_id: int | None, *, person_id: int) -> Category:
    """Add a category below another or at the top, as the last there. Never commits. Raises Invalid."""
    hold()
    _check_names(name, name_en, None)
    _parent(parent_id)
    last = db.session.scalar(select(func.max(Category.position)).where(_siblings(parent_id)))
    found = Category(parent_id=parent_id, slug=_free_slug(name), name=name, name_en=name_en, position=(last or 0) + 1)
    db.session.add(found)
    db.session.flush()
    after = {"name": name, "name_en": name_en, "parent": parent_id, "slug": found.slug}
    record("category.added", "category", found.id, person_id=person_id, details={"after": after})
    return found


def rename(category_id: int, name: str, name_en: str, seen: str, *, person_id: int) -> Category:
    """Have a category called otherwise; `seen` is the name that the person saw. Never commits.

    Its address stays. Raises NotFound, Invalid, TreeChanged.
    """
    hold()
    found = locked(category_id)
    if found.name != seen:
        raise TreeChanged()
    _check_names(name, name_en, category_id)
    before = {"name": found.name, "name_en": found.name_en}
    found.name, found.name_en = name, name_en
    db.session.flush()
    after = {"name": name, "name_en": name_en}
    record("category.renamed", "category", found.id, person_id=person_id, details={"before": before, "after": after})
    return found


def move(category_id: int, parent_id: int | None, seen: int | None, *, person_id: int) -> Category:
    """Hang a category below another, or at the top (None); `seen` is what it hung from. Never commits.

    Raises NotFound, Invalid for `parent`, TreeChanged.
    """
    hold()
    found = locked(category_id)
    if found.parent_id != seen:
        raise TreeChanged()
    if parent_id == found.parent_id:
        return found
    if parent_id is not None:
        if parent_id == category_id:
            raise Invalid({"parent": _("Kategori tidak dapat berada di bawah dirinya sendiri.")})
        _parent(parent_id)
        if has_below(category_id):
            said = _("Kategori yang punya cabang tetap di tingkat atas: menu toko hanya dua tingkat.")
            raise Invalid({"parent": said})
    before = {"parent": found.parent_id}
    last = db.session.scalar(select(func.max(Category.position)).where(_siblings(parent_id)))
    found.parent_id, found.position = parent_id, (last or 0) + 1
    db.session.flush()
    details = {"before": before, "after": {"parent": parent_id}}
    record("category.moved", "category", found.id, person_id=person_id, details=details)
    return found


def step(category_id: int, by: int, *, person_id: int) -> Category:
    """Exchange a category with the one before (`by` -1) or after it (1). At the end nothing happens. Never commits."""
    hold()
    found = locked(category_id)
    order = [row for row in _in_use() if row.parent_id == found.parent_id]
    place = next(number for number, row in enumerate(order) if row.id == category_id)
    to = place + by
    if not 0 <= to < len(order):
        return found
    order[place], order[to] = order[to], order[place]
    for position, row in enumerate(order, start=1):
        row.position = position
    db.session.flush()
    details = {"before": {"place": place + 1}, "after": {"place": to + 1}}
    record("category.ordered", "category", found.id, person_id=person_id, details=details)
    return found


def archive(category_id: int, *, person_id: int) -> Category:
    """Put away a category that holds nothing. Never commits. Raises NotFound, NotEmpty."""
    hold()
    found = locked(category_id)
    if not branch_of(category_id).is_empty:
        raise NotEmpty()
    found.archived_at = db.session.scalar(select(func.now()))
    db.session.flush()
    record("category.archived", "category", found.id, person_id=person_id)
    return found


def restore(category_id: int, *, person_id: int) -> Category:
    """Bring an archived category back, at the top where the one above it is gone. Never commits.

    What was merged stays so: its products are elsewhere. Raises NotFound, TreeChanged.
    """
    hold()
    found = db.session.get(Category, category_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound()
    if found.archived_at is None or found.merged_into_id is not None:
        raise TreeChanged()
    above = db.session.get(Category, found.parent_id) if found.parent_id else None
    if above is not None and (above.archived_at is not None or above.parent_id is not None):
        found.parent_id = None
    found.archived_at = None
    db.session.flush()
    record("category.restored", "category", found.id, person_id=person_id)
    return found


def hold() -> None:
    """Wait for whoever is changing the tree; the database's own check takes the same lock."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(hashtext('categories'))"))


def locked(category_id: int) -> Category:
    """A category in use, held against whoever is saving something into it. Raises NotFound."""
    found = db.session.get(Category, category_id, with_for_update=True, populate_existing=True)
    if found is None or found.archived_at is not None:
        raise NotFound()
    return found


def has_below(category_id: int) -> bool:
    """Whether categories in use hang from it."""
    below = select(Category.id).where(Category.parent_id == category_id, Category.archived_at.is_(None))
    return db.session.scalar(below.limit(1)) is not None


def _in_use() -> Sequence[Category]:
    query = select(Category).where(Category.archived_at.is_(None)).order_by(Category.position, Category.name)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def _siblings(parent_id: int | None) -> ColumnElement[bool]:
    return Category.parent_id.is_not_distinct_from(parent_id)


def _parent(parent_id: int | None) -> None:
    """Raises Invalid unless something may hang there."""
    if parent_id is None:
        return
    above = db.session.get(Category, parent_id, with_for_update=True, populate_existing=True)
    if above is None or above.archived_at is not None or above.parent_id is not None:
        raise Invalid({"parent": _("Pilih kategori di tingkat atas: menu toko hanya dua tingkat.")})


def _check_names(name: str, name_en: str, category_id: int | None) -> None:
    errors = {}
    for column, value in (("name", name), ("name_en", name_en)):
        if not SHORTEST <= len(value) <= LONGEST:
            errors[column] = _("Tulis namanya, 3 sampai 60 huruf.")
            continue
        same = select(Category.id).where(
            func.lower(getattr(Category, column)) == value.lower(), Category.archived_at.is_(None)
        )
        if db.session.scalar(same.where(Category.id != (category_id or 0)).limit(1)) is not None:
            errors[column] = _("Sudah ada kategori dengan nama ini.")
    if errors:
        raise Invalid(errors)


def _free_slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = "-".join(re.findall(r"[a-z0-9]+", plain)) or "kategori"
    taken = set(db.session.scalars(select(Category.slug).where(Category.slug.like(f"{stem}%"))))
    return next(slug for slug in (stem, *(f"{stem}-{n}" for n in range(2, 10_000))) if slug not in taken)


def products_of(category_id: int) -> list[int]:
    """Ids of the products in a category, whatever their state."""
    query = select(Product.id).where(Product.category_id == category_id).order_by(Product.id)
    return list(db.session.scalars(query))
