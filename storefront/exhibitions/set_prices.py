"""Special prices at a stand: set for many things at once, one price for each on any day, and ended. Never commits."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, insert, select, text, update

from storefront.audit.record import record
from storefront.catalogue.models import Product, Variant
from storefront.days import today
from storefront.display import format_day
from storefront.errors import Invalid, NotFound
from storefront.exhibitions.models import Exhibition, ExhibitionPieces, ExhibitionPrice
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.languages import locale
from storefront.stock.models import StockLevel, StockLocation

PAGE = 50
#: A percentage taken off is at most this.
MOST_OFF = 90
#: Prices from here on are rounded down to whole hundreds, so that change can be given.
ROUNDED_FROM = 1000
#: Most things named in a refusal.
NAMED = 3
STATES = ("now", "ahead", "over")
LIST = """
  FROM exhibition_prices k JOIN variants v ON v.id = k.variant_id JOIN products p ON p.id = v.product_id
  JOIN facilities f ON f.id = p.facility_id
 WHERE k.exhibition_id = :fair AND (:facility = '' OR f.code = :facility)
   AND (:q = '' OR p.title ILIKE :like OR v.sku ILIKE :like)
   AND (:state = '' OR :state = CASE WHEN k.to_day < :day THEN 'over'
                                     WHEN k.from_day > :day THEN 'ahead' ELSE 'now' END)
"""


@dataclass(frozen=True)
class PriceLine:
    """One special price."""

    id: int
    sku: str
    title: str
    facility: str
    #: Rupiah: in the shop, and at the stand.
    ordinary: int
    price: int
    from_day: datetime.date
    to_day: datetime.date
    #: `now`, `ahead` or `over`.
    state: str


@dataclass(frozen=True)
class Wish:
    """For which things, how much, and on which days."""

    #: Code of a facility; empty: all that take part.
    facility: str
    #: SKUs; empty: everything of it that is planned or at the stand.
    skus: Sequence[str]
    #: `percent` taken off the ordinary price, or `fixed` rupiah.
    how: str
    amount: int
    from_day: datetime.date
    to_day: datetime.date


def special(how: str, amount: int, ordinary: int) -> int:
    """The price in rupiah. A percentage is taken off in the buyer's favour: what is left over is rounded down."""
    if how == "fixed":
        return amount
    left = ordinary * (100 - amount) // 100
    return left // 100 * 100 if ordinary >= ROUNDED_FROM else max(1, left)


def set_prices(fair: Exhibition, wish: Wish, *, person_id: int) -> int:
    """Set a price for each of the wished things; how many. Raises Invalid by field: then none is to be kept.

    No thing has two prices on one day: an earlier one is ended first.
    """
    _refuse_unclear(fair, wish)
    # Two who set prices at once do it one after the other.
    db.session.execute(select(Exhibition.id).where(Exhibition.id == fair.id).with_for_update())
    found = _wished(fair, wish)
    _refuse_overlap(fair, wish, [row.id for row in found])
    rows = [
        {
            "exhibition_id": fair.id,
            "variant_id": row.id,
            "price": special(wish.how, wish.amount, row.price),
            "from_day": wish.from_day,
            "to_day": wish.to_day,
            "set_by": person_id,
        }
        for row in found
    ]
    db.session.execute(insert(ExhibitionPrice), rows)
    days = [str(wish.from_day), str(wish.to_day)]
    details = {"things": len(rows), wish.how: wish.amount, "days": days, "facility": wish.facility}
    record("exhibition.prices_set", "exhibition", fair.id, person_id=person_id, details=details)
    return len(rows)


def end(fair: Exhibition, price_id: int, *, person_id: int) -> bool:
    """Take a price back: one to come is gone, one that runs ends with yesterday, one that is over stays.

    What was sold at it stays as sold. Returns whether anything changed. Raises NotFound.
    """
    found = db.session.get(ExhibitionPrice, price_id, with_for_update=True, populate_existing=True)
    if found is None or found.exhibition_id != fair.id:
        raise NotFound()
    if found.to_day < today():
        return False
    details = {"variant": found.variant_id, "price": found.price, "days": [str(found.from_day), str(found.to_day)]}
    if found.from_day >= today():
        db.session.delete(found)
        db.session.flush()
    else:
        yesterday = today() - datetime.timedelta(days=1)
        db.session.execute(update(ExhibitionPrice).where(ExhibitionPrice.id == price_id).values(to_day=yesterday))
    record("exhibition.price_ended", "exhibition", fair.id, person_id=person_id, details=details)
    return True


