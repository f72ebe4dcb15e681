"""The statement of a facility: it chains, it is the ledger's, and what it says leads to its lines."""

from __future__ import annotations

import datetime
import random

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront.books import span
from storefront.facilities.models import Facility
from storefront.ledger.book import (
    AccountKey,
    Leg,
    bank,
    book,
    clearing,
    fees_of_operator,
    owed,
    shipping_owed,
)
from storefront.ledger.models import Fund
from storefront.ledger.passing_on import OwedTo, book_counter_entry, book_deposit, book_settlement
from storefront.ledger.take_back import Taken, legs_of
from storefront.reports import statement, statement_lines
from storefront.reports.ageing import AGES, ageing, layers, older_than
from storefront.reports.reports import By, facility_balances, sales_report, sold
from storefront.reports.statement_lines import Lines, lines_page
from storefront.snapshot import driver_connection
from tests.factories import make_facility, make_paid_order
from tests.selling import Shop, open_shop

JAKARTA = datetime.timezone(datetime.timedelta(hours=7))
FUNDS = ("premium", "working_capital", "state_revenue")
DAY = datetime.timedelta(days=1)


def at(*when: int) -> datetime.datetime:
    return datetime.datetime(*when, 12, tzinfo=JAKARTA)


class Books:
    """Random entries of one facility, and the same kept in a plain list."""

    def __init__(self, session: Session, facility: Facility, seed: int) -> None:
        self.facility, self.random = facility, random.Random(seed)
        self.funds = dict(session.execute(select(Fund.code, Fund.id)).all())
        #: (day, kind, column, amount), as the facility sees it.
        self.plain: list[tuple[datetime.date, str, str, int]] = []
        self.count = 0

    def owed(self, code: str) -> AccountKey:
        if code == "shipping":
            return shipping_owed(self.facility.id, self.facility.code)
        return owed(self.facility.id, self.facility.code, self.funds[code], code)

    def of(self, code: str) -> OwedTo:
        if code == "shipping":
            return OwedTo(self.facility.id, self.facility.code)
        return OwedTo(self.facility.id, self.facility.code, self.funds[code], code)

    def step(self, day: datetime.date) -> None:
        kind = self.random.choice(
            ["sale", "sale", "sale", "refund", "fee", "settlement", "deposit", "reversal"]
        )
        getattr(self, kind)(day)
        self.count += 1

    def sale(self, day: datetime.date) -> None:
        amounts = {code: self.random.randint(1, 1000) for code in (*FUNDS, "shipping")}
        legs = [Leg(self.owed(code), -amount) for code, amount in amounts.items()]
        book(
            f"payment:t{self.count}:captured",
            "sale",
            day,
            [Leg(clearing("sandbox"), sum(amounts.values())), *legs],
        )
        self.plain += [(day, "sale", code, amount) for code, amount in amounts.items()]

    def refund(self, day: datetime.date) -> None:
        amounts = {code: self.random.randint(1, 1500) for code in (*FUNDS, "shipping")}
        taken = [
            Taken(
                self.facility.id,
                self.facility.code,
                amount,
                self.funds.get(code),
                code if code in FUNDS else "",
            )
            for code, amount in amounts.items()
        ]
        legs = legs_of(taken)
        book(
            f"refund:t{self.count}:succeeded", "refund", day,
            [*legs, Leg(clearing("sandbox"), -sum(leg.amount for leg in legs))],
        )  # fmt: skip
        self.plain += [(day, "refund", code, -amount) for code, amount in amounts.items()]

    def fee(self, day: datetime.date) -> None:
        legs = legs_of([Taken(self.facility.id, self.facility.code, 7, self.funds["premium"], "premium")])
        legs += [Leg(fees_of_operator(), 3), Leg(clearing("sandbox"), -10)]
        book(f"payment:t{self.count}:fee", "fee", day, legs)
        self.plain.append((day, "fee", "premium", -7))

    def settlement(self, day: datetime.date) -> None:
        code = self.random.choice(["premium", "working_capital", "shipping"])
        left = self.of(code).net()
        if left > 0:
            amount = self.random.randint(1, left)
            book_settlement(
                1000 + self.count, self.of(code), amount, self.bank_id, on=day, person_id=self.person_id
            )
            self.plain.append((day, "settlement", code, -amount))
            self.last = (f"settlement:{1000 + self.count}:paid", code, amount)

    def deposit(self, day: datetime.date) -> None:
        left = self.of("state_revenue").net()
        if left > 0:
            of = self.of("state_revenue")
            book_deposit(1000 + self.count, of, left, self.bank_id, on=day, person_id=self.person_id)
            self.plain.append((day, "deposit", "state_revenue", -left))

    def reversal(self, day: datetime.date) -> None:
        if self.last:
            source, code, amount = self.last
            book_counter_entry(source.replace("paid", "reversed"), source, on=day, person_id=self.person_id)
            self.plain.append((day, "reversal", code, amount))
            self.last = None

    bank_id: int
    person_id: int
    last: tuple[str, str, int] | None = None


