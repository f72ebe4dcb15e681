"""Marketplaces and their files: added, kept, looked at, booked order by order by a job."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from storefront.audit.record import record
from storefront.days import today
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db, defer
from storefront.marketplaces import sheet
from storefront.marketplaces.book import NotBooked, book
from storefront.marketplaces.judge import Judged, judge
from storefront.marketplaces.models import Marketplace, MarketplaceFile, MarketplaceOrder

MOST_HEADING = 80


class FileMoved(DomainError):
    code, status = "marketplace_file_moved", 409
    message = _l("Berkas ini sudah dicatat, atau sedang dicatat. Lihat hasilnya di bawah.")


class NothingToBook(DomainError):
    code, status = "marketplace_nothing_new", 422
    message = _l("Tidak ada pesanan baru yang dapat dicatat dari berkas ini.")


def all_of_them() -> Sequence[Marketplace]:
    """All marketplaces, by name."""
    return db.session.scalars(select(Marketplace).order_by(Marketplace.name)).all()


def add(name: str, *, person_id: int) -> Marketplace:
    """A further marketplace; its code in the books follows from its name. Raises Invalid. Never commits."""
    name = " ".join(name.split())
    code = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")[:30].rstrip("_")
    if not 2 <= len(name) <= 60 or not re.fullmatch(r"[a-z][a-z0-9_]+", code):
        raise Invalid({"name": _("Tulis namanya, 2 sampai 60 huruf, diawali huruf.")})
    taken = (func.lower(Marketplace.name) == name.lower()) | (Marketplace.code == code)
    if db.session.scalar(select(Marketplace.id).where(taken)):
        raise Invalid({"name": _("Marketplace ini sudah ada.")})
    market = Marketplace(code=code, name=name, added_by=person_id)
    db.session.add(market)
    db.session.flush()
    record("marketplace.added", "marketplace", market.id, person_id=person_id, details={"name": name, "code": code})
    return market


def keep(
    marketplace_id: int,
    month: datetime.date,
    columns: Mapping[str, str],
    fee_of_order: bool,
    content: bytes,
    name: str,
    *,
    person_id: int,
) -> MarketplaceFile:
    """Read an uploaded file and keep its rows, and how its columns are called for the next time. Never commits.

    `month`: any day of it. Raises Invalid, BadListingFile, NotFound.
    """
    market = db.session.get(Marketplace, marketplace_id, with_for_update=True, populate_existing=True)
    if market is None:
        raise NotFound()
    errors = {}
    if month > today():
        errors["month"] = _("Bulan ini belum tiba.")
    if not content:
        errors["file"] = _("Pilih berkas penjualannya dulu.")
    known = {key: " ".join(columns.get(key, "").split())[:MOST_HEADING] for key in sheet.COLUMNS}
    if errors:
        raise Invalid(errors)
    known = {key: heading for key, heading in known.items() if heading}
    rows = sheet.read(content, name, known)
    market.columns, market.fee_of_order = known, fee_of_order
    file = MarketplaceFile(
        marketplace_id=market.id, month=month.replace(day=1), name=name[:200], rows=rows, fee_of_order=fee_of_order,
        uploaded_by=person_id,
    )  # fmt: skip
    db.session.add(file)
    db.session.flush()
    return file


def file_of(file_id: int, *, lock: bool = False) -> tuple[MarketplaceFile, Marketplace]:
    """A kept file and its marketplace. Raises NotFound."""
    file = db.session.get(MarketplaceFile, file_id, with_for_update=lock, populate_existing=lock)
    if file is None:
        raise NotFound()
    return file, db.session.get_one(Marketplace, file.marketplace_id)


def begin(file_id: int, *, person_id: int) -> MarketplaceFile:
    """Have the sound orders of a file booked by a job. Raises FileMoved, NothingToBook. Never commits."""
    file, market = file_of(file_id, lock=True)
    if file.state != "ready":
        raise FileMoved()
    new = judge(file).of("new")
    if not new:
        raise NothingToBook()
    file.state, file.booked_by = "booking", person_id
    db.session.flush()
    details = {"marketplace": market.code, "month": file.month.isoformat(), "orders": len(new)}
    record("marketplace.booking", "marketplace_file", file.id, person_id=person_id, details=details)
    defer("marketplaces.book_file", file_id=file.id)
    return file


def run(file_id: int) -> None:
    """Book what can be booked, each order in a transaction of its own. Run again, it goes on where it was. Commits."""
    file, market = file_of(file_id)
    if file.state != "booking" or file.booked_by is None:
        db.session.rollback()
        return
    person_id, refused = file.booked_by, dict[str, str]()
    verdict = judge(file)
    orders = [*verdict.of("new"), *verdict.of("wrong")]
    db.session.rollback()
    for sold in orders:
        if sentence := _tried(file_id, sold):
            refused[sold.number] = sentence
    file, market = file_of(file_id, lock=True)
    if file.state == "booking":
        file.state, file.done_at, file.refused = "done", func.now(), refused
        db.session.flush()
        count = db.session.scalar(
            select(func.count()).select_from(MarketplaceOrder).where(MarketplaceOrder.file_id == file_id)
        )
        details: dict[str, Any] = {"marketplace": market.code, "booked": count, "refused": len(refused)}
        record("marketplace.booked", "marketplace_file", file.id, person_id=person_id, details=details)
    db.session.commit()


def _tried(file_id: int, sold: Judged) -> str:
    """Book an order and commit; the sentence why it was not, else nothing."""
    if sold.faults:
        return " ".join(sold.faults)[:500]
    file, market = file_of(file_id)
    try:
        book(market, file, sold)
        db.session.commit()
    except NotBooked as refusal:
        db.session.rollback()
        return str(refusal.message)
    return ""
