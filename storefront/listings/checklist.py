"""What is still missing before a listing may be public, what a curator must look at, and what only helps."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import gettext as _
from sqlalchemy import Boolean, func, select

from storefront import content_rule
from storefront.catalogue.models import Product, ProductStatus, Variant
from storefront.days import today
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.listings.check import check
from storefront.listings.listing import Listing
from storefront.listings.models import DraftPhoto, ListingDraft
from storefront.listings.needs import missing
from storefront.money import format_rupiah

#: A price so many times the category's median, or below that part of it, is worth a second look.
FAR = 4
#: Fewer prices than these say nothing.
FEWEST = 5
#: Heavier than this, in grams, hardly any courier takes it.
HEAVY = 50_000


class Level(StrEnum):
    """`MUST` keeps it from being asked for; `LOOK` is for the curator's eyes; `HINT` only helps."""

    MUST = "must"
    LOOK = "look"
    HINT = "hint"


@dataclass(frozen=True)
class Item:
    """One line of the list. `field` is the path in `typed`; empty where it concerns none."""

    level: Level
    is_done: bool
    title: str
    #: What to do, or what was found; empty where all is well.
    sentence: str = ""
    field: str = ""


@dataclass(frozen=True)
class Checklist:
    items: tuple[Item, ...]
    #: What was typed, read; None while something that it needs is missing.
    listing: Listing | None

    @property
    def is_ready(self) -> bool:
        """Whether a curator may be asked."""
        return all(item.is_done for item in self.items if item.level is Level.MUST)

    @property
    def errors(self) -> dict[str, str]:
        """The sentence for each field that keeps it back."""
        return {
            item.field: item.sentence for item in self.items if item.level is Level.MUST and not item.is_done
        }


def checklist(draft: ListingDraft, on_day: datetime.date | None = None) -> Checklist:
    """The list for a draft as it stands; `on_day`: when it shall be public, by default today."""
    day, photos = on_day or today(), draft.photos
    errors: dict[str, str] = {}
    listing = None
    try:
        listing = check(draft.content, photos, facility_id=draft.facility_id, product_id=draft.product_id)
    except Invalid as refusal:
        errors = {name: str(sentence) for name, sentence in refusal.errors.items()}
    lacks = missing(listing, day) if listing else {}
    of_photos = {name: said for name, said in errors.items() if name.startswith("photos")}
    others = {name: said for name, said in errors.items() if name not in of_photos}
    items = [
        *_must(_("Foto dengan keterangan"), of_photos),
        *_must(_("Isian lengkap"), others),
        *(_must(_("Yang diminta kategorinya"), lacks) if listing else ()),
        *_faces(photos),
        _words(draft),
    ]
    if listing is not None:
        items += [_declared(listing, day), *_price(listing), *_weight(listing), _english(listing)]
    return Checklist(tuple(items), listing)


def _must(title: str, errors: dict[str, str]) -> list[Item]:
    if not errors:
        return [Item(Level.MUST, True, title)]
    return [Item(Level.MUST, False, title, sentence, name) for name, sentence in errors.items()]


def _faces(photos: Sequence[DraftPhoto]) -> list[Item]:
    marked = [
        Item(
            Level.LOOK,
            False,
            _("Tidak ada wajah"),
            _("Foto %(number)d mungkin memperlihatkan orang. Ganti fotonya, atau kurator yang melihat.", number=number),
            f"photos.{number - 1}",
        )
        for number, photo in enumerate(photos, start=1)
        if photo.faces
    ]
    return marked or [Item(Level.LOOK, True, _("Tidak ada wajah"))]


def texts_of(draft: ListingDraft) -> dict[str, str]:
    """Every text of a draft that the public would read, by field."""
    content = draft.content
    found = {name: content[name] for name in ("title", "title_en", "description", "description_en")}
    found |= {f"photos.{number}.alt": f"{photo.alt}\n{photo.alt_en}" for number, photo in enumerate(draft.photos)}
    for number, fact in enumerate(content["facts"]):
        found[f"facts.{number}.value"] = "\n".join(fact[name] for name in ("label", "label_en", "value", "value_en"))
    if content["food"]:
        names = ("composition", "composition_en", "storage", "storage_en", "allergens", "allergens_en")
        found["food.composition"] = "\n".join(content["food"][name] for name in names)
    if content["sizes"]:
        found["sizes"] = "\n".join(content["sizes"][name] for name in ("title", "title_en", "note", "note_en"))
    for number, variant in enumerate(content["variants"]):
        found[f"variants.{number}.options"] = "\n".join([*variant["options"], *variant["options_en"]])
    return found


