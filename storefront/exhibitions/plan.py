"""How many pieces of each variant a facility means to bring to a fair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import record
from storefront.catalogue.models import Product, Variant
from storefront.days import today
from storefront.errors import NotFound
from storefront.exhibitions.fairs import FairEnded, PiecesRefused, When, lock, when
from storefront.exhibitions.models import SENT, Exhibition, ExhibitionPieces
from storefront.extensions import db

#: Most pieces of one variant; the table says the same.
MOST = 10_000


@dataclass(frozen=True)
class Change:
    """What somebody wrote, and what was planned when they saw the form; 0: not brought."""

    was: int
    planned: int


def set_plan(
    exhibition: Exhibition, facility_id: int, changes: Mapping[int, Change], *, person_id: int
) -> int:
    """Plan pieces by variant id; returns how many variants changed.

    Raises FairEnded, NotFound for a variant of another facility, and PiecesRefused: where less was written than is
    sent already, where somebody else has planned meanwhile, and for what has no stock to bring. Then nothing changes.
    """
    lock(exhibition.id, facility_id)
    if when(exhibition, today()) is When.PAST:
        raise FairEnded(exhibition.ends_on)
    variants = own_variants(facility_id, changes)
    now, sent = planned(exhibition.id, facility_id), sent_pieces(exhibition.id, facility_id)
    wanted = {id_: change for id_, change in changes.items() if change.planned != now.get(id_, 0)}
    refused = {
        id_: sentence
        for id_, change in wanted.items()
        if (sentence := _refusal(variants[id_], change, now.get(id_, 0), sent.get(id_, 0)))
    }
    if refused:
        raise PiecesRefused(refused)
    for id_, change in sorted(wanted.items()):
        _write(exhibition.id, facility_id, id_, change.planned)
    if wanted:
        told = {
            variants[id_].sku: [now.get(id_, 0), change.planned] for id_, change in sorted(wanted.items())
        }
        record(
            "exhibition.planned",
            "exhibition",
            exhibition.id,
            person_id=person_id,
            facility_id=facility_id,
            details={"pieces": told},
        )
    return len(wanted)


def own_variants(facility_id: int, variant_ids: Mapping[int, object]) -> dict[int, Variant]:
    """The variants by id. Raises NotFound when one is not the facility's."""
    found = db.session.scalars(
        select(Variant)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.id.in_(list(variant_ids)), Product.facility_id == facility_id)
    )
    variants = {variant.id: variant for variant in found}
    if len(variants) != len(variant_ids):
        raise NotFound()
    return variants


def planned(exhibition_id: int, facility_id: int) -> dict[int, int]:
    """Planned pieces by variant id."""
    plan = ExhibitionPieces
    rows = db.session.execute(
        select(plan.variant_id, plan.planned).where(
            plan.exhibition_id == exhibition_id, plan.facility_id == facility_id
        )
    )
    return dict(rows.all())


def sent_pieces(exhibition_id: int, facility_id: int) -> dict[int, int]:
    """Pieces ever sent by variant id, without what was called back."""
    rows = db.session.execute(
        select(SENT.c.variant_id, SENT.c.pieces).where(
            SENT.c.exhibition_id == exhibition_id, SENT.c.facility_id == facility_id
        )
    )
    return dict(rows.all())


def _refusal(variant: Variant, change: Change, now: int, sent: int) -> str:
    if change.was != now:
        return _(
            "Rekan Anda baru menulis %(now)d di sini. Simpan lagi bila tetap %(written)d.",
            now=now,
            written=change.planned,
        )
    if not 0 <= change.planned <= MOST:
        return _("Tulis angka dari 0 sampai %(most)d.", most=MOST)
    if change.planned < sent:
        return _("Sudah dikirim %(sent)d, jadi rencananya tidak dapat kurang dari itu.", sent=sent)
    if change.planned > now and variant.made_to_order:
        return _("Karya ini dibuat sesuai pesanan: tidak ada stok yang dapat dibawa.")
    return ""


def _write(exhibition_id: int, facility_id: int, variant_id: int, pieces: int) -> None:
    plan = ExhibitionPieces
    if pieces == 0:
        db.session.execute(
            delete(plan).where(plan.exhibition_id == exhibition_id, plan.variant_id == variant_id)
        )
        return
    values = {"exhibition_id": exhibition_id, "facility_id": facility_id, "variant_id": variant_id}
    db.session.execute(
        upsert(plan)
        .values(**values, planned=pieces)
        .on_conflict_do_update(index_elements=["exhibition_id", "variant_id"], set_={"planned": pieces})
    )
