"""Products on sale as an RSS feed for Google Merchant Center.

Source: Google's product data specification (support.google.com/merchants/answer/7052112): title up to 150
letters, description up to 5,000, price with currency, one item for each variant under an `item_group_id`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Engine, Row, text

from storefront.catalogue.cards import in_language
from storefront.catalogue.xml import element
from storefront.media.storage import media_url

BATCH = 1000

ITEMS = text(
    """
    SELECT l.product_id, p.slug, p.title, p.title_en, p.description, p.description_en, p.delivery_scope,
           f.name AS facility, c.name AS category, c.name_en AS category_en, ph.key, ph.widths,
           (SELECT json_agg(json_build_object('sku', v.sku, 'title', v.title, 'title_en', v.title_en, 'price', v.price,
                      'weight_g', v.weight_g, 'lead_time_days', CASE WHEN v.made_to_order THEN v.lead_time_days END,
                      'can_be_bought', v.made_to_order OR COALESCE(s.shown_state, 'sold_out') <> 'sold_out')
                      ORDER BY v.position, v.id)
              FROM variants v
              LEFT JOIN stock_locations store ON store.facility_id = p.facility_id
              LEFT JOIN stock_levels s ON s.variant_id = v.id AND s.location_id = store.id
             WHERE v.product_id = p.id AND v.is_active) AS variants
      FROM listings l
      JOIN products p ON p.id = l.product_id
      JOIN facilities f ON f.id = l.facility_id
      JOIN categories c ON c.id = l.category_id
      LEFT JOIN LATERAL (SELECT * FROM photos WHERE product_id = p.id ORDER BY position LIMIT 1) ph ON true
     WHERE l.product_id > :after ORDER BY l.product_id LIMIT :limit"""
)


def feed_xml(engine: Engine, title: str, link: str, base_url: str, locale: str) -> Iterator[str]:
    """The feed in pieces, one statement for a thousand products. `title` says what is to be said of all.

    Reads through a connection of its own: a stream outlives the request's session.
    """
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">\n'
    yield f"<channel>{element('title', title)}{element('link', link)}{element('description', title)}\n"
    after, root = 0, base_url + ("/en" if locale == "en" else "")
    with engine.connect() as connection:
        while rows := connection.execute(ITEMS, {"after": after, "limit": BATCH}).all():
            yield "".join(_items(rows, root, base_url, locale))
            after = rows[-1].product_id
    yield "</channel>\n</rss>\n"


def _items(rows: Sequence[Row[Any]], root: str, base_url: str, locale: str) -> Iterator[str]:
    for row in rows:
        for variant in row.variants or []:
            yield _item(row._mapping, variant, len(row.variants) > 1, root, base_url, locale)


def _item(product: Any, variant: Any, grouped: bool, root: str, base_url: str, locale: str) -> str:
    title = in_language(product, "title", locale)
    kind = in_language(variant, "title", locale)
    fields: list[tuple[str, object]] = [
        ("g:id", variant["sku"]),
        ("title", f"{title} · {kind}"[:150] if kind else title[:150]),
        ("description", (in_language(product, "description", locale) or title)[:5000]),
        ("link", f"{root}/products/{product['slug']}"),
        ("g:price", f"{variant['price']} IDR"),
        ("g:availability", "in_stock" if variant["can_be_bought"] else "out_of_stock"),
        ("g:condition", "new"),
        ("g:brand", product["facility"]),
        ("g:identifier_exists", "no"),
        ("g:product_type", in_language(product, "category", locale)),
        ("g:shipping_weight", f"{variant['weight_g']} g"),
        ("g:custom_label_0", product["delivery_scope"]),
    ]
    if product["key"]:
        fields.append(
            ("g:image_link", base_url + media_url(f"{product['key']}-{product['widths'][-1]}.webp"))
        )
    if variant["lead_time_days"]:
        fields += [(f"g:{end}_handling_time", variant["lead_time_days"]) for end in ("min", "max")]
    if grouped:
        fields.append(("g:item_group_id", product["slug"][:50]))
    return "<item>" + "".join(element(name, value) for name, value in fields) + "</item>\n"
