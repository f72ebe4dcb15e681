"""The catalogue for whoever shows it in another window: one line for each variant, as JSON lines or CSV.

Columns are stable: further ones are added at the end, none is renamed (docs/feeds.md says what each holds, and which
column of a marketplace's bulk upload it fills). Asked for what changed `since` a moment, the feed holds the products
that changed, whole, and names what is no longer on sale.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from storefront.media.storage import media_url
from storefront.spreadsheet import guarded

BATCH = 1000
IMAGES = 9
#: A change is dated by when its transaction began, and can be read only when that has ended: so much is told twice.
OVERLAP = datetime.timedelta(minutes=10)
#: Pieces that there are at least, by what public pages say of stock; none is known of what is made to order.
AT_LEAST = {"ready": 4, "few_left": 1, "sold_out": 0, "made_to_order": None}
COLUMNS = (
    "id", "product", "status", "title", "title_en", "variant", "variant_en", "description", "description_en",
    "category", "category_name", "category_name_en", "commodity_group", "facility", "facility_name", "workshop",
    "city", "province", "price", "currency", "stock", "stock_at_least", "lead_time_days", "weight_g", "condition",
    "delivery_scope", "url", "url_en", *(f"image_{n}" for n in range(1, IMAGES + 1)), "changed_at", "note",
)  # fmt: skip
#: What all variants of a product share, as the query names it.
OF_PRODUCT = (
    "title", "title_en", "description", "description_en", "category", "category_name", "category_name_en",
    "commodity_group", "facility", "facility_name", "workshop", "city", "province", "delivery_scope",
)  # fmt: skip

SELECT = """
    SELECT p.id AS product_id, p.slug AS product, l.product_id IS NOT NULL AS is_listed, p.title, p.title_en,
           p.description, p.description_en, c.slug AS category, c.name AS category_name, c.name_en AS category_name_en,
           COALESCE(g.code, '') AS commodity_group, f.code AS facility, f.name AS facility_name, w.name AS workshop,
           f.city, r.name AS province, p.delivery_scope, ch.changed_at,
           (SELECT json_agg(json_build_array(ph.key, ph.widths[cardinality(ph.widths)]) ORDER BY ph.position)
              FROM photos ph WHERE ph.product_id = p.id) AS photos,
           (SELECT json_agg(json_build_object('id', v.sku, 'variant', v.title, 'variant_en', v.title_en,
                      'price', v.price, 'weight_g', v.weight_g,
                      'lead_time_days', CASE WHEN v.made_to_order THEN v.lead_time_days + 7 * v.queued_weeks END,
                      'is_active', v.is_active,
                      'stock', CASE WHEN l.paused_until IS NOT NULL THEN 'sold_out'
                                    WHEN v.made_to_order THEN 'made_to_order'
                                    ELSE COALESCE(s.shown_state, 'sold_out') END) ORDER BY v.position, v.id)
              FROM variants v
              LEFT JOIN stock_locations store ON store.facility_id = p.facility_id
              LEFT JOIN stock_levels s ON s.variant_id = v.id AND s.location_id = store.id
             WHERE v.product_id = p.id) AS variants
"""
JOINS = """
      JOIN facilities f ON f.id = p.facility_id
      JOIN provinces r ON r.id = f.province_id
      JOIN workshops w ON w.id = p.workshop_id
      JOIN categories c ON c.id = p.category_id
      LEFT JOIN commodity_groups g ON g.id = p.commodity_group_id
     WHERE p.id > :after
"""
WHOLE = text(
    f"""{SELECT} FROM listings l JOIN products p ON p.id = l.product_id
        JOIN catalogue_changes ch ON ch.product_id = p.id {JOINS} ORDER BY p.id LIMIT :limit"""
)
CHANGED = text(
    f"""{SELECT} FROM catalogue_changes ch JOIN products p ON p.id = ch.product_id
        LEFT JOIN listings l ON l.product_id = p.id {JOINS}
         AND ch.changed_at >= :since AND p.published_at IS NOT NULL ORDER BY p.id LIMIT :limit"""
)


@dataclass(frozen=True)
class Wish:
    """Which feed is asked for."""

    #: None: the whole catalogue, as it is now.
    since: datetime.datetime | None
    base_url: str
    #: Said in each line, such as DATA CONTOH.
    note: str


def now(engine: Engine) -> datetime.datetime:
    """The database's clock: what a reader says as `since` the next time."""
    with engine.connect() as connection:
        moment: datetime.datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return moment


def as_json_lines(engine: Engine, wish: Wish) -> Iterator[str]:
    """The feed as JSON lines, in pieces of a thousand products."""
    for lines in _lines(engine, wish):
        yield "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def as_csv(engine: Engine, wish: Wish) -> Iterator[str]:
    """The feed as CSV (RFC 4180, UTF-8); text that a spreadsheet would run as a formula gets a leading `'`."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for lines in _lines(engine, wish):
        writer.writerows([guarded(line[name]) for name in COLUMNS] for line in lines)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    if buffer.tell():
        yield buffer.getvalue()


def _lines(engine: Engine, wish: Wish) -> Iterator[list[dict[str, Any]]]:
    """Lines of a thousand products at a time. A connection of its own: a stream outlives the request's session."""
    after = 0
    query = WHOLE if wish.since is None else CHANGED
    since = {} if wish.since is None else {"since": wish.since - OVERLAP}
    with engine.connect() as connection:
        while rows := connection.execute(query, {"after": after, "limit": BATCH, **since}).mappings().all():
            after = rows[-1]["product_id"]
            found = [_line(row, variant, wish) for row in rows for variant in row["variants"] or []]
            yield [line for line in found if wish.since is not None or line["status"] == "on_sale"]


def _line(product: Any, variant: dict[str, Any], wish: Wish) -> dict[str, Any]:
    changed = (
        product["changed_at"].astimezone(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    )
    line: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    line |= {"id": variant["id"], "product": product["product"], "changed_at": changed, "note": wish.note}
    if not (product["is_listed"] and variant["is_active"]):
        # Nothing more is said of what is not public any more.
        return line | {
            "status": "removed",
            "price": None,
            "stock_at_least": None,
            "lead_time_days": None,
            "weight_g": None,
        }
    photos = (product["photos"] or [])[:IMAGES]
    return line | {
        **{name: product[name] for name in OF_PRODUCT},
        **{
            name: variant[name]
            for name in ("variant", "variant_en", "price", "stock", "lead_time_days", "weight_g")
        },
        **{
            f"image_{n}": wish.base_url + media_url(f"{key}-{width}.webp")
            for n, (key, width) in enumerate(photos, start=1)
        },
        "status": "on_sale",
        "currency": "IDR",
        "stock_at_least": AT_LEAST[variant["stock"]],
        "condition": "new",
        "url": f"{wish.base_url}/products/{product['product']}",
        "url_en": f"{wish.base_url}/en/products/{product['product']}",
    }
