"""Cash of a fair's till and a marketplace's payout as the bank's file shows them: found, booked once, and cleared."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.bank.models import BankLine
from storefront.books.payouts import record_payout
from storefront.counter.models import TillSession, TillSettlement
from storefront.days import today
from storefront.extensions import db
from storefront.ledger.balance import balance
from storefront.marketplaces import files
from storefront.people.models import Role
from tests.bank_samples import Movement, csv_of
from tests.banking import settle
from tests.factories import make_person
from tests.money_out import Books, register_account
from tests.staff import make_account, post, sign_in
from tests.stand import Stand, broken, make_stand
from tests.web.test_cart_pages import plain
from tests.web.test_finance_bank import send as send_file
from tests.web.test_marketplaces import CLEARING, SOLD, looked

pytestmark = pytest.mark.usefixtures("db_session")
FLOAT = 100_000


@pytest.fixture
def stand(app: Flask, db_session: Session) -> Stand:
    return make_stand(app)


@pytest.fixture
def account(stand: Stand) -> int:
    books = Books(stand.shop, make_person().id, make_person().id, {}, 0, 0)
    found = register_account(books, None, "1110001112")
    db.session.commit()
    return found


@pytest.fixture
def finance(app: Flask, account: int) -> FlaskClient:
    return sign_in(app.test_client(), make_account("finance", name="Wati"))


def arrives(finance: FlaskClient, account: int, *movements: Movement) -> list[BankLine]:
    """A file of the bank is uploaded and taken in on finance's pages; then the jobs run."""
    looked_at = send_file(finance, account, csv_of(*movements))
    assert post(finance, f"{looked_at.location}/take").status_code == 303
    settle(account)
    return list(db.session.scalars(select(BankLine).order_by(BankLine.id.desc()).limit(len(movements))))[::-1]


def closed(stand: Stand, *wishes: tuple[str, int], short: int = 0) -> int:
    """A session that has sold this for cash and was counted; its id. What it took lies in the till, less `short`."""
    session = stand.open_till(opening_float=FLOAT)
    for sku, pieces in wishes:
        assert stand.sell((sku, pieces)).status_code == 201
    taken = 100_000 * sum(pieces for _sku, pieces in wishes)
    answer = stand.close(session, FLOAT + taken - short, explanation="Salah kembalian" if short else "")
    assert answer.status_code == 200, answer.text
    return db.session.scalars(select(TillSession.id).order_by(TillSession.id.desc())).first() or 0


def states() -> list[str]:
    db.session.expire_all()
    return list(db.session.scalars(select(BankLine.state).order_by(BankLine.id)))


def test_cash_that_the_bank_shows_is_banked_with_one_click(stand: Stand, finance: FlaskClient, account: int) -> None:
    session = closed(stand, ("PKL-BATIK", 2), short=5_000)
    (line,) = arrives(finance, account, Movement(today(), 195_000, "SETORAN TUNAI", "TRX77123"))
    page = finance.get("/finance/bank-lines")
    assert "Uang kas Pameran" in plain(page)
    assert f'href="/finance/tills/{session}"' in page.text
    address = f"/finance/bank-lines/{line.id}"
    for _twice in range(2):
        answer = post(finance, f"{address}/till", {"id": session})
    assert answer.status_code == 409  # it is matched by now
    assert states() == ["matched"]
    kept = db.session.scalars(select(TillSettlement)).one()
    assert (kept.banked, kept.on_day, kept.bank_reference) == (195_000, today(), "TRX77123")
    assert "Setoran kas" in plain(finance.get(address))
    # What was short waits for its explanation.
    told = plain(finance.get(f"/finance/tills/{session}"))
    assert "TRX77123" in told
    assert "Masih di kas menurut buku" in told
    assert broken() == []


