"""The audit trail of the books: each step says what was before it and what is after, and who took it."""

from __future__ import annotations

import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.books import bank_accounts, budget, deposit, fee_bearing, satkers, settle
from storefront.books.models import BankAccount, Period
from storefront.books.settle import Wish
from storefront.closing.close import reopen
from storefront.days import today
from storefront.extensions import db
from tests.later_books import lived_books
from tests.money_out import LONG_AGO, open_books, register_account, register_satker

#: State before and after each step that the books of `lived_books` and of the test take.
STEPS = {
    "refund.proposed": (None, "requested"),
    "refund.succeeded": ("requested", "succeeded"),
    "dispute.opened": (None, "open"),
    "dispute.lost": ("open", "lost"),
    "settlement.proposed": (None, "proposed"),
    "settlement.approved": ("proposed", "approved"),
    "settlement.paid": ("approved", "paid"),
    "settlement.reversed": ("paid", "reversed"),
    "settlement.rejected": ("proposed", "rejected"),
    "deposit.proposed": (None, "proposed"),
    "deposit.approved": ("proposed", "approved"),
    "deposit.billed": ("approved", "approved"),
    "deposit.paid": ("approved", "paid"),
    "deposit.reversed": ("paid", "reversed"),
    "deposit.rejected": ("approved", "rejected"),
    "premium_distribution.entered": (None, "entered"),
    "premium_distribution.approved": ("entered", "approved"),
    "budget_return.proposed": (None, "proposed"),
    "budget_return.booked": ("proposed", "booked"),
    "budget_return.rejected": ("proposed", "rejected"),
    "correction.proposed": (None, "proposed"),
    "correction.booked": ("proposed", "booked"),
    "period.closed": ("open", "closed"),
    "period.reopened": ("closed", "reopened"),
}
#: What nobody of ours does: the provider answers.
BY_THE_SYSTEM = ("refund.succeeded", "dispute.opened", "dispute.lost")


def test_each_step_says_what_was_before_and_after(db_session: Session) -> None:
    books = lived_books()
    (settlement,) = settle.propose([Wish(books.pekalongan, None, 1_000)], person_id=books.first)
    settle.reject(settlement.id, books.second, "Belum waktunya")
    found = deposit.propose(books.ambon, person_id=books.first)
    deposit.approve(found.id, books.second)
    deposit.reject(found.id, books.second, "Salah satker")
    returned = budget.propose(
        books.pekalongan, books.funds["working_capital"], amount=5, reference="SP2D-80", returned_on=today(),
        person_id=books.first,
    )  # fmt: skip
    budget.reject(returned.id, books.second)
    reopen(db_session.scalars(select(Period.month)).one(), books.second, "Ada yang tertinggal")

    events = db_session.scalars(select(AuditEvent).where(AuditEvent.action.in_(STEPS))).all()
    seen = {
        (event.action, (event.details["before"] or {}).get("state"), event.details["after"]["state"])
        for event in events
    }
    assert seen == {(action, *states) for action, states in STEPS.items()}
    assert all((event.person_id is None) == (event.action in BY_THE_SYSTEM) for event in events)


def test_settings_say_what_they_were(db_session: Session) -> None:
    books = open_books()
    pekalongan = books.shop.pekalongan
    register_satker(books, pekalongan, LONG_AGO + datetime.timedelta(days=400))
    satkers.set_deadline(LONG_AGO, 3, "PMK 58/2023", books.first)
    fee_bearing.propose(
        fund_id=books.funds["premium"],
        valid_from=today() + datetime.timedelta(days=1),
        legal_basis="",
        person_id=books.first,
    )
    register_account(books, pekalongan.id, "3330001112", today())
    former = db_session.scalars(select(BankAccount).where(BankAccount.number == "2220000001")).one()

    def last(action: str) -> dict[str, object]:
        newest = select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id.desc()).limit(1)
        found: dict[str, object] = db.session.scalars(newest).one().details
        return found

    assert last("satker.registered")["before"]["valid_from"] == LONG_AGO.isoformat()  # type: ignore[index]
    deadline = last("deposit_deadline.set")
    assert (deadline["before"]["days"], deadline["after"]["days"]) == (7, 3)  # type: ignore[index]
    bearer = last("fee_bearer.proposed")
    assert (bearer["before"], bearer["after"]) == ({"bearer": "operator"}, {"bearer": "premium"})
    ended = last("bank_account.ended")
    assert former.valid_to is not None
    assert ended["before"]["valid_to"] is None  # type: ignore[index]
    assert ended["after"]["valid_to"] == former.valid_to.isoformat()  # type: ignore[index]
    assert bank_accounts.mask(former.number) == ended["after"]["number"]  # type: ignore[index]