@pytest.fixture
def facility(db_session: Session) -> Facility:
    return make_facility("RND")


def random_books(session: Session, facility: Facility, seed: int, days: int = 150, steps: int = 60) -> Books:
    """Random entries over some months before November 2026, in no order of days."""
    books = Books(session, facility, seed)
    books.person_id = session.execute(
        text("INSERT INTO people (email, name, password_hash) VALUES (:e, 'Orang', '!') RETURNING id"),
        {"e": f"p{seed}@example.test"},
    ).scalar_one()
    books.bank_id = session.execute(
        text(
            "INSERT INTO bank_accounts (bank, number, holder, permission_letter, valid_from, proposed_by)"
            " VALUES ('Bank', '12345', 'Kantor', 'S-1/2020', '2020-01-01', :p) RETURNING id"
        ),
        {"p": books.person_id},
    ).scalar_one()
    assert bank(books.bank_id).bank_account_id == books.bank_id
    for _ in range(steps):
        books.step(datetime.date(2026, 11, 30) - books.random.randrange(days) * DAY)
    session.commit()
    return books


def the_statement(session: Session, facility: Facility, name: str) -> statement.Statement:
    return statement.statement(driver_connection(session.connection()), facility.id, span.parse(name))


def without_zeros(amounts: object) -> dict[str, int]:
    return {code: amount for code, amount in dict(amounts).items() if amount}  # type: ignore[call-overload]


@pytest.mark.parametrize("seed", range(4))
def test_the_closing_of_one_period_is_the_opening_of_the_next(
    db_session: Session, facility: Facility, seed: int
) -> None:
    books = random_books(db_session, facility, seed)
    before: dict[str, int] = {}
    spans = ["2026-06", "2026-07", "2026-08", "2026-09", "2026-10", "2026-11", "2026-12"]
    for name in spans:
        found = the_statement(db_session, facility, name)
        assert without_zeros(found.opening) == before
        before = without_zeros(found.closing)
    plain: dict[str, int] = {}
    for _day, _kind, code, amount in books.plain:
        plain[code] = plain.get(code, 0) + amount
    assert before == without_zeros(plain)


@pytest.mark.parametrize("seed", range(4, 8))
def test_every_figure_is_what_a_plain_list_says_and_its_lines_sum_to_it(
    db_session: Session, facility: Facility, seed: int
) -> None:
    books = random_books(db_session, facility, seed)
    connection = driver_connection(db_session.connection())
    name = books.random.choice(["2026-09", "2026-08-15--2026-10-02", "2026-10-07--2026-10-07"])
    period = span.parse(name)
    found = the_statement(db_session, facility, name)
    for movement in found.movements:
        for code in (*FUNDS, "shipping"):
            plain = sum(
                amount
                for day, kind, column, amount in books.plain
                if (kind, column) == (movement.kind, code) and period.first <= day <= period.last
            )
            assert movement.amounts.get(code, 0) == plain, (movement.kind, code)
            page = lines_page(connection, Lines((facility.id,), period, kind=movement.kind, fund=code))
            assert page.total == plain == sum(row["total"] for row in page.rows)
    everything = lines_page(connection, Lines((facility.id,), period))
    assert everything.total == sum(movement.total for movement in found.movements)


