"""Deposits: every rupiah of state revenue on one slip, under one NTPN, in time."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront import days
from storefront.books import budget, deposit, deposit_paid, proof, satkers
from storefront.books.deposit import NothingToDeposit
from storefront.books.four_eyes import Decided, FourEyes
from storefront.books.models import Deposit, DepositDeadline, DepositLine, Satker
from storefront.books.satkers import NoSatker
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.ledger.models import Account, JournalEntry, Posting
from storefront.media.storage import private_files
from tests.factories import make_paid_order
from tests.money_out import (
    PKL_STATE,
    Books,
    approved_deposit,
    billed_deposit,
    books_balance,
    close_last_month,
    give_back,
    open_books,
    owed,
    paid_deposit,
    register_satker,
    settled,
)
from tests.threads import at_once

NTPN = "A1B2C3D4E5F6G7H8"
WHY = "Salah UPT, seharusnya Namlea"


@pytest.fixture
def books(db_session: Session) -> Books:
    return open_books()


def noon(day: datetime.date) -> datetime.datetime:
    """Midday in Jakarta."""
    return datetime.datetime.combine(day, datetime.time(5), datetime.UTC)


def carried(found: Deposit) -> dict[int, int]:
    rows = db.session.execute(
        select(DepositLine.posting_id, DepositLine.amount).where(DepositLine.deposit_id == found.id)
    )
    return {row.posting_id: row.amount for row in rows}


def waits() -> dict[int, int]:
    """What the state is owed of each posting of Pekalongan that no living deposit carries."""
    rows = db.session.execute(
        select(Posting.id, Posting.amount)
        .join(Account, Account.id == Posting.account_id)
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(
            Account.code.in_(("owed:PKL:state_revenue", "receivable:PKL:state_revenue")),
            JournalEntry.source.not_like("deposit:%"),
            ~select(DepositLine.posting_id)
            .where(DepositLine.posting_id == Posting.id, DepositLine.is_living)
            .exists(),
        )
    )
    return {row.id: -row.amount for row in rows}


def test_a_deposit_carries_each_posting_to_the_piece_of_work(books: Books) -> None:
    give_back(books, "state_revenue", 1_000, "refund:x:succeeded")
    expected = waits()
    found = deposit.propose(books.pekalongan, person_id=books.first)
    db.session.commit()
    assert found.amount == PKL_STATE - 1_000 == sum(expected.values())
    assert carried(found) == expected
    assert -1_000 in expected.values()
    lines = db.session.scalars(
        select(Posting.order_line_id).where(Posting.id.in_(expected), Posting.order_line_id.is_not(None))
    ).all()
    assert len(lines) == 1
    assert waits() == {}


def test_a_deposit_is_paid_and_booked(books: Books) -> None:
    found = paid_deposit(books, NTPN)
    db.session.commit()
    assert (found.state, found.ntpn, found.paid_on) == ("paid", NTPN, days.today())
    assert owed("PKL:state_revenue") == balance("owed:PKL:state_revenue") == 0
    row = db.session.execute(text("SELECT * FROM reporting.deposits")).one()
    assert (row.facility_code, row.amount, row.ntpn) == ("PKL", PKL_STATE, NTPN)
    sums = db.session.execute(
        text("SELECT sum(amount)::bigint, count(line_id) FROM reporting.deposit_lines")
    ).one()
    assert tuple(sums) == (PKL_STATE, 1)


def test_nothing_is_deposited_twice(books: Books) -> None:
    deposit.propose(books.pekalongan, person_id=books.first)
    with pytest.raises(NothingToDeposit):
        deposit.propose(books.pekalongan, person_id=books.second)
    make_paid_order((books.shop.batik, 1))
    assert deposit.propose(books.pekalongan, person_id=books.first).amount == 15_000


def test_two_people_proposing_at_once(wide_app: Flask, books: Books) -> None:
    def proposing(person: int) -> Callable[[], int]:
        def call() -> int:
            with wide_app.app_context():
                found = deposit.propose(books.pekalongan, person_id=person)
                db.session.commit()
                return found.id

        return call

    answers = at_once([proposing(books.first), proposing(books.second)] * 3)
    assert sum(isinstance(answer, int) for answer in answers) == 1
    assert sum(isinstance(answer, NothingToDeposit) for answer in answers) == 5


def test_the_database_lets_a_posting_into_one_living_deposit(books: Books, db_session: Session) -> None:
    found = deposit.propose(books.pekalongan, person_id=books.first)
    db_session.commit()
    copy = """WITH d AS (INSERT INTO deposits (facility_id, satker_id, amount, due_on, proposed_by)
              SELECT facility_id, satker_id, amount, due_on, proposed_by FROM deposits WHERE id = :id RETURNING id)
              INSERT INTO deposit_lines (deposit_id, posting_id, amount)
              SELECT (SELECT id FROM d), posting_id, amount FROM deposit_lines WHERE deposit_id = :id"""
    with pytest.raises(DBAPIError, match=r"deposit_lines_once|not this facility"):
        db_session.execute(text(copy), {"id": found.id})
    db_session.rollback()
    deposit.reject(found.id, books.first)
    again = deposit.propose(books.pekalongan, person_id=books.first)
    db_session.commit()
    assert carried(again) == carried(found)
    for change in (
        "UPDATE deposit_lines SET is_living = false",
        "UPDATE deposit_lines SET is_living = true",
        "UPDATE deposit_lines SET amount = amount + 1",
        "DELETE FROM deposit_lines",
        "UPDATE deposits SET amount = amount - 1",
        "DELETE FROM deposits",
    ):
        with pytest.raises(DBAPIError):
            db_session.execute(text(change))
        db_session.rollback()


def test_even_the_owner_cannot_free_a_line_of_a_living_deposit(
    books: Books, owner_connection: object
) -> None:
    import psycopg

    deposit.propose(books.pekalongan, person_id=books.first)
    db.session.commit()
    assert isinstance(owner_connection, psycopg.Connection)
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner_connection.execute("UPDATE deposit_lines SET is_living = false")


@pytest.mark.parametrize("which", ["another fund", "another facility", "another amount"])
def test_a_line_is_this_facilitys_state_revenue(books: Books, db_session: Session, which: str) -> None:
    code, more = {
        "another fund": ("owed:PKL:premium", 0),
        "another facility": ("owed:NML:state_revenue", 0),
        "another amount": ("owed:PKL:state_revenue", 1),
    }[which]
    posting = db_session.execute(
        select(Posting.id, Posting.amount)
        .join(Account, Account.id == Posting.account_id)
        .where(Account.code == code)
    ).first()
    assert posting is not None
    satker = satkers.in_force(books.pekalongan, days.today())
    found = Deposit(
        facility_id=books.pekalongan, satker_id=satker.id, amount=-posting.amount, due_on=days.today(),
        proposed_by=books.first,
    )  # fmt: skip
    db_session.add(found)
    db_session.flush()
    with pytest.raises(DBAPIError):
        db_session.execute(
            text("INSERT INTO deposit_lines (deposit_id, posting_id, amount) VALUES (:d, :p, :a)"),
            {"d": found.id, "p": posting.id, "a": -posting.amount + more},
        )


def test_it_is_due_so_many_days_after_the_oldest_money_arrived(books: Books) -> None:
    today = days.today()
    old = today - datetime.timedelta(days=30)
    make_paid_order((books.shop.batik, 1), paid_at=noon(old))
    found = deposit.propose(books.pekalongan, person_id=books.first)
    assert found.due_on == old + datetime.timedelta(days=7)
    deposit.reject(found.id, books.first)
    db.session.add(
        DepositDeadline(valid_from=today - datetime.timedelta(days=31), days=1, legal_basis="PMK contoh")
    )
    db.session.flush()
    assert deposit.propose(books.pekalongan, person_id=books.first).due_on == old + datetime.timedelta(days=1)


def test_sales_after_the_chosen_day_wait_for_the_next_deposit(books: Books) -> None:
    yesterday = days.today() - datetime.timedelta(days=1)
    with pytest.raises(NothingToDeposit):
        deposit.propose(books.pekalongan, until=yesterday, person_id=books.first)
    make_paid_order((books.shop.batik, 1), paid_at=noon(yesterday))
    give_back(books, "state_revenue", 2_000, "refund:x:succeeded")  # today: it is carried none the less
    found = deposit.propose(books.pekalongan, until=yesterday, person_id=books.first)
    assert found.amount == 15_000 - 2_000
    assert sum(waits().values()) == PKL_STATE


def test_money_that_went_back_after_the_deposit_comes_off_the_next(books: Books) -> None:
    paid_deposit(books, NTPN)
    give_back(books, "state_revenue", 4_000, "refund:x:succeeded")
    assert balance("receivable:PKL:state_revenue") == 4_000
    with pytest.raises(NothingToDeposit):
        deposit.propose(books.pekalongan, person_id=books.first)
    make_paid_order((books.shop.batik, 1))
    second = paid_deposit(books, "Z1B2C3D4E5F6G7H8", "820251124000002")
    assert second.amount == 11_000
    assert -4_000 in carried(second).values()
    assert balance("receivable:PKL:state_revenue") == balance("owed:PKL:state_revenue") == 0
    assert books_balance()


def test_money_that_went_back_between_approval_and_payment(books: Books) -> None:
    found = billed_deposit(books)
    give_back(books, "state_revenue", 4_000, "refund:x:succeeded")
    deposit_paid.mark_paid(found.id, ntpn=NTPN, ntb="", paid_on=days.today(), person_id=books.first)
    assert balance("owed:PKL:state_revenue") == 0
    assert balance("receivable:PKL:state_revenue") == 4_000
    make_paid_order((books.shop.batik, 1))
    second = paid_deposit(books, "Z1B2C3D4E5F6G7H8", "820251124000002")
    assert second.amount == 11_000
    assert balance("receivable:PKL:state_revenue") == balance("owed:PKL:state_revenue") == 0


def test_money_that_went_back_before_approval_is_not_approved(books: Books) -> None:
    found = deposit.propose(books.pekalongan, person_id=books.first)
    give_back(books, "state_revenue", 4_000, "refund:x:succeeded")
    with pytest.raises(Invalid) as refusal:
        deposit.approve(found.id, books.second)
    assert "26.000" in str(refusal.value.message)
    deposit.reject(found.id, books.second)
    assert deposit.propose(books.pekalongan, person_id=books.first).amount == 26_000


def test_nobody_approves_their_own(books: Books) -> None:
    found = deposit.propose(books.pekalongan, person_id=books.first)
    with pytest.raises(FourEyes):
        deposit.approve(found.id, books.first)
    deposit.approve(found.id, books.second)
    with pytest.raises(Decided):
        deposit.approve(found.id, books.second)


def test_without_a_satker_there_is_a_sentence(db_session: Session) -> None:
    books = open_books(with_accounts=False)
    with pytest.raises(NoSatker) as refusal:
        deposit.propose(books.pekalongan, person_id=books.first)
    assert "Lapas Kelas IIA Pekalongan" in str(refusal.value.message)


@pytest.mark.parametrize("code", ["", "12345", "1234567890123456", "82025112400000A"])
def test_a_billing_code_has_fifteen_digits(books: Books, code: str) -> None:
    found = approved_deposit(books)
    expires = noon(days.today() + datetime.timedelta(days=3))
    with pytest.raises(Invalid) as refusal:
        deposit.set_billing_code(found.id, code, expires, books.first)
    assert list(refusal.value.errors) == ["billing_code"]


def test_a_billing_code_is_used_once_and_may_be_replaced(books: Books) -> None:
    billed_deposit(books, "820251124000001")
    with pytest.raises(Invalid):
        billed_deposit(books, "820251124000001", books.ambon)
    found = db.session.scalars(select(Deposit).where(Deposit.facility_id == books.pekalongan)).one()
    expires = noon(days.today() + datetime.timedelta(days=3))
    with pytest.raises(Invalid):
        deposit.set_billing_code(found.id, "820251124000009", noon(datetime.date(2020, 1, 1)), books.first)
    deposit.set_billing_code(found.id, "8202 5112 4000 009", expires, books.first)
    assert found.billing_code == "820251124000009"


def test_it_is_paid_under_a_billing_code_that_still_holds(books: Books) -> None:
    last = days.today() - datetime.timedelta(days=9)
    then = noon(last)
    found = deposit.propose(books.ambon, person_id=books.first, until=days.today(), at=then)
    deposit.approve(found.id, books.second, at=then)
    with pytest.raises(DomainError, match="no_billing_code"):
        deposit_paid.mark_paid(found.id, ntpn=NTPN, ntb="", paid_on=last, person_id=books.first)
    deposit.set_billing_code(
        found.id, "820251124000001", noon(last + datetime.timedelta(days=7)), books.first
    )
    with pytest.raises(Invalid) as refusal:
        deposit_paid.mark_paid(found.id, ntpn=NTPN, ntb="", paid_on=days.today(), person_id=books.first)
    assert list(refusal.value.errors) == ["paid_on"]
    deposit_paid.mark_paid(
        found.id, ntpn=NTPN, ntb="", paid_on=last + datetime.timedelta(days=7), person_id=books.first
    )


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"ntpn": "A1B2C3D4E5F6G7H"}, "ntpn"), ({"ntpn": "A1B2C3D4E5F6G7H8I"}, "ntpn"),
        ({"ntpn": "A1B2C3D4E5F6G7H!"}, "ntpn"), ({"ntb": "12"}, "ntb"), ({"paid": 1}, "paid_on"),
        ({"paid": -1}, "paid_on"), ({"booked": -1}, "booked_on"), ({"booked": 1}, "booked_on"),
    ],
)  # fmt: skip
def test_what_the_slip_says_is_checked(books: Books, values: dict[str, object], field: str) -> None:
    found = billed_deposit(books)
    today = days.today()

    def shifted(name: str) -> datetime.date:
        return today + datetime.timedelta(days=int(str(values.get(name, 0))))

    with pytest.raises(Invalid) as refusal:
        deposit_paid.mark_paid(
            found.id, ntpn=str(values.get("ntpn", NTPN)), ntb=str(values.get("ntb", "")),
            paid_on=shifted("paid"), booked_on=shifted("booked"), person_id=books.first,
        )  # fmt: skip
    assert list(refusal.value.errors) == [field]


def test_an_ntpn_is_used_once(wide_app: Flask, books: Books) -> None:
    first, second = billed_deposit(books), billed_deposit(books, "820251124000002", books.ambon)
    ids = [first.id, second.id]
    db.session.commit()

    def paying(deposit_id: int) -> Callable[[], bool]:
        def call() -> bool:
            with wide_app.app_context():
                deposit_paid.mark_paid(
                    deposit_id,
                    ntpn="a1b2 c3d4 e5f6 g7h8",
                    ntb="",
                    paid_on=days.today(),
                    person_id=books.first,
                )
                db.session.commit()
                return True

        return call

    answers = at_once([paying(ids[0]), paying(ids[1])])
    assert answers.count(True) == 1
    (refusal,) = [answer for answer in answers if answer is not True]
    assert isinstance(refusal, Invalid)
    assert list(refusal.errors) == ["ntpn"]


def test_a_deposit_is_undone_by_a_counter_entry_of_somebody_else(books: Books) -> None:
    found = paid_deposit(books, NTPN)
    before = carried(found)
    with pytest.raises(FourEyes):
        deposit_paid.reverse(found.id, on=days.today(), reason=WHY, person_id=books.first)
    deposit_paid.reverse(found.id, on=days.today(), reason=WHY, person_id=books.second)
    db.session.commit()
    assert owed("PKL:state_revenue") == PKL_STATE
    assert waits() == before
    again = paid_deposit(books, NTPN)  # the number was given to the wrong deposit
    assert carried(again) == before
    assert books_balance()


def test_a_closed_month_takes_no_deposit(books: Books) -> None:
    last = days.today().replace(day=1) - datetime.timedelta(days=1)
    found = deposit.propose(books.pekalongan, person_id=books.first, until=days.today(), at=noon(last))
    deposit.approve(found.id, books.second, at=noon(last))
    deposit.set_billing_code(found.id, "820251124000001", noon(days.today()), books.first)
    close_last_month(books)
    with pytest.raises(DomainError, match="period_closed"):
        deposit_paid.mark_paid(found.id, ntpn=NTPN, ntb="", paid_on=last, person_id=books.first)


def test_a_new_satker_ends_the_one_before(books: Books) -> None:
    tomorrow = days.today() + datetime.timedelta(days=1)
    old = satkers.in_force(books.pekalongan, days.today())
    register_satker(books, books.shop.pekalongan, tomorrow)
    assert satkers.in_force(books.pekalongan, days.today()).id == old.id
    assert satkers.in_force(books.pekalongan, tomorrow).id != old.id
    with pytest.raises(Invalid) as refusal:
        register_satker(books, books.shop.pekalongan, tomorrow)
    assert list(refusal.value.errors) == ["valid_from"]
    with pytest.raises(Invalid) as refusal:
        satkers.register(
            books.ambon, ministry_code="13", unit_code="x", office_code="", tax_number="1", treasurer="",
            revenue_account="4252890", valid_from=tomorrow, person_id=books.first,
        )  # fmt: skip
    assert set(refusal.value.errors) == {*satkers.FORMS, "treasurer"}
    assert db.session.scalar(select(func.count()).select_from(Satker)) == 3


def picture(form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(buffer, form, **options)
    return buffer.getvalue()


PDF = b"%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\ntrailer <<>>\nstartxref\n9\n%%EOF\n"


def test_slips_are_kept_in_private(books: Books) -> None:
    found = paid_deposit(books, NTPN)
    exif = Image.Exif()
    exif[0x010E] = "tempat rahasia"
    for content, extension in (
        (PDF, "pdf"), (picture("JPEG", exif=exif), "jpg"), (picture("PNG"), "png"),
    ):  # fmt: skip
        deposit_paid.attach_proof(found.id, content, books.first)
        assert found.proof_key is not None
        assert found.proof_key.endswith(f".{extension}")
        kept, kind = proof.read(found.proof_key)
        assert kind == proof.TYPES[extension]
        assert b"rahasia" not in kept
        assert private_files().exists(found.proof_key)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4\nhalf",
        PDF.replace(b"/Catalog", b"/Catalog /OpenAction <</S /JavaScript /JS (x)>>"),
        PDF.replace(b"/Catalog", b"/Catalog /J#61vaScript"), PDF.replace(b"trailer <<", b"trailer <</Encrypt 3 0 R"),
        b"%PDF-1.4\n<html><script>/Launch</script> startxref %%EOF",
        picture("JPEG")[:300],
        b"\x89PNG\r\n\x1a\n" + b"x" * 99,
        picture("GIF"), b"%PDF-" + b"x" * (10 * 1024 * 1024),
    ],
)  # fmt: skip
def test_what_is_no_slip_is_refused(books: Books, content: bytes) -> None:
    found = paid_deposit(books, NTPN)
    with pytest.raises(proof.BadProof):
        deposit_paid.attach_proof(found.id, content, books.first)


def test_scripts_packed_away_in_a_pdf_are_found() -> None:
    import zlib

    packed = zlib.compress(b"<</S /JavaScript /JS (app.alert(1))>>")
    content = PDF.replace(
        b"trailer",
        b"2 0 obj <</Type /ObjStm /Filter /FlateDecode>> stream\n" + packed + b"\nendstream endobj\ntrailer",
    )
    with pytest.raises(proof.BadProof):
        proof.checked(content)
    harmless = PDF.replace(
        b"trailer", b"2 0 obj <<>> stream\n" + b"\x00/JS \x01" + b"\nendstream endobj\ntrailer"
    )
    assert proof.checked(harmless) == ("pdf", harmless)


def test_budget_returns_and_is_paid_to_the_facility(books: Books) -> None:
    paid_deposit(books, NTPN)
    with pytest.raises(Invalid) as refusal:
        budget.propose(
            books.pekalongan, books.funds["premium"], amount=PKL_STATE + 1, reference="SP2D-1",
            returned_on=days.today(), person_id=books.first,
        )  # fmt: skip
    assert list(refusal.value.errors) == ["amount"]
    returned = budget.propose(
        books.pekalongan, books.funds["premium"], amount=20_000, reference="SP2D-1", returned_on=days.today(),
        person_id=books.first,
    )  # fmt: skip
    with pytest.raises(FourEyes):
        budget.approve(returned.id, books.first)
    before = owed("PKL:premium")
    budget.approve(returned.id, books.second)
    db.session.flush()
    for change in ("amount = amount - 1", "returned_on = returned_on - 1", "reference = 'SP2D-0'"):
        with pytest.raises(DBAPIError, match="what was proposed stays"), db.session.begin_nested():
            db.session.execute(text(f"UPDATE budget_returns SET {change}"))
    db.session.commit()
    assert owed("PKL:premium") == before + 20_000
    assert balance(f"bank:{returned.bank_account_id}") == 20_000 - PKL_STATE
    settled(books, "premium", before + 20_000, "TRX-1")
    with pytest.raises(Invalid) as refusal:
        budget.propose(
            books.pekalongan, books.funds["premium"], amount=1, reference="SP2D-1", returned_on=days.today(),
            person_id=books.first,
        )  # fmt: skip
    assert list(refusal.value.errors) == ["reference"]
    for fund in ("state_revenue",):
        with pytest.raises(Invalid):
            budget.propose(
                books.pekalongan, books.funds[fund], amount=1, reference="SP2D-2", returned_on=days.today(),
                person_id=books.first,
            )  # fmt: skip


def test_a_deposit_whose_money_came_back_as_budget_is_not_undone(books: Books) -> None:
    found = paid_deposit(books, NTPN)
    returned = budget.propose(
        books.pekalongan, books.funds["premium"], amount=1, reference="SP2D-1", returned_on=days.today(),
        person_id=books.first,
    )  # fmt: skip
    db.session.commit()
    undo = {"on": days.today(), "reason": "Salah kode billing", "person_id": books.second}
    with pytest.raises(Invalid) as refusal:
        deposit_paid.reverse(found.id, **undo)
    assert list(refusal.value.errors) == ["reason"]
    budget.reject(returned.id, books.second)
    assert returned.rejected_by == books.second
    assert deposit_paid.reverse(found.id, **undo).state == "reversed"


steps = st.lists(
    st.tuples(st.sampled_from(["sell", "give_back", "propose", "pay", "undo"]), st.integers(1, 20_000)),
    max_size=10,
)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(steps)
def test_in_any_order_the_state_gets_exactly_its_share(books: Books, done: list[tuple[str, int]]) -> None:
    """What the books owe the state is always what no paid deposit carries; no account is ever a hole."""
    from storefront.ledger.book import Leg, book, clearing
    from storefront.ledger.book import owed as owed_account

    with db.session.begin_nested() as everything:
        sold, gone, sent, waiting, paid = PKL_STATE, 0, 0, [], []
        for number, (step, amount) in enumerate(done):
            if step == "sell":
                account = owed_account(books.pekalongan, "PKL", books.funds["state_revenue"], "state_revenue")
                book(
                    f"payment:{number}:captured", "sale", days.today(),
                    [Leg(clearing("sandbox"), amount), Leg(account, -amount)],
                )  # fmt: skip
                sold += amount
            elif step == "give_back" and gone + amount <= sold:
                give_back(books, "state_revenue", amount, f"refund:{number}:succeeded")
                gone += amount
            elif step == "propose" and sum(waits().values()) > 0:
                found = deposit.propose(books.pekalongan, person_id=books.first)
                try:
                    waiting.append(deposit.approve(found.id, books.second))
                except Invalid:
                    deposit.reject(found.id, books.first)
            elif step == "pay" and waiting:
                found = waiting.pop()
                expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=7)
                deposit.set_billing_code(found.id, f"{820251124000000 + number}", expires, books.first)
                deposit_paid.mark_paid(
                    found.id, ntpn=f"{number:016d}", ntb="", paid_on=days.today(), person_id=books.first
                )
                paid.append(found)
                sent += found.amount
            elif step == "undo" and paid:
                found = paid.pop()
                deposit_paid.reverse(found.id, on=days.today(), reason=WHY, person_id=books.second)
                sent -= found.amount
            assert owed("PKL:state_revenue") == sold - gone - sent
            assert sum(waits().values()) + sum(one.amount for one in waiting) == sold - gone - sent
            assert balance("owed:PKL:state_revenue") <= 0
            assert balance("receivable:PKL:state_revenue") >= 0
            assert books_balance()
        everything.rollback()
