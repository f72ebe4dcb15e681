"""Facts, food, papers and sizes of a listing, read from what was typed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from storefront.listings.findings import Findings, read_number, read_optional
from storefront.listings.listing import (
    FACT_KINDS,
    NET_UNITS,
    PAPER_KINDS,
    ListedFact,
    ListedFood,
    ListedPaper,
    ListedSizes,
)
from storefront.written import day, one_line

PAPER_NUMBERS = {
    "halal": re.compile(r"(ID)?[0-9]{11,20}"),
    "pirt": re.compile(r"[0-9]{13,15}(-[0-9]{2})?"),
    "bpom": re.compile(r"(MD|ML)[0-9]{9,15}"),
    "cosmetic": re.compile(r"N[A-E][0-9]{11}"),
    "svlk": re.compile(r"[A-Z0-9][A-Z0-9./ -]{4,59}"),
}


def read_facts(rows: Sequence[Mapping[str, str]], found: Findings) -> tuple[ListedFact, ...]:
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


def read_food(row: Mapping[str, str], found: Findings) -> ListedFood | None:
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
    amount = read_number(row["net_amount"], 1, 1_000_000)
    if amount is None or row["net_unit"] not in NET_UNITS:
        found.wrong("food.net_amount", _("Tulis isi bersih dan satuannya."))
    days = read_optional(row["shelf_life_days"], 1, 3650, "food.shelf_life_days", found)
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


def read_papers(rows: Sequence[Mapping[str, Any]], found: Findings) -> tuple[ListedPaper, ...]:
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


def read_sizes(row: Mapping[str, Any], found: Findings) -> ListedSizes | None:
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
