"""Read what was typed as a listing, or say field by field what is wrong and what to write.

A field's name is its path in `typed`: `title`, `variants.0.price`, `photos.2.alt`, `papers.halal`. Curators give
their reasons by the same names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.catalogue.models import Category, CommodityGroup, DeliveryScope, Variant
from storefront.catalogue.offer import LONGEST_LEAD, MOST
from storefront.content_rule import clean
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.listings.listing import (
    FACT_KINDS,
    LONGEST_DESCRIPTION,
    LONGEST_TITLE,
    MOST_STOCK,
    MOST_WEIGHT,
    NET_UNITS,
    PAPER_KINDS,
    SHORTEST_TITLE,
    ListedFact,
    ListedFood,
    ListedPaper,
    ListedPhoto,
    ListedSizes,
    ListedVariant,
    Listing,
)
from storefront.listings.models import DraftPhoto
from storefront.written import day, one_line, whole_number

SKU = re.compile(r"[A-Z0-9][A-Z0-9-]{2,39}")
PAPER_NUMBERS = {
    "halal": re.compile(r"(ID)?[0-9]{11,20}"),
    "pirt": re.compile(r"[0-9]{13,15}(-[0-9]{2})?"),
    "bpom": re.compile(r"(MD|ML)[0-9]{9,15}"),
    "cosmetic": re.compile(r"N[A-E][0-9]{11}"),
    "svlk": re.compile(r"[A-Z0-9][A-Z0-9./ -]{4,59}"),
}


@dataclass
class Known:
    """What a check looks up. Who checks many listings at once answers from what was read once."""

    facility_id: int

    def workshop(self, written: str) -> int | None:
        """The facility's own workshop with this id."""
        return _of(Workshop, written, Workshop.facility_id == self.facility_id)

    def category(self, written: str) -> int | None:
        return _of(Category, written)

    def group(self, written: str) -> int | None:
        return _of(CommodityGroup, written)

    def variants_of(self, product_id: int) -> set[int]:
        """Ids of a product's variants."""
        return set(db.session.scalars(select(Variant.id).where(Variant.product_id == product_id)))

    def holders(self, skus: Sequence[str]) -> dict[str, int]:
        """Ids of the variants that have these SKUs, anywhere."""
        rows = db.session.execute(select(Variant.sku, Variant.id).where(Variant.sku.in_(skus)))
        return dict(rows.all())


@dataclass
class Findings:
    """What is wrong, by field."""

    errors: dict[str, str] = field(default_factory=dict)

    def wrong(self, name: str, sentence: str) -> None:
        """Say what is wrong with a field; the first sentence stays."""
        self.errors.setdefault(name, sentence)


