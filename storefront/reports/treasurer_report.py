"""The data of the treasurer's monthly report (LPJ), in the order of the form of PER-3/PB/2014.

I. the books, with the closing balance of the general cash book and its last evidence number; II. the cash that is there
at the end of the month; III. the difference between both; IV. the comparison with the accounting unit (UAKPA); V. the
explanation. What only people know (cash in a safe, UAKPA's figures, reasons) is None here, to be filled in by pen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storefront.reports.cash_book import GENERAL, Books, Sums
from storefront.reports.statement import Connection

#: The state's share, whose way to the treasury part IV follows.
STATE = "state_revenue"
LAST_EVIDENCE = """
    SELECT max(p.entry_id) FROM postings p
     WHERE p.account_id = ANY (%(accounts)s) AND p.effective_date BETWEEN %(first)s AND %(last)s"""
DEPOSITED = """
    SELECT count(*), COALESCE(sum(amount), 0)::bigint FROM deposits
     WHERE facility_id = %(facility)s AND state = 'paid' AND paid_on BETWEEN %(first)s AND %(last)s"""


@dataclass(frozen=True)
class TreasurerReport:
    """All amounts in rupiah; None where a person writes by pen."""

    #: The general book first, then its subsidiary books.
    books: Sequence[Sums]
    #: Number of the month's last evidence in the general book; None: nothing moved.
    last_evidence: int | None
    cash: int | None
    bank: int | None
    #: Of a facility: what the central office holds for it.
    held_by_office: int | None
    #: Beside the cash: what the provider has not passed on yet.
    at_provider: int | None
    #: Of a facility: state revenue that was booked, number and sum of what was deposited to the treasury.
    state_revenue: int | None
    deposits: int | None
    deposited: int | None

    @property
    def closing(self) -> int:
        """The closing balance of the general cash book."""
        return self.books[0].closing

    @property
    def total_cash(self) -> int | None:
        """Cash and bank together, where the program knows both."""
        return None if self.cash is None or self.bank is None else self.cash + self.bank

    @property
    def difference(self) -> int | None:
        """The books less the cash."""
        return None if self.total_cash is None else self.closing - self.total_cash

    @property
    def not_deposited(self) -> int | None:
        """State revenue of the month that was not deposited within it."""
        if self.state_revenue is None or self.deposited is None:
            return None
        return self.state_revenue - self.deposited


def treasurer_report(connection: Connection, found: Books) -> TreasurerReport:
    """The report on the month of these books."""
    days = {"first": found.span.first, "last": found.span.last}
    wanted = found.general_accounts()
    row = connection.execute(LAST_EVIDENCE, {"accounts": wanted, **days}).fetchone()
    last = row[0] if row else None
    if found.facility_id is None:
        return TreasurerReport(
            found.sums, last, found.of("cash").closing, found.of("bank").closing, None, found.of("provider").closing,
            None, None, None,
        )  # fmt: skip
    count, amount = connection.execute(DEPOSITED, {"facility": found.facility_id, **days}).fetchone() or (0, 0)
    revenue = found.of(STATE).debit if STATE in found.codes else 0
    closing = found.of(GENERAL).closing
    return TreasurerReport(found.sums, last, None, None, closing, None, revenue, count, amount)