def test_what_must_come_back_is_named_within_the_closing(db_session: Session, facility: Facility) -> None:
    books = random_books(db_session, facility, 99, steps=0)
    day = datetime.date(2026, 10, 5)
    books.sale(day)
    owed_now = books.of("premium").net()
    book_settlement(1, books.of("premium"), owed_now, books.bank_id, on=day, person_id=books.person_id)
    legs = legs_of([Taken(facility.id, facility.code, 5, books.funds["premium"], "premium")])
    book("refund:1:succeeded", "refund", day, [*legs, Leg(clearing("sandbox"), -5)])
    found = the_statement(db_session, facility, "2026-10")
    assert found.closing["premium"] == found.receivable["premium"] == -5
    assert found.receivable.get("working_capital", 0) == 0


@pytest.fixture
def shop(db_session: Session) -> Shop:
    shop = open_shop()
    make_paid_order((shop.batik, 1), (shop.honey, 1), paid_at=at(2026, 9, 30))
    make_paid_order((shop.batik, 2), (shop.chair, 1), paid_at=at(2026, 10, 1))
    make_paid_order((shop.tempeh, 1), shipping=0, paid_at=at(2026, 10, 31))
    db_session.commit()
    return shop


def test_a_real_sale_stands_on_its_facilitys_statement_alone(db_session: Session, shop: Shop) -> None:
    october = the_statement(db_session, shop.pekalongan, "2026-10")
    assert october.opening == dict(zip((*FUNDS, "shipping"), (50_000, 35_000, 15_000, 10_000), strict=True))
    sale = october.movements[0]
    assert (sale.kind, sale.total) == ("sale", 200_000 + 485_000 + 15_000 + 10_000)
    assert [m.kind for m in october.movements] == ["sale", "refund", "fee", "deposit", "settlement"]
    assert the_statement(db_session, shop.ambon, "2026-10").movements[0].total == 0


def test_lines_name_the_piece_of_work(db_session: Session, shop: Shop) -> None:
    connection = driver_connection(db_session.connection())
    page = lines_page(
        connection, Lines((shop.pekalongan.id,), span.parse("2026-10"), kind="sale", goods=True)
    )
    assert [(row["sku"], row["quantity"], row["total"], row["premium"]) for row in page.rows] == [
        ("PKL-TEMPE", 1, 15_000, 7_500), ("PKL-KURSI", 1, 485_000, 242_500), ("PKL-BATIK", 2, 200_000, 100_000),
    ]  # fmt: skip
    assert page.sums == {
        "premium": 350_000,
        "working_capital": 245_000,
        "state_revenue": 105_000,
        "shipping": 0,
    }


def test_lines_are_turned_over_page_by_page_and_back(
    db_session: Session, facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement_lines, "PAGE", 4)
    random_books(db_session, facility, 3, days=20, steps=30)
    connection = driver_connection(db_session.connection())
    wanted = Lines((facility.id,), span.parse("2026-11"))
    forward, page = [], lines_page(connection, wanted)
    assert page.newer is None
    while True:
        forward.append([(row["entry_id"], row["line_id"]) for row in page.rows])
        if page.older is None:
            break
        page = lines_page(connection, wanted, older=page.older)
    back = [forward[-1]]
    while page.newer:
        page = lines_page(connection, wanted, newer=page.newer)
        back.append([(row["entry_id"], row["line_id"]) for row in page.rows])
    assert back[::-1] == forward
    entries = [entry for rows in forward for entry, _line in rows]
    assert len(entries) == db_session.scalar(
        text("SELECT count(*) FROM (SELECT DISTINCT p.entry_id, p.order_line_id FROM postings p"
             " JOIN accounts a ON a.id = p.account_id WHERE a.facility_id = :f) x"), {"f": facility.id}
    )  # fmt: skip
    assert lines_page(connection, wanted, older="2026-99-99_x").rows == lines_page(connection, wanted).rows


