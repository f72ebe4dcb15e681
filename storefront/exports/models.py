"""Papers that were issued."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import FetchedValue, ForeignKey, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from storefront.extensions import db


class SaleCertificate(db.Model):  # type: ignore[name-defined]
    """What a facility sold in a span of days, or in one order, as it was known when the paper was issued."""

    __tablename__ = "sale_certificates"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facilities.id"))
    year: Mapped[int] = mapped_column(Integer)
    #: 1, 2 … within facility and year.
    number: Mapped[int] = mapped_column(Integer)
    #: Who holds the paper can have it confirmed.
    code: Mapped[str]
    first_day: Mapped[datetime.date]
    last_day: Mapped[datetime.date]
    #: Of this sale alone.
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    lines: Mapped[int] = mapped_column(Integer)
    pieces: Mapped[int] = mapped_column(Integer)
    net_amount: Mapped[int]
    #: All its figures, so that it prints the same for ever.
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    issued_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    issued_at: Mapped[datetime.datetime] = mapped_column(server_default=FetchedValue())
    #: Of the form it came from: sent twice, it is issued once.
    request_key: Mapped[str]
