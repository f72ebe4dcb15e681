"""A facility's quotes, filtered and paged; one quote as both its sides read it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from storefront.enquiries.models import Enquiry
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.orders.instalments import PartView, schedule
from storefront.orders.models import Order
from storefront.pages import Paged
from storefront.quotes.accept import deposit_of, is_open
from storefront.quotes.models import Quote, QuoteAcceptance, QuoteLine, QuoteState, QuoteStep
from storefront.quotes.tokens import quote_link
from storefront.shipping.models import ShippingMethod

PAGE = 20
TOTALS = (
    select(QuoteLine.quote_id, func.sum(QuoteLine.unit_price * QuoteLine.quantity).label("total"))
    .group_by(QuoteLine.quote_id)
    .subquery()
)


@dataclass(frozen=True)
class QuoteRow:
    """A quote in its facility's list; `total` in rupiah."""

    id: int
    number: str | None
    state: str
    city: str
    total: int
    valid_until: datetime.date
    written_at: datetime.datetime


class QuotePage(Paged[QuoteRow]):
    size = PAGE


@dataclass(frozen=True)
class QuoteView:
    """A quote with all that its page says."""

    quote: Quote
    facility: Facility
    enquiry: Enquiry
    method: ShippingMethod
    steps: Sequence[QuoteStep]
    #: Rupiah of its instalments as offered; those of its order once there is one.
    amounts: Sequence[int]
    is_open: bool
    #: The one that came before, and the one that took its place (None while that is a draft).
    former: Quote | None
    later: Quote | None
    acceptance: QuoteAcceptance | None
    order: Order | None
    instalments: Sequence[PartView]

    @property
    def longest(self) -> int:
        """Days until the last of it is made; 0 when all lies in the store."""
        return max((line.lead_time_days or 0 for line in self.quote.lines), default=0)


def of_facility(facility_id: int, state: str, page: int = 1) -> QuotePage:
    """A page of the facility's quotes in a state (empty: all), the latest first."""
    total = func.coalesce(TOTALS.c.total, 0) + Quote.shipping_amount
    query = (
        select(
            Quote.id, Quote.number, Quote.state, Enquiry.city, total, Quote.valid_until, Quote.written_at,
            func.count().over(),
        )
        .join(Enquiry, Enquiry.id == Quote.enquiry_id)
        .outerjoin(TOTALS, TOTALS.c.quote_id == Quote.id)
        .where(Quote.facility_id == facility_id, *([Quote.state == state] if state else []))
        .order_by(Quote.id.desc())
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )  # fmt: skip
    rows = db.session.execute(query).all()
    return QuotePage([QuoteRow(*row[:-1]) for row in rows], rows[0][-1] if rows else 0, page)


def of_enquiry(enquiry_id: int) -> Sequence[Quote]:
    """All quotes of an enquiry, the latest first."""
    return db.session.scalars(select(Quote).where(Quote.enquiry_id == enquiry_id).order_by(Quote.id.desc())).all()


@dataclass(frozen=True)
class SentQuote:
    """A quote with the link that opens it for its buyer."""

    number: str
    state: str
    link: str


def sent_quotes(enquiry: Enquiry) -> list[SentQuote]:
    """The quotes that were sent for an enquiry, the latest first."""
    return [
        SentQuote(quote.number or "", quote.state, quote_link(quote, enquiry.locale))
        for quote in of_enquiry(enquiry.id)
        if quote.state != QuoteState.DRAFT
    ]


def quote_view(quote: Quote) -> QuoteView:
    """The quote with everything around it."""
    acceptance = db.session.get(QuoteAcceptance, quote.id)
    order = db.session.get(Order, acceptance.order_id) if acceptance else None
    later = db.session.scalar(select(Quote).where(Quote.former_id == quote.id, Quote.state != QuoteState.DRAFT.value))
    steps = db.session.scalars(select(QuoteStep).where(QuoteStep.quote_id == quote.id).order_by(QuoteStep.at)).all()
    parts = schedule(order.id) if order else []
    return QuoteView(
        quote,
        db.session.get_one(Facility, quote.facility_id),
        db.session.get_one(Enquiry, quote.enquiry_id),
        db.session.get_one(ShippingMethod, quote.method_id),
        steps,
        [part.amount for part in parts] or deposit_of(quote),
        is_open(quote, datetime.datetime.now(datetime.UTC)),
        db.session.get(Quote, quote.former_id) if quote.former_id else None,
        later,
        acceptance,
        order,
        parts,
    )
