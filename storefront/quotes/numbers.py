"""Numbers of papers: one after the other for each facility, kind and year, the same paper always the same."""

from __future__ import annotations

import datetime

from sqlalchemy import select

from storefront.days import accounting_day, today
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.quotes.models import PaperKind, Quote, QuotePaper

#: How a number names its kind: *penawaran, surat pesanan, tagihan, kuitansi, surat jalan, berita acara serah terima*.
SIGNS = {
    PaperKind.QUOTE: "PNW",
    PaperKind.ORDER_LETTER: "SP",
    PaperKind.INVOICE: "INV",
    PaperKind.RECEIPT: "KW",
    PaperKind.DELIVERY_NOTE: "SJ",
    PaperKind.HANDOVER: "BAST",
}


def number_paper(
    quote: Quote,
    kind: PaperKind,
    *,
    instalment_id: int | None = None,
    parcel_id: int | None = None,
    at: datetime.datetime | None = None,
) -> QuotePaper:
    """The paper of this kind about this thing, with its number; made when it is asked for first. Never commits.

    `at`: when, by default now. The caller has locked the quote, so that of two who ask at once the second finds what
    the first has made.
    """
    found: QuotePaper | None = db.session.scalar(
        select(QuotePaper).where(
            QuotePaper.quote_id == quote.id,
            QuotePaper.kind == kind.value,
            QuotePaper.instalment_id.is_not_distinct_from(instalment_id),
            QuotePaper.parcel_id.is_not_distinct_from(parcel_id),
        )
    )
    if found is not None:
        return found
    paper = QuotePaper(
        facility_id=quote.facility_id,
        kind=kind.value,
        year=(accounting_day(at) if at else today()).year,
        quote_id=quote.id,
        instalment_id=instalment_id,
        parcel_id=parcel_id,
        **({"issued_at": at} if at else {}),
    )
    db.session.add(paper)
    db.session.flush()
    db.session.refresh(paper)
    return paper


def written(paper: QuotePaper, facility: Facility) -> str:
    """`012/PNW/PKL/2026`, as it stands on the paper."""
    return f"{paper.number:03d}/{SIGNS[PaperKind(paper.kind)]}/{facility.code}/{paper.year}"
