"""A batch that somebody doubts: held at once, recalled or let go by a second person; its buyers told once each.

Who keeps the facility's shop holds it (their stock, their parcels), which harms nobody and can be taken back. That its
buyers are told and the public reads of it, the central office decides.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, text

from storefront.audit.record import record
from storefront.catalogue.models import Product
from storefront.content_rule import clean
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.listings import news
from storefront.mail.owe import owe
from storefront.stock.batch_models import Batch, BatchState
from storefront.stock.batches import moment, put_aside, put_back

SHORTEST, LONGEST = 10, 300
KIND = "batch_recalled"
#: What has left the house.
SENT = "('shipped', 'ready', 'received', 'returned')"
#: One row for each order that a batch went out in.
ORDERS = f"""
SELECT o.id AS order_id, o.number, min(p.id) AS parcel_id, min(p.position) AS position, sum(b.pieces)::int AS pieces,
       max(p.shipped_at) AS shipped_at, bool_or(p.received_at IS NOT NULL) AS is_received,
       max(m.sent_at) AS told_at, bool_or(m.id IS NOT NULL) AS is_owed, max(m.last_error) AS error
  FROM parcel_batches b
  JOIN parcels p ON p.id = b.parcel_id AND p.state IN {SENT}
  JOIN orders o ON o.id = p.order_id
  LEFT JOIN messages m ON m.key = 'batch:' || b.batch_id || ':order:' || o.id
 WHERE b.batch_id = :batch
 GROUP BY o.id ORDER BY max(p.shipped_at) DESC NULLS LAST, o.id DESC"""  # noqa: S608 - this file's own pieces


class Decided(DomainError):
    """Somebody was faster."""

    code, status = "batch_decided", 409
    message = _l("Keadaan batch ini sudah berubah. Muat ulang untuk melihatnya.")


class FourEyes(DomainError):
    """Who held it would recall it."""

    code, status = "four_eyes", 409
    message = _l("Yang menahan batch ini tidak boleh memutuskan penarikannya. Minta rekan Anda.")


@dataclass(frozen=True)
class Buyer:
    """An order that a batch went out in."""

    order_id: int
    number: str
    parcel_id: int
    position: int
    pieces: int
    shipped_at: datetime.datetime | None
    is_received: bool
    told_at: datetime.datetime | None
    is_owed: bool
    error: str | None

    @property
    def is_told(self) -> bool:
        """Whether the letter really went to somebody."""
        return self.told_at is not None and not self.error


@dataclass(frozen=True)
class HeldRow:
    """A batch in the office's list."""

    batch: Batch
    title: str
    slug: str
    facility: Facility
    buyers: int
    told: int


def hold(batch: Batch, reason: str, reason_en: str, *, person_id: int) -> None:
    """Nothing of it is sold or sent from now on; the office is asked. `batch` is locked. Never commits.

    Raises Decided, Invalid (`reason`).
    """
    if batch.state != BatchState.ON_SALE:
        raise Decided()
    why = " ".join(clean(reason).split())
    if not SHORTEST <= len(why) <= LONGEST:
        raise Invalid({"reason": _("Tulis apa yang salah, 10 sampai 300 huruf: pembeli membacanya.")})
    batch.reason, batch.reason_en = why, " ".join(clean(reason_en).split())[:LONGEST]
    batch.state, batch.asked_at, batch.asked_by = BatchState.HELD.value, moment(), person_id
    batch.decided_at = batch.decided_by = None
    db.session.flush()
    put_aside(batch, person_id=person_id)
    _note("held", batch, person_id, reason=why)


def confirm(batch_id: int, *, person_id: int) -> Batch:
    """The office recalls it: every buyer of it is told once, and its product's page says so. Never commits.

    Raises NotFound, Decided, FourEyes.
    """
    batch = locked(batch_id)
    if batch.state != BatchState.HELD:
        raise Decided()
    if batch.asked_by == person_id:
        raise FourEyes()
    batch.state, batch.decided_at, batch.decided_by = BatchState.RECALLED.value, moment(), person_id
    db.session.flush()
    buyers = buyers_of(batch.id)
    for buyer in buyers:
        owe(KIND, buyer.order_id, key=f"batch:{batch.id}:order:{buyer.order_id}")
    _note("recalled", batch, person_id, reason=batch.reason, buyers=len(buyers))
    _tell_facility("batch_decided", batch, is_recalled=True)
    return batch


