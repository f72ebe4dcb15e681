"""Files of payments for the bank: made once from what two people agreed on, taken to the bank, or discarded.

The bytes are not kept, for shoppers' accounts would live on in them: they are written again from the lines, by the
shape and names of their moment, and handed out only if their hash is that of the file which was made.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text

from storefront import days
from storefront.audit.record import record
from storefront.bank import payment_shapes, returns
from storefront.bank.models import BankReturn
from storefront.bank.payment_models import PaymentFile, PaymentFileLine, PaymentFileShape
from storefront.bank.payment_shape import Payment, Shape, write
from storefront.books import bank_accounts, settle
from storefront.books.four_eyes import Decided, moment
from storefront.books.models import BankAccount
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.orders.models import Order

#: Days ahead that the bank may be asked to pay.
AHEAD = 31
SHORTEST_REASON = 10

#: What a file pays, in the order of its lines. A facility is called as it was when the file was made.
PAYMENTS = text(
    """
    SELECT COALESCE(b.number, r.number) AS account, COALESCE(b.holder, r.holder) AS holder,
           COALESCE(b.bank, r.bank) AS bank, l.amount, l.settlement_id, l.return_id, o.number AS order_number,
           f.code AS facility_code, f.name AS facility_name, COALESCE(u.code, 'shipping') AS fund
      FROM unnest(CAST(:settlements AS bigint[]), CAST(:returns AS bigint[]), CAST(:amounts AS bigint[]))
           WITH ORDINALITY AS l (settlement_id, return_id, amount, position)
      LEFT JOIN settlements s ON s.id = l.settlement_id
      LEFT JOIN bank_accounts b ON b.id = s.bank_account_id
      LEFT JOIN facilities_at(:at) f ON f.id = s.facility_id
      LEFT JOIN funds u ON u.id = s.fund_id
      LEFT JOIN bank_returns x ON x.id = l.return_id
      LEFT JOIN return_accounts r ON r.return_id = x.id
      LEFT JOIN orders o ON o.id = x.order_id
     ORDER BY l.position"""
)
NOTES = {"premium": "PREMI", "working_capital": "MODAL KERJA", "shipping": "ONGKOS KIRIM"}


class InAnotherFile(DomainError):
    """A payment is in a living file already: the bank would pay it twice."""

    code, status = "in_another_file", 409


class AccountGone(DomainError):
    """A shopper's account was paid, changed or deleted since: the file cannot be written again."""

    code, status = "payment_file_changed", 409
    message = _l(
        "Isi berkas ini tidak dapat ditulis lagi persis seperti saat dibuat: rekening pembeli sudah dihapus atau "
        "diganti. Bila belum dibawa ke bank, batalkan lalu buat yang baru."
    )


def make(
    settlement_ids: Sequence[int], return_ids: Sequence[int], *, pay_on: datetime.date, person_id: int
) -> PaymentFile:
    """Make a file of these approved payments, all of them or none; nothing is booked by it.

    Raises Invalid by field (`pick`, `pay_on`), NoShape, NoBankAccount, InAnotherFile, Decided, NotFound.
    """
    if not settlement_ids and not return_ids:
        raise Invalid({"pick": _("Pilih setidaknya satu pembayaran.")})
    if not days.today() <= pay_on <= days.today() + datetime.timedelta(days=AHEAD):
        raise Invalid({"pay_on": _("Pilih hari ini sampai %(most)s hari lagi.", most=AHEAD)})
    shape = payment_shapes.in_force()
    own = bank_accounts.in_force(None, pay_on)
    lines = [*_settlements(settlement_ids, pay_on), *_returns(return_ids)]
    _refuse_twice(lines)
    made_at = moment(None)
    for position, line in enumerate(lines, start=1):
        line.position = position
    content = write(Shape.of(shape.shape), _payments(lines, made_at), own_account=own.number, pay_on=pay_on)
    file = PaymentFile(
        shape_id=shape.id,
        bank_account_id=own.id,
        pay_on=pay_on,
        payments=len(lines),
        amount=sum(line.amount for line in lines),
        content_hash=hashlib.sha256(content).digest(),
        made_by=person_id,
        made_at=made_at,
    )
    db.session.add(file)
    db.session.flush()
    for line in lines:
        line.file_id = file.id
    db.session.add_all(lines)
    db.session.flush()
    _record(file, "made", person_id, hash=file.content_hash.hex(), pay_on=pay_on.isoformat())
    return file


