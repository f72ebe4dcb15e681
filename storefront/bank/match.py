"""Tie the bank's lines to what the books say of the account; the database holds both sides to the same sum.

What was booked already is only tied, which can be taken apart again. What is booked because of a line is fixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask_babel import gettext as _
from sqlalchemy import delete, insert, select

from storefront.audit.record import record
from storefront.bank.models import BankLine, BankMatch, BankMatchPosting
from storefront.books.four_eyes import Decided, moment
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.ledger.models import Account, Posting

SHORTEST_REASON, LONGEST_REASON = 5, 500


class NotEven(DomainError):
    """Both sides are not the same sum."""

    code, status = "bank_match_not_even", 409

    def __init__(self) -> None:
        super().__init__(
            _(
                "Jumlah di bank dan di buku tidak sama sampai ke rupiah, jadi tidak dapat dicocokkan begitu saja."
            )
        )


class IsFixed(DomainError):
    """The entry was booked because of the line."""

    code, status = "bank_match_fixed", 409

    def __init__(self) -> None:
        super().__init__(
            _(
                "Jurnalnya dibukukan dari baris ini, jadi tidak dapat dilepas. Bila keliru, batalkan jurnalnya."
            )
        )


def locked_lines(line_ids: Iterable[int], state: str = "open") -> list[BankLine]:
    """The lines, locked, if all are in `state`. Raises NotFound, Decided."""
    ids = sorted(set(line_ids))
    found = list(
        db.session.scalars(
            select(BankLine)
            .where(BankLine.id.in_(ids))
            .order_by(BankLine.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    if len(found) != len(ids):
        raise NotFound()
    if any(line.state != state for line in found):
        raise Decided()
    return found


def tie(
    lines: Sequence[BankLine], posting_ids: Sequence[int], *, person_id: int | None, is_fixed: bool = False
) -> BankMatch:
    """Say that these locked lines are these postings. Raises NotEven, Decided for a posting that is tied already."""
    account_id = lines[0].bank_account_id
    rows = db.session.execute(
        select(Posting.id, Posting.amount, Account.bank_account_id)
        .join(Account, Account.id == Posting.account_id)
        .where(Posting.id.in_(posting_ids))
    ).all()
    if any(line.bank_account_id != account_id or line.hundredths for line in lines) or any(
        row.bank_account_id != account_id for row in rows
    ):
        raise NotEven()
    if len(rows) != len(set(posting_ids)) or not rows:
        raise NotFound()
    if sum(line.amount for line in lines) != sum(row.amount for row in rows):
        raise NotEven()
    match = BankMatch(bank_account_id=account_id, matched_by=person_id, is_fixed=is_fixed)
    db.session.add(match)
    db.session.flush()
    _hold_postings(match.id, posting_ids)
    for line in lines:
        line.state, line.match_id = "matched", match.id
    db.session.flush()
    _record(lines, "matched", person_id, postings=sorted(posting_ids))
    return match


def add(match_id: int, posting_ids: Sequence[int]) -> None:
    """Add postings to a match that leave its sum as it is: what was held and is counted. Never by itself alone."""
    _hold_postings(match_id, posting_ids)


def untie(line_id: int, person_id: int) -> list[BankLine]:
    """Take the match of a line apart; all its lines, open again. Raises IsFixed, Decided, NotFound."""
    (line,) = locked_lines([line_id], "matched")
    match = db.session.get_one(BankMatch, line.match_id, with_for_update=True, populate_existing=True)
    if match.is_fixed:
        raise IsFixed()
    ids = list(db.session.scalars(select(BankLine.id).where(BankLine.match_id == match.id)))
    lines = locked_lines(ids, "matched")
    for line in lines:
        line.state, line.match_id = "open", None
    db.session.flush()
    db.session.execute(delete(BankMatchPosting).where(BankMatchPosting.match_id == match.id))
    db.session.execute(delete(BankMatch).where(BankMatch.id == match.id))
    _record(lines, "untied", person_id)
    return lines


def set_aside(line_id: int, reason: str, person_id: int) -> BankLine:
    """A line that belongs to nothing in the shop, and why. Raises Invalid, Decided, NotFound."""
    reason = " ".join(reason.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise Invalid({"reason": _("Tulis alasannya, 5 sampai 500 huruf.")})
    (line,) = locked_lines([line_id])
    now = moment(None)
    line.state, line.set_aside_reason, line.set_aside_by, line.set_aside_at = (
        "set_aside",
        reason,
        person_id,
        now,
    )
    db.session.flush()
    _record([line], "set_aside", person_id, reason=reason)
    return line


def bring_back(line_id: int, person_id: int) -> BankLine:
    """Look for what a line belongs to after all. Raises Decided, NotFound."""
    (line,) = locked_lines([line_id], "set_aside")
    line.state, line.set_aside_reason, line.set_aside_by, line.set_aside_at = "open", None, None, None
    db.session.flush()
    _record([line], "brought_back", person_id)
    return line


def posting_on(entry_id: int, bank_account_id: int) -> int | None:
    """The posting of an entry on a bank account; None when it has none there."""
    found: int | None = db.session.scalar(
        select(Posting.id)
        .join(Account, Account.id == Posting.account_id)
        .where(Posting.entry_id == entry_id, Account.bank_account_id == bank_account_id)
    )
    return found


def bank_posting(entry_id: int, bank_account_id: int) -> int:
    """The same for an entry that surely has one."""
    found = posting_on(entry_id, bank_account_id)
    if found is None:
        raise LookupError(f"entry {entry_id} has no posting on bank account {bank_account_id}")
    return found


def match_of(line: BankLine) -> BankMatch:
    """The match of a line that is tied, locked."""
    found: BankMatch = db.session.get_one(BankMatch, line.match_id, with_for_update=True)
    return found


def is_fixed(match_id: int) -> bool:
    """Whether the entry of a match was booked because of its line."""
    return bool(db.session.scalar(select(BankMatch.is_fixed).where(BankMatch.id == match_id)))


def _hold_postings(match_id: int, posting_ids: Sequence[int]) -> None:
    taken = db.session.scalar(
        select(BankMatchPosting.posting_id).where(BankMatchPosting.posting_id.in_(posting_ids)).limit(1)
    )
    if taken is not None:
        raise Decided()
    db.session.execute(
        insert(BankMatchPosting), [{"posting_id": posting, "match_id": match_id} for posting in posting_ids]
    )


def _record(lines: Sequence[BankLine], what: str, person_id: int | None, **details: object) -> None:
    for line in lines:
        record(
            f"bank_line.{what}",
            "bank_line",
            line.id,
            person_id=person_id,
            # Never the bank's words: they name people.
            details={"amount": line.amount, "booked_on": line.booked_on.isoformat(), **details},
        )