def test_cash_with_the_slips_number_is_found_by_the_bank_file(stand: Stand, finance: FlaskClient, account: int) -> None:
    session = closed(stand, ("PKL-BATIK", 1))
    page = finance.get(f"/finance/tills/{session}")
    once = re.search(r'name="once" value="([^"]+)"', page.text)
    assert once
    wish = {"once": once[1], "banked": "100.000", "on": today().isoformat(), "bank_reference": "SLIP 0042-77"}
    refused = post(finance, f"/finance/tills/{session}/settle", wish | {"bank_reference": "x" * 61})
    assert refused.status_code == 422
    assert 'id="f-bank_reference-error"' in refused.text
    assert post(finance, f"/finance/tills/{session}/settle", wish).status_code == 303
    # Twice the same sum on that day: the slip's number says which one is the till's.
    words = ("SETORAN TUNAI", "SETORAN TUNAI SLIP 004277 KIRANA")
    arrives(finance, account, *(Movement(today(), 100_000, text) for text in words))
    assert states() == ["open", "matched"]
    assert "Setoran kas" in plain(finance.get("/finance/bank-lines?state=matched"))
    assert broken() == []


def test_what_a_till_does_not_hold_is_refused_and_the_line_stays_open(
    app: Flask, stand: Stand, finance: FlaskClient, account: int
) -> None:
    session = closed(stand, ("PKL-BATIK", 1))
    (line,) = arrives(finance, account, Movement(today(), 100_001, "SETORAN TUNAI"))
    assert "Uang kas" not in plain(finance.get(f"/finance/bank-lines/{line.id}"))
    refused = post(finance, f"/finance/bank-lines/{line.id}/till", {"id": session})
    assert refused.status_code == 422
    assert "Sisa uang penjualan sesi ini Rp 100.000" in plain(refused)
    assert post(finance, f"/finance/bank-lines/{line.id}/till", {"id": 999}).status_code == 404
    auditor = sign_in(app.test_client(), make_account(Role.AUDITOR.value))
    assert post(auditor, f"/finance/bank-lines/{line.id}/till", {"id": session}).status_code == 403
    assert states() == ["open"]
    assert broken() == []


def test_a_marketplaces_payout_less_fees_clears_what_it_held(
    stand: Stand, finance: FlaskClient, account: int
) -> None:
    assert post(finance, "/finance/marketplaces", {"name": "Toko Sebelah"}).status_code == 303
    number, _page = looked(finance, *SOLD)
    assert post(finance, f"/finance/marketplaces/files/{number}/book").status_code == 303
    files.run(number)
    held = 745_000 - 24_500
    assert balance(CLEARING) == held
    # A part of it first, which the bank calls by name; then the rest, which it does not.
    part, rest, more = arrives(
        finance, account, Movement(today(), 500_000, "TRF TOKO SEBELAH PENCAIRAN", "TS-1"),
        Movement(today(), held - 500_000, "KREDIT", "TS-2"), Movement(today(), 500_000, "KREDIT LAIN"),
    )  # fmt: skip
    page = finance.get(f"/finance/bank-lines/{part.id}")
    assert "Pencairan Toko Sebelah" in plain(page)
    assert 'name="reference" value="TS-1"' in page.text
    assert "Pencairan Toko Sebelah" not in plain(finance.get(f"/finance/bank-lines/{more.id}"))
    asked = {"gateway": "market_toko_sebelah", "reference": "TS-1"}
    assert post(finance, f"/finance/bank-lines/{part.id}/payout", asked).status_code == 303
    assert balance(CLEARING) == held - 500_000
    assert "Pencairan Toko Sebelah" in plain(finance.get(f"/finance/bank-lines/{rest.id}"))
    refused = post(finance, f"/finance/bank-lines/{more.id}/payout", asked | {"reference": "TS-3"})
    assert refused.status_code == 422
    assert post(finance, f"/finance/bank-lines/{rest.id}/payout", asked | {"reference": "TS-2"}).status_code == 303
    assert balance(CLEARING) == 0
    assert states() == ["matched", "matched", "open"]
    assert broken() == []


def test_a_payout_that_was_recorded_is_found_by_its_number(stand: Stand, finance: FlaskClient, account: int) -> None:
    assert post(finance, "/finance/marketplaces", {"name": "Toko Sebelah"}).status_code == 303
    number, _page = looked(finance, *SOLD)
    assert post(finance, f"/finance/marketplaces/files/{number}/book").status_code == 303
    files.run(number)
    who = make_person().id
    record_payout(
        gateway="market_toko_sebelah", reference="PCR-778899", amount=720_500, arrived_on=today(), person_id=who
    )
    db.session.commit()
    arrives(finance, account, Movement(today(), 720_500, "TRF MASUK PCR778899"))
    assert states() == ["matched"]
    assert balance(CLEARING) == 0
    assert broken() == []
