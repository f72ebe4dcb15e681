"""What a stand has on sale, as a cashier's phone keeps it for when there is no line."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import text

from storefront.catalogue.short_codes import codes_of
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


def at_stand(exhibition_id: int, day: datetime.date) -> list[dict[str, Any]]:
    """Everything that was ever brought to the stand, by facility and title, as of now; prices of `day`, in rupiah.

    `code` is what the label's QR code says after `/p/`; labels that have none yet get one. Never commits.
    """
    rows = db.session.execute(ITEMS, {"fair": exhibition_id}).all()
    codes = codes_of("variant", [row.id for row in rows])
    return [
        {
            "sku": row.sku,
            "code": codes[row.id],
            "title": row.title,
            "title_en": row.title_en,
            "variant": row.variant,
            "variant_en": row.variant_en,
            "price": row.price,
            "until": None,
            "available": row.available,
            "picture": media_url(file_key(row.key, row.widths[0], "webp")) if row.key else None,
            "tint": row.tint or "",
            "facility": {"code": row.code, "name": row.name},
        }
        for row in rows
    ]
