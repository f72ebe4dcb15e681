"""Write down in the books what a line of the bank shows, by one click, and tie the two."""

from __future__ import annotations

import re

from sqlalchemy import select

from storefront.bank import match, return_batches
from storefront.bank.models import BankLine, BankReturn
from storefront.books import deposit_paid, payouts, settle_paid
from storefront.books.models import Deposit, Payout, Settlement
from storefront.books.settle_paid import Paid
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.ledger.models import JournalEntry

#: A treasury's receipt number, if the bank's words hold one.
NTPN = re.compile(r"\b(?=[A-Z0-9]*[0-9])[A-Z0-9]{16}\b")


def reference_of(line: BankLine) -> str:
    """What the bank calls the line; else a name of our own that leads back to it."""
    return line.bank_reference if len(line.bank_reference) >= 3 else f"BANK-{line.id}"


def ntpn_in(line: BankLine) -> str:
    """The NTPN in the bank's words, empty when they hold none or several."""
    found = set(NTPN.findall(f"{line.description} {line.bank_reference}".upper()))
    return found.pop() if len(found) == 1 else ""


def pay_settlement(line_id: int, settlement_id: int, person_id: int) -> Settlement:
    """The line is this approved settlement's money. Raises what `settle_paid.mark_paid` does, NotEven, Decided."""
    line = whole_line(line_id)
    settlement = settle_paid.mark_paid(
        Paid(settlement_id, reference_of(line)[: settle_paid.LONGEST_REFERENCE], line.booked_on), person_id
    )
    tie_entry(line_id, f"settlement:{settlement.id}:paid", person_id)
    return settlement


def pay_deposit(line_id: int, deposit_id: int, *, ntpn: str, ntb: str, person_id: int) -> Deposit:
    """The line is this approved deposit's money. Raises what `deposit_paid.mark_paid` does, NotEven, Decided."""
    line = whole_line(line_id)
    deposit = deposit_paid.mark_paid(
        deposit_id, ntpn=ntpn, ntb=ntb, paid_on=line.booked_on, person_id=person_id
    )
    tie_entry(line_id, f"deposit:{deposit.id}:paid", person_id)
    return deposit


def pay_return(line_id: int, return_id: int, person_id: int) -> BankReturn:
    """The line is money that went back to a shopper. Raises what `return_batches.mark_paid` does."""
    line = whole_line(line_id)
    return return_batches.mark_paid(
        return_id,
        reference=reference_of(line)[: return_batches.LONGEST_REFERENCE],
        paid_on=line.booked_on,
        person_id=person_id,
        line_id=line_id,
    )


def record_payout(line_id: int, *, gateway: str, reference: str, person_id: int) -> Payout:
    """The line is money that a gateway passed on. Raises what `payouts.record_payout` does, NotEven, Decided."""
    line = whole_line(line_id)
    payout = payouts.record_payout(
        gateway=gateway,
        reference=reference,
        amount=line.amount,
        arrived_on=line.booked_on,
        person_id=person_id,
    )
    tie_entry(line_id, f"payout:{payout.id}:received", person_id)
    return payout


def whole_line(line_id: int) -> BankLine:
    """A line of whole rupiah. Raises NotFound, NotEven."""
    line = db.session.get(BankLine, line_id)
    if line is None:
        raise NotFound()
    if line.hundredths:
        raise match.NotEven()
    return line


def tie_entry(line_id: int, source: str, person_id: int) -> None:
    """Tie the line to the entry with this source; it is locked last, as everywhere. Raises NotEven, Decided."""
    (line,) = match.locked_lines([line_id])
    entry = db.session.execute(select(JournalEntry.id).where(JournalEntry.source == source)).scalar_one()
    posting = match.posting_on(entry, line.bank_account_id)
    if posting is None:
        raise match.NotEven()
    match.tie([line], [posting], person_id=person_id)