def prices(
    fair: Exhibition, page: int, *, facility: str = "", q: str = "", state: str = ""
) -> tuple[list[PriceLine], int]:
    """A page of the fair's special prices, those to come and in force first, and how many there are."""
    plain = q.replace("\\", "").replace("%", "").replace("_", " ").strip()
    values: dict[str, Any] = {
        "fair": fair.id, "facility": facility, "q": plain, "like": f"%{plain}%", "day": today(),
        "state": state if state in STATES else "", "english": locale() == "en",
        "limit": PAGE, "offset": (page - 1) * PAGE,
    }  # fmt: skip
    total = db.session.execute(text(f"SELECT count(*) {LIST}"), values).scalar_one()
    rows = db.session.execute(
        text(
            f"""SELECT k.id, v.sku,
                       CASE WHEN :english AND p.title_en <> '' THEN p.title_en ELSE p.title END
                       || CASE WHEN v.title <> '' THEN ' · ' || v.title ELSE '' END AS title,
                       f.name AS facility, v.price AS ordinary, k.price, k.from_day, k.to_day,
                       CASE WHEN k.to_day < :day THEN 'over' WHEN k.from_day > :day THEN 'ahead' ELSE 'now' END AS state
                {LIST} ORDER BY k.to_day < :day, k.from_day, p.title, v.position, k.id
                LIMIT :limit OFFSET :offset"""
        ),
        values,
    )
    return [PriceLine(**row._mapping) for row in rows], total


def _refuse_unclear(fair: Exhibition, wish: Wish) -> None:
    errors: dict[str, object] = {}
    if wish.how == "percent" and not 1 <= wish.amount <= MOST_OFF:
        errors["amount"] = _("Potongannya dari 1 sampai %(most)d persen.", most=MOST_OFF)
    if wish.how == "fixed" and wish.amount < 1:
        errors["amount"] = _("Tulis harganya dalam rupiah.")
    if wish.how not in ("percent", "fixed"):
        errors["how"] = _("Pilih salah satu.")
    if not fair.starts_on <= wish.from_day <= wish.to_day <= fair.ends_on:
        errors["from_day"] = _(
            "Pilih hari-hari di dalam pameran: %(first)s sampai %(last)s.",
            first=format_day(fair.starts_on),
            last=format_day(fair.ends_on),
        )
    elif wish.from_day < today():
        errors["from_day"] = _("Hari yang sudah lewat tidak mendapat harga lagi.")
    if errors:
        raise Invalid(errors)


def _wished(fair: Exhibition, wish: Wish) -> Sequence[Any]:
    there = (
        select(StockLevel.variant_id)
        .join(StockLocation, StockLocation.id == StockLevel.location_id)
        .where(StockLocation.exhibition_id == fair.id)
        .union(select(ExhibitionPieces.variant_id).where(ExhibitionPieces.exhibition_id == fair.id))
    )
    query = (
        select(Variant.id, Variant.sku, Variant.price)
        .join(Product, Product.id == Variant.product_id)
        .join(Facility, Facility.id == Product.facility_id)
        .where(Variant.id.in_(there))
        .order_by(Variant.id)
    )
    if wish.facility:
        query = query.where(Facility.code == wish.facility)
    if wish.skus:
        query = query.where(Variant.sku.in_(wish.skus))
    found = db.session.execute(query).all()
    missing = sorted(set(wish.skus) - {row.sku for row in found})
    if missing:
        raise Invalid({"skus": _("Tidak ada di pameran ini: %(skus)s.", skus=", ".join(missing[:NAMED]))})
    if not found:
        raise Invalid({"facility": _("UPT ini belum merencanakan atau mengirim apa pun ke pameran ini.")})
    return found


def _refuse_overlap(fair: Exhibition, wish: Wish, variant_ids: Sequence[int]) -> None:
    price = ExhibitionPrice
    met = (price.exhibition_id == fair.id) & price.variant_id.in_(variant_ids)
    met &= (price.from_day <= wish.to_day) & (price.to_day >= wish.from_day)
    rows = db.session.execute(
        select(Variant.sku, price.from_day, price.to_day)
        .join(Variant, Variant.id == price.variant_id)
        .where(met)
        .order_by(Variant.sku, price.from_day)
        .limit(NAMED)
    ).all()
    if not rows:
        return
    count = db.session.scalar(select(func.count()).select_from(price).where(met)) or 0
    named = "; ".join(f"{row.sku} {format_day(row.from_day)} – {format_day(row.to_day)}" for row in rows)
    raise Invalid(
        {
            "from_day": _(
                "Sudah ada %(count)d harga pada hari-hari itu: %(named)s. Akhiri dahulu, atau pilih hari lain.",
                count=count,
                named=named + (" …" if count > NAMED else ""),
            )
        }
    )