def check(
    content: Mapping[str, Any],
    photos: Sequence[DraftPhoto],
    *,
    facility_id: int,
    product_id: int | None = None,
    known: Known | None = None,
) -> Listing:
    """The listing that a draft's content (in the shape of `typed`) and its photos say.

    Raises Invalid with a sentence for each field that is missing or wrong. What a category asks for beside that is
    `needs.missing`.
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
    photos: Sequence[DraftPhoto],
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
    ready = _photos(photos, title, found)
    places = {str(photo.id): place for place, photo in enumerate(photos, start=1) if photo.state == "ready"}
    variants = _variants(content, options, places, found, known, product_id)
    facts = _facts(content["facts"], found)
    food = _food(content["food"], found) if content["food"] else None
    papers = _papers(content["papers"], found)
    sizes = _sizes(content["sizes"], found) if content["sizes"] else None
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


def _of(model: Any, written: str, *also: Any) -> int | None:
    """The id that was chosen from a list, if there is such a row."""
    if not re.fullmatch(r"[0-9]{1,15}", written or ""):
        return None
    found: int | None = db.session.scalar(select(model.id).where(model.id == int(written), *also))
    return found


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


def _variants(
    content: Mapping[str, Any],
    options: tuple[str, ...],
    places: Mapping[str, int],
    found: Findings,
    known: Known,
    product_id: int | None,
) -> tuple[ListedVariant, ...]:
    rows = content["variants"]
    own = known.variants_of(product_id) if product_id else set()
    read = [_variant(row, f"variants.{number}", options, places, own, found) for number, row in enumerate(rows)]
    combinations: dict[tuple[str, ...], int] = {}
    for number, variant in enumerate(read):
        earlier = combinations.setdefault(tuple(value.casefold() for value in variant.options), number)
        if earlier != number:
            sentence = (
                _("Varian ini sama dengan varian nomor %(number)d. Ubah pilihannya, atau hapus.", number=earlier + 1)
                if options
                else _("Beri pilihan (misalnya ukuran) supaya varian dapat dibedakan.")
            )
            found.wrong(f"variants.{number}.options", sentence)
    _skus(read, own, found, known)
    if not any(variant.is_active for variant in read):
        found.wrong("variants", _("Paling sedikit satu varian harus dijual."))
    return tuple(read)


def _variant(
    row: Mapping[str, Any],
    name: str,
    options: tuple[str, ...],
    places: Mapping[str, int],
    own: set[int],
    found: Findings,
) -> ListedVariant:
    values = tuple(map(one_line, row["options"]))[: len(options)]
    if len(values) < len(options) or not all(values):
        found.wrong(f"{name}.options", _("Isi pilihannya: %(options)s.", options=" × ".join(options)))
    elif any(len(value) > 60 for value in values):
        found.wrong(f"{name}.options", _("Nama pilihan paling panjang 60 huruf."))
    number = int(row["id"]) if re.fullmatch(r"[0-9]{1,15}", row["id"]) else None
    made = row["made_to_order"]
    price = _number(row["price"], 1, MOST)
    if price is None:
        found.wrong(f"{name}.price", _("Tulis harga dalam rupiah, dari 1 sampai satu miliar."))
    weight = _number(row["weight"], 1, MOST_WEIGHT)
    if weight is None:
        found.wrong(f"{name}.weight", _("Tulis berat satu buah dengan kemasannya, dalam gram."))
    lead = _number(row["lead_time"], 1, LONGEST_LEAD) if made else None
    if made and lead is None:
        found.wrong(f"{name}.lead_time", _("Tulis lama pengerjaan dalam hari, dari 1 sampai 365."))
    values_en = tuple(map(one_line, row["options_en"]))
    return ListedVariant(
        id=number if number in own else None,
        options=values,
        options_en=values_en if len(values_en) == len(values) and all(values_en) else (),
        sku=row["sku"].strip().upper(),
        price=price or 0,
        material_cost=_optional(row["material_cost"], 0, MOST, f"{name}.material_cost", found),
        weight_g=weight or 0,
        made_to_order=made,
        lead_time_days=lead,
        weekly_capacity=_optional(row["capacity"], 1, 10_000, f"{name}.capacity", found) if made else None,
        stock=None if made else _optional(row["stock"], 0, MOST_STOCK, f"{name}.stock", found),
        photo=places.get(row["photo"]),
        is_active=row["is_active"],
    )


def _skus(variants: Sequence[ListedVariant], own: set[int], found: Findings, known: Known) -> None:
    """A SKU is nobody else's, and no other variant's here."""
    written = [variant.sku for variant in variants if variant.sku]
    taken = {sku for sku, holder in known.holders(written).items() if holder not in own} if written else set()
    seen: set[str] = set()
    for number, variant in enumerate(variants):
        name = f"variants.{number}.sku"
        if variant.sku and not SKU.fullmatch(variant.sku):
            found.wrong(name, _("SKU terdiri dari 3 sampai 40 huruf, angka, dan tanda hubung."))
        elif variant.sku in taken or variant.sku in seen:
            found.wrong(name, _("SKU ini sudah dipakai. Tulis yang lain, atau kosongkan: kami beri."))
        seen.update([variant.sku] if variant.sku else [])


def _number(written: str, least: int, most: int) -> int | None:
    number = whole_number(written)
    return number if number is not None and least <= number <= most else None


def _optional(written: str, least: int, most: int, name: str, found: Findings) -> int | None:
    if not written.strip():
        return None
    number = _number(written, least, most)
    if number is None:
        found.wrong(name, _("Tulis dengan angka bulat, atau kosongkan."))
    return number


def _facts(rows: Sequence[Mapping[str, str]], found: Findings) -> tuple[ListedFact, ...]:
    facts = []
    for number, row in enumerate(rows):
        fact = ListedFact(
            kind=row["kind"] if row["kind"] in FACT_KINDS else "detail",
            label=one_line(row["label"]),
            label_en=one_line(row["label_en"])[:60],
            value=one_line(row["value"]),
            value_en=one_line(row["value_en"])[:400],
        )
        if not fact.label and not fact.value:
            continue
        if not 2 <= len(fact.label) <= 60:
            found.wrong(f"facts.{number}.label", _("Tulis judulnya, 2 sampai 60 huruf: misalnya Bahan."))
        if not 1 <= len(fact.value) <= 400:
            found.wrong(f"facts.{number}.value", _("Tulis isinya, paling panjang 400 huruf."))
        facts.append(fact)
    return tuple(facts)


def _food(row: Mapping[str, str], found: Findings) -> ListedFood | None:
    if not any(one_line(value) for name, value in row.items() if name != "net_unit"):
        return None
    texts = {name: one_line(row[name]) for name in ("composition", "storage", "allergens")}
    texts |= {f"{name}_en": one_line(row[f"{name}_en"]) for name in ("composition", "storage", "allergens")}
    if not 3 <= len(texts["composition"]) <= 1000:
        found.wrong("food.composition", _("Tulis komposisinya, bahan terbanyak lebih dulu."))
    if not 3 <= len(texts["storage"]) <= 300:
        found.wrong("food.storage", _("Tulis cara menyimpannya."))
    if len(texts["allergens"]) > 300:
        found.wrong("food.allergens", _("Paling panjang 300 huruf."))
    amount = _number(row["net_amount"], 1, 1_000_000)
    if amount is None or row["net_unit"] not in NET_UNITS:
        found.wrong("food.net_amount", _("Tulis isi bersih dan satuannya."))
    days = _optional(row["shelf_life_days"], 1, 3650, "food.shelf_life_days", found)
    until = day(row["best_before"])
    if row["best_before"].strip() and until is None:
        found.wrong("food.best_before", _("Tulis tanggalnya seperti 2026-11-30."))
    elif days is None and until is None:
        found.wrong("food.shelf_life_days", _("Tulis berapa hari tahan, atau tanggal kedaluwarsanya."))
    for name in ("composition_en", "storage_en", "allergens_en"):
        texts[name] = texts[name][: 1000 if name.startswith("composition") else 300]
    return ListedFood(
        **texts, net_amount=amount or 0, net_unit=row["net_unit"], shelf_life_days=days, best_before=until
    )


def _papers(rows: Sequence[Mapping[str, Any]], found: Findings) -> tuple[ListedPaper, ...]:
    papers: dict[str, ListedPaper] = {}
    for row in rows:
        kind, number = row["kind"], one_line(row["number"]).upper()
        if kind not in PAPER_KINDS or kind in papers:
            continue
        if kind == "not_halal":
            number = ""
        elif not number and not row["valid_until"].strip() and not row["document_key"]:
            continue
        elif not PAPER_NUMBERS[kind].fullmatch(number):
            found.wrong(f"papers.{kind}", _("Nomor ini belum lengkap. Salin persis seperti di suratnya."))
        until = day(row["valid_until"])
        if row["valid_until"].strip() and until is None:
            found.wrong(f"papers.{kind}", _("Tulis tanggalnya seperti 2026-11-30."))
        papers[kind] = ListedPaper(kind, number, one_line(row["issued_by"])[:120], until, row["document_key"])
    if "halal" in papers and "not_halal" in papers:
        found.wrong("papers.not_halal", _("Pilih salah satu: bersertifikat halal, atau tidak halal."))
    return tuple(papers.values())


def _sizes(row: Mapping[str, Any], found: Findings) -> ListedSizes | None:
    columns, rows = tuple(map(one_line, row["columns"])), tuple(map(one_line, row["rows"]))
    cells = tuple(tuple(map(one_line, line)) for line in row["cells"])
    if not any(columns) and not any(rows):
        return None
    title = one_line(row["title"]) or _("Ukuran")
    columns_en = tuple(map(one_line, row["columns_en"]))
    if not columns or not rows or not all(columns) or not all(rows):
        found.wrong("sizes", _("Isi judul setiap baris dan kolom pada tabel ukuran."))
    elif not 3 <= len(title) <= 80:
        found.wrong("sizes", _("Judul tabel ukuran paling panjang 80 huruf."))
    return ListedSizes(
        title=title,
        title_en=one_line(row["title_en"])[:80],
        columns=columns,
        columns_en=columns_en if len(columns_en) == len(columns) and all(columns_en) else (),
        rows=rows,
        cells=cells,
        note=one_line(row["note"])[:300],
        note_en=one_line(row["note_en"])[:300],
    )
