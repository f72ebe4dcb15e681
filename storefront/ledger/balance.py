"""What accounts hold: always a sum of postings, never a column."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select, text

from storefront.extensions import db
from storefront.ledger.models import Account, Posting


def balance(code: str) -> int:
    """Debits minus credits of an account, in rupiah; 0 for one that was never used."""
    total = db.session.scalar(
        select(func.sum(Posting.amount))
        .join(Account, Account.id == Posting.account_id)
        .where(Account.code == code)
    )
    return int(total or 0)


def lock_accounts(codes: Iterable[str]) -> None:
    """Keep others who decide by these balances waiting until this transaction ends.

    Sales only add to what is owed and do not wait; whoever takes from an account (refund, settlement,
    deposit) locks it first, in the order of the codes.
    """
    for code in sorted(set(codes)):
        db.session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended('account:' || :code, 0))"), {"code": code}
        )
