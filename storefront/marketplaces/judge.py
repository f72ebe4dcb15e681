"""The dry run: what each order of a file would book, and why one cannot be booked. Asks, and changes nothing."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _
from sqlalchemy import Boolean, func, select

from storefront.bank.dates import NotADay, read_day
from storefront.catalogue.models import Product, ProductStatus, Variant
from storefront.days import today
from storefront.display import format_month
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger.closed import is_closed
from storefront.marketplaces.models import MarketplaceFile, MarketplaceOrder
from storefront.orders.models import Order
from storefront.stock.levels import available
from storefront.written import whole_number

#: Beyond these a number is a slip of the keyboard.
MOST_PIECES, MOST_PRICE = 10_000, 1_000_000_000


@dataclass
class Line:
    """A row that could be read."""

    row: int
    sku: str
    title: str
    variant_id: int
    facility_id: int
    quantity: int
    #: Of one piece, as it was sold there.
    unit_price: int


@dataclass
class Judged:
    """An order of the file: `new`, `known` (booked before) or `wrong`."""

    number: str
    rows: list[int] = field(default_factory=list)
    sold_on: datetime.date | None = None
    lines: list[Line] = field(default_factory=list)
    #: Of each row that names one, in whole rupiah.
    fees: list[int] = field(default_factory=list)
    fee: int = 0
    faults: list[str] = field(default_factory=list)
    #: Number of the order here, when it is known.
    order_number: str = ""

    @property
    def verdict(self) -> str:
        return "known" if self.order_number else "wrong" if self.faults else "new"

    @property
    def total(self) -> int:
        return sum(line.quantity * line.unit_price for line in self.lines)


@dataclass(frozen=True)
class Verdict:
    """All orders of a file, the faulty ones first."""

    orders: Sequence[Judged]
    #: Whether the month is closed, so that its sales count now.
    is_late: bool

    def of(self, verdict: str) -> list[Judged]:
        return [order for order in self.orders if order.verdict == verdict]


@dataclass(frozen=True)
class _Piece:
    id: int
    title: str
    facility_id: int
    made_to_order: bool
    is_sold: bool


def judge(file: MarketplaceFile) -> Verdict:
    """The orders of a file against what is booked and what is on the shelf now."""
    orders: dict[str, Judged] = {}
    pieces = _pieces({row[3].upper() for row in file.rows})
    for number, *cells in file.rows:
        name = cells[0].upper()[:60]
        order = orders.setdefault(name or f"? {number}", Judged(name or f"? {number}"))
        order.rows.append(number)
        if not name:
            order.faults.append(_("Baris %(row)d: nomor pesanannya kosong.", row=number))
        _read(order, number, cells, pieces, file.month)
    for order in orders.values():
        _add_up(order, file.fee_of_order)
    _mark_known(file.marketplace_id, orders)
    _count_stock(orders, pieces)
    rank = {"wrong": 0, "new": 1, "known": 2}
    found = sorted(orders.values(), key=lambda order: (rank[order.verdict], order.rows[0]))
    return Verdict(found, is_closed(file.month))


def _read(
    order: Judged, number: int, cells: Sequence[str], pieces: Mapping[str, _Piece], month: datetime.date
) -> None:
    _name, day, sku, quantity, price, fee = cells
    faults: list[str] = []
    sold_on = _day(day, month, faults)
    if sold_on and order.sold_on and sold_on != order.sold_on:
        faults.append(_("tanggalnya lain daripada baris lain pesanan ini"))
    order.sold_on = order.sold_on or sold_on
    piece = pieces.get(sku.upper())
    if piece is None:
        faults.append(_("SKU %(sku)s tidak ada di toko", sku=sku or "–"))
    elif not piece.is_sold:
        faults.append(_("%(sku)s tidak dijual: belum terbit, diarsipkan, atau UPT-nya berhenti", sku=sku))
    wanted = whole_number(quantity)
    if not wanted or wanted > MOST_PIECES:
        faults.append(_("jumlah “%(text)s” tidak terbaca sebagai bilangan bulat mulai dari 1", text=quantity[:40]))
    amount = whole_number(price)
    if not amount or amount > MOST_PRICE:
        faults.append(_("harga “%(text)s” tidak terbaca sebagai rupiah bulat", text=price[:40]))
    kept = whole_number(fee.lstrip("-−")) if fee else None
    if fee and kept is None:
        faults.append(_("biaya “%(text)s” tidak terbaca sebagai rupiah bulat", text=fee[:40]))
    if kept is not None:
        order.fees.append(kept)
    order.faults += [_("Baris %(row)d: %(fault)s.", row=number, fault=fault) for fault in faults]
    if piece and wanted and amount:
        order.lines.append(Line(number, sku.upper(), piece.title, piece.id, piece.facility_id, wanted, amount))


def _day(text: str, month: datetime.date, faults: list[str]) -> datetime.date | None:
    try:
        found = read_day(text, latest=today())
    except NotADay:
        faults.append(_("tanggal “%(text)s” tidak terbaca", text=text[:40]))
        return None
    if found > today():
        faults.append(_("tanggal %(day)s belum tiba", day=found.isoformat()))
    elif found.replace(day=1) != month:
        faults.append(
            _("tanggal %(day)s di luar %(month)s yang dipilih", day=found.isoformat(), month=format_month(month))
        )
    return found


def _add_up(order: Judged, fee_of_order: bool) -> None:
    if fee_of_order and len(set(order.fees)) > 1:
        order.faults.append(_("Biayanya berbeda antarbaris, padahal ditulis untuk seluruh pesanan."))
    order.fee = max(order.fees, default=0) if fee_of_order else sum(order.fees)
    if order.lines and order.fee > order.total:
        order.faults.append(_("Biayanya lebih besar daripada jumlah pesanan."))


def _mark_known(marketplace_id: int, orders: Mapping[str, Judged]) -> None:
    rows = db.session.execute(
        select(MarketplaceOrder.number, Order.number)
        .join(Order, Order.id == MarketplaceOrder.order_id)
        .where(MarketplaceOrder.marketplace_id == marketplace_id, MarketplaceOrder.number.in_(list(orders)))
    )
    for number, ours in rows:
        orders[number].order_number = ours


def _count_stock(orders: Mapping[str, Judged], pieces: Mapping[str, _Piece]) -> None:
    """Orders take what is left in the file's own order: whoever comes too late is named."""
    on_shelf = [piece.id for piece in pieces.values() if not piece.made_to_order]
    left = available(on_shelf)
    for order in orders.values():
        if order.order_number:
            continue
        wanted: dict[int, int] = {}
        for line in order.lines:
            wanted[line.variant_id] = wanted.get(line.variant_id, 0) + line.quantity
        short = {id_: count for id_, count in wanted.items() if id_ in left and left[id_] < count}
        order.faults += [
            _("Baris %(row)d: stok %(sku)s tinggal %(left)d, terjual %(wanted)d.", row=line.row, sku=line.sku,
              left=max(0, left[line.variant_id]), wanted=short[line.variant_id])
            for line in order.lines if line.variant_id in short
        ]  # fmt: skip
        if not order.faults:
            for id_, count in wanted.items():
                if id_ in left:
                    left[id_] -= count


def _pieces(skus: set[str]) -> dict[str, _Piece]:
    may_sell = func.product_may_sell(Product.id, today(), type_=Boolean)
    rows = db.session.execute(
        select(Variant.sku, Variant.id, Product.title, Product.facility_id, Variant.made_to_order, Variant.is_active,
               Product.status, Facility.status, may_sell)
        .join(Product, Product.id == Variant.product_id)
        .join(Facility, Facility.id == Product.facility_id)
        .where(func.upper(Variant.sku).in_(skus))
    )  # fmt: skip
    found = {}
    for sku, id_, title, facility_id, made, active, status, its, may in rows:
        is_sold = bool(active and status == ProductStatus.PUBLISHED and its == "active" and may)
        found[sku.upper()] = _Piece(id_, title, facility_id, made, is_sold)
    return found
