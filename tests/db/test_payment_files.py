"""Files of payments for the bank: what two people agreed on, each once, and the bytes that were made."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.bank import payment_files, payment_shapes
from storefront.bank.payment_models import PaymentFile, PaymentFileShape
from storefront.bank.payment_shape import USUAL, FileColumn
from storefront.books import settle, settle_paid
from storefront.books.four_eyes import Decided, FourEyes
from storefront.books.settle import InPaymentFile, Wish
from storefront.books.settle_paid import Paid
from storefront.embedded import SUPERUSER
from storefront.errors import Invalid
from storefront.extensions import db
from tests.clones import Clone
from tests.money_out import Books, open_books
from tests.threads import while_held


@pytest.fixture
def books(db_session: Session) -> Books:
    books = open_books()
    payment_shapes.approve(payment_shapes.propose(USUAL, books.first).id, books.second)
    db.session.commit()
    return books


def approved(books: Books) -> list[int]:
    """A settlement of premium to each of two facilities, 30,000 and 20,000."""
    premium = books.funds["premium"]
    found = settle.propose(
        [Wish(books.pekalongan, premium, 30_000), Wish(books.ambon, premium, 20_000)], person_id=books.first
    )
    ids = [one.id for one in found]
    settle.approve(ids, books.second)
    db.session.commit()
    return ids


def made(books: Books, ids: list[int]) -> PaymentFile:
    file = payment_files.make(ids, [], pay_on=days.today(), person_id=books.first)
    db.session.commit()
    return file


def test_the_form_is_agreed_on_by_two_people_and_every_one_is_kept(books: Books) -> None:
    other = dataclasses.replace(USUAL, delimiter="semicolon")
    found = payment_shapes.propose(other, books.first)
    with pytest.raises(FourEyes):
        payment_shapes.approve(found.id, books.first)
    with pytest.raises(payment_shapes.ShapeWaits):
        payment_shapes.propose(dataclasses.replace(USUAL, amount="cents"), books.second)
    payment_shapes.approve(found.id, books.second)
    assert payment_shapes.in_force().id == found.id
    assert [one.shape["delimiter"] for one in payment_shapes.history()] == ["semicolon", "comma"]
    with pytest.raises(Decided):
        payment_shapes.reject(found.id, books.first)
    with pytest.raises(DatabaseError, match="what was proposed stays"):
        db.session.execute(text("UPDATE payment_file_shapes SET shape = '{}'"))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"columns": ()}, "columns"),
        ({"columns": (FileColumn("amount"),)}, "columns"),
        ({"columns": (FileColumn("amount"), FileColumn("account"), FileColumn("amount"))}, "columns"),
        ({"columns": (FileColumn("amount"), FileColumn("account"), FileColumn("pin"))}, "columns"),
        ({"last": "T|{sandi}"}, "last"),
        ({"first": "H|{jumlah"}, "first"),
        ({"delimiter": "x"}, "delimiter"),
    ],
)  # fmt: skip
def test_a_form_that_pays_nobody_is_refused(books: Books, changed: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        payment_shapes.propose(dataclasses.replace(USUAL, **changed), books.first)  # type: ignore[arg-type]
    assert field in refusal.value.extra["errors"]


def test_a_file_holds_what_was_approved_and_can_be_written_again(books: Books) -> None:
    ids = approved(books)
    file = made(books, ids)
    assert (file.payments, file.amount) == (2, 50_000)
    content = payment_files.content(file)
    assert hashlib.sha256(content).digest() == file.content_hash
    rows = content.decode().splitlines()
    assert rows[0].startswith(f"H,1110001112,{days.today():%Y%m%d},2,50000")
    assert rows[2] == f"1,2220000001,RPL Contoh,Bank Contoh,IDR,30000,PREMI PKL,PS{ids[0]}"
    assert rows[-1] == "T,2,50000"
    # A form that is agreed on later changes nothing of a file that was made.
    payment_shapes.approve(
        payment_shapes.propose(dataclasses.replace(USUAL, amount="cents"), books.first).id, books.second
    )
    db.session.execute(text("UPDATE facilities SET name = 'Lapas Lain'"))
    assert payment_files.content(file) == content


def test_nobody_is_paid_by_two_files(books: Books) -> None:
    ids = approved(books)
    file = made(books, ids[:1])
    with pytest.raises(payment_files.InAnotherFile):
        payment_files.make(ids, [], pay_on=days.today(), person_id=books.second)
    with pytest.raises(InPaymentFile):
        settle.reject(ids[0], books.second)
    db.session.rollback()
    with pytest.raises(DatabaseError, match="payment_file_lines_settlement"):
        db.session.execute(
            text("INSERT INTO payment_file_lines (file_id, position, settlement_id, amount) VALUES (:f, 9, :s, 30000)"),
            {"f": file.id, "s": ids[0]},
        )
    db.session.rollback()
    payment_files.take(file.id, books.first)
    with pytest.raises(Invalid):
        payment_files.discard(file.id, "salah", books.first)
    payment_files.discard(file.id, "Bank menolak seluruh berkas", books.first)
    db.session.commit()
    again = made(books, ids)
    assert again.amount == 50_000
    settle_paid.mark_paid(Paid(ids[0], "FT-0001", days.today()), books.first)
    db.session.commit()
    actions = db.session.scalars(
        select(AuditEvent.action).where(AuditEvent.subject_kind == "payment_file").order_by(AuditEvent.id)
    ).all()
    assert actions == ["payment_file.made", "payment_file.taken", "payment_file.discarded", "payment_file.made"]


def test_only_what_is_approved_on_a_day_that_comes(books: Books) -> None:
    (one,) = settle.propose([Wish(books.pekalongan, books.funds["premium"], 1_000)], person_id=books.first)
    db.session.commit()
    with pytest.raises(Decided):
        payment_files.make([one.id], [], pay_on=days.today(), person_id=books.first)
    with pytest.raises(Invalid):
        payment_files.make([], [], pay_on=days.today(), person_id=books.first)
    yesterday = days.today() - datetime.timedelta(days=1)
    with pytest.raises(Invalid):
        payment_files.make([one.id], [], pay_on=yesterday, person_id=books.first)
    db.session.rollback()
    file = made(books, approved(books))
    for statement in (
        "UPDATE payment_files SET amount = amount + 1",
        "DELETE FROM payment_files",
        "UPDATE payment_file_lines SET is_living = false",
        "INSERT INTO payment_files (shape_id, bank_account_id, pay_on, payments, amount, content_hash, made_by)"
        " SELECT shape_id, bank_account_id, pay_on, 1, 1, content_hash, made_by FROM payment_files;"
        " SET CONSTRAINTS ALL IMMEDIATE",
        f"INSERT INTO payment_file_lines (file_id, position, settlement_id, amount) VALUES ({file.id}, 9, {one.id}, 1)",
    ):
        with pytest.raises(DatabaseError):
            db.session.execute(text(statement))
        db.session.rollback()


def test_two_who_make_a_file_at_once_make_one(app: Flask, database: Clone, books: Books) -> None:
    ids = approved(books)

    def act(person_id: int) -> int:
        with app.app_context():
            file = payment_files.make(ids, [], pay_on=days.today(), person_id=person_id)
            db.session.commit()
            return file.id

    found = while_held(
        database.addresses[SUPERUSER],
        f"SELECT FROM settlements WHERE id = {ids[0]} FOR UPDATE",
        [lambda: act(books.first), lambda: act(books.second)],
    )
    assert sorted(type(one).__name__ for one in found) == ["InAnotherFile", "int"]
    assert len(db.session.scalars(select(PaymentFile.id)).all()) == 1


def test_two_who_approve_a_form_at_once_approve_it_once(app: Flask, database: Clone, books: Books) -> None:
    other = payment_shapes.propose(dataclasses.replace(USUAL, quoted=True), books.first).id
    db.session.commit()

    def act(decide: str) -> int:
        with app.app_context():
            found = getattr(payment_shapes, decide)(other, books.second)
            db.session.commit()
            return int(found.id)

    found = while_held(
        database.addresses[SUPERUSER],
        f"SELECT FROM payment_file_shapes WHERE id = {other} FOR UPDATE",
        [lambda: act("approve"), lambda: act("reject")],
    )
    assert sorted(type(one).__name__ for one in found) == ["Decided", "int"]
    shape = db.session.get_one(PaymentFileShape, other, populate_existing=True)
    assert (shape.approved_at is None) != (shape.rejected_at is None)
