"""Two versions of a listing beside each other, field by field, for who decides."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select

from storefront.catalogue.models import Category, CommodityGroup
from storefront.display import format_date
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.listings.listing import ListedPhoto, ListedVariant, Listing
from storefront.money import format_rupiah

WORD = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True)
class Piece:
    """A stretch of a text: `same`, `gone` (of the old version) or `new`."""

    kind: str
    text: str


@dataclass(frozen=True)
class FieldRow:
    """One field of a listing; `old` is None when there was no version before."""

    #: Its path in `typed`, as reasons name it.
    path: str
    label: str
    new: str
    old: str | None
    language: str = "id"

    @property
    def is_changed(self) -> bool:
        return self.old is not None and self.old != self.new

    @property
    def pieces(self) -> list[Piece]:
        """The new text with what was added and what is gone, word by word."""
        return words_between(self.old or "", self.new)


@dataclass(frozen=True)
class PhotoRow:
    """A place in the order of photos, before and now."""

    path: str
    number: int
    new: ListedPhoto | None
    old: ListedPhoto | None

    @property
    def is_changed(self) -> bool:
        return self.new != self.old


def words_between(old: str, new: str) -> list[Piece]:
    """What leads from one text to the other, in whole words."""
    before, after = WORD.findall(old), WORD.findall(new)
    pieces = []
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(after[j1:j2])))
            continue
        if i2 > i1:
            pieces.append(Piece("gone", "".join(before[i1:i2])))
        if j2 > j1:
            pieces.append(Piece("new", "".join(after[j1:j2])))
    return pieces


def fields(new: Listing, old: Listing | None) -> list[FieldRow]:
    """Every field but the photos, in the order of the page; without those that are empty in both versions."""

    def row(path: str, label: str, read: Callable[[Listing], str], language: str = "id") -> FieldRow:
        return FieldRow(path, label, read(new), read(old) if old else None, language)

    found = [
        row("title", _("Nama karya"), lambda x: x.title),
        row("title_en", _("Nama dalam bahasa Inggris"), lambda x: x.title_en, "en"),
        row("description", _("Cerita"), lambda x: x.description),
        row("description_en", _("Cerita dalam bahasa Inggris"), lambda x: x.description_en, "en"),
        row("category", _("Kategori"), lambda x: _name(Category, x.category_id)),
        row("group", _("Kelompok komoditas"), lambda x: _name(CommodityGroup, x.commodity_group_id)),
        row("workshop", _("Bengkel"), lambda x: _name(Workshop, x.workshop_id)),
        row("scope", _("Jangkauan kirim"), lambda x: scope_words(x.delivery_scope)),
        *_variant_rows(new, old),
        row("facts", _("Keterangan"), _facts),
        row("food.composition", _("Kemasan pangan"), _food),
        row("papers", _("Surat"), _papers),
        row("sizes", _("Tabel ukuran"), _sizes),
    ]
    return [one for one in found if one.new or one.old]


def photos(new: Listing, old: Listing | None) -> list[PhotoRow]:
    """The photos of both versions by their places."""
    before = old.photos if old else ()
    return [
        PhotoRow(
            f"photos.{place}",
            place + 1,
            new.photos[place] if place < len(new.photos) else None,
            before[place] if place < len(before) else None,
        )
        for place in range(max(len(new.photos), len(before)))
    ]


def scope_words(scope: str) -> str:
    """How far it is sent, in words."""
    return {
        "pickup": _("Ambil di tempat"),
        "same_city": _("Dalam kota"),
        "province": _("Dalam provinsi"),
        "nationwide": _("Seluruh Indonesia"),
    }.get(scope, scope)


def _variant_rows(new: Listing, old: Listing | None) -> Iterable[FieldRow]:
    before = {variant.id: variant for variant in old.variants} if old else {}
    for place, variant in enumerate(new.variants):
        was = before.pop(variant.id, None) if variant.id else None
        label = _("Varian %(number)d", number=place + 1) if len(new.variants) > 1 else _("Harga dan berat")
        was_words = (_variant(was) if was else "") if old else None
        yield FieldRow(f"variants.{place}.price", label, _variant(variant), was_words)
    for gone in before.values():
        if gone.is_active:
            yield FieldRow("variants", _("Varian dihapus"), "", _variant(gone))


def _variant(variant: ListedVariant) -> str:
    parts = [
        variant.title,
        format_rupiah(variant.price),
        _("%(weight)d gram", weight=variant.weight_g),
        _("dibuat dalam %(days)d hari", days=variant.lead_time_days) if variant.lead_time_days else "",
        _("modal bahan %(amount)s", amount=format_rupiah(variant.material_cost)) if variant.material_cost else "",
        _("%(pieces)d buah", pieces=variant.stock) if variant.stock else "",
        "" if variant.is_active else _("tidak dijual"),
    ]
    return " · ".join(part for part in parts if part)


def _facts(listing: Listing) -> str:
    return "\n".join(f"{fact.label}: {fact.value}" for fact in listing.facts)


def _food(listing: Listing) -> str:
    food = listing.food
    if food is None:
        return ""
    lines = [
        food.composition,
        f"{food.net_amount} {food.net_unit}",
        _("tahan %(days)d hari", days=food.shelf_life_days) if food.shelf_life_days else "",
        food.storage,
        _("Alergen: %(text)s", text=food.allergens) if food.allergens else "",
    ]
    return "\n".join(line for line in lines if line)


def _papers(listing: Listing) -> str:
    return "\n".join(
        " · ".join(
            part
            for part in (
                kind_words(paper.kind),
                paper.number,
                paper.issued_by,
                _("sampai %(day)s", day=format_date(paper.valid_until)) if paper.valid_until else "",
            )
            if part
        )
        for paper in sorted(listing.papers, key=lambda paper: paper.kind)
    )


def kind_words(kind: str) -> str:
    """What a kind of paper is called."""
    return {
        "halal": _("Sertifikat halal"),
        "not_halal": _("Tidak halal"),
        "pirt": _("Nomor P-IRT"),
        "bpom": _("Izin edar BPOM"),
        "cosmetic": _("Notifikasi kosmetik"),
        "svlk": _("Sertifikat kayu (SVLK)"),
    }.get(kind, kind)


def _sizes(listing: Listing) -> str:
    table = listing.sizes
    if table is None:
        return ""
    lines = [f"{name}: {', '.join(cells)}" for name, cells in zip(table.rows, table.cells, strict=True)]
    return "\n".join([table.title, ", ".join(table.columns), *lines, table.note]).strip()


def _name(model: type[Category | CommodityGroup | Workshop], row_id: int | None) -> str:
    return (db.session.scalar(select(model.name).where(model.id == row_id)) or "") if row_id else ""
