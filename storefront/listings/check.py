"""Read what was typed as a listing, or say field by field what is wrong and what to write.

A field's name is its path in `typed`: `title`, `variants.0.price`, `photos.2.alt`, `papers.halal`. Curators give
their reasons by the same names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from storefront.catalogue.models import DeliveryScope
from storefront.content_rule import clean
from storefront.errors import Invalid
from storefront.listings.check_variants import read_variants
from storefront.listings.check_words import read_facts, read_food, read_papers, read_sizes
from storefront.listings.findings import Findings, Known
from storefront.listings.listing import (
    LONGEST_DESCRIPTION,
    LONGEST_TITLE,
    SHORTEST_TITLE,
    ListedPhoto,
    Listing,
)
from storefront.listings.models import DraftPhoto
from storefront.written import one_line


def check(
    content: Mapping[str, Any],
    photos: Sequence[DraftPhoto] | None,
    *,
    facility_id: int,
    product_id: int | None = None,
    known: Known | None = None,
) -> Listing:
    """The listing that a draft's content (in the shape of `typed`) and its photos say.

    Raises Invalid with a sentence for each field that is missing or wrong. What a category asks for beside that is
    `needs.missing`. `photos` None: nothing is said of them, they are looked at elsewhere.
    """
    found = Findings()
    listing = _listing(content, photos, found, known or Known(facility_id), product_id)
    if found.errors or listing is None:
        raise Invalid(found.errors)
    return listing


def faults(
    content: Mapping[str, Any], photos: Sequence[DraftPhoto], *, facility_id: int, product_id: int | None = None
) -> dict[str, str]:
    """What `check` would say, without raising: for lists and checklists."""
    try:
        check(content, photos, facility_id=facility_id, product_id=product_id)
    except Invalid as refusal:
        return {name: str(sentence) for name, sentence in refusal.errors.items()}
    return {}


def _listing(
    content: Mapping[str, Any],
    photos: Sequence[DraftPhoto] | None,
    found: Findings,
    known: Known,
    product_id: int | None,
) -> Listing | None:
    title = one_line(content["title"])
    if not SHORTEST_TITLE <= len(title) <= LONGEST_TITLE:
        found.wrong("title", _("Tulis nama karya, 3 sampai 140 huruf."))
    title_en = one_line(content["title_en"])
    if len(title_en) > LONGEST_TITLE:
        found.wrong("title_en", _("Nama paling panjang 140 huruf."))
    descriptions = {name: clean(content[name]) for name in ("description", "description_en")}
    for name, written in descriptions.items():
        if len(written) > LONGEST_DESCRIPTION:
            found.wrong(name, _("Ceritanya paling panjang 8.000 huruf."))
    workshop_id = known.workshop(content["workshop"])
    if workshop_id is None:
        found.wrong("workshop", _("Pilih bengkel yang membuatnya."))
    category_id = known.category(content["category"])
    if category_id is None:
        found.wrong("category", _("Pilih kategorinya."))
    group_id = known.group(content["group"]) if content["group"] else None
    if content["group"] and group_id is None:
        found.wrong("group", _("Pilih kelompok komoditas dari daftar."))
    if content["scope"] not in set(DeliveryScope):
        found.wrong("scope", _("Pilih sejauh mana karya ini dikirim."))
    options = tuple(name for name in map(one_line, content["options"]) if name)
    ready = () if photos is None else _photos(photos, title, found)
    places = {str(photo.id): place for place, photo in enumerate(photos or (), start=1) if photo.state == "ready"}
    variants = read_variants(content, options, places, found, known, product_id)
    facts = read_facts(content["facts"], found)
    food = read_food(content["food"], found) if content["food"] else None
    papers = read_papers(content["papers"], found)
    sizes = read_sizes(content["sizes"], found) if content["sizes"] else None
    if workshop_id is None or category_id is None or found.errors:
        return None
    options_en = tuple(map(one_line, content["options_en"])) if len(content["options_en"]) == len(options) else ()
    return Listing(
        title=title,
        title_en=title_en,
        **descriptions,
        workshop_id=workshop_id,
        category_id=category_id,
        commodity_group_id=group_id,
        delivery_scope=content["scope"],
        options=options,
        options_en=options_en if all(options_en) else (),
        variants=variants,
        photos=ready,
        facts=facts,
        food=food,
        papers=papers,
        sizes=sizes,
    )


def _photos(photos: Sequence[DraftPhoto], title: str, found: Findings) -> tuple[ListedPhoto, ...]:
    listed = []
    for number, photo in enumerate(photos):
        alt = one_line(photo.alt)
        name = f"photos.{number}"
        if photo.state == "waiting":
            found.wrong(name, _("Foto ini masih disiapkan. Tunggu sebentar, lalu coba lagi."))
        elif photo.state == "refused":
            found.wrong(name, photo.fault)
        elif not 3 <= len(alt) <= 250:
            found.wrong(f"{name}.alt", _("Tulis satu baris: apa yang terlihat? Warna, bentuk, bahan."))
        elif alt.casefold() == title.casefold():
            found.wrong(
                f"{name}.alt", _("Ini sama dengan nama karya. Tulis apa yang terlihat: warna, bentuk, bahan.")
            )
        elif photo.key and photo.widths and photo.width and photo.height:
            alt_en = one_line(photo.alt_en)
            listed.append(
                ListedPhoto(photo.key, tuple(photo.widths), photo.width, photo.height, photo.tint, alt, alt_en)
            )
    if not photos:
        found.wrong("photos", _("Tambahkan paling sedikit satu foto."))
    return tuple(listed)
