"""What a stand has on sale, as a cashier's phone keeps it for when there is no line."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import text

from storefront.catalogue.short_codes import codes_of
from storefront.exhibitions.prices import stand_price
from storefront.extensions import db
from storefront.media.pictures import file_key
from storefront.media.storage import media_url

ITEMS = text(
    """
    SELECT v.id, v.sku, p.title, COALESCE(NULLIF(p.title_en, ''), p.title) AS title_en,
           v.title AS variant, COALESCE(NULLIF(v.title_en, ''), v.title) AS variant_en,
           v.price, s.on_hand - s.reserved AS available, f.code, f.name, ph.key, ph.widths, ph.tint
      FROM stock_levels s
      JOIN stock_locations l ON l.id = s.location_id AND l.exhibition_id = :fair
      JOIN variants v ON v.id = s.variant_id
      JOIN products p ON p.id = v.product_id
      JOIN facilities f ON f.id = p.facility_id
      LEFT JOIN LATERAL (SELECT key, widths, tint FROM photos WHERE product_id = p.id
                          ORDER BY id <> v.photo_id, position LIMIT 1) ph ON true
     ORDER BY f.name, p.title, p.id, v.position, v.id"""
)
COMING = text(
    """
    SELECT variant_id, from_day, to_day, price FROM exhibition_prices
     WHERE exhibition_id = :fair AND to_day > :day ORDER BY from_day"""
)


def at_stand(exhibition_id: int, day: datetime.date) -> list[dict[str, Any]]:
    """Everything that was ever brought to the stand, by facility and title, as of now; prices of `day`, in rupiah.

    `coming` are special prices that begin or hold later, for a phone without a line over night; `ordinary` what the
    piece costs on any other day. `code` is what the label's QR code says after `/p/`; labels without one get one.
    Never commits.
    """
    rows = db.session.execute(ITEMS, {"fair": exhibition_id}).all()
    codes = codes_of("variant", [row.id for row in rows])
    prices = stand_price(exhibition_id, [row.id for row in rows], day)
    coming: dict[int, list[dict[str, Any]]] = {}
    for row in db.session.execute(COMING, {"fair": exhibition_id, "day": day}):
        told = {"from": row.from_day.isoformat(), "to": row.to_day.isoformat(), "price": row.price}
        coming.setdefault(row.variant_id, []).append(told)
    return [
        {
            "sku": row.sku,
            "code": codes[row.id],
            "title": row.title,
            "title_en": row.title_en,
            "variant": row.variant,
            "variant_en": row.variant_en,
            "price": prices[row.id][0],
            "until": until.isoformat() if (until := prices[row.id][1]) else None,
            "ordinary": row.price,
            "coming": coming.get(row.id, []),
            "available": row.available,
            "picture": media_url(file_key(row.key, row.widths[0], "webp")) if row.key else None,
            "tint": row.tint or "",
            "facility": {"code": row.code, "name": row.name},
        }
        for row in rows
    ]
