"""Products on sale as an RSS feed for Google Merchant Center.

Source: Google's product data specification (support.google.com/merchants/answer/7052112): id up to 50 signs, title
up to 150, description up to 5,000, brand up to 70, price with its currency, up to ten further pictures, one item for
each variant under an `item_group_id`. What a parcel costs depends on the district; Merchant Center reckons it from
`shipping_weight` and `shipping_label` (docs/feeds.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Engine, Row, text

from storefront.catalogue.cards import in_language
from storefront.catalogue.xml import element
from storefront.media.storage import media_url

BATCH = 1000
MOST_FURTHER_PICTURES = 10
#: Categories of the shop that are one of Google's taxonomy, by its numbers; where none fits, Google finds its own.
GOOGLE_CATEGORIES = {
    "makanan-minuman": 412,  # Food, Beverages & Tobacco
    "busana-batik": 1604,  # Apparel & Accessories > Clothing
    "mebel": 436,  # Furniture
    "rumah-tangga": 536,  # Home & Garden
    "perhiasan": 188,  # Apparel & Accessories > Jewelry
}

ITEMS = text(
    """
    SELECT l.product_id, p.slug, p.title, p.title_en, p.description, p.description_en, p.delivery_scope,
           f.name AS facility, c.slug AS category_slug, c.name AS category, c.name_en AS category_en,
           (SELECT json_agg(json_build_object('key', ph.key, 'width', ph.widths[cardinality(ph.widths)])
                            ORDER BY ph.position) FROM photos ph WHERE ph.product_id = p.id) AS photos,
           (SELECT json_agg(json_build_object('sku', v.sku, 'title', v.title, 'title_en', v.title_en, 'price', v.price,
                      'weight_g', v.weight_g, 'lead_time_days', CASE WHEN v.made_to_order THEN v.lead_time_days END,
                      'can_be_bought', l.paused_until IS NULL
                                AND (v.made_to_order OR COALESCE(s.shown_state, 'sold_out') <> 'sold_out'))
                      ORDER BY v.position, v.id)
              FROM variants v
              LEFT JOIN stock_locations store ON store.facility_id = p.facility_id
              LEFT JOIN stock_levels s ON s.variant_id = v.id AND s.location_id = store.id
             WHERE v.product_id = p.id AND v.is_active) AS variants
      FROM listings l
      JOIN products p ON p.id = l.product_id
      JOIN facilities f ON f.id = l.facility_id
      JOIN categories c ON c.id = l.category_id
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
        ("link", f"{root}/products/{product['slug']}" + (f"?sku={variant['sku']}" if grouped else "")),
        ("g:canonical_link", f"{root}/products/{product['slug']}"),
        ("g:price", f"{variant['price']} IDR"),
        ("g:availability", "in_stock" if variant["can_be_bought"] else "out_of_stock"),
        ("g:condition", "new"),
        ("g:brand", product["facility"][:70]),
        ("g:identifier_exists", "no"),
        ("g:product_type", in_language(product, "category", locale)),
        ("g:shipping_weight", f"{variant['weight_g']} g"),
        ("g:shipping_label", product["delivery_scope"]),
        ("g:ships_from_country", "ID"),
    ]
    fields += _pictures(product["photos"] or [], base_url)
    if product["category_slug"] in GOOGLE_CATEGORIES:
        fields.append(("g:google_product_category", GOOGLE_CATEGORIES[product["category_slug"]]))
    if variant["lead_time_days"]:
        fields += [(f"g:{end}_handling_time", variant["lead_time_days"]) for end in ("min", "max")]
    if product["delivery_scope"] == "pickup":
        # What is only collected at the gallery cannot be shown as something that is sent.
        fields += [("g:excluded_destination", place) for place in ("Shopping_ads", "Free_listings")]
    if grouped:
        fields.append(("g:item_group_id", product["slug"][:50]))
    return "<item>" + "".join(element(name, value) for name, value in fields) + "</item>\n"


def _pictures(photos: Sequence[Any], base_url: str) -> Iterator[tuple[str, object]]:
    for number, photo in enumerate(photos[: MOST_FURTHER_PICTURES + 1]):
        address = base_url + media_url(f"{photo['key']}-{photo['width']}.webp")
        yield "g:additional_image_link" if number else "g:image_link", address
