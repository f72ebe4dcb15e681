"""Write a quote: begun from an enquiry, saved as often as one likes, sent once; revised by another in its place."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select

from storefront import content_rule
from storefront.audit.record import record
from storefront.catalogue.models import Category, Product, Variant
from storefront.days import today
from storefront.enquiries.models import Enquiry
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.quotes import letters
from storefront.quotes.models import PaperKind, Quote, QuoteLine, QuoteState
from storefront.quotes.numbers import number_paper
from storefront.shipping.models import ShippingMethod

MOST_LINES = 60
#: A quote stands at most so long.
LONGEST_DAYS = 180


class NotDraft(DomainError):
    """The quote was sent meanwhile."""

    code, status = "quote_sent", 409
    message = _("Penawaran ini sudah dikirim, jadi isinya tetap. Buat perubahan untuk menggantinya.")


class NothingOffered(DomainError):
    code, status = "quote_empty", 409
    message = _("Penawaran ini belum berisi apa-apa. Tambahkan setidaknya satu baris, lalu simpan.")


@dataclass(frozen=True)
class LineDraft:
    """A line as it was written: a listed work by its SKU, or something made to measure in words."""

    quantity: int
    #: Rupiah, of one piece.
    unit_price: int
    sku: str = ""
    #: Days until it is made; None: taken from the store.
    lead_time_days: int | None = None
    title: str = ""
    workshop_id: int | None = None
    category_id: int | None = None
    #: Rupiah, of one piece.
    material_cost: int | None = None
    weight_g: int | None = None


@dataclass(frozen=True)
class Draft:
    """A whole quote as it was written."""

    lines: Sequence[LineDraft]
    valid_until: datetime.date
    method_id: int
    deposit_bp: int = 5_000
    first_days: int = 7
    rest_days: int = 30
    #: Rupiah.
    shipping_amount: int = 0
    notes: str = ""


def latest_of(enquiry_id: int) -> Quote | None:
    """The youngest quote of an enquiry."""
    return db.session.scalars(
        select(Quote).where(Quote.enquiry_id == enquiry_id).order_by(Quote.id.desc()).limit(1)
    ).first()


def own_quote(facility_id: int, quote_id: int) -> Quote:
    """The facility's own quote. Raises NotFound for another's."""
    found = db.session.get(Quote, quote_id)
    if found is None or found.facility_id != facility_id:
        raise NotFound()
    return found


def skus_of(quote: Quote) -> dict[int, str]:
    """SKU of each listed line's variant, by the variant's id."""
    ids = [line.variant_id for line in quote.lines if line.variant_id]
    return {row.id: row.sku for row in db.session.execute(select(Variant.id, Variant.sku).where(Variant.id.in_(ids)))}


def begin(enquiry: Enquiry, person_id: int) -> Quote:
    """The quote that is being written for an enquiry: begun now, with what stood in the one before. Never commits.

    Raises NotDraft when what was offered last has been accepted.
    """
    db.session.get_one(Enquiry, enquiry.id, with_for_update=True, populate_existing=True)
    former = latest_of(enquiry.id)
    if former is not None and former.state == QuoteState.DRAFT:
        return former
    if former is not None and former.state == QuoteState.ACCEPTED:
        raise NotDraft(_("Penawaran untuk permintaan ini sudah disetujui. Lanjutkan di pesanannya."))
    quote = Quote(
        facility_id=enquiry.facility_id,
        enquiry_id=enquiry.id,
        written_by=person_id,
        valid_until=today() + datetime.timedelta(days=14),
        method_id=_first_method(),
    )
    if former is not None:
        quote.former_id = former.id
        for name in ("deposit_bp", "first_days", "rest_days", "method_id", "shipping_amount", "notes"):
            setattr(quote, name, getattr(former, name))
    db.session.add(quote)
    db.session.flush()
    if former is not None:
        for line in former.lines:
            names = (column.name for column in QuoteLine.__table__.columns if column.name != "quote_id")
            quote.lines.append(QuoteLine(**{name: getattr(line, name) for name in names}))
        db.session.flush()
    record("quote.begun", "quote", quote.id, person_id=person_id, facility_id=quote.facility_id,
           details={"enquiry": enquiry.id, "former": quote.former_id})  # fmt: skip
    return quote


def save(quote: Quote, draft: Draft, person_id: int) -> Quote:
    """Keep what was written. Never commits. Raises NotDraft; Invalid by field (`valid_until`, `line-1-price` …)."""
    quote = db.session.get_one(Quote, quote.id, with_for_update=True, populate_existing=True)
    if quote.state != QuoteState.DRAFT:
        raise NotDraft()
    errors: dict[str, object] = {}
    lines = [_line(quote.facility_id, position, line, errors) for position, line in enumerate(draft.lines, start=1)]
    if len(lines) > MOST_LINES:
        errors["lines"] = _("Paling banyak %(most)d baris dalam satu penawaran.", most=MOST_LINES)
    if not today() <= draft.valid_until <= today() + datetime.timedelta(days=LONGEST_DAYS):
        errors["valid_until"] = _("Pilih hari ini atau sesudahnya, paling lama %(days)d hari.", days=LONGEST_DAYS)
    for name, value, least, most in (
        ("deposit", draft.deposit_bp, 1, 10_000),
        ("first_days", draft.first_days, 1, 60),
        ("rest_days", draft.rest_days, 1, 365),
        ("shipping_amount", draft.shipping_amount, 0, 1_000_000_000),
    ):
        if not least <= value <= most:
            errors[name] = _("Angka ini di luar batasnya.")
    method = db.session.get(ShippingMethod, draft.method_id)
    if method is None or not method.is_active or method.kind == "stand":
        errors["method"] = _("Pilih cara kirimnya.")
    elif method.kind == "pickup" and draft.shipping_amount:
        errors["shipping_amount"] = _("Yang diambil sendiri tidak memakai ongkos kirim.")
    notes = content_rule.clean(draft.notes)
    if len(notes) > 2_000:
        errors["notes"] = _("Paling panjang %(most)d huruf. Persingkat dulu.", most=2_000)
    elif content_rule.reasons(notes):
        errors["notes"] = PLAIN_WORDS
    if errors:
        raise Invalid(errors)
    quote.deposit_bp, quote.first_days, quote.rest_days = draft.deposit_bp, draft.first_days, draft.rest_days
    quote.method_id, quote.shipping_amount = draft.method_id, draft.shipping_amount
    quote.valid_until, quote.notes = draft.valid_until, notes
    quote.lines.clear()
    db.session.flush()
    quote.lines.extend(line for line in lines if line is not None)
    db.session.flush()
    record("quote.saved", "quote", quote.id, person_id=person_id, facility_id=quote.facility_id,
           details={"lines": len(lines), "total": quote.total})  # fmt: skip
    return quote


PLAIN_WORDS = _("Tulis tanpa nama orang, nomor telepon, rekening, atau tautan: pembayaran hanya lewat halaman ini.")


def send(quote: Quote, person_id: int, *, at: datetime.datetime | None = None) -> Quote:
    """Give it its number and send it; what stood before is revised by it. Never commits.

    Raises NotDraft, NothingOffered, Invalid (`valid_until`) for a day that has passed.
    """
    db.session.get_one(Enquiry, quote.enquiry_id, with_for_update=True, populate_existing=True)
    quote = db.session.get_one(Quote, quote.id, with_for_update=True, populate_existing=True)
    if quote.state != QuoteState.DRAFT:
        raise NotDraft()
    if not quote.lines:
        raise NothingOffered()
    moment = at or db.session.execute(select(func.now())).scalar_one()
    if at is None and quote.valid_until < today():
        raise Invalid({"valid_until": _("Hari ini sudah lewat. Pilih hari yang akan datang.")})
    former = None
    if quote.former_id is not None:
        former = db.session.get_one(Quote, quote.former_id, with_for_update=True, populate_existing=True)
    if former is not None and former.state == QuoteState.ACCEPTED:
        raise NotDraft(_("Penawaran untuk permintaan ini sudah disetujui. Lanjutkan di pesanannya."))
    if former is not None and former.state == QuoteState.SENT:
        former.state, former.ended_at = QuoteState.REVISED.value, moment
        db.session.flush()
    facility = db.session.get_one(Facility, quote.facility_id)
    paper = number_paper(quote, PaperKind.QUOTE, at=at)
    quote.number = f"{facility.code}-{paper.year}-{paper.number}"
    quote.state, quote.sent_at = QuoteState.SENT.value, moment
    db.session.flush()
    letters.tell_buyer(quote, "quote_sent")
    record("quote.sent", "quote", quote.id, person_id=person_id, facility_id=quote.facility_id,
           details={"number": quote.number, "total": quote.total, "former": quote.former_id})  # fmt: skip
    return quote


def _first_method() -> int:
    return db.session.execute(
        select(ShippingMethod.id).where(ShippingMethod.is_active).order_by(ShippingMethod.kind, ShippingMethod.position)
    ).scalars().first() or 0


def _line(facility_id: int, position: int, line: LineDraft, errors: dict[str, object]) -> QuoteLine | None:
    def wrong(name: str, sentence: object) -> None:
        errors.setdefault(f"line-{position}-{name}", sentence)

    if not 1 <= line.quantity <= 10_000:
        wrong("quantity", _("Antara 1 dan 10.000 buah."))
    if not 1 <= line.unit_price <= 1_000_000_000:
        wrong("price", _("Tulis harga satu buah, mulai Rp 1."))
    if line.lead_time_days is not None and not 1 <= line.lead_time_days <= 365:
        wrong("lead", _("Antara 1 dan 365 hari."))
    own = QuoteLine(
        position=position, quantity=line.quantity, unit_price=line.unit_price, lead_time_days=line.lead_time_days
    )
    if line.sku.strip():
        row = db.session.execute(
            select(Variant, Product)
            .join(Product, Product.id == Variant.product_id)
            .where(
                Variant.sku == line.sku.strip().upper(), Product.facility_id == facility_id,
                Variant.is_active, Product.status == "published",
            )
        ).one_or_none()  # fmt: skip
        if row is None:
            wrong("sku", _("Tidak ada karya tayang dengan SKU ini di lapas Anda."))
            return None
        variant, product = row
        if variant.made_to_order and line.lead_time_days is None:
            wrong("lead", _("Karya ini dibuat setelah dipesan. Tulis berapa hari pembuatannya."))
        own.variant_id, own.workshop_id = variant.id, product.workshop_id
        own.title = f"{product.title}, {variant.title}"[:140] if variant.title else product.title
        return own
    title = content_rule.clean(line.title)
    if not 3 <= len(title) <= 140:
        wrong("title", _("Tulis apa yang dibuat, antara 3 dan 140 huruf."))
    elif content_rule.reasons(title):
        wrong("title", PLAIN_WORDS)
    workshop = db.session.get(Workshop, line.workshop_id) if line.workshop_id else None
    if workshop is None or workshop.facility_id != facility_id:
        wrong("workshop", _("Pilih bengkel yang membuatnya."))
    if line.category_id is None or db.session.get(Category, line.category_id) is None:
        wrong("category", _("Pilih kategorinya."))
    if line.material_cost is None or not 0 <= line.material_cost <= 1_000_000_000:
        wrong("material", _("Tulis biaya bahan untuk satu buah; 0 bila tidak ada."))
    if line.weight_g is None or not 1 <= line.weight_g <= 1_000_000:
        wrong("weight", _("Tulis berat satu buah dalam gram."))
    if line.lead_time_days is None:
        wrong("lead", _("Tulis berapa hari pembuatannya."))
    own.title, own.workshop_id, own.category_id = title, line.workshop_id or 0, line.category_id
    own.material_cost, own.weight_g = line.material_cost, line.weight_g
    return own