def let_go(batch_id: int, *, person_id: int) -> Batch:
    """Nothing is wrong with it: what was put aside is sold again. Never commits. Raises NotFound, Decided, FourEyes."""
    batch = locked(batch_id)
    if batch.state != BatchState.HELD:
        raise Decided()
    if batch.asked_by == person_id:
        raise FourEyes()
    put_back(batch, person_id=person_id)
    batch.state, batch.decided_at, batch.decided_by = BatchState.ON_SALE.value, moment(), person_id
    db.session.flush()
    _note("let_go", batch, person_id)
    _tell_facility("batch_decided", batch, is_recalled=False)
    return batch


def locked(batch_id: int) -> Batch:
    """A batch of any facility, locked. Raises NotFound."""
    batch = db.session.get(Batch, batch_id, with_for_update=True, populate_existing=True)
    if batch is None:
        raise NotFound()
    return batch


def buyers_of(batch_id: int) -> list[Buyer]:
    """The orders that a batch went out in, the latest first. Who bought is no part of it."""
    return [Buyer(**row) for row in db.session.execute(text(ORDERS), {"batch": batch_id}).mappings()]


def packed_with(batch_id: int) -> list[tuple[int, str, int]]:
    """Parcels that hold pieces of it and have not left: id, order number and position. They are to be unpacked."""
    rows = db.session.execute(
        text(
            """SELECT DISTINCT p.id, o.number, p.position FROM parcel_batches b
                 JOIN parcels p ON p.id = b.parcel_id AND p.state = 'packed' JOIN orders o ON o.id = p.order_id
                WHERE b.batch_id = :batch ORDER BY p.id"""
        ),
        {"batch": batch_id},
    )
    return [(row.id, row.number, row.position) for row in rows]


def held(*, is_decided: bool = False) -> Sequence[HeldRow]:
    """Batches that wait for the office, the oldest first; or the last that were recalled."""
    state = BatchState.RECALLED if is_decided else BatchState.HELD
    order = Batch.decided_at.desc() if is_decided else Batch.asked_at
    rows = db.session.execute(
        select(Batch, Product.title, Product.slug, Facility)
        .join(Product, Product.id == Batch.product_id)
        .join(Facility, Facility.id == Product.facility_id)
        .where(Batch.state == state.value)
        .order_by(order)
        .limit(50)
    ).all()
    found = []
    for batch, title, slug, facility in rows:
        buyers = buyers_of(batch.id)
        found.append(HeldRow(batch, title, slug, facility, len(buyers), sum(one.is_told for one in buyers)))
    return found


def count_held() -> int:
    """How many wait for the office."""
    waiting = select(func.count()).select_from(Batch).where(Batch.state == BatchState.HELD.value)
    return db.session.scalar(waiting) or 0


def _tell_facility(kind: str, batch: Batch, **about: object) -> None:
    product = db.session.get_one(Product, batch.product_id)
    code = db.session.execute(select(Facility.code).where(Facility.id == product.facility_id)).scalar_one()
    said = {"title": product.title, "code": batch.code, "path": f"/seller/{code}/batches/{batch.id}", **about}
    decided_at = batch.decided_at
    news.tell(kind, product.facility_id, f"batch:{batch.id}:{decided_at:%Y%m%d%H%M%S%f}", said)


def _note(act: str, batch: Batch, person_id: int, **details: object) -> None:
    facility_id = db.session.execute(select(Product.facility_id).where(Product.id == batch.product_id)).scalar_one()
    record(
        f"batch.{act}",
        "batch",
        batch.id,
        person_id=person_id,
        facility_id=facility_id,
        details={"code": batch.code, **details},
    )
