"""Files of payments as finance's pages list them, and what is approved and in none of them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storefront.bank.payment_models import PaymentFileShape
from storefront.books.bank_accounts import mask
from storefront.extensions import db
from storefront.keyset import FIRST, Keyed, Order, Paged, Turn
from storefront.languages import locale

FILE_STATES = ("made", "taken", "discarded")

FILE_ROWS = """
    SELECT f.id, f.state, f.pay_on, f.payments, f.amount, encode(f.content_hash, 'hex') AS hash, f.shape_id,
           b.bank, b.number, m.name AS made_by_name, f.made_at, t.name AS taken_by_name, f.taken_at,
           d.name AS discarded_by_name, f.discarded_at, f.discard_reason, l.paid, l.paid_amount, l.returns, {keys}
      FROM payment_files f
      JOIN bank_accounts b ON b.id = f.bank_account_id
      JOIN people m ON m.id = f.made_by
      LEFT JOIN people t ON t.id = f.taken_by
      LEFT JOIN people d ON d.id = f.discarded_by
      JOIN LATERAL (
            SELECT count(*) FILTER (WHERE COALESCE(s.state, r.state) = 'paid') AS paid, count(r.id) AS returns,
                   COALESCE(sum(l.amount) FILTER (WHERE COALESCE(s.state, r.state) = 'paid'), 0)::bigint AS paid_amount
              FROM payment_file_lines l
              LEFT JOIN settlements s ON s.id = l.settlement_id
              LEFT JOIN bank_returns r ON r.id = l.return_id
             WHERE l.file_id = f.id) l ON true"""
#: `agreed`: nothing but what may go into a file now; else the lines of one.
PAYMENTS = """
    SELECT {position} AS position, s.id AS settlement_id, r.id AS return_id, COALESCE(s.amount, r.amount) AS amount,
           COALESCE(s.state, r.state) AS state, f.name AS facility_name, f.code AS facility_code,
           CASE WHEN s.id IS NOT NULL THEN COALESCE(u.code, 'shipping') END AS fund_code,
           CASE WHEN :english THEN u.finance_name_en ELSE u.finance_name END AS fund_label, o.number AS order_number,
           COALESCE(b.bank, a.bank) AS bank, COALESCE(b.number, a.number) AS number,
           COALESCE(b.holder, a.holder) AS holder,
           COALESCE(s.paid_on, r.paid_on) AS paid_on, COALESCE(s.bank_reference, r.bank_reference) AS bank_reference
      FROM {these}
      LEFT JOIN bank_accounts b ON b.id = s.bank_account_id
      LEFT JOIN facilities f ON f.id = s.facility_id
      LEFT JOIN funds u ON u.id = s.fund_id
      LEFT JOIN return_accounts a ON a.return_id = r.id
      LEFT JOIN orders o ON o.id = r.order_id
     WHERE {where}
     ORDER BY 1, s.id, r.id"""
OF_FILE = text(
    PAYMENTS.format(
        position="l.position",
        these="""payment_file_lines l LEFT JOIN settlements s ON s.id = l.settlement_id
      LEFT JOIN bank_returns r ON r.id = l.return_id""",
        where="l.file_id = :id",
    )
)
AGREED = text(
    PAYMENTS.format(
        position="0",
        these="""(SELECT id AS settlement_id, NULL::bigint AS return_id FROM settlements
              WHERE state = 'approved' AND bank_account_id IS NOT NULL
             UNION ALL SELECT NULL, id FROM bank_returns WHERE state = 'approved' AND :with_returns) l
      LEFT JOIN settlements s ON s.id = l.settlement_id
      LEFT JOIN bank_returns r ON r.id = l.return_id""",
        where="""NOT EXISTS (SELECT FROM payment_file_lines x WHERE x.is_living
                        AND (x.settlement_id = s.id OR x.return_id = r.id))""",
    )
)
SHAPES = text(
    """
    SELECT s.id, s.shape, s.proposed_by, p.name AS proposed_by_name, s.proposed_at, a.name AS approved_by_name,
           s.approved_at, r.name AS rejected_by_name, s.rejected_at
      FROM payment_file_shapes s
      JOIN people p ON p.id = s.proposed_by
      LEFT JOIN people a ON a.id = s.approved_by
      LEFT JOIN people r ON r.id = s.rejected_by
     ORDER BY s.id DESC LIMIT 50"""
)


@dataclass(frozen=True)
class FileRow:
    """A file of payments; amounts in rupiah."""

    id: int
    state: str
    pay_on: datetime.date
    payments: int
    amount: int
    hash: str
    shape_id: int
    bank: str
    number: str
    made_by_name: str
    made_at: datetime.datetime
    taken_by_name: str | None
    taken_at: datetime.datetime | None
    discarded_by_name: str | None
    discarded_at: datetime.datetime | None
    discard_reason: str | None
    #: How many of its payments the bank has made, and their sum.
    paid: int
    paid_amount: int
    #: How many go to shoppers.
    returns: int

    @property
    def account(self) -> str:
        return f"{self.bank} {mask(self.number)}"


@dataclass(frozen=True)
class PaymentRow:
    """A payment that is in a file, or may go into one."""

    position: int
    settlement_id: int | None
    return_id: int | None
    amount: int
    state: str
    facility_name: str | None
    facility_code: str | None
    fund_code: str | None
    fund_label: str | None
    order_number: str | None
    #: None of a shopper's account that was deleted.
    bank: str | None
    number: str | None
    holder: str | None
    paid_on: datetime.date | None
    bank_reference: str | None

    @property
    def account(self) -> str | None:
        """The bank and the masked number."""
        return f"{self.bank} {mask(self.number)}" if self.number else None


@dataclass(frozen=True)
class ShapeRow:
    """A form of files and who decided on it."""

    id: int
    shape: dict[str, Any]
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime.datetime
    approved_by_name: str | None
    approved_at: datetime.datetime | None
    rejected_by_name: str | None
    rejected_at: datetime.datetime | None

    @property
    def waits(self) -> bool:
        return self.approved_at is None and self.rejected_at is None


FILES = Paged(
    FileRow,
    FILE_ROWS,
    "SELECT count(*), sum(f.amount)::bigint FROM payment_files f",
    {"": Order((("f.id", "bigint"),))},
    {"id": "f.id = :id", "state": "f.state = :state"},
)


def files(*, state: str | None = None, turn: Turn = FIRST) -> Keyed[FileRow]:
    """All files, the latest first."""
    return FILES.page({"state": state}, turn)


def file(file_id: int) -> FileRow | None:
    """One file, None when it does not exist."""
    return FILES.one({"id": file_id})


def agreed(*, with_returns: bool) -> list[PaymentRow]:
    """What two people agreed to pay and no living file pays yet; `with_returns`: money back to shoppers too."""
    values = {"with_returns": with_returns, "english": locale() == "en"}
    return [PaymentRow(**row) for row in db.session.execute(AGREED, values).mappings()]


def of_file(file_id: int) -> list[PaymentRow]:
    """The payments of a file, in its order."""
    values = {"id": file_id, "english": locale() == "en"}
    return [PaymentRow(**row) for row in db.session.execute(OF_FILE, values).mappings()]


def shapes() -> list[ShapeRow]:
    """All forms that were ever proposed, the latest first."""
    return [ShapeRow(**row) for row in db.session.execute(SHAPES).mappings()]


def in_force_of(rows: list[ShapeRow], found: PaymentFileShape | None) -> ShapeRow | None:
    """The row of the form in force."""
    return next((row for row in rows if found is not None and row.id == found.id), None)
