"""Tracking numbers pasted or from a file: each row's verdict before anything is saved, nothing lost, nothing twice."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from werkzeug.test import TestResponse

from storefront.audit.models import AuditEvent
from storefront.orders import ship
from storefront.orders.models import Parcel
from storefront.orders.tracking_rows import rows_of
from tests.factories import make_paid_order, make_person, method_id
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in

PAGE = "/seller/PKL/parcels/tracking"


@pytest.mark.parametrize(
    ("line", "courier", "tracking"),
    [
        ("KB-7Q2M-4XPA/1\tJ&T Express\tJT 01", "J&T Express", "JT 01"), ("KB-7Q2M-4XPA/1;JNE;CGK1", "JNE", "CGK1"),
        ("KB-7Q2M-4XPA/1, JNE , CGK1 ,", "JNE", "CGK1"), ("KB-7Q2M-4XPA/1|JNE|CGK1", "JNE", "CGK1"),
        ("KB-7Q2M-4XPA/1   Pos Indonesia   CGK1", "Pos Indonesia", "CGK1"), ("KB-7Q2M-4XPA/1\tCGK1", "TIKI", "CGK1"),
        ("KB-7Q2M-4XPA/1 Pos Indonesia CGK1", "Pos Indonesia", "CGK1"), ("KB-7Q2M-4XPA/1 CGK1", "TIKI", "CGK1"),
        ("KB-7Q2M-4XPA/1\t\tCGK1", "TIKI", "CGK1"), ("KB-7Q2M-4XPA/1", "TIKI", ""), ('"KB-7Q2M-4XPA/1","JNE","CGK1"',
        "JNE", "CGK1"), ("KB-7Q2M-4XPA/1;JNE;\u202eCGK1\u0007", "JNE", "CGK1"),
    ],
)  # fmt: skip
def test_rows_are_read_in_the_usual_separators(line: str, courier: str, tracking: str) -> None:
    row = rows_of(f"kiriman\tkurir\tresi\n\n{line}\n", "TIKI")[0]
    assert (row.name, row.courier, row.tracking) == ("KB-7Q2M-4XPA/1", courier, tracking)


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    return open_shop()


@pytest.fixture
def coordinator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))


@pytest.fixture
def parcels(shop: Shop, db_session: DbSession) -> list[Parcel]:
    """To pack, packed, sent with a wrong number, to be collected, and another facility's."""
    orders = [make_paid_order((shop.batik, 1)) for _ in range(3)]
    orders += [make_paid_order((shop.tempeh, 1)), make_paid_order((shop.honey, 1))]
    found = [db_session.scalars(select(Parcel).where(Parcel.order_id == order.id)).one() for order in orders]
    person = make_person().id
    for parcel in found[1:3]:
        ship.mark_packed(parcel.id, person)
    ship.mark_shipped(found[2].id, "JNE", "SALAH", person)
    found[3].is_pickup, found[3].shipping_amount, found[3].method_id = True, 0, method_id("pickup")
    db_session.commit()
    return found


def send(client: FlaskClient, step: str, rows: str = "", **more: Any) -> TestResponse:
    return post(client, PAGE, {"rows": rows, "step": step, **more}, content_type="multipart/form-data")


def test_a_dry_run_says_all_and_saving_loses_nothing(
    coordinator: FlaskClient, parcels: list[Parcel], db_session: DbSession
) -> None:
    numbers = [parcel.order.number for parcel in parcels]
    text = "\n".join(
        [
            f"{numbers[0]}/1\tJNE\tCGK1", f"{numbers[1].removeprefix('KB-').lower()};J&T Express;CGK2",
            f"{numbers[2]}/1,JNE,CGK3", f"{numbers[3]}/1\tJNE\tCGK4", f"{numbers[4]}/1\tJNE\tCGK5",
            f"{numbers[0]}/1\tJNE\tCGK6", f"{numbers[0]}/2 JNE X", "bukan nomor\tJNE\tCGK7",
        ]
    )  # fmt: skip
    tried = send(coordinator, "check", text).text
    assert "belum ada yang disimpan" in tried
    assert (tried.count("resi dicatat"), tried.count("resi diganti"), tried.count("tidak dicatat")) == (2, 1, 5)
    assert "Simpan 3 baris" in tried
    db_session.expire_all()
    assert [parcel.state for parcel in parcels] == ["to_pack", "packed", "shipped", "to_pack", "to_pack"]
    saved = send(coordinator, "save", text).text
    db_session.expire_all()
    assert [(p.state, p.tracking) for p in parcels] == [
        ("shipped", "CGK1"), ("shipped", "CGK2"), ("shipped", "CGK3"), ("to_pack", None), ("to_pack", None),
    ]  # fmt: skip
    left = saved[saved.index("<textarea") : saved.index("</textarea>")]
    assert [mark in left for mark in ("CGK1", "CGK3", "CGK4", "CGK5", "CGK6", "CGK7")] == [False] * 2 + [True] * 4
    again = send(coordinator, "save", text).text
    # Of the same parcel's second row, nothing: it is refused both times.
    assert again.count("sudah tercatat") == 3
    actions = db_session.scalars(select(AuditEvent.action).where(AuditEvent.subject_id == str(parcels[2].id)))
    assert list(actions).count("parcel.tracking") == 1


def test_a_file_is_read_like_a_paste(coordinator: FlaskClient, parcels: list[Parcel], db_session: DbSession) -> None:
    book = openpyxl.Workbook()
    for row in (("Kiriman", "Kurir", "Resi", "x"), (f"{parcels[0].order.number}/1", None, 12345678, "y")):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    tried = send(coordinator, "check", courier="JNE", file=(io.BytesIO(buffer.getvalue()), "resi.xlsx")).text
    assert "12345678" in tried
    assert "Simpan 1 baris" in tried
    table = f"\ufeffkiriman;kurir;resi\r\n{parcels[1].order.number}/1;TIKI;T-9\r\n".encode()
    assert "Simpan 1 baris" in send(coordinator, "check", file=(io.BytesIO(table), "resi.csv")).text
    for content in (b"PK\x03\x04 no", b"\x89PNG\0\0", b"\xff\xfe\0", b""):
        answer = send(coordinator, "check", "baris saya", file=(io.BytesIO(content), "x.xlsx"))
        assert answer.status_code in (200, 422)
        assert "baris saya" in answer.text
    too_many = send(coordinator, "save", "KB-7Q2M-4XPA/1 JNE X\n" * 501)
    assert too_many.status_code == 422
    assert "Paling banyak 500" in too_many.text
    assert send(coordinator, "save").status_code == 422


def test_only_a_coordinator_writes_tracking_down(app: Flask, shop: Shop, parcels: list[Parcel]) -> None:
    head = sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))
    assert head.get(PAGE).status_code == 403
    assert send(head, "save", f"{parcels[0].order.number}/1 JNE X").status_code == 403
