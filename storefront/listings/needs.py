"""What a category asks for beside what every listing says: papers and facts. `product_lacks` in the database asks the
same of a product."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.audit.record import record
from storefront.catalogue.models import Category, CategoryNeed, SizeTable
from storefront.display import format_date
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.listings.listing import ListedPaper, Listing

#: In the order in which they are asked for.
NEEDS = ("food", "registration", "halal", "cosmetic", "svlk", "material", "care", "sizes")
#: Needs that a paper answers, each with the kinds that do.
PAPERS: dict[str, tuple[str, ...]] = {
    "registration": ("pirt", "bpom"),
    "halal": ("halal", "not_halal"),
    "cosmetic": ("cosmetic",),
    "svlk": ("svlk",),
}
#: These end on a day. A halal certificate holds until the recipe changes (regulation 42/2024, article 127).
WITH_EXPIRY = ("pirt", "bpom", "cosmetic", "svlk")


def needs_of(category_id: int) -> tuple[str, ...]:
    """What a category asks for."""
    found = set(db.session.scalars(select(CategoryNeed.need).where(CategoryNeed.category_id == category_id)))
    return tuple(need for need in NEEDS if need in found)


def kinds_asked(category_id: int) -> tuple[str, ...]:
    """The kinds of papers that answer what a category asks for."""
    return tuple(kind for need in needs_of(category_id) for kind in PAPERS.get(need, ()))


def missing(
    listing: Listing,
    on_day: datetime.date,
    *,
    needs: Collection[str] | None = None,
    has_sizes: bool | None = None,
) -> dict[str, str]:
    """A sentence for each thing that the listing's category asks for and it does not have on `on_day`, by field.

    Who looks at many listings gives what the category asks for, and whether it has sizes of its own.
    """
    found: dict[str, str] = {}
    asked = needs_of(listing.category_id) if needs is None else [need for need in NEEDS if need in needs]
    for need in asked:
        if need in PAPERS:
            found |= _paper(need, listing.papers, on_day)
        elif need == "food" and listing.food is None:
            found["food.composition"] = _("Kategori ini meminta komposisi, isi bersih, daya tahan, dan cara menyimpan.")
        elif need == "sizes":
            if listing.sizes is None and not (_has_sizes(listing.category_id) if has_sizes is None else has_sizes):
                found["sizes"] = _("Kategori ini meminta tabel ukuran.")
        elif need in ("material", "care") and not any(fact.kind == need for fact in listing.facts):
            found[f"facts.{need}"] = (
                _("Kategori ini meminta bahan. Tambahkan keterangan Bahan.")
                if need == "material"
                else _("Kategori ini meminta cara merawat. Tambahkan keterangan Perawatan.")
            )
    return found


def _paper(need: str, papers: Iterable[ListedPaper], on_day: datetime.date) -> dict[str, str]:
    """What is wrong with the papers for a need; nothing as soon as one of them is whole and in force."""
    kinds, first = PAPERS[need], PAPERS[need][0]
    told: dict[str, str] = {}
    for paper in papers:
        if paper.kind in kinds:
            fault = paper_fault(paper, on_day)
            if fault is None:
                return {}
            told[f"papers.{paper.kind}"] = fault
    return told or {f"papers.{first}": asked_words(need)}


def paper_fault(paper: ListedPaper, on_day: datetime.date) -> str | None:
    """Why a paper does not count on a day; None: it does."""
    if paper.kind == "not_halal":
        return None
    if paper.document_key is None:
        return _("Unggah surat ini sebagai PDF atau foto.")
    if paper.valid_until is None and paper.kind in WITH_EXPIRY:
        return _("Tulis sampai kapan surat ini berlaku.")
    if paper.valid_until is not None and paper.valid_until < on_day:
        return _("Surat ini berakhir %(day)s. Unggah yang baru.", day=format_date(paper.valid_until))
    return None


def asked_words(need: str) -> str:
    """What a category that has this need asks for, as one sentence."""
    return {
        "registration": _("Kategori ini meminta nomor P-IRT atau BPOM beserta suratnya."),
        "halal": _("Kategori ini meminta sertifikat halal, atau pernyataan tidak halal."),
        "cosmetic": _("Kategori ini meminta notifikasi kosmetik beserta suratnya."),
        "svlk": _("Kategori ini meminta dokumen SVLK beserta suratnya."),
    }[need]


def _has_sizes(category_id: int) -> bool:
    return bool(db.session.scalar(select(exists().where(SizeTable.category_id == category_id))))


def change_needs(category_id: int, wanted: Iterable[str], *, person_id: int) -> tuple[str, ...]:
    """Let a category ask for exactly `wanted`; what it lists already has 90 days for what is new. Never commits.

    Raises NotFound.
    """
    category = db.session.get(Category, category_id, with_for_update=True)
    if category is None:
        raise NotFound()
    before, after = set(needs_of(category_id)), {need for need in wanted if need in NEEDS}
    for need in sorted(after - before):
        db.session.execute(upsert(CategoryNeed).values(category_id=category_id, need=need).on_conflict_do_nothing())
    db.session.execute(
        delete(CategoryNeed).where(CategoryNeed.category_id == category_id, CategoryNeed.need.in_(before - after))
    )
    if before != after:
        record(
            "category.needs_changed",
            "category",
            category_id,
            person_id=person_id,
            details={"before": sorted(before), "after": sorted(after)},
        )
    return needs_of(category_id)
