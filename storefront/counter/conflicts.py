"""Sales made without a line that did not fit: listed, and decided by a person, once.

Two ways out. *Sold after all*: at the price that the buyer paid; what the stand is short of by the levels is put right
by a movement that says so (the piece was there: somebody sold it). *Given back*: the buyer has the money again and
nothing was sold. Neither leaves a level below nothing, and neither happens by itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from sqlalchemy import case, func, select

from storefront.audit.record import dated_at, record
from storefront.catalogue.models import Product, Variant
from storefront.counter.models import CounterConflict, CounterSale
from storefront.counter.sell import Item, items, write_sale
from storefront.counter.tills import hold_open
from storefront.counter.when import Moment
from storefront.counter.wish import WishedLine
from storefront.days import accounting_day
from storefront.errors import DomainError, Invalid, NotFound
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.payments.said import CASH
from storefront.stock import adjust
from storefront.stock.levels import stand_location_id
from storefront.stock.models import MovementReason
from storefront.stock.reserve import lock_levels

LEAST_NOTE, MOST_NOTE = 5, 500
PAGE = 25


class Decided(DomainError):
    """Somebody was faster."""

    code, status = "conflict_decided", 409

    def __init__(self) -> None:
        super().__init__(_("Penjualan ini sudah diputuskan. Muat ulang halaman untuk melihat hasilnya."))


@dataclasses.dataclass(frozen=True)
class ConflictPage:
    """Those that wait, or those that are decided; `waiting` counts all that wait."""

    rows: Sequence[CounterConflict]
    total: int
    waiting: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def listed(exhibition_id: int, *, decided: bool, page: int = 1) -> ConflictPage:
    """Of a fair: those that wait, the oldest first; or those that are decided, the latest first."""
    here = CounterConflict.exhibition_id == exhibition_id
    waiting = db.session.scalar(select(func.count()).where(here, CounterConflict.settled.is_(None))) or 0
    every = db.session.scalar(select(func.count()).where(here)) or 0
    found = select(CounterConflict).where(here)
    if decided:
        found = found.where(CounterConflict.settled.is_not(None)).order_by(CounterConflict.settled_at.desc())
    else:
        found = found.where(CounterConflict.settled.is_(None)).order_by(CounterConflict.id)
    rows = db.session.scalars(found.offset((page - 1) * PAGE).limit(PAGE)).all()
    return ConflictPage(rows, every - waiting if decided else waiting, waiting, page)


def titles(rows: Sequence[CounterConflict], *, english: bool) -> dict[str, str]:
    """What the codes of these sales are, for people; one that nobody knows is left out."""
    skus = {line["sku"] for row in rows for line in row.sold["lines"]}
    title = case((Product.title_en != "", Product.title_en), else_=Product.title) if english else Product.title
    found = select(Variant.sku, title).join(Product, Product.id == Variant.product_id).where(Variant.sku.in_(skus))
    return dict(db.session.execute(found).all())


def find(exhibition_id: int, conflict_id: int) -> CounterConflict:
    """One of this fair. Raises NotFound for any other."""
    found = db.session.get(CounterConflict, conflict_id)
    if found is None or found.exhibition_id != exhibition_id:
        raise NotFound()
    return found


def sold_after_all(
    exhibition: Exhibition, conflict_id: int, person_id: int, *, note: str = "", skus: Mapping[int, str] | None = None
) -> CounterSale:
    """Book it as it was paid; `skus` names, by the line's number, what an unknown code really was. Never commits.

    Raises Decided, Invalid, ListingUnavailable while one of its works may not be sold.
    """
    conflict = _waiting(exhibition.id, conflict_id, note)
    lines = _lines(exhibition, conflict, skus or {})
    stand = stand_location_id(exhibition.id)
    _put_right(conflict, lines, stand, person_id)
    session = hold_open(conflict.session_id)
    now = dated_at() or db.session.execute(select(func.clock_timestamp())).scalar_one()
    sold = write_sale(
        exhibition,
        lines,
        moment=Moment(session, conflict.sold_at, now),
        cashier_id=conflict.cashier_id,
        key=conflict.key,
        digest=conflict.request_hash,
        payment=CASH,
        tendered=conflict.sold.get("tendered") or 0,
        phone_at=conflict.phone_at,
    )
    _settle(conflict, "sold", person_id, note, sold.order.id)
    return sold.sale


def given_back(exhibition: Exhibition, conflict_id: int, person_id: int, *, note: str) -> CounterConflict:
    """The buyer has the money again; nothing is booked. Never commits. Raises Decided, Invalid."""
    if len(note.strip()) < LEAST_NOTE:
        raise Invalid({"note": _("Tulis bagaimana uangnya dikembalikan.")})
    conflict = _waiting(exhibition.id, conflict_id, note)
    _settle(conflict, "given_back", person_id, note)
    return conflict


def _waiting(exhibition_id: int, conflict_id: int, note: str) -> CounterConflict:
    if len(note.strip()) > MOST_NOTE:
        raise Invalid({"note": _("Catatan paling panjang 500 huruf.")})
    find(exhibition_id, conflict_id)
    conflict = db.session.get_one(CounterConflict, conflict_id, with_for_update=True, populate_existing=True)
    if conflict.settled is not None:
        raise Decided()
    return conflict


def _lines(
    exhibition: Exhibition, conflict: CounterConflict, skus: Mapping[int, str]
) -> list[tuple[WishedLine, Item]]:
    wished = [
        WishedLine(skus.get(number, "").strip() or line["sku"], line["quantity"], line["unit_price"])
        for number, line in enumerate(conflict.sold["lines"])
    ]
    known = items(exhibition.id, [line.sku for line in wished], accounting_day(conflict.sold_at))
    unknown = {
        f"sku-{number}": _("Kode barang (SKU) ini tidak kami kenal.")
        for number, line in enumerate(wished)
        if line.sku not in known
    }
    if unknown:
        raise Invalid(unknown)
    return [(line, known[line.sku]) for line in wished]


def _put_right(
    conflict: CounterConflict, lines: Sequence[tuple[WishedLine, Item]], stand: int, person_id: int
) -> None:
    wanted: dict[int, int] = {}
    for line, item in lines:
        if not item.made_to_order:
            wanted[item.variant_id] = wanted.get(item.variant_id, 0) + line.quantity
    levels = lock_levels((id_, stand) for id_ in wanted)
    for id_, pieces in sorted(wanted.items()):
        level = levels.get((id_, stand))
        missing = pieces - (level.on_hand - level.reserved if level else 0)
        if missing > 0:
            adjust.move(
                id_,
                stand,
                missing,
                MovementReason.CORRECTION,
                person_id=person_id,
                note=_("Sudah terjual di stan tanpa sambungan"),
                source=f"conflict:{conflict.id}:{id_}",
            )


def _settle(conflict: CounterConflict, how: str, person_id: int, note: str, order_id: int | None = None) -> None:
    now = dated_at() or db.session.execute(select(func.clock_timestamp())).scalar_one()
    conflict.settled, conflict.settled_by, conflict.settled_at = how, person_id, now
    conflict.note, conflict.order_id = note.strip(), order_id
    db.session.flush()
    details = {"before": {"settled": None}, "after": {"settled": how, "note": conflict.note}, "amount": conflict.total}
    record(f"counter.conflict_{how}", "counter_conflict", conflict.id, person_id=person_id, details=details)
