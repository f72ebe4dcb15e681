"""Of a published product price, stock, lead time and weekly capacity change at once; all else waits as a proposal.

A draft's row keeps what the shop said when somebody typed (`seen`): what was changed on the shelf meanwhile is not
brought back, and is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.audit.record import record
from storefront.catalogue.models import Product, ProductStatus, Variant
from storefront.catalogue.offer import LONGEST_LEAD, MOST, change_offer
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.listings.listing import MOST_STOCK
from storefront.listings.models import ListingDraft
from storefront.stock.adjust import NotEnoughStock, move
from storefront.stock.levels import store_location_id
from storefront.stock.models import MovementReason, StockLevel
from storefront.written import whole_number

#: Fields of a row that change at once, in the order of `seen`.
NAMES = ("price", "lead_time", "capacity", "stock")
MOST_CAPACITY = 10_000


@dataclass
class AtOnce:
    """What was done: sentences for people, and by field what was not."""

    done: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def on_sale(draft: ListingDraft) -> Product | None:
    """The published product that a draft proposes to change, if it is one."""
    product = db.session.get(Product, draft.product_id) if draft.product_id else None
    return product if product and product.status == ProductStatus.PUBLISHED.value else None


def shelf_of(product_id: int, facility_id: int) -> dict[int, dict[str, str]]:
    """What the shop says now, by variant, as it would be typed."""
    location = store_location_id(facility_id)
    rows = db.session.execute(
        select(Variant, StockLevel.on_hand)
        .outerjoin(StockLevel, (StockLevel.variant_id == Variant.id) & (StockLevel.location_id == location))
        .where(Variant.product_id == product_id)
    )
    return {variant.id: _said(variant, on_hand or 0) for variant, on_hand in rows}


def _said(variant: Variant, on_hand: int) -> dict[str, str]:
    values = (variant.price, variant.lead_time_days, variant.weekly_capacity, on_hand)
    return {name: "" if value is None else str(value) for name, value in zip(NAMES, values, strict=True)}


def shown(content: Mapping[str, Any], shelf: Mapping[int, Mapping[str, str]]) -> dict[str, Any]:
    """The content as it is shown to be edited: of rows on the shelf, what was typed over what stands there now."""
    return {**content, "variants": [_shown(row, shelf) for row in content["variants"]]}


def _shown(row: Mapping[str, Any], shelf: Mapping[int, Mapping[str, str]]) -> dict[str, Any]:
    now = shelf.get(int(row["id"])) if row["id"].isdecimal() else None
    if now is None:
        return dict(row)
    seen = _seen(row)
    fresh = {name: now[name] for name in NAMES if seen.get(name) != now[name]}
    return {**row, **fresh, "seen": "/".join(now[name] for name in NAMES)}


def _seen(row: Mapping[str, Any]) -> dict[str, str]:
    parts = row.get("seen", "").split("/")
    return dict(zip(NAMES, parts, strict=True)) if len(parts) == len(NAMES) else {}


def change(draft: ListingDraft, *, person_id: int) -> AtOnce:
    """Bring to the shop what was typed for rows that are on sale. Never commits.

    What cannot be read, or was changed in the shop since it was seen, stays as it is there and is told by field.
    """
    told = AtOnce()
    product = on_sale(draft)
    if product is None:
        return told
    location = store_location_id(draft.facility_id)
    statement = select(Variant).where(Variant.product_id == product.id).order_by(Variant.id)
    rows = {row.id: row for row in db.session.scalars(statement.with_for_update(key_share=True))}
    shelf = shelf_of(product.id, draft.facility_id)
    for number, typed in enumerate(draft.content["variants"]):
        variant = rows.get(int(typed["id"])) if typed["id"].isdecimal() else None
        if variant is None:
            continue
        now, seen = shelf[variant.id], _seen(typed)
        names = [name for name in NAMES if name in seen and typed[name].strip() != seen[name]]
        wanted = _wanted(typed, names, now, seen, variant, f"variants.{number}", told)
        _offer(variant, wanted, draft, person_id, told)
        if "stock" in wanted:
            _stock(variant, location, int(now["stock"]), wanted["stock"] or 0, draft, person_id, number, told)
    return told


def _wanted(
    typed: Mapping[str, Any],
    names: list[str],
    now: Mapping[str, str],
    seen: Mapping[str, str],
    variant: Variant,
    stem: str,
    told: AtOnce,
) -> dict[str, int | None]:
    """What can be read and still follows what was seen."""
    most = {"price": MOST, "lead_time": LONGEST_LEAD, "capacity": MOST_CAPACITY, "stock": MOST_STOCK}
    wanted: dict[str, int | None] = {}
    for name in names:
        text = typed[name].strip()
        number = whole_number(text)
        least = 0 if name == "stock" else 1
        if variant.made_to_order == (name == "stock") and name != "price":
            continue
        if now[name] != seen[name]:
            if text != now[name]:
                told.refused[f"{stem}.{name}"] = _(
                    "Di toko ini sudah diubah menjadi %(now)s. Periksa, lalu simpan lagi.", now=now[name] or "–"
                )
        elif name == "capacity" and not text:
            wanted[name] = None
        elif number is None or not least <= number <= most[name]:
            told.refused[f"{stem}.{name}"] = _(
                "Angka ini tidak terbaca, jadi di toko tetap %(now)s. Tulis angka bulat.", now=now[name] or "–"
            )
        else:
            wanted[name] = number
    return wanted


def _offer(
    variant: Variant, wanted: Mapping[str, int | None], draft: ListingDraft, person_id: int, told: AtOnce
) -> None:
    if not {"price", "lead_time", "capacity"} & wanted.keys():
        return
    capacity = variant.weekly_capacity
    try:
        changed = change_offer(
            variant,
            price=wanted.get("price") or variant.price,
            lead_time_days=wanted.get("lead_time") or variant.lead_time_days,
        )
    except Invalid as refusal:
        told.refused.update({f"offer.{name}": str(sentence) for name, sentence in refusal.errors.items()})
        return
    if "capacity" in wanted:
        variant.weekly_capacity = wanted["capacity"]
    before = {**changed.before, "weekly_capacity": capacity}
    after = {**changed.after, "weekly_capacity": variant.weekly_capacity}
    if before == after:
        return
    record(
        "variant.offered",
        "variant",
        variant.id,
        person_id=person_id,
        facility_id=draft.facility_id,
        details={"sku": variant.sku, "before": before, "after": after},
    )
    told.done.append(variant.sku)


def _stock(
    variant: Variant,
    location: int,
    before: int,
    wanted: int,
    draft: ListingDraft,
    person_id: int,
    number: int,
    told: AtOnce,
) -> None:
    # The version makes it happen once, however often the same form comes.
    source = f"draft:{draft.id}:{draft.version}:{variant.id}"
    try:
        moved = move(
            variant.id, location, wanted - before, MovementReason.CORRECTION, person_id=person_id, source=source
        )
    except NotEnoughStock as refusal:
        told.refused[f"variants.{number}.stock"] = str(refusal.message)
        return
    if moved:
        record(
            "stock.moved",
            "variant",
            variant.id,
            person_id=person_id,
            facility_id=draft.facility_id,
            details={"sku": variant.sku, "reason": "correction", "quantity": wanted - before, "note": ""},
        )
        told.done.append(variant.sku)
