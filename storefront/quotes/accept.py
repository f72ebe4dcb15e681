"""Accept or decline a quote. Accepted, it is an order with the quoted prices; accepted again, it is the same order."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from sqlalchemy import exists, func, select, text

from storefront.audit.record import record
from storefront.days import accounting_day, begins
from storefront.enquiries.models import Enquiry
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.orders.instalments import WHOLE, Part, parts_of
from storefront.orders.models import Channel, Order, OrderState
from storefront.orders.place import Address, Contact, ParcelShipping, PricedLine, place
from storefront.payments.models import Payment
from storefront.quotes import letters
from storefront.quotes.made import made_to_measure
from storefront.quotes.models import PaperKind, Quote, QuoteAcceptance, QuoteState
from storefront.quotes.numbers import number_paper
from storefront.shipping.destinations import find_province, unknown_province
from storefront.shipping.models import ShippingMethod

DAY = datetime.timedelta(days=1)
#: Days on the road where no rate tells them.
DAYS_UNKNOWN = (1, 14)
ROAD = text(
    """SELECT min(r.days_min), max(r.days_max) FROM shipping_rates r
         JOIN provinces a ON a.zone_id = r.origin_zone_id JOIN provinces b ON b.zone_id = r.destination_zone_id
        WHERE r.method_id = :method AND a.id = :from_province AND b.id = :to_province"""
)


class QuoteEnded(DomainError):
    """It was declined, has expired, or another one has taken its place."""

    code, status = "quote_ended", 409
    message = _("Penawaran ini tidak berlaku lagi. Balas di percakapan Anda, supaya lapasnya menawarkan yang baru.")


@dataclass(frozen=True)
class Accepted:
    """Who accepts, how to reach them, and where it goes (None: it is collected)."""

    name: str
    #: In the institution.
    position: str
    institution: str = ""
    email: str | None = None
    phone: str | None = None
    address: Address | None = None
    #: Keyed hash of the network that it came from.
    network: bytes | None = None


def accept(quote_id: int, by: Accepted, *, locale: str = "id", at: datetime.datetime | None = None) -> Order:
    """Make the order of a quote, in the caller's transaction; of one that was accepted, the order that came of it.

    Of two at once the second waits for the first and gets its order. The split rules in force now count. Raises
    QuoteEnded; Invalid by field; OutOfStock and ListingUnavailable where what was quoted cannot be sold now.
    """
    quote = db.session.get_one(Quote, quote_id, with_for_update=True, populate_existing=True)
    known = db.session.get(QuoteAcceptance, quote_id, populate_existing=True)
    if known is not None:
        return db.session.get_one(Order, known.order_id)
    moment = at or db.session.execute(select(func.now())).scalar_one()
    if not is_open(quote, moment):
        raise QuoteEnded()
    method = db.session.get_one(ShippingMethod, quote.method_id)
    facility = db.session.get_one(Facility, quote.facility_id)
    is_pickup = method.kind == "pickup"
    errors: dict[str, object] = {}
    for field, value in (("name", by.name), ("position", by.position)):
        if not 2 <= len(value) <= 120:
            errors[field] = _("Tulis antara 2 dan 120 huruf.")
    if len(by.institution) > 160:
        errors["institution"] = _("Paling panjang %(most)d huruf. Persingkat dulu.", most=160)
    if not by.email and not by.phone:
        errors["email"] = _("Tulis surel atau nomor telepon, supaya kabar pesanan sampai kepada Anda.")
    province = None if is_pickup or by.address is None else find_province(by.address.province)
    if not is_pickup and by.address is not None and province is None:
        errors["province"] = unknown_province(by.address.province)
    if errors:
        raise Invalid(errors)
    if not is_pickup and by.address is None:
        raise Invalid({"line1": _("Tulis alamat kirimnya.")})
    days = (0, 0) if is_pickup else _road(method.id, facility, province.id if province else 0)
    first_day = accounting_day(moment) + quote.first_days * DAY
    due = [_end_of(first_day), _end_of(first_day + quote.rest_days * DAY)]
    order = place(
        [
            PricedLine(
                line.variant_id or made_to_measure(quote, line),
                line.quantity,
                line.unit_price,
                made_in_days=line.lead_time_days,
                is_listed=line.variant_id is not None,
            )
            for line in quote.lines
        ],
        contact=Contact(by.name, by.email, by.phone, by.network),
        address=None if is_pickup else by.address,
        shipping={facility.id: ParcelShipping(method.id, is_pickup, quote.shipping_amount, *days)},
        channel=Channel.QUOTE,
        locale=locale,
        placed_at=at,
        expires_at=due[0],
        parts=lambda total: [Part(*part) for part in zip(parts_of(total, quote.deposit_bp), due, strict=False)],
    )
    quote.state, quote.ended_at = QuoteState.ACCEPTED.value, moment
    db.session.add(
        QuoteAcceptance(
            quote_id=quote.id, order_id=order.id, accepted_at=moment, name=by.name, position=by.position,
            institution=by.institution or None,
        )
    )  # fmt: skip
    db.session.flush()
    number_paper(quote, PaperKind.ORDER_LETTER, at=at)
    for part in order.instalments:
        number_paper(quote, PaperKind.INVOICE, instalment_id=part.id, at=at)
    letters.tell_facility(quote, "accepted")
    record("quote.accepted", "quote", quote.id, facility_id=quote.facility_id,
           details={"number": quote.number, "order": order.number, "total": quote.total})  # fmt: skip
    return order


def decline(quote_id: int, *, at: datetime.datetime | None = None) -> Quote:
    """The buyer does not want it. Declining again changes nothing. Never commits. Raises QuoteEnded."""
    quote = db.session.get_one(Quote, quote_id, with_for_update=True, populate_existing=True)
    if quote.state == QuoteState.DECLINED:
        return quote
    if quote.state != QuoteState.SENT:
        raise QuoteEnded()
    _end(quote, QuoteState.DECLINED, at)
    return quote


def expire_quotes(limit: int = 200, *, at: datetime.datetime | None = None) -> int:
    """End quotes whose last day has passed; how many. Never commits. Those somebody holds come the next time."""
    found = db.session.scalars(
        select(Quote)
        .where(Quote.state == QuoteState.SENT.value, Quote.valid_until < func.accounting_date(func.now()))
        .order_by(Quote.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for quote in found:
        _end(quote, QuoteState.EXPIRED, at)
    return len(found)


def tell_paid(limit: int = 200) -> int:
    """Tell facilities whose first instalment has come, once each: they begin to make it. Never commits."""
    rows = db.session.scalars(
        select(Quote)
        .join(QuoteAcceptance, QuoteAcceptance.quote_id == Quote.id)
        .join(Order, Order.id == QuoteAcceptance.order_id)
        .where(Order.state == OrderState.AWAITING_PAYMENT.value)
        .where(exists().where(Payment.order_id == Order.id, Payment.counts))
        .order_by(Quote.id.desc())
        .limit(limit)
    ).all()
    for quote in rows:
        letters.tell_facility(quote, "first_paid")
    return len(rows)


def is_open(quote: Quote, moment: datetime.datetime) -> bool:
    """Whether a quote can still be accepted, by the accounting day of `moment`."""
    return quote.state == QuoteState.SENT and accounting_day(moment) <= quote.valid_until


def deposit_of(quote: Quote) -> list[int]:
    """The rupiah of its instalments, one or two."""
    return parts_of(quote.total, quote.deposit_bp) if quote.total else []


def is_whole(quote: Quote) -> bool:
    """Whether it is paid all at once."""
    return quote.deposit_bp == WHOLE


def language_of(quote: Quote) -> str:
    """In which language the buyer reads it: that of their enquiry."""
    return db.session.get_one(Enquiry, quote.enquiry_id).locale


def _end(quote: Quote, state: QuoteState, at: datetime.datetime | None = None) -> None:
    quote.state, quote.ended_at = state.value, at or db.session.execute(select(func.now())).scalar_one()
    db.session.flush()
    letters.tell_facility(quote, state.value)
    record(f"quote.{state.value}", "quote", quote.id, facility_id=quote.facility_id, details={"number": quote.number})


def _road(method_id: int, facility: Facility, province_id: int) -> tuple[int, int]:
    values = {"method": method_id, "from_province": facility.province_id, "to_province": province_id}
    least, most = db.session.execute(ROAD, values).one()
    return DAYS_UNKNOWN if least is None else (least, most)


def _end_of(day: datetime.date) -> datetime.datetime:
    """The last moment of an accounting day."""
    return begins(day + DAY) - datetime.timedelta(seconds=1)
