"""A small shop with money to pass on: sales, registered accounts, a satker, and people to propose and approve."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import func, select

from storefront import days
from storefront.books import bank_accounts, deposit, deposit_paid, distribute, satkers, settle, settle_paid
from storefront.books.models import Deposit, Period, Settlement
from storefront.books.settle import Wish
from storefront.books.settle_paid import Paid
from storefront.extensions import db
from storefront.facilities.models import Facility, Workshop
from storefront.ledger.balance import balance
from storefront.ledger.book import Leg, book, clearing
from storefront.ledger.models import Fund, Posting
from storefront.ledger.take_back import Taken, legs_of
from storefront.snapshot import snapshot
from storefront.verify import books as of_books
from storefront.verify import clearing as of_clearing
from storefront.verify import orders, passed_on, periods
from storefront.verify.invariant import check
from tests.factories import make_paid_order, make_person
from tests.replay import replayed
from tests.selling import Shop, open_shop

LONG_AGO = datetime.date(2020, 1, 1)
#: Sold by `open_books`: two batik cloths of Pekalongan and a honey of Namlea, 10,000 shipping each.
PKL_PREMIUM, PKL_CAPITAL, PKL_STATE = 100_000, 70_000, 30_000


#: The promises of the books. The provider's own books are another party's; these sales never were in them.
INVARIANTS = [
    one
    for room in (of_books, of_clearing, orders, passed_on, periods)
    for one in room.INVARIANTS
    if one.name != "sandbox_agrees"
]


@dataclass(frozen=True)
class Books:
    """Ids of what `open_books` has made."""

    shop: Shop
    #: Two people of finance: the one proposes, the other approves.
    first: int
    second: int
    funds: dict[str, int]
    pekalongan: int
    ambon: int


@replayed
def open_unsold() -> Books:
    """As `open_books`, of a shop that has sold nothing yet."""
    return make_books(open_shop())


@replayed
def open_books(*, with_accounts: bool = True) -> Books:
    """Paid orders at 50/35/15 of net, committed; by default with all accounts and satkers."""
    shop = open_shop()
    make_paid_order((shop.batik, 2), (shop.honey, 1))
    books = make_books(shop, with_accounts=with_accounts)
    db.session.commit()
    return books


def make_books(shop: Shop, *, with_accounts: bool = True) -> Books:
    """Two people of finance for a shop that has sold, and by default all accounts and satkers."""
    books = Books(
        shop,
        make_person(name="Bendahara Satu").id,
        make_person(name="Bendahara Dua").id,
        {row.code: row.id for row in db.session.execute(select(Fund.code, Fund.id))},
        shop.pekalongan.id,
        shop.ambon.id,
    )
    if with_accounts:
        register_account(books, None, "1110001112")
        for number, facility in enumerate((shop.pekalongan, shop.ambon), start=1):
            register_account(books, facility.id, f"222000{number:04d}")
            register_satker(books, facility)
    return books


def money_of(books: Books, facility: Facility) -> dict[str, int]:
    """One of each thing of a facility that leads its money out, by the name it has in addresses."""
    paid = settled(books, "premium", 20_000, f"TRX-{facility.code}", facility.id)
    workshop_id = db.session.scalars(select(Workshop.id).where(Workshop.facility_id == facility.id)).first()
    assert workshop_id is not None
    passed_on = distribute.enter(
        facility.id, workshop_id=workshop_id, distributed_on=days.today(), people=5, amount=10_000,
        person_id=books.first,
    )  # fmt: skip
    account = bank_accounts.in_force(facility.id, days.today())
    found = deposit.propose(facility.id, person_id=books.first)
    db.session.commit()
    return {
        "settlement_id": paid.id, "deposit_id": found.id, "distribution_id": passed_on.id, "account_id": account.id,
    }  # fmt: skip


def register_account(
    books: Books, facility_id: int | None, number: str, valid_from: datetime.date = LONG_AGO
) -> int:
    """An account that two people have registered."""
    account = bank_accounts.propose(
        facility_id,
        bank="Bank Contoh",
        number=number,
        holder="RPL Contoh",
        permission_letter="S-12/KPPN/2020",
        valid_from=valid_from,
        person_id=books.first,
    )
    bank_accounts.approve(account.id, books.second)
    return account.id


def register_satker(books: Books, facility: Facility, valid_from: datetime.date = LONG_AGO) -> int:
    return satkers.register(
        facility.id,
        ministry_code="137",
        unit_code="06",
        office_code=f"{400000 + facility.id}",
        tax_number="001234567890123",
        treasurer="Siti Bendahara",
        revenue_account="425289",
        valid_from=valid_from,
        person_id=books.first,
    ).id


def settled(
    books: Books, fund: str | None, amount: int, reference: str, facility_id: int | None = None
) -> Settlement:
    """A settlement that was proposed, approved and paid today."""
    wish = Wish(facility_id or books.pekalongan, books.funds[fund] if fund else None, amount)
    (settlement,) = settle.propose([wish], person_id=books.first)
    settle.approve([settlement.id], books.second)
    return settle_paid.mark_paid(Paid(settlement.id, reference, days.today()), books.first)


def approved_deposit(books: Books, facility_id: int | None = None) -> Deposit:
    """A deposit of all that is owed to the state, approved."""
    found = deposit.propose(facility_id or books.pekalongan, person_id=books.first)
    return deposit.approve(found.id, books.second)


def billed_deposit(books: Books, code: str = "820251124000001", facility_id: int | None = None) -> Deposit:
    """The same with a billing code of a week."""
    found = approved_deposit(books, facility_id)
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=7)
    return deposit.set_billing_code(found.id, code, expires, books.first)


def paid_deposit(
    books: Books, ntpn: str, code: str = "820251124000001", facility_id: int | None = None
) -> Deposit:
    """The same, paid today."""
    found = billed_deposit(books, code, facility_id)
    return deposit_paid.mark_paid(
        found.id, ntpn=ntpn, ntb="123456789012", paid_on=days.today(), person_id=books.first
    )


def give_back(books: Books, fund: str, amount: int, source: str) -> None:
    """A refund takes `amount` from a fund of Pekalongan, as the books do it."""
    legs = legs_of([Taken(books.pekalongan, "PKL", amount, books.funds[fund], fund)])
    book(source, "refund", days.today(), [*legs, Leg(clearing("sandbox"), -amount)])


def owed(account: str) -> int:
    """Rupiah owed by an account such as `PKL:premium`, what must come back taken off."""
    return -balance(f"owed:{account}") - balance(f"receivable:{account}")


def books_balance() -> bool:
    """Whether all postings sum to zero."""
    return not db.session.scalar(select(func.sum(Posting.amount)))


def close_last_month(books: Books) -> None:
    """The month before this one is closed; nothing was booked in it."""
    last = (days.today().replace(day=1) - datetime.timedelta(days=1)).replace(day=1)
    db.session.add(Period(month=last, state="closed", closed_by=books.first, entries=0))
    db.session.flush()


def broken() -> dict[str, tuple[dict[str, object], ...]]:
    """The promises of the books that do not hold by what is committed, with the rows that break them."""
    db.session.rollback()
    with snapshot(db.engine) as connection:
        return {f.invariant.name: f.rows for f in check(connection, INVARIANTS) if not f.holds}
