"""What a check finds wrong, and what it looks up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.catalogue.models import Category, CommodityGroup, Variant
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.written import whole_number


@dataclass
class Known:
    """What a check looks up. Who checks many listings at once answers from what was read once."""

    facility_id: int

    def workshop(self, written: str) -> int | None:
        """The facility's own workshop with this id."""
        return _of(Workshop, written, Workshop.facility_id == self.facility_id)

    def category(self, written: str) -> int | None:
        """A category that is in use; where it was merged, the one it went into."""
        found = _of(Category, written)
        row = db.session.get(Category, found, populate_existing=True) if found else None
        if row is None or (row.archived_at is not None and row.merged_into_id is None):
            return None
        return row.merged_into_id or row.id

    def group(self, written: str) -> int | None:
        return _of(CommodityGroup, written)

    def variants_of(self, product_id: int) -> set[int]:
        """Ids of a product's variants."""
        return set(db.session.scalars(select(Variant.id).where(Variant.product_id == product_id)))

    def holders(self, skus: Sequence[str]) -> dict[str, int]:
        """Ids of the variants that have these SKUs, anywhere."""
        rows = db.session.execute(select(Variant.sku, Variant.id).where(Variant.sku.in_(skus)))
        return dict(rows.all())


@dataclass
class Findings:
    """What is wrong, by field."""

    errors: dict[str, str] = field(default_factory=dict)

    def wrong(self, name: str, sentence: str) -> None:
        """Say what is wrong with a field; the first sentence stays."""
        self.errors.setdefault(name, sentence)


def _of(model: Any, written: str, *also: Any) -> int | None:
    """The id that was chosen from a list, if there is such a row."""
    if not re.fullmatch(r"[0-9]{1,15}", written or ""):
        return None
    found: int | None = db.session.scalar(select(model.id).where(model.id == int(written), *also))
    return found


def read_number(written: str, least: int, most: int) -> int | None:
    number = whole_number(written)
    return number if number is not None and least <= number <= most else None


def read_optional(written: str, least: int, most: int, name: str, found: Findings) -> int | None:
    if not written.strip():
        return None
    number = read_number(written, least, most)
    if number is None:
        found.wrong(name, _("Tulis dengan angka bulat, atau kosongkan."))
    return number
