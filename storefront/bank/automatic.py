"""What is matched without anybody's click: transfers by their codes, and entries that the bank calls by name."""

from __future__ import annotations

import structlog
from sqlalchemy import select, text

from storefront.bank import match
from storefront.bank.known_entries import untied
from storefront.bank.models import BankLine
from storefront.bank.transfers import recognise
from storefront.errors import DomainError
from storefront.extensions import db

log = structlog.get_logger("storefront.bank")

#: Lines looked at in one run; the periodic job goes on with the others.
AT_ONCE = 2_000


def match_lines(bank_account_id: int) -> int:
    """Match what can be matched of an account's open lines; returns how many. Commits each line by itself.

    Two runs at once do no harm: each line is locked, and is dealt with once.
    """
    ids = db.session.scalars(
        select(BankLine.id)
        .where(
            BankLine.bank_account_id == bank_account_id, BankLine.state == "open", BankLine.hundredths == 0
        )
        .order_by(BankLine.booked_on, BankLine.id)
        .limit(AT_ONCE)
    ).all()
    db.session.rollback()
    return sum(_match(line_id) for line_id in ids)


def accounts_with_open_lines() -> list[int]:
    """Ids of bank accounts that have any."""
    return list(
        db.session.scalars(text("SELECT DISTINCT bank_account_id FROM bank_lines WHERE state = 'open'"))
    )


def _match(line_id: int) -> bool:
    try:
        found = recognise(line_id) is not None or _by_name(line_id)
    except DomainError as refusal:
        # Somebody else was faster, or it must be looked at: it stays as it is.
        db.session.rollback()
        log.info("bank_line_not_matched", line=line_id, code=refusal.code)
        return False
    db.session.commit()
    return found


def _by_name(line_id: int) -> bool:
    """Tie a line to the one entry of the same amount whose name stands in the bank's words."""
    line = db.session.get_one(BankLine, line_id)
    if line.state != "open":
        return False
    words = f"{line.description} {line.bank_reference}"
    named = [one for one in untied(line.bank_account_id, [line.amount]) if one.is_named_in(words)]
    if len(named) != 1:
        return False
    match.tie(match.locked_lines([line_id]), [named[0].posting_id], person_id=None)
    return True