def content(file: PaymentFile) -> bytes:
    """The bytes of the file that was made. Raises AccountGone when they cannot be written again."""
    shape = db.session.get_one(PaymentFileShape, file.shape_id)
    own = db.session.get_one(BankAccount, file.bank_account_id)
    lines = lines_of(file.id)
    found = write(
        Shape.of(shape.shape), _payments(lines, file.made_at), own_account=own.number, pay_on=file.pay_on
    )
    if hashlib.sha256(found).digest() != file.content_hash:
        raise AccountGone()
    return found


def lines_of(file_id: int) -> Sequence[PaymentFileLine]:
    """What a file pays, in its order."""
    query = select(PaymentFileLine).where(PaymentFileLine.file_id == file_id)
    return db.session.scalars(query.order_by(PaymentFileLine.position)).all()


def take(file_id: int, person_id: int) -> PaymentFile:
    """It was brought to the bank. Raises Decided, NotFound."""
    file = _locked(file_id, "made")
    file.state, file.taken_by, file.taken_at = "taken", person_id, moment(None)
    db.session.flush()
    _record(file, "taken", person_id)
    return file


def discard(file_id: int, reason: str, person_id: int) -> PaymentFile:
    """It is not used, or the bank has refused it: what it did not pay may go into another. Raises Invalid, Decided."""
    if not SHORTEST_REASON <= len(reason) <= 500:
        raise Invalid({"reason": _("Tulis alasannya, 10 sampai 500 huruf.")})
    file = _locked(file_id, "made", "taken")
    at = moment(None)
    file.state, file.discard_reason, file.discarded_by, file.discarded_at = "discarded", reason, person_id, at
    db.session.flush()
    _record(file, "discarded", person_id, reason=reason)
    return file


def _locked(file_id: int, *states: str) -> PaymentFile:
    file = db.session.get(PaymentFile, file_id, with_for_update=True, populate_existing=True)
    if file is None:
        raise NotFound()
    if file.state not in states:
        raise Decided()
    return file


def _settlements(ids: Sequence[int], pay_on: datetime.date) -> list[PaymentFileLine]:
    if not ids:
        return []
    found = settle.locked(ids, "approved")
    for one in found:
        if one.goes_by_transfer:
            raise Decided()
        settle.require_account(one, pay_on)
    return [PaymentFileLine(settlement_id=one.id, amount=one.amount) for one in found]


def _returns(ids: Sequence[int]) -> list[PaymentFileLine]:
    if not ids:
        return []
    wanted = sorted(set(ids))
    orders = select(BankReturn.order_id).where(BankReturn.id.in_(wanted))
    # Orders first and in one order, as whoever changes a return locks them.
    db.session.scalars(select(Order.id).where(Order.id.in_(orders)).order_by(Order.id).with_for_update()).all()
    found = [returns.locked(one) for one in wanted]
    if any(one.state != "approved" for one in found):
        raise Decided()
    return [PaymentFileLine(return_id=one.id, amount=one.amount) for one in found]


def _refuse_twice(lines: Sequence[PaymentFileLine]) -> None:
    """None of these is in a living file; their rows are locked, and a unique index stands behind this."""
    found = db.session.scalars(
        select(PaymentFileLine.file_id)
        .where(
            PaymentFileLine.is_living,
            PaymentFileLine.settlement_id.in_([one.settlement_id for one in lines if one.settlement_id])
            | PaymentFileLine.return_id.in_([one.return_id for one in lines if one.return_id]),
        )
        .limit(1)
    ).first()
    if found is not None:
        raise InAnotherFile(
            _("Sebagian sudah ada di berkas pembayaran %(number)d. Muat ulang halaman, lalu pilih lagi.", number=found)
        )


def _payments(lines: Sequence[PaymentFileLine], at: datetime.datetime) -> list[Payment]:
    rows = db.session.execute(
        PAYMENTS,
        {
            "settlements": [line.settlement_id for line in lines],
            "returns": [line.return_id for line in lines],
            "amounts": [line.amount for line in lines],
            "at": at,
        },
    ).mappings()
    return [_payment(row) for row in rows]


def _payment(row: Any) -> Payment:
    if row["settlement_id"] is not None:
        note = f"{NOTES.get(row['fund'], row['fund'].upper())} {row['facility_code']}"
        reference = f"PS{row['settlement_id']}"
    else:
        note, reference = f"PENGEMBALIAN {row['order_number']}", f"PB{row['return_id']}"
    return Payment(
        row["account"] or "",
        row["holder"] or "",
        row["bank"] or "",
        row["amount"],
        note,
        reference,
        row["facility_code"] or "",
        row["facility_name"] or "",
    )


def _record(file: PaymentFile, what: str, person_id: int, **more: str) -> None:
    details = {"payments": file.payments, "amount": file.amount, "state": file.state, **more}
    record(f"payment_file.{what}", "payment_file", file.id, person_id=person_id, details=details)
