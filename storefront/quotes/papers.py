"""Which papers a quote has, which can be issued now, and the issuing: each gets its number once."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from storefront.audit.record import record
from storefront.errors import DomainError
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.orders.instalments import schedule
from storefront.orders.models import Parcel, ParcelState
from storefront.quotes.models import PaperKind, Quote, QuoteAcceptance, QuotePaper, QuoteState
from storefront.quotes.numbers import number_paper, written

#: States in which a parcel has left its facility.
LEFT = (ParcelState.SHIPPED.value, ParcelState.READY.value, ParcelState.RECEIVED.value, ParcelState.RETURNED.value)


class PaperNotDue(DomainError):
    """What the paper is to say has not happened yet."""

    code, status = "paper_not_due", 409
    message = _("Surat ini belum dapat diterbitkan: yang ditulisnya belum terjadi. Muat ulang halaman ini.")


@dataclass(frozen=True)
class PaperView:
    """A paper that is there, or (without a number) may be issued now."""

    kind: PaperKind
    #: 1, 2 … of its instalment or parcel; 0: of the whole.
    part: int = 0
    #: `012/PNW/PKL/2026`; empty: not issued yet.
    number: str = ""
    issued_at: datetime.datetime | None = None
    instalment_id: int | None = None
    parcel_id: int | None = None

    @property
    def key(self) -> str:
        """How addresses name it: `invoice-1`."""
        return f"{self.kind.value}-{self.part}"


def papers_of(quote: Quote) -> list[PaperView]:
    """All papers of a quote: those issued, and those that may be now."""
    facility = db.session.get_one(Facility, quote.facility_id)
    issued = {
        (paper.kind, paper.instalment_id, paper.parcel_id): paper
        for paper in db.session.scalars(select(QuotePaper).where(QuotePaper.quote_id == quote.id))
    }
    found = []
    for kind, part, instalment_id, parcel_id in _due(quote):
        paper = issued.get((kind.value, instalment_id, parcel_id))
        number, at = (written(paper, facility), paper.issued_at) if paper else ("", None)
        found.append(PaperView(kind, part, number, at, instalment_id, parcel_id))
    return found


def issue(quote_id: int, key: str, person_id: int | None) -> PaperView:
    """Give a paper its number; one that has it keeps it. Never commits. Raises PaperNotDue."""
    quote = db.session.get_one(Quote, quote_id, with_for_update=True, populate_existing=True)
    wanted = next((paper for paper in papers_of(quote) if paper.key == key), None)
    if wanted is None:
        raise PaperNotDue()
    if wanted.number:
        return wanted
    number_paper(quote, wanted.kind, instalment_id=wanted.instalment_id, parcel_id=wanted.parcel_id)
    made = next(paper for paper in papers_of(quote) if paper.key == key)
    record("quote.paper_issued", "quote", quote.id, person_id=person_id, facility_id=quote.facility_id,
           details={"paper": key, "number": made.number})  # fmt: skip
    return made


def _due(quote: Quote) -> list[tuple[PaperKind, int, int | None, int | None]]:
    """Kind, part, instalment and parcel of what can be said by now."""
    if quote.state == QuoteState.DRAFT:
        return []
    due: list[tuple[PaperKind, int, int | None, int | None]] = [(PaperKind.QUOTE, 0, None, None)]
    accepted = db.session.get(QuoteAcceptance, quote.id)
    if accepted is None:
        return due
    due.append((PaperKind.ORDER_LETTER, 0, None, None))
    parts = schedule(accepted.order_id)
    due += [(PaperKind.INVOICE, part.position, part.id, None) for part in parts]
    due += [(PaperKind.RECEIPT, part.position, part.id, None) for part in parts if part.paid_at]
    parcels = db.session.scalars(
        select(Parcel)
        .where(Parcel.order_id == accepted.order_id, Parcel.merged_at.is_(None), Parcel.state.in_(LEFT))
        .order_by(Parcel.position)
    ).all()
    due += [(PaperKind.DELIVERY_NOTE, parcel.position, None, parcel.id) for parcel in parcels]
    due += [
        (PaperKind.HANDOVER, parcel.position, None, parcel.id)
        for parcel in parcels
        if parcel.state == ParcelState.RECEIVED
    ]
    return due
