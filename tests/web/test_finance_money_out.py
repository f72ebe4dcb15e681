"""Money that leaves, as people do it on pages: finance proposes, a second person approves, banks answer."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession
from werkzeug.test import TestResponse

from storefront import days
from storefront.books import deposit, distribute, settle
from storefront.books.models import (
    BankAccount,
    BudgetReturn,
    Deposit,
    DepositDeadline,
    PremiumDistribution,
    Satker,
    Settlement,
)
from storefront.books.settle import Wish
from storefront.extensions import db
from storefront.facilities.models import Workshop
from tests.factories import make_paid_order
from tests.money_out import Books, approved_deposit, billed_deposit, open_books, paid_deposit, settled
from tests.staff import make_account, post, sign_in

NTPN = "A1B2C3D4E5F6G7H8"
PDF = b"%PDF-1.4\n1 0 obj <</Type /Catalog>> endobj\ntrailer <<>>\nstartxref\n9\n%%EOF\n"


def today() -> str:
    """The accounting day as forms send it."""
    return days.today().isoformat()


@pytest.fixture
def books(db_session: DbSession) -> Books:
    return open_books()


@pytest.fixture
def finance(app: Flask, books: Books) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Wati"))


@pytest.fixture
def second(app: Flask, books: Books) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Budi"))


@pytest.fixture
def head(app: Flask, books: Books) -> FlaskClient:
    return sign_in(
        app.test_client(), make_account("head", name="Kalapas", facilities=(books.shop.pekalongan,))
    )


@pytest.fixture
def coordinator(app: Flask, books: Books) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(books.shop.pekalongan,)))


def only(model: type) -> object:
    db.session.expire_all()
    return db.session.scalars(select(model)).one()


def only_settlement() -> Settlement:
    found = only(Settlement)
    assert isinstance(found, Settlement)
    return found


def only_deposit() -> Deposit:
    found = only(Deposit)
    assert isinstance(found, Deposit)
    return found


def count(model: type) -> int:
    return int(db.session.scalar(select(func.count()).select_from(model)) or 0)


def good(answer: TestResponse) -> TestResponse:
    assert answer.status_code == 303, answer.text
    return answer


def proposed(books: Books, amount: int = 60_000, facility_id: int | None = None) -> int:
    """A settlement that somebody of finance has proposed."""
    (found,) = settle.propose(
        [Wish(facility_id or books.pekalongan, books.funds["premium"], amount)], person_id=books.first
    )
    db.session.commit()
    return found.id


def test_a_settlement_from_proposal_to_the_banks_reference(
    finance: FlaskClient, second: FlaskClient, books: Books
) -> None:
    page = finance.get("/finance/settlements/new").text
    assert "••••0001" in page
    assert "2220000001" not in page
    form = {"pick": ["PKL-premium", "NML-premium"], "PKL-premium": "Rp 60.000", "NML-premium": "30000"}
    good(post(finance, "/finance/settlements/new", form))
    assert {(s.amount, s.state) for s in db.session.scalars(select(Settlement))} == {
        (60_000, "proposed"), (30_000, "proposed"),
    }  # fmt: skip
    ids = list(db.session.scalars(select(Settlement.id).order_by(Settlement.id)))
    waits = second.get("/finance/settlements?state=proposed").text
    assert "Setujui yang dipilih" in waits
    good(post(second, "/finance/settlements/approve", {"pick": ids}))
    page = finance.get(f"/finance/settlements/{ids[0]}").text
    assert "2220000001" in page  # whoever pays sees where to
    good(post(finance, f"/finance/settlements/{ids[0]}/paid", {"bank_reference": "TRX-1", "paid_on": today()}))
    page = finance.get("/finance/settlements?state=paid&facility=PKL&fund=premium").text
    assert "TRX-1" in page
    assert "60.000" in page
    assert "30.000" not in page


def test_what_was_written_stays_when_one_line_is_wrong(finance: FlaskClient, books: Books) -> None:
    form = {"pick": ["PKL-premium", "NML-premium"], "PKL-premium": "60.000", "NML-premium": "9.000.000"}
    answer = post(finance, "/finance/settlements/new", {**form, "note": "minggu ini"})
    assert answer.status_code == 409
    assert 'value="9.000.000"' in answer.text
    assert 'value="minggu ini"' in answer.text
    assert "f-NML-premium-error" in answer.text
    assert "f-PKL-premium-error" not in answer.text
    assert count(Settlement) == 0
    assert post(finance, "/finance/settlements/new", {}).status_code == 422
    assert post(finance, "/finance/settlements/new", {**form, "PKL-premium": "1,5"}).status_code == 422


def test_nobody_approves_their_own(finance: FlaskClient, books: Books) -> None:
    good(post(finance, "/finance/settlements/new", {"pick": "PKL-premium", "PKL-premium": "10"}))
    settlement = only_settlement()
    page = finance.get(f"/finance/settlements/{settlement.id}").text
    assert f"/finance/settlements/{settlement.id}/approve" not in page
    answer = post(finance, f"/finance/settlements/{settlement.id}/approve")
    assert answer.status_code == 409
    assert "orang kedua" in answer.text
    assert only_settlement().state == "proposed"


def test_the_address_of_a_refused_step_leads_back(finance: FlaskClient, books: Books) -> None:
    number = proposed(books)
    for step in ("approve", "reject", "paid", "reverse"):
        answer = finance.get(f"/en/finance/settlements/{number}/{step}")
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/en/finance/settlements/{number}"
    assert finance.get("/finance/settlements/approve").status_code == 302


def test_payments_are_pasted_in_bulk(finance: FlaskClient, books: Books) -> None:
    ids = [proposed(books, 10), proposed(books, 20), proposed(books, 30, books.ambon)]
    settle.approve(ids, books.second)
    db.session.commit()
    page = finance.get("/finance/settlements/paid").text
    assert all(f"#{number}<" in page for number in ids)
    wrong = f"{ids[0]}; TRX-1; {today()}\n{ids[1]}\tTRX-1\t{today()}\nsalah\n"
    answer = post(finance, "/finance/settlements/paid", {"rows": wrong})
    assert answer.status_code == 422
    assert "Baris 3" in answer.text
    assert "TRX-1" in answer.text
    answer = post(finance, "/finance/settlements/paid", {"rows": wrong.replace("salah\n", "")})
    assert "Baris 2" in answer.text
    assert set(db.session.scalars(select(Settlement.state))) == {"approved"}
    slashed = days.today().strftime("%d/%m/%Y")
    rows = f"#{ids[0]}; TRX-1; {today()}\r\n\r\n{ids[1]}\tTRX-2\t{slashed}\r\n{ids[2]},TRX-3,{today()}"
    good(post(finance, "/finance/settlements/paid", {"rows": rows}))
    db.session.expire_all()
    assert set(db.session.scalars(select(Settlement.state))) == {"paid"}


def test_a_payment_is_undone_by_the_other(finance: FlaskClient, second: FlaskClient, books: Books) -> None:
    number = proposed(books)
    good(post(second, f"/finance/settlements/{number}/approve"))
    good(post(finance, f"/finance/settlements/{number}/paid", {"bank_reference": "TRX-1", "paid_on": today()}))
    form = {"on": today(), "reason": "Bank mengembalikan uangnya"}
    assert "reverse" not in finance.get(f"/finance/settlements/{number}").text
    assert post(finance, f"/finance/settlements/{number}/reverse", form).status_code == 409
    answer = post(second, f"/finance/settlements/{number}/reverse", {**form, "reason": "salah"})
    assert answer.status_code == 422
    assert "f-reason-error" in answer.text
    good(post(second, f"/finance/settlements/{number}/reverse", form))
    assert only_settlement().state == "reversed"


def test_a_deposit_from_proposal_to_the_slip(finance: FlaskClient, second: FlaskClient, books: Books) -> None:
    page = finance.get("/finance/deposits").text
    assert "30.000" in page
    good(post(finance, "/finance/deposits", {"pick": books.pekalongan, "until": today()}))
    address = f"/finance/deposits/{only_deposit().id}"
    assert "Kain batik" in finance.get(address).text
    good(post(second, f"{address}/approve"))
    answer = post(finance, f"{address}/billing-code", {"billing_code": "123", "billing_expires_at": today()})
    assert answer.status_code == 422
    assert "f-billing_code-error" in answer.text
    later = (days.today() + datetime.timedelta(days=7)).isoformat()
    code = {"billing_code": "820251124000001", "billing_expires_at": f"{later}T23:59"}
    good(post(finance, f"{address}/billing-code", code))
    answer = post(finance, f"{address}/paid", {"ntpn": "pendek", "paid_on": today()})
    assert answer.status_code == 422
    assert "f-ntpn-error" in answer.text
    form = {"ntpn": NTPN.lower(), "ntb": "123456789012", "paid_on": today(), "booked_on": ""}
    good(post(finance, f"{address}/paid", form))
    good(post(finance, f"{address}/booked", {"booked_on": today()}))
    deposit = only_deposit()
    assert (deposit.state, deposit.ntpn, deposit.booked_on) == ("paid", NTPN, days.today())
    answer = post(finance, f"{address}/upload", {"proof": (io.BytesIO(b"<svg/>"), "bukti.pdf")})
    assert answer.status_code == 422
    assert "f-proof-error" in answer.text
    good(post(finance, f"{address}/upload", {"proof": (io.BytesIO(PDF), "../../bukti.pdf")}))
    slip = second.get(f"{address}/proof")
    assert slip.data == PDF
    assert slip.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in slip.headers["Content-Security-Policy"]


def test_a_used_ntpn_is_a_sentence(finance: FlaskClient, books: Books) -> None:
    paid_deposit(books, NTPN)
    other = billed_deposit(books, "820251124000002", books.ambon)
    db.session.commit()
    answer = post(finance, f"/finance/deposits/{other.id}/paid", {"ntpn": NTPN, "paid_on": today()})
    assert answer.status_code == 422
    assert "sudah dipakai" in answer.text
    assert f'value="{NTPN}"' in answer.text


def test_late_deposits_head_the_lists(finance: FlaskClient, books: Books) -> None:
    assert "lewat batas waktu" not in finance.get("/finance/").text
    long_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=20)
    make_paid_order((books.shop.honey, 1), paid_at=long_ago)
    found = approved_deposit(books, books.ambon)
    assert found.due_on < days.today()
    approved_deposit(books)
    db.session.commit()
    page = finance.get("/finance/deposits").text
    assert page.index(f"/finance/deposits/{found.id}") < page.index(f"/finance/deposits/{found.id + 1}")
    assert "Terlambat" in page
    assert "lewat batas waktu" in finance.get("/finance/").text
    assert "Terlambat" in finance.get("/finance/deposits?state=late").text


def test_an_account_is_proposed_and_approved(
    finance: FlaskClient, head: FlaskClient, second: FlaskClient, books: Books
) -> None:
    form = {
        "facility_id": books.pekalongan, "bank": "BRI", "number": "0123-45-678901", "holder": "RPL 139 PKL",
        "permission_letter": "S-99/2026", "valid_from": (days.today() + datetime.timedelta(days=1)).isoformat(),
    }  # fmt: skip
    answer = post(finance, "/finance/bank-accounts", {**form, "number": "12AB"})
    assert answer.status_code == 422
    assert "f-number-error" in answer.text
    good(post(finance, "/finance/bank-accounts", form))
    account = db.session.scalars(select(BankAccount).where(BankAccount.number == "012345678901")).one()
    assert post(finance, f"/finance/bank-accounts/{account.id}/approve").status_code == 409
    assert "012345678901" in head.get("/seller/PKL/bank-accounts").text
    good(post(head, f"/seller/PKL/bank-accounts/{account.id}/approve"))
    db.session.expire_all()
    assert db.session.get_one(BankAccount, account.id).approved_at is not None
    # Nobody ends an account alone either.
    end = {"end_on": form["valid_from"]}
    good(post(finance, f"/finance/bank-accounts/{account.id}/end", end))
    assert post(finance, f"/finance/bank-accounts/{account.id}/approve-end").status_code == 409
    good(post(second, f"/finance/bank-accounts/{account.id}/approve-end"))


def test_satkers_and_deadlines(finance: FlaskClient, app: Flask, books: Books) -> None:
    tomorrow = (days.today() + datetime.timedelta(days=1)).isoformat()
    form = {
        "facility_id": books.pekalongan, "ministry_code": "137", "unit_code": "06", "office_code": "123456",
        "tax_number": "00.123.456.7-890.123", "treasurer": "Ani", "revenue_account": "425289", "valid_from": tomorrow,
    }  # fmt: skip
    answer = post(finance, "/finance/satkers", {**form, "office_code": "12"})
    assert answer.status_code == 422
    assert "f-office_code-error" in answer.text
    good(post(finance, "/finance/satkers", form))
    assert (
        db.session.scalars(select(Satker.tax_number).where(Satker.treasurer == "Ani")).one()
        == "001234567890123"
    )
    deadline = {"valid_from": tomorrow, "days": "3", "legal_basis": "PMK contoh 1/2026"}
    assert post(finance, "/finance/satkers/deadlines", deadline).status_code == 403
    admin = sign_in(app.test_client(), make_account("administrator"))
    good(post(admin, "/finance/satkers/deadlines", deadline))
    answer = post(admin, "/finance/satkers/deadlines", deadline)
    assert answer.status_code == 422
    assert count(DepositDeadline) == 2


def test_premium_passed_on_is_entered_and_approved(
    coordinator: FlaskClient, head: FlaskClient, finance: FlaskClient, books: Books
) -> None:
    assert "Belum ada premi yang dibayar" in coordinator.get("/seller/PKL/distributions").text
    settled(books, "premium", 60_000, "TRX-1")
    db.session.commit()
    workshop = db.session.scalars(select(Workshop.id).where(Workshop.facility_id == books.pekalongan)).first()
    form = {"workshop": workshop, "distributed_on": today(), "people": "7", "amount": "60.001"}
    answer = post(coordinator, "/seller/PKL/distributions", form)
    assert answer.status_code == 409
    assert "60.000" in answer.text
    assert 'value="60.001"' in answer.text
    good(post(coordinator, "/seller/PKL/distributions", {**form, "amount": "60.000"}))
    number = db.session.scalars(select(PremiumDistribution.id)).one()
    assert post(coordinator, f"/seller/PKL/distributions/{number}/approve").status_code == 403
    good(post(head, f"/seller/PKL/distributions/{number}/approve"))
    page = finance.get("/finance/distributions?state=approved&facility=PKL").text
    assert "60.000" in page
    answer = post(finance, f"/finance/distributions/{number}/reject", {"reason": "salah"})
    assert answer.status_code == 422
    good(
        post(
            finance, f"/finance/distributions/{number}/reject", {"reason": "Jumlahnya keliru, dicatat ulang"}
        )
    )


def test_who_entered_a_record_withdraws_it(coordinator: FlaskClient, head: FlaskClient, books: Books) -> None:
    settled(books, "premium", 60_000, "TRX-1")
    workshop = db.session.scalars(select(Workshop.id).where(Workshop.facility_id == books.pekalongan)).first()
    assert workshop is not None
    other = distribute.enter(
        books.pekalongan, workshop_id=workshop, distributed_on=days.today(), people=3, amount=1,
        person_id=books.first,
    )  # fmt: skip
    db.session.commit()
    assert post(coordinator, f"/seller/PKL/distributions/{other.id}/withdraw").status_code == 404
    form = {"workshop": workshop, "distributed_on": today(), "people": "7", "amount": "10"}
    good(post(coordinator, "/seller/PKL/distributions", form))
    good(post(coordinator, f"/seller/PKL/distributions/{other.id + 1}/withdraw"))
    states = db.session.scalars(select(PremiumDistribution.state).order_by(PremiumDistribution.id))
    assert list(states) == ["entered", "rejected"]


def test_the_head_reads_before_signing(head: FlaskClient, coordinator: FlaskClient, books: Books) -> None:
    number = proposed(books)
    assert "Menunggu persetujuan Anda" in head.get("/seller/PKL/money").text
    assert "2220000001" in head.get(f"/seller/PKL/settlements/{number}").text
    good(post(head, f"/seller/PKL/settlements/{number}/approve"))
    assert only_settlement().state == "approved"
    # The coordinator sees that it comes, not where to.
    page = coordinator.get("/seller/PKL/money").text
    assert "60.000" in page
    assert "2220000001" not in page
    assert coordinator.get(f"/seller/PKL/settlements/{number}").status_code == 403


def test_what_waits_for_the_head_stands_on_the_first_screen(
    head: FlaskClient, coordinator: FlaskClient, books: Books
) -> None:
    assert "Menunggu persetujuan Anda" not in head.get("/seller/PKL/").text
    settled(books, "premium", 20_000, "TRX-1")
    proposed(books)
    deposit.propose(books.pekalongan, person_id=books.first)
    deposit.propose(books.ambon, person_id=books.first)
    workshop = db.session.scalars(select(Workshop).where(Workshop.facility_id == books.pekalongan)).first()
    assert workshop is not None
    for amount in (5_000, 6_000):
        distribute.enter(
            books.pekalongan,
            workshop_id=workshop.id,
            distributed_on=days.today(),
            people=5,
            amount=amount,
            person_id=books.first,
        )
    db.session.commit()
    page = head.get("/seller/PKL/").text
    for words in ("1 penyaluran ke UPT", "1 setoran PNBP", "2 catatan pembagian premi"):
        assert words in page
    assert "perubahan rekening" not in page
    assert "Menunggu persetujuan Anda" not in coordinator.get("/seller/PKL/").text


def test_the_head_signs_a_deposit_with_its_lines(
    finance: FlaskClient, head: FlaskClient, books: Books
) -> None:
    good(post(finance, "/finance/deposits", {"pick": [books.pekalongan, books.ambon], "until": ""}))
    assert count(Deposit) == 2
    own = db.session.scalars(select(Deposit).where(Deposit.facility_id == books.pekalongan)).one().id
    other = db.session.scalars(select(Deposit).where(Deposit.facility_id == books.ambon)).one().id
    assert "Kain batik" in head.get(f"/seller/PKL/deposits/{own}").text
    assert head.get(f"/seller/PKL/deposits/{own}/proof").status_code == 404
    good(post(head, f"/seller/PKL/deposits/{own}/approve"))
    for path in ("", "/proof"):
        assert head.get(f"/seller/PKL/deposits/{other}{path}").status_code == 404
    assert post(head, f"/seller/PKL/deposits/{other}/approve").status_code == 404
    assert post(head, f"/seller/PKL/deposits/{own}/approve").status_code == 409


def test_whoever_is_finance_for_one_facility_sees_that_one(app: Flask, books: Books) -> None:
    own = sign_in(app.test_client(), make_account("finance", facilities=(books.shop.pekalongan,)))
    other = proposed(books, 10, books.ambon)
    there = approved_deposit(books, books.ambon).id
    db.session.commit()
    for path in (
        "settlements",
        "settlements/new",
        "deposits",
        "bank-accounts",
        "satkers",
        "distributions",
        "budget",
    ):
        page = own.get(f"/finance/{path}")
        assert page.status_code == 200, path
        assert "Namlea" not in page.text, path
    assert "1110001112" not in own.get("/finance/bank-accounts").text
    for path in (f"settlements/{other}", f"deposits/{there}", f"deposits/{there}/proof"):
        assert own.get(f"/finance/{path}").status_code == 404, path
    for path, form in {
        f"settlements/{other}/approve": {}, "settlements/approve": {"pick": other},
        f"deposits/{there}/reject": {}, "deposits": {"pick": books.ambon},
        "satkers": {"facility_id": books.ambon}, "bank-accounts": {"facility_id": "0"},
    }.items():  # fmt: skip
        assert post(own, f"/finance/{path}", form).status_code == 404, path
    answer = post(own, "/finance/settlements/new", {"pick": "NML-premium", "NML-premium": "10"})
    assert answer.status_code == 422  # it is not there to choose
    assert count(Settlement) == 1


def test_auditors_read_and_change_nothing(app: Flask, books: Books) -> None:
    number = proposed(books)
    auditor = sign_in(app.test_client(), make_account("auditor"))
    for path in (
        "settlements",
        f"settlements/{number}",
        "deposits",
        "bank-accounts",
        "distributions",
        "budget",
        "satkers",
    ):
        page = auditor.get(f"/finance/{path}")
        assert page.status_code == 200
        assert not re.search(r'<form[^>]+method="post"[^>]+action="/finance', page.text), path
    assert post(auditor, f"/finance/settlements/{number}/approve").status_code == 403


def test_budget_returns_are_booked_by_a_second_person(
    finance: FlaskClient, second: FlaskClient, books: Books
) -> None:
    paid_deposit(books, NTPN)
    db.session.commit()
    form = {
        "facility_id": books.pekalongan, "fund_id": books.funds["premium"], "amount": "20.000",
        "reference": "SP2D-1", "returned_on": today(),
    }  # fmt: skip
    answer = post(finance, "/finance/budget", {**form, "fund_id": books.funds["state_revenue"]})
    assert answer.status_code == 422
    good(post(finance, "/finance/budget", form))
    number = db.session.scalars(select(BudgetReturn.id)).one()
    assert post(finance, f"/finance/budget/{number}/approve").status_code == 409
    good(post(second, f"/finance/budget/{number}/approve"))
    assert "SP2D-1" in second.get("/finance/budget?state=booked").text


def test_lists_are_files_as_they_are_filtered(finance: FlaskClient, books: Books) -> None:
    settled(books, "premium", 60_000, "=TRX-1")
    proposed(books, 10)
    deposit_id = paid_deposit(books, NTPN).id
    db.session.commit()  # an export waits for open transactions, the test's own included
    answer = finance.get("/finance/settlements?state=paid&facility=PKL&format=csv")
    assert answer.status_code == 200
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [(row["fund"], row["amount"], row["state"]) for row in rows] == [("premium", "60000", "paid")]
    assert rows[0]["bank_reference"] == "'=TRX-1"  # never run as a formula
    manifest = finance.get("/finance/settlements?format=csv&part=manifest").json
    assert (manifest["row_count"], manifest["sums"]) == (2, {"amount": 60_010})
    answer = finance.get("/finance/deposits?state=paid&format=jsonl")
    assert json.loads(answer.data)["ntpn"] == NTPN
    answer = finance.get(f"/finance/deposits/{deposit_id}?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [(row["product"], row["amount"]) for row in rows] == [("Kain batik", "30000")]
    assert finance.get("/finance/distributions?format=xlsx").status_code == 200
    assert finance.get("/finance/settlements?format=exe").status_code == 422


def test_a_file_of_a_moment_never_changes(finance: FlaskClient, second: FlaskClient, books: Books) -> None:
    number = proposed(books)
    good(post(second, f"/finance/settlements/{number}/approve"))
    db.session.commit()
    moment = finance.get("/finance/settlements?format=csv&part=manifest").json["as_of"]
    then = finance.get(f"/finance/settlements?format=csv&as_of={moment}").data
    good(post(finance, f"/finance/settlements/{number}/paid", {"bank_reference": "TRX-1", "paid_on": today()}))
    assert finance.get(f"/finance/settlements?format=csv&as_of={moment}").data == then
    assert b"approved" in then
    paid_at = finance.get("/finance/settlements?format=csv&part=manifest").json["as_of"]
    paid = finance.get(f"/finance/settlements?format=csv&as_of={paid_at}").data
    form = {"on": today(), "reason": "Bank mengembalikan uangnya"}
    good(post(second, f"/finance/settlements/{number}/reverse", form))
    assert finance.get(f"/finance/settlements?format=csv&as_of={paid_at}").data == paid
    assert b"TRX-1" in paid
    assert b"reversed" in finance.get("/finance/settlements?format=csv&state=reversed").data


@pytest.mark.parametrize("language", ["", "/en"])
def test_empty_pages_say_what_to_do(app: Flask, db_session: DbSession, language: str) -> None:
    client = sign_in(app.test_client(), make_account("finance"))
    for path in (
        "settlements", "settlements/new", "settlements/paid", "deposits", "bank-accounts", "satkers", "distributions",
        "budget",
    ):  # fmt: skip
        page = client.get(f"{language}/finance/{path}")
        assert page.status_code == 200, path
        assert 'class="empty"' in page.text or path == "settlements/paid", path


def test_a_list_costs_few_queries(finance: FlaskClient, books: Books, statements) -> None:  # type: ignore[no-untyped-def]
    for _ in range(5):
        proposed(books, 10)
    finance.get("/finance/settlements")
    statements()
    finance.get("/finance/settlements")
    few = len(statements())
    for _ in range(10):
        proposed(books, 10)
    statements()
    finance.get("/finance/settlements")
    assert len(statements()) == few
