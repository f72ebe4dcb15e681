"""What the billing form of SIMPONI asks for, for each deposit that was approved and has no code yet or an old one.

Field by field as the form of a ministry's user has them: payer, ministry, unit, satker, account, sum, remark.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from storefront.books.listed import as_list
from storefront.display import format_month
from storefront.extensions import db

FORMS = text(
    """
    SELECT d.id, f.code AS facility_code, f.name AS facility_name, d.amount, d.due_on, d.billing_code,
           d.billing_expires_at, k.ministry_code, k.unit_code, k.office_code, k.tax_number, k.treasurer,
           k.revenue_account, l.first, l.last
      FROM deposits d
      JOIN facilities f ON f.id = d.facility_id
      JOIN satkers k ON k.id = d.satker_id
      JOIN LATERAL (SELECT min(e.effective_date) FILTER (WHERE x.amount > 0) AS first,
                           max(e.effective_date) FILTER (WHERE x.amount > 0) AS last
                      FROM deposit_lines x JOIN postings p ON p.id = x.posting_id
                      JOIN journal_entries e ON e.id = p.entry_id
                     WHERE x.deposit_id = d.id) l ON true
     WHERE d.state = 'approved' AND (CAST(:ids AS bigint[]) IS NULL OR d.facility_id = ANY (CAST(:ids AS bigint[])))
       AND (CAST(:deposit AS bigint) IS NULL OR d.id = CAST(:deposit AS bigint))
     ORDER BY d.due_on, d.id LIMIT 200"""
)

ONES = (
    "nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh", "sebelas",
)  # fmt: skip
SCALES = ((10**12, "triliun"), (10**9, "miliar"), (10**6, "juta"), (10**3, "ribu"))


@dataclass(frozen=True)
class BillingForm:
    """The fields of one deposit; `amount` in rupiah."""

    id: int
    facility_code: str
    facility_name: str
    amount: int
    due_on: datetime.date
    #: Of the code that it has already.
    billing_code: str | None
    billing_expires_at: datetime.datetime | None
    ministry_code: str
    unit_code: str
    office_code: str
    tax_number: str
    treasurer: str
    revenue_account: str
    #: Days of the first and last money in it.
    first: datetime.date
    last: datetime.date

    @property
    def needs_code(self) -> bool:
        """It has none, or one that cannot be paid any more."""
        if self.billing_code is None or self.billing_expires_at is None:
            return True
        return self.billing_expires_at <= datetime.datetime.now(datetime.UTC)

    @property
    def payer(self) -> str:
        """Who pays, as the form's receipt names them."""
        return f"{self.treasurer}, {self.facility_name}"

    @property
    def period(self) -> str:
        """Months of the money in it."""
        first, last = format_month(self.first), format_month(self.last)
        return first if first == last else f"{first} – {last}"

    @property
    def remark(self) -> str:
        """What stands in the form's remark: the deposit's number leads the slip back to it. In Indonesian always."""
        return f"Setoran {self.id} PNBP hasil karya {self.facility_code} {self.first:%m/%Y}-{self.last:%m/%Y}"

    @property
    def words(self) -> str:
        """The sum in words, as the form's receipt repeats it. In Indonesian always."""
        return f"{in_words(self.amount)} rupiah"


def forms(facility_ids: Iterable[int] | None, deposit_id: int | None = None) -> Sequence[BillingForm]:
    """The forms of approved deposits, the most urgent first; of some facilities, or (None) of all."""
    values = {"ids": as_list(facility_ids), "deposit": deposit_id}
    return [BillingForm(**row) for row in db.session.execute(FORMS, values).mappings()]


def in_words(number: int) -> str:
    """A whole number from 0 in Indonesian words: 1,250 is `seribu dua ratus lima puluh`."""
    if number < 12:
        return ONES[number]
    if number < 20:
        return f"{ONES[number - 10]} belas"
    if number < 100:
        return _joined(f"{ONES[number // 10]} puluh", number % 10)
    if number < 1000:
        return _joined("seratus" if number < 200 else f"{ONES[number // 100]} ratus", number % 100)
    if number < 2000:
        return _joined("seribu", number % 1000)
    for scale, word in SCALES:
        if number >= scale:
            return _joined(f"{in_words(number // scale)} {word}", number % scale)
    raise AssertionError("every number from 1,000 has a scale")


def _joined(words: str, rest: int) -> str:
    return f"{words} {in_words(rest)}" if rest else words
