"""What sendings to a stand and returns from it have in common: numbered acts of one facility at one fair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from sqlalchemy import func, select

from storefront.audit.record import record
from storefront.catalogue.models import Variant
from storefront.exhibitions.models import (
    ExhibitionReturn,
    ExhibitionReturnLine,
    ExhibitionSending,
    ExhibitionSendingLine,
)
from storefront.extensions import db

Act = TypeVar("Act", ExhibitionSending, ExhibitionReturn)
Line = type[ExhibitionSendingLine] | type[ExhibitionReturnLine]


def by_key(kind: type[Act], exhibition_id: int, facility_id: int, key: str) -> Act | None:
    """The act that the form with this key made before."""
    found: Act | None = db.session.scalar(
        select(kind).where(
            kind.request_key == key, kind.exhibition_id == exhibition_id, kind.facility_id == facility_id
        )
    )
    return found


def next_number(kind: type[Act], exhibition_id: int, facility_id: int) -> int:
    """1, 2 … of the facility at the fair; the caller has locked its part in it."""
    last = db.session.scalar(
        select(func.max(kind.number)).where(kind.exhibition_id == exhibition_id, kind.facility_id == facility_id)
    )
    return (last or 0) + 1


def pieces_of(line: Line, exhibition_id: int, facility_id: int, number: int) -> dict[int, int]:
    """Pieces of an act by variant id."""
    rows = db.session.execute(
        select(line.variant_id, line.pieces).where(
            line.exhibition_id == exhibition_id, line.facility_id == facility_id, line.number == number
        )
    )
    return dict(rows.all())


def write_trail(
    action: str, act: ExhibitionSending | ExhibitionReturn, pieces: Mapping[int, int], person_id: int
) -> None:
    """Who did it, with how many pieces of each SKU."""
    rows = db.session.execute(select(Variant.id, Variant.sku).where(Variant.id.in_(list(pieces))))
    record(
        action,
        "exhibition",
        act.exhibition_id,
        person_id=person_id,
        facility_id=act.facility_id,
        details={"number": act.number, "pieces": {sku: pieces[id_] for id_, sku in rows.all()}},
    )
