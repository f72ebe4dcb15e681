"""Variants of a listing, read from what was typed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from storefront.catalogue.offer import LONGEST_LEAD, MOST
from storefront.listings.findings import Findings, Known, read_number, read_optional
from storefront.listings.listing import MOST_STOCK, MOST_WEIGHT, ListedVariant
from storefront.written import one_line

SKU = re.compile(r"[A-Z0-9][A-Z0-9-]{2,39}")


def read_variants(
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
    price = read_number(row["price"], 1, MOST)
    if price is None:
        found.wrong(f"{name}.price", _("Tulis harga dalam rupiah, dari 1 sampai satu miliar."))
    weight = read_number(row["weight"], 1, MOST_WEIGHT)
    if weight is None:
        found.wrong(f"{name}.weight", _("Tulis berat satu buah dengan kemasannya, dalam gram."))
    lead = read_number(row["lead_time"], 1, LONGEST_LEAD) if made else None
    if made and lead is None:
        found.wrong(f"{name}.lead_time", _("Tulis lama pengerjaan dalam hari, dari 1 sampai 365."))
    values_en = tuple(map(one_line, row["options_en"]))
    return ListedVariant(
        id=number if number in own else None,
        options=values,
        options_en=values_en if len(values_en) == len(values) and all(values_en) else (),
        sku=row["sku"].strip().upper(),
        price=price or 0,
        material_cost=read_optional(row["material_cost"], 0, MOST, f"{name}.material_cost", found),
        weight_g=weight or 0,
        made_to_order=made,
        lead_time_days=lead,
        weekly_capacity=read_optional(row["capacity"], 1, 10_000, f"{name}.capacity", found) if made else None,
        stock=None if made else read_optional(row["stock"], 0, MOST_STOCK, f"{name}.stock", found),
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
