"""Lines of the bank and entries of the books are tied to the rupiah, by name, by a click, or set aside."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from storefront.bank import from_line, lists, match, proposals
from storefront.bank.known_entries import untied
from storefront.bank.match import IsFixed, NotEven
from storefront.bank.models import BankLine
from storefront.books import settle
from storefront.books.four_eyes import Decided
from storefront.books.models import Deposit, Settlement
from storefront.books.payouts import record_payout
from storefront.books.settle import Wish
from storefront.days import today
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.keyset import Turn
from storefront.ledger.balance import balance
from tests.bank_samples import Movement
from tests.banking import ask_for_transfer, open_bank, paid, states, take_in
from tests.banking import settle as run_jobs_of
from tests.money_out import Books, billed_deposit, settled
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def books(db_session: Any) -> Books:
    found, _account = open_bank()
    return found


@pytest.fixture
def account(books: Books) -> int:
    return lists.sides()[0].id


def arrives(books: Books, account: int, *movements: Movement) -> list[BankLine]:
    lines = take_in(account, books.first, *movements)
    run_jobs_of(account)
    return lines


def payout(books: Books, amount: int = 200_000, reference: str = "po_20261127") -> None:
    record_payout(
        gateway="sandbox", reference=reference, amount=amount, arrived_on=today(), person_id=books.first
    )
    db.session.commit()


def proposed(line: BankLine) -> list[tuple[str, int]]:
    return [(row.kind, row.difference) for row in proposals.for_lines([line])[line.id]]


def test_a_payout_recorded_by_hand_is_tied_to_its_line(books: Books, account: int) -> None:
    payout(books)
    (line,) = arrives(books, account, Movement(today(), 200_000, "SANDBOX PAYOUT PO 20261127"))
    assert line.state == "matched"
    (entry,) = lists.matched([line.match_id])[line.match_id]
    assert (entry.kind, entry.amount) == ("payout", 200_000)
    (side,) = lists.sides()
    assert (side.difference, side.lines_left, side.booked_left) == (0, 0, 0)


def test_a_payout_of_another_amount_is_shown_with_both_sides(books: Books, account: int) -> None:
    payout(books)
    (line,) = arrives(books, account, Movement(today(), 195_000, "SANDBOX PAYOUT PO_20261127"))
    assert line.state == "open"
    (row,) = proposals.for_lines([line])[line.id]
    assert (row.kind, row.amount, row.difference, row.is_named) == ("entry_differs", 200_000, -5_000, True)
    with pytest.raises(NotEven):
        match.tie(match.locked_lines([line.id]), [int(row.id)], person_id=books.first)
    (side,) = lists.sides()
    assert side.difference == side.lines_left - 100 * side.booked_left == -500_000


def test_two_that_fit_are_left_to_a_person(books: Books, account: int) -> None:
    payout(books, 70_000, "po_one")
    payout(books, 70_000, "po_two")
    (line,) = arrives(books, account, Movement(today(), 70_000, "PAYOUT"))
    assert proposed(line) == [("entry", 0), ("entry", 0)]
    match.tie(match.locked_lines([line.id]), [untied(account, [70_000])[0].posting_id], person_id=books.first)
    db.session.commit()
    assert states([line]) == ["matched"]
    assert len(untied(account)) == 1


def test_one_line_may_be_several_payments_that_left_together(books: Books, account: int) -> None:
    for fund, amount in (("premium", 20_000), ("working_capital", 15_000)):
        settled(books, fund, amount, f"TRX-{fund}")
    (line,) = arrives(books, account, Movement(today(), -35_000, "BULK"))
    both = [one.posting_id for one in untied(account)]
    with pytest.raises(NotEven):
        match.tie(match.locked_lines([line.id]), both[:1], person_id=books.first)
    match.tie(match.locked_lines([line.id]), both, person_id=books.first)
    db.session.commit()
    assert untied(account) == []


def test_a_settlement_is_tied_by_the_banks_reference(books: Books, account: int) -> None:
    settled(books, "premium", 20_000, "FT261127-0099")
    (line,) = arrives(books, account, Movement(today(), -20_000, "PENYALURAN", "FT2611270099"))
    assert line.state == "matched"


def test_a_match_can_be_taken_apart_but_not_what_was_booked_by_it(books: Books, account: int) -> None:
    payout(books)
    asked = ask_for_transfer((books.shop.batik, 1))
    by_name, by_code = arrives(books, account, Movement(today(), 200_000, "po_20261127"), paid(asked))
    match.untie(by_name.id, books.first)
    db.session.commit()
    assert states([by_name]) == ["open"]
    assert len(untied(account)) == 1
    with pytest.raises(IsFixed):
        match.untie(by_code.id, books.first)


def test_an_approved_settlement_is_paid_by_one_click(books: Books, account: int) -> None:
    (settlement,) = settle.propose(
        [Wish(books.pekalongan, books.funds["premium"], 20_000)], person_id=books.first
    )
    settle.approve([settlement.id], books.second)
    (line,) = arrives(books, account, Movement(today(), -20_000, "KE 2220000001 LAPAS", "FT77"))
    (row,) = proposals.for_lines([line])[line.id]
    assert (row.kind, row.id, row.is_named) == ("settlement", str(settlement.id), True)
    from_line.pay_settlement(line.id, settlement.id, books.first)
    db.session.commit()
    found = db.session.get_one(Settlement, settlement.id)
    assert (found.state, found.bank_reference, found.paid_on) == ("paid", "FT77", today())
    assert states([line]) == ["matched"]


def test_a_settlement_of_another_amount_is_not_paid_by_the_line(books: Books, account: int) -> None:
    (settlement,) = settle.propose(
        [Wish(books.pekalongan, books.funds["premium"], 20_000)], person_id=books.first
    )
    settle.approve([settlement.id], books.second)
    (line,) = arrives(books, account, Movement(today(), -19_000, "KE 2220000001"))
    assert proposed(line) == []
    with pytest.raises(NotEven):
        from_line.pay_settlement(line.id, settlement.id, books.first)
    db.session.rollback()
    assert db.session.get_one(Settlement, settlement.id).state == "approved"


def test_a_deposit_is_paid_by_the_line_with_its_ntpn(books: Books, account: int) -> None:
    deposit = billed_deposit(books)
    amount = deposit.amount
    db.session.commit()
    (line,) = arrives(
        books, account, Movement(today(), -amount, "MPN 820251124000001 NTPN A1B2C3D4E5F60718", "FT5")
    )
    (row,) = proposals.for_lines([line])[line.id]
    assert (row.kind, row.is_named, from_line.ntpn_in(line)) == ("deposit", True, "A1B2C3D4E5F60718")
    from_line.pay_deposit(line.id, deposit.id, ntpn=from_line.ntpn_in(line), ntb="", person_id=books.first)
    db.session.commit()
    assert db.session.get_one(Deposit, deposit.id).state == "paid"
    assert states([line]) == ["matched"]


def test_a_payout_is_recorded_from_its_line(books: Books, account: int) -> None:
    (line,) = arrives(books, account, Movement(today(), 150_000, "STRIPE"))
    from_line.record_payout(line.id, gateway="sandbox", reference="po_9", person_id=books.first)
    db.session.commit()
    assert (states([line]), balance(f"bank:{account}")) == (["matched"], 150_000)
    with pytest.raises((Decided, Invalid)):
        from_line.record_payout(line.id, gateway="sandbox", reference="po_10", person_id=books.first)


def test_a_line_is_set_aside_with_a_reason_and_brought_back(books: Books, account: int) -> None:
    (line,) = arrives(books, account, Movement(today(), -6_500, "BIAYA ADM"))
    with pytest.raises(Invalid):
        match.set_aside(line.id, " x ", books.first)
    match.set_aside(line.id, "Biaya administrasi bank", books.first)
    db.session.commit()
    assert states([line]) == ["set_aside"]
    trail = db.session.execute(
        text("SELECT details FROM audit_events WHERE action = 'bank_line.set_aside'")
    ).scalar_one()
    assert trail["reason"] == "Biaya administrasi bank"
    match.bring_back(line.id, books.first)
    db.session.commit()
    assert states([line]) == ["open"]


def test_the_banks_words_stand_in_no_trail(books: Books, account: int) -> None:
    asked = ask_for_transfer((books.shop.batik, 1))
    lines = arrives(books, account, paid(asked), paid(asked, 7), Movement(today(), 5, "IBU RATNA PERTIWI"))
    match.set_aside(lines[2].id, "Bukan untuk toko", books.first)
    db.session.commit()
    trail = db.session.scalars(text("SELECT details::text FROM audit_events")).all()
    assert not [row for row in trail if "SARI" in row or "RATNA" in row]


def test_a_payment_without_its_code_is_proposed(books: Books, account: int) -> None:
    asked = ask_for_transfer((books.shop.batik, 1))
    other = ask_for_transfer((books.shop.honey, 1))
    (line,) = arrives(books, account, paid(asked, note="LUPA"))
    rows = proposals.for_lines([line])[line.id]
    assert [(row.kind, row.label) for row in rows] == [("payment", asked.order.number)]
    assert other.order.number not in [row.label for row in rows]


def test_hundredths_are_never_tied(books: Books, account: int) -> None:
    from storefront.bank import files

    content = f"Tanggal;Uraian;Nominal\n{today():%d/%m/%Y};BUNGA;1.234,56\n".encode()
    file, _new = files.upload(account, "bunga.csv", content, books.first)
    files.take_in(file.id, books.first)
    db.session.commit()
    line = db.session.scalars(select(BankLine)).one()
    assert (line.amount, line.hundredths) == (1_234, 56)
    assert proposed(line) == []
    (side,) = lists.sides()
    assert side.difference == side.lines_left == 123_456


def test_the_database_holds_both_sides_to_the_same_sum(books: Books, account: int) -> None:
    payout(books)
    (line,) = arrives(books, account, Movement(today(), 5, "X"))
    posting = untied(account)[0].posting_id
    db.session.execute(
        text(
            "WITH m AS (INSERT INTO bank_matches (bank_account_id) VALUES (:account) RETURNING id),"
            " p AS (INSERT INTO bank_match_postings SELECT :posting, id FROM m)"
            " UPDATE bank_lines SET state = 'matched', match_id = (SELECT id FROM m) WHERE id = :line"
        ),
        {"account": account, "posting": posting, "line": line.id},
    )
    with pytest.raises(DBAPIError, match="the bank says 5, the books 200000"):
        db.session.commit()


def test_one_line_and_one_entry_tied_by_many_at_once_are_tied_once(
    books: Books, account: int, wide_app: Flask
) -> None:
    payout(books, 70_000, "aaa")
    lines = arrives(books, account, Movement(today(), 70_000, "ONE"), Movement(today(), 70_000, "TWO"))
    (posting,) = [one.posting_id for one in untied(account)]

    def call(line_id: int) -> Callable[[], bool]:
        def run() -> bool:
            with wide_app.app_context():
                match.tie(match.locked_lines([line_id]), [posting], person_id=books.first)
                db.session.commit()
                return True

        return run

    answers = at_once([call(line.id) for line in lines] * 3)
    assert answers.count(True) == 1, answers
    assert sorted(states(lines)) == ["matched", "open"]


def test_lines_are_listed_by_state_day_and_words(books: Books, account: int) -> None:
    day = today() - datetime.timedelta(40)
    arrives(books, account, Movement(day, 5, "LAMA"), Movement(today(), 7, "BARU SEKALI"))
    assert [row.amount for row in lists.lines().rows] == [7, 5]
    assert [row.amount for row in lists.lines(last=day).rows] == [5]
    assert [row.amount for row in lists.lines(words="baru").rows] == [7]
    assert lists.lines(state="matched").rows == []
    assert lists.counts() == {"open": 2, "matched": 0, "set_aside": 0}


@pytest.mark.parametrize("sort", ["", "day", "-day", "amount", "-amount"])
def test_pages_by_key_show_each_line_once_both_ways_while_lines_come_in(
    books: Books, account: int, sort: str
) -> None:
    days = [today() - datetime.timedelta(n % 7) for n in range(120)]
    arrives(books, account, *(Movement(day, 1 + n % 5, f"BARIS {n}") for n, day in enumerate(days)))
    pages = [lists.lines(sort=sort)]
    while pages[-1].older:
        pages.append(lists.lines(sort=sort, turn=Turn(older=pages[-1].older)))
    seen = [row.id for page in pages for row in page.rows]
    assert len(pages) == 3
    assert len(seen) == len(set(seen)) == 120 == pages[0].total
    assert pages[0].amount == sum(1 + n % 5 for n in range(120))
    kept = pages[1].older
    back = lists.lines(sort=sort, turn=Turn(newer=pages[2].newer))
    assert [row.id for row in back.rows] == [row.id for row in pages[1].rows]
    assert lists.lines(sort=sort, turn=Turn(newer=back.newer)).newer is None
    # More come in, in the first or the last place of each order: a page's address begins where it did.
    arrives(books, account, *(Movement(today(), 10**6 + n, f"BARU {n}") for n in range(3)))
    assert [row.id for row in lists.lines(sort=sort, turn=Turn(older=kept)).rows][:20] == seen[100:]
    first = [row.id for row in lists.lines(sort=sort).rows]
    for odd in ("x", "1_x", "2_2026-01-01_1", "1_2026-99-01_1", "1_2026-01-01_99999999999999999999", "_", ""):
        assert [row.id for row in lists.lines(sort=sort, turn=Turn(older=odd)).rows] == first
