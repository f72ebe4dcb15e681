"""A block of the front page as a curator writes it, and what may be written."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import text

from storefront.content.models import HomeBlock
from storefront.errors import Invalid
from storefront.extensions import db

#: Kinds in the order in which curators choose; the value is the setting that one needs.
KINDS: dict[str, str | None] = {
    "opening": None,
    "ready": None,
    "newest": None,
    "season": None,
    "chosen": "products",
    "category": "category",
    "facility": "facility",
    "workshop": "workshop",
    "exhibition": None,
    "categories": None,
    "regions": None,
    "facilities": None,
    "money": None,
    "promises": None,
    "text": None,
}
#: Kinds that show a text of curators.
WITH_TEXT = ("opening", "workshop", "text", "exhibition", "money")
#: On a phone a product is seen below the opening only while its words are few.
LONGEST_TITLE, LONGEST_OPENING, LONGEST_TEXT, MOST_PRODUCTS = 80, 160, 3000, 12


@dataclass(frozen=True)
class BlockDraft:
    """A block as a curator wrote it."""

    kind: str
    title: str = ""
    title_en: str = ""
    body: str = ""
    body_en: str = ""
    category: str = ""
    #: A facility's code.
    facility: str = ""
    workshop: str = ""
    #: Products by slug or address, one a line.
    products: str = ""
    starts_on: datetime.date | None = None
    ends_on: datetime.date | None = None
    is_published: bool = False


def draft_of(found: HomeBlock) -> BlockDraft:
    """A block as its form shows it."""
    settings = found.settings
    products: list[str] = []
    if settings.get("products"):
        query = text("SELECT id, slug FROM products WHERE id = ANY(:ids)")
        found_rows = db.session.execute(query, {"ids": settings["products"]})
        rows: dict[int, str] = {row.id: row.slug for row in found_rows}
        products = [rows[number] for number in settings["products"] if number in rows]
    return BlockDraft(
        found.kind,
        found.title,
        found.title_en,
        found.body,
        found.body_en,
        settings.get("category", ""),
        settings.get("facility", ""),
        str(settings.get("workshop", "")),
        "\n".join(products),
        found.starts_on,
        found.ends_on,
        found.is_published,
    )


def choices() -> dict[str, list[tuple[Any, str]]]:
    """Categories, facilities and workshops that a block may be about; none is for children."""
    found: dict[str, list[tuple[Any, str]]] = {}
    for name, query in (
        ("category", "SELECT slug, name FROM categories WHERE archived_at IS NULL ORDER BY position, name"),
        (
            "facility",
            "SELECT code, name FROM facilities WHERE status = 'active' AND kind <> 'lpka' ORDER BY name",
        ),
        (
            "workshop",
            """SELECT w.id, w.name || ' · ' || f.name FROM workshops w JOIN facilities f ON f.id = w.facility_id
                WHERE f.status = 'active' AND f.kind <> 'lpka' ORDER BY f.name, w.name""",
        ),
    ):
        found[name] = [(row[0], row[1]) for row in db.session.execute(text(query))]
    return found


def checked(draft: BlockDraft) -> dict[str, Any]:
    """The columns of a block. Raises Invalid."""
    errors: dict[str, str] = {}
    if draft.kind not in KINDS:
        raise Invalid({"kind": _("Pilih jenis bloknya.")})
    for name in ("title", "title_en"):
        if len(getattr(draft, name)) > LONGEST_TITLE:
            errors[name] = _("Judul paling panjang 80 huruf.")
    most = LONGEST_OPENING if draft.kind == "opening" else LONGEST_TEXT
    for name in ("body", "body_en"):
        if len(getattr(draft, name)) > most:
            errors[name] = _("Tulisan paling panjang %(most)s huruf.", most=most)
    needed = {"opening": ("title", "title_en"), "text": ("body", "body_en")}.get(draft.kind, ())
    for name in (*needed, *_paired(draft)):
        if not getattr(draft, name):
            errors.setdefault(name, _("Isi dalam kedua bahasa: pengunjung membaca salah satunya."))
    if draft.starts_on and draft.ends_on and draft.ends_on < draft.starts_on:
        errors["ends_on"] = _("Hari terakhir tidak boleh sebelum hari pertama.")
    settings = _settings(draft, errors)
    if errors:
        raise Invalid(errors)
    texts = {name: getattr(draft, name) for name in ("title", "title_en")}
    bodies = {name: getattr(draft, name) if draft.kind in WITH_TEXT else "" for name in ("body", "body_en")}
    return {
        "kind": draft.kind,
        **texts,
        **bodies,
        "settings": settings,
        "starts_on": draft.starts_on,
        "ends_on": draft.ends_on,
        "is_published": draft.is_published,
    }


def _paired(draft: BlockDraft) -> list[str]:
    """What must be there because its other language is."""
    pairs = (("title", "title_en"), ("body", "body_en"))
    return [
        name
        for pair in pairs
        for name in pair
        if any(getattr(draft, other) for other in pair) and not getattr(draft, name)
    ]


def _settings(draft: BlockDraft, errors: dict[str, str]) -> dict[str, Any]:
    """What the block is about; what cannot be used gets a sentence."""
    needed = KINDS[draft.kind]
    if needed is None:
        return {}
    if needed == "products":
        return {"products": _products(draft.products, errors)}
    given = getattr(draft, needed)
    if needed == "workshop" and not given:
        return {}  # the shop chooses one each month
    known = {str(value) for value, _label in choices()[needed]}
    if given not in known:
        errors[needed] = _("Pilih salah satu dari daftar.")
        return {}
    return {needed: int(given) if needed == "workshop" else given}


def _products(written: str, errors: dict[str, str]) -> list[int]:
    slugs = list(
        dict.fromkeys(line.strip().rstrip("/").rpartition("/")[2] for line in written.split() if line.strip())
    )
    if not 1 <= len(slugs) <= MOST_PRODUCTS:
        errors["products"] = _("Sebutkan 1 sampai %(most)s karya, satu per baris.", most=MOST_PRODUCTS)
        return []
    query = """SELECT p.slug, p.id FROM products p JOIN facilities f ON f.id = p.facility_id
                WHERE p.slug = ANY(:slugs) AND p.status = 'published' AND f.kind <> 'lpka'"""
    rows = {row.slug: row.id for row in db.session.execute(text(query), {"slugs": slugs})}
    if unknown := [slug for slug in slugs if slug not in rows]:
        errors["products"] = _(
            "Karya ini tidak ada, belum terbit, atau tidak boleh diunggulkan: %(slugs)s", slugs=", ".join(unknown)
        )
        return []
    return [rows[slug] for slug in slugs]