def test_a_report_adds_up_to_the_same_whichever_way_it_is_cut(db_session: Session, shop: Shop) -> None:
    connection = driver_connection(db_session.connection())
    both = (shop.pekalongan.id, shop.ambon.id)
    for by in By:
        report = sales_report(connection, by, both, span.parse("2026-09-01--2026-10-31"))
        rows = sold(connection, report)
        assert sum(row.amounts["net_amount"] for row in rows) == 160_000 + 685_000 + 15_000
        assert sum(row.amounts["state_revenue"] for row in rows) == 129_000
        assert sum(row.pieces for row in rows) == 6
    report = sales_report(connection, By.WORKSHOP, both, span.parse("2026-10"))
    assert [(row.facility, row.label, row.amounts["sold"]) for row in sold(connection, report)] == [
        ("PKL", "Batik", 685_000), ("PKL", "Dapur", 15_000),
    ]  # fmt: skip
    only = sales_report(connection, By.MONTH, both, span.parse("2026-09-01--2026-10-31"), workshop="Dapur")
    assert [(row.key, row.amounts["sold"]) for row in sold(connection, only)] == [("2026-10", 15_000)]


def test_balances_on_a_day_are_the_statements_closing(db_session: Session, shop: Shop) -> None:
    connection = driver_connection(db_session.connection())
    _columns, rows = facility_balances(
        connection, (shop.pekalongan.id, shop.ambon.id), datetime.date(2026, 10, 31)
    )
    assert [row.code for row in rows] == ["PKL", "NML"]
    for row, facility in zip(rows, (shop.pekalongan, shop.ambon), strict=True):
        assert dict(row.owed) == the_statement(db_session, facility, "2026-10").closing


@pytest.mark.parametrize("seed", range(20, 24))
def test_what_is_left_is_the_youngest(db_session: Session, facility: Facility, seed: int) -> None:
    """Against a queue: what comes is put at its end, what goes is taken from its front."""
    books = random_books(db_session, facility, seed, days=100, steps=40)
    connection = driver_connection(db_session.connection())
    day = datetime.date(2026, 11, 30)
    found = {row.fund: row for row in ageing(connection, [facility.id], day)}
    for code in (*FUNDS, "shipping"):
        moves = sorted((d, amount) for d, _kind, column, amount in books.plain if column == code)
        taken = -sum(amount for _, amount in moves if amount < 0)
        ages = [0, 0, 0, 0]
        for d, amount in moves:
            if amount > 0:
                gone = min(taken, amount)
                taken -= gone
                ages[sum((day - d).days > limit for limit in AGES)] += amount - gone
        row = found.get(code)
        assert (row.amounts if row else (0, 0, 0, 0)) == tuple(ages), code
        assert -taken == (row.excess if row else 0)
        for age, amount in enumerate(ages):
            open_layers, younger, older = layers(connection, facility.id, code, day, age)
            assert younger is None
            assert older is None
            assert sum(layer.open for layer in open_layers) == amount
            assert all(0 < layer.open <= layer.amount for layer in open_layers)
        cut = day - 30 * DAY
        overdue = older_than(connection, code, cut).get(facility.id, 0)
        assert overdue == max(0, -taken + sum(ages) - sum(a for d, a in moves if a > 0 and d > cut))


def test_days_that_make_no_sense_are_refused(db_session: Session) -> None:
    for text_ in (
        "2026-13",
        "2026",
        "2026-10-05",
        "2026-10-05--2026-10-01",
        "kemarin",
        "1999-01",
        "",
        "2026-10--",
    ):
        with pytest.raises(span.BadSpan):
            span.parse(text_)
    assert span.parse("2026-10-01--2026-10-31").name == "2026-10"
    assert span.parse("2026-10").before == span.parse("2026-09")
    assert span.parse("2026-12").after == span.parse("2027-01")
    assert span.parse("2026-10-05--2026-10-06").after == span.parse("2026-10-07--2026-10-08")


def test_a_posting_counts_on_its_entrys_day(db_session: Session, shop: Shop) -> None:
    other = db_session.execute(
        select(func.count()).select_from(
            text(
                "postings p JOIN journal_entries e ON e.id = p.entry_id AND e.effective_date <> p.effective_date"
            )
        )
    ).scalar_one()
    assert other == 0