def matches(draft: ListingDraft) -> dict[str, list[str]]:
    """What the content rule found, by field."""
    found = {name: [match.text for match in content_rule.find(said)] for name, said in texts_of(draft).items()}
    return {name: texts for name, texts in found.items() if texts}


def _words(draft: ListingDraft) -> Item:
    found = matches(draft)
    if not found:
        return Item(Level.LOOK, True, _("Tulisan aman"))
    name, said = next(iter(found.items()))
    sentence = _("Kurator akan melihat: “%(text)s”. Jangan menulis nama, nomor, atau tautan.", text=said[0][:80])
    return Item(Level.LOOK, False, _("Tulisan aman"), sentence, name)


def may_sell_on(workshop_id: int, day: datetime.date) -> bool:
    """Whether a workshop may sell on a day: its declaration is in force then."""
    return bool(db.session.scalar(select(func.workshop_may_sell(workshop_id, day, type_=Boolean))))


def _declared(listing: Listing, day: datetime.date) -> Item:
    title = _("Pernyataan kerja layak bengkel")
    if may_sell_on(listing.workshop_id, day):
        return Item(Level.LOOK, True, title)
    sentence = _("Belum berlaku. Usulkan dulu: tanpa itu karyanya belum dapat tayang.")
    return Item(Level.LOOK, False, title, sentence, "workshop")


def _price(listing: Listing) -> list[Item]:
    title = _("Harga wajar")
    number, median = db.session.execute(
        select(func.count(), func.percentile_disc(0.5).within_group(Variant.price))
        .join(Product, Product.id == Variant.product_id)
        .where(
            Product.category_id == listing.category_id,
            Product.status == ProductStatus.PUBLISHED.value,
            Variant.is_active,
        )
    ).one()
    if number < FEWEST:
        return []
    for place, variant in enumerate(listing.variants):
        if variant.is_active and not median <= variant.price * FAR <= median * FAR * FAR:
            said = _(
                "%(price)s jauh dari harga biasa di kategori ini (%(median)s). Periksa angka nolnya.",
                price=format_rupiah(variant.price),
                median=format_rupiah(median),
            )
            return [Item(Level.HINT, False, title, said, f"variants.{place}.price")]
    return [Item(Level.HINT, True, title)]


def _weight(listing: Listing) -> list[Item]:
    title = _("Berat wajar")
    for place, variant in enumerate(listing.variants):
        if variant.is_active and variant.weight_g > HEAVY and listing.delivery_scope != "pickup":
            said = _("Lebih dari 50 kg sulit dikirim. Periksa angkanya, dalam gram.")
            return [Item(Level.HINT, False, title, said, f"variants.{place}.weight")]
    return [Item(Level.HINT, True, title)]


def _english(listing: Listing) -> Item:
    title = _("Bahasa Inggris")
    if listing.title_en and (listing.description_en or not listing.description):
        return Item(Level.HINT, True, title)
    name = "description_en" if listing.title_en else "title_en"
    said = _("Tanpa terjemahan, pembaca Inggris melihat bahasa Indonesia.")
    return Item(Level.HINT, False, title, said, name)


def waits_for(draft: ListingDraft, *, is_public: bool) -> list[str]:
    """Why a curator must look at a draft."""
    ready = [photo for photo in draft.photos if photo.original_key is not None]
    found = ["proposal" if is_public else "new"]
    found += ["faces"] if any(photo.faces for photo in draft.photos) else []
    found += ["unseen"] if any(photo.faces is None for photo in ready) else []
    found += ["words"] if matches(draft) else []
    return found


#: Roots of fields that a reason may stand beside.
FIELD = re.compile(
    r"(title|title_en|description|description_en|workshop|category|group|scope"
    r"|variants|photos|facts|food|papers|sizes)(\.[a-z0-9_]{1,30}){0,2}"
)
