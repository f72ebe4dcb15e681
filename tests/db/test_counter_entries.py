"""Payments that are undone long after: what has come back meanwhile is not asked back a second time."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from storefront import days
from storefront.books import corrections, settle, settle_paid
from storefront.books.corrections import WrongSide
from storefront.books.settle import Wish
from storefront.books.settle_paid import Paid
from storefront.ledger.balance import balance
from storefront.snapshot import driver_connection
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.factories import make_paid_order
from tests.money_out import PKL_PREMIUM, Books, give_back, open_books, owed, settled

REASON = "The bank sent it back"


def overpaid(books: Books) -> int:
    """A settlement of all premium that was agreed on before 40,000 of it went back to buyers, then paid."""
    (one,) = settle.propose(
        [Wish(books.pekalongan, books.funds["premium"], PKL_PREMIUM)], person_id=books.first
    )
    settle.approve([one.id], books.second)
    give_back(books, "premium", 40_000, "refund:900:succeeded")
    settle_paid.mark_paid(Paid(one.id, "TRX-1", days.today()), books.first)
    assert balance("receivable:PKL:premium") == 40_000
    return one.id


def test_undone_while_it_must_come_back(db_session: Session) -> None:
    books = open_books()
    number = overpaid(books)
    settle_paid.reverse(number, on=days.today(), reason=REASON, person_id=books.second)
    assert balance("receivable:PKL:premium") == 0
    assert owed("PKL:premium") == PKL_PREMIUM - 40_000


def test_undone_after_the_next_one_took_it_in(db_session: Session) -> None:
    books = open_books()
    number = overpaid(books)
    make_paid_order((books.shop.batik, 2))  # another 100,000 of premium
    settled(books, "premium", 60_000, "TRX-2")
    assert balance("receivable:PKL:premium") == 0
    settle_paid.reverse(number, on=days.today(), reason=REASON, person_id=books.second)
    assert balance("receivable:PKL:premium") == 0
    assert owed("PKL:premium") == PKL_PREMIUM
    db_session.flush()
    names = {"owed_never_below_zero", "reversals_turn_around"}
    wanted = [invariant for invariant in INVARIANTS if invariant.name in names]
    assert all(finding.holds for finding in check(driver_connection(db_session.connection()), wanted))


def test_a_correction_takes_no_more_than_is_owed(db_session: Session) -> None:
    books = open_books()

    def proposed(amount: int) -> int:
        legs = [("owed:PKL:premium", amount), ("corrections:difference", -amount)]
        return corrections.propose(
            reason="Counted twice in March", effective_date=days.today(), legs=legs, person_id=books.first
        ).id

    with pytest.raises(WrongSide) as refused:
        corrections.approve(proposed(PKL_PREMIUM + 1), books.second)
    assert "100.000" in str(refused.value.message)
    corrections.approve(proposed(PKL_PREMIUM), books.second)
    assert owed("PKL:premium") == 0
