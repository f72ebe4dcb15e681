"""Names in cells and the ids that drafts keep: workshops, categories, commodity groups, how far it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from storefront.catalogue.models import Category, CommodityGroup
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.listing_files.columns import SCOPES
from storefront.written import one_line


@dataclass
class Names:
    """One list to choose from: what is written out, and all that is read."""

    written: dict[str, str] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)

    def add(self, id_: str, name: str, *others: str) -> None:
        """An entry; a name that stands for two things stands for the first."""
        self.written[id_] = name
        for one in (name, *others):
            self.read.setdefault(_plain(one), id_)

    def id_of(self, name: str) -> str | None:
        return self.read.get(_plain(name))


@dataclass
class Words:
    """All lists of one facility, by column."""

    lists: dict[str, Names]

    def written(self, column: str, id_: str) -> str:
        """The name of an id; empty for none."""
        return self.lists[column].written.get(id_, "")

    def id_of(self, column: str, name: str) -> str | None:
        """The id of a name, None when there is none such."""
        return self.lists[column].id_of(name)


def words_of(facility_id: int) -> Words:
    """The lists as they are now: three statements."""
    workshops, categories, groups, scopes = Names(), Names(), Names(), Names()
    own = (
        select(Workshop.id, Workshop.name).where(Workshop.facility_id == facility_id).order_by(Workshop.name)
    )
    for id_, name in db.session.execute(own):
        workshops.add(str(id_), name)
    _categories(categories)
    for group in db.session.scalars(select(CommodityGroup).order_by(CommodityGroup.position)):
        groups.add(str(group.id), group.name, group.name_en, group.code)
    for code, name in SCOPES.items():
        scopes.add(code, name, code)
    return Words({"workshop": workshops, "category": categories, "group": groups, "scope": scopes})


def _categories(names: Names) -> None:
    """Categories by their whole path; by their own name alone too, as long as that is one."""
    every = list(db.session.scalars(select(Category).order_by(Category.position, Category.id)))
    by_id = {row.id: row for row in every}
    rows = [row for row in every if row.archived_at is None]
    for row in rows:
        path, above = [row.name], row.parent_id
        while above is not None and len(path) < 10:
            path.insert(0, by_id[above].name)
            above = by_id[above].parent_id
        names.add(str(row.id), " > ".join(path), row.slug)
    for row in rows:
        names.read.setdefault(_plain(row.name), str(row.id))
        names.read.setdefault(_plain(row.name_en), str(row.id))
    # Files of before a merge name what is now another.
    for row in every:
        if row.merged_into_id is not None:
            for name in (row.name, row.name_en, row.slug):
                names.read.setdefault(_plain(name), str(row.merged_into_id))


def _plain(name: str) -> str:
    return one_line(name).casefold()
