"""Finance compares with the providers, sees both sides of what differs, and decides; four eyes as money rules say."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront import days
from storefront.books import reconciled_days
from storefront.extensions import db
from storefront.ledger.book import Leg, book, books_difference, clearing
from storefront.money import format_rupiah
from storefront.payments import sandbox
from storefront.payments.sandbox_books import give_back, pay_out
from storefront.reconciliation.models import Difference
from tests.money_out import make_books
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in
from tests.taking import differences, hear, holds, paid_there, reconciled

WHY = "Dicocokkan dengan buku penyedia."
Finance = tuple[FlaskClient, FlaskClient]


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def finance(app: Flask, db_session: Session) -> Finance:
    """Two people of finance, signed in."""
    people = [make_account("finance", name=name, is_demo=True) for name in ("Bendahara Satu", "Bendahara Dua")]
    first, second = (sign_in(app.test_client(), person) for person in people)
    return first, second


def odd_entry(amount: int = 700) -> None:
    """Something in our books that no provider knows."""
    legs = [Leg(clearing("sandbox"), amount), Leg(books_difference(), -amount)]
    book("invented:1:x", "correction", days.today(), legs)


def one_difference(shop: Shop) -> Difference:
    """Found by a comparison: an entry of ours that the provider's books lack."""
    paid_there((shop.batik, 1))
    hear()
    odd_entry()
    db.session.commit()
    reconciled()
    (alone,) = differences()
    return alone


def test_the_page_explains_our_balance_and_starts_a_run(
    shop: Shop, finance: Finance, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    taken = paid_there((shop.batik, 1))
    client, _other = finance
    page = client.get("/finance/reconciliation")
    assert page.status_code == 200
    answer = post(client, "/finance/reconciliation", {"gateway": "sandbox"})
    assert answer.status_code == 303
    waiting = client.get(answer.location)
    assert "Menunggu giliran" in waiting.text
    assert 'hx-trigger="every 1s"' in waiting.text
    assert '<meta http-equiv="refresh"' in waiting.text  # without JavaScript
    run_jobs()
    moved = client.get(f"{answer.location}/progress")
    assert moved.headers["HX-Refresh"] == "true"
    assert "Tidak ada selisih baru" in client.get(answer.location).text
    page = client.get("/finance/reconciliation").text
    assert "Cocok sampai rupiah terakhir" in page
    assert format_rupiah(taken.amount) in page


def test_a_wrong_span_is_said_beside_its_field(shop: Shop, finance: Finance) -> None:
    paid_there((shop.batik, 1))
    client, _other = finance
    later = {"gateway": "sandbox", "from": "2026-01-01", "to": "2999-01-01"}
    answer = post(client, "/finance/reconciliation", later)
    assert answer.status_code == 422
    assert "Tanggal ini belum tiba" in answer.text
    assert post(client, "/finance/reconciliation", {"gateway": "nobody"}).status_code == 422


def test_days_and_lines_are_shown_with_both_sides(shop: Shop, finance: Finance) -> None:
    paid_there((shop.batik, 1), fee=1_500)
    reconciled()
    client, _other = finance
    today = days.today()
    month = client.get(f"/finance/reconciliation/sandbox/{today:%Y-%m}")
    assert month.status_code == 200
    day = client.get(f"/finance/reconciliation/sandbox/{today.isoformat()}")
    assert day.status_code == 200
    assert re.search(r"payment:[\w-]+:captured", day.text)
    assert re.search(r"payment:[\w-]+:fee", day.text)
    for missing in ("sandbox/2026-13", "nobody/2026-11", "sandbox/x"):
        assert client.get(f"/finance/reconciliation/{missing}").status_code == 404


def test_a_correction_settles_a_difference_once_two_people_agree(
    shop: Shop, finance: Finance, db_session: Session
) -> None:
    alone = one_difference(shop)
    first, second = finance
    address = f"/finance/reconciliation/differences/{alone.id}"
    page = first.get(address).text
    assert "Tidak ada di penyedia" in page
    assert "clearing:sandbox" in page
    assert "corrections:difference" in page
    assert post(first, f"{address}/propose", {"reason": "x"}).status_code == 422
    assert post(first, f"{address}/propose", {"reason": WHY}).status_code == 303
    assert post(first, f"{address}/propose", {"reason": WHY}).status_code == 409
    correction = db_session.execute(text("SELECT id FROM corrections")).scalar_one()
    assert post(first, f"/finance/corrections/{correction}/approve").status_code == 409
    assert post(second, f"/finance/corrections/{correction}/approve").status_code == 303
    assert [d.id for d in differences("settled")] == [alone.id]
    found = holds()
    assert (found.ours, found.differences) == (found.theirs, 0)
    assert reconciled().found == 0  # the correction is no difference of its own


def test_a_rejected_correction_opens_the_difference_again(
    shop: Shop, finance: Finance, db_session: Session
) -> None:
    alone = one_difference(shop)
    first, second = finance
    post(first, f"/finance/reconciliation/differences/{alone.id}/propose", {"reason": WHY})
    correction = db_session.execute(text("SELECT id FROM corrections")).scalar_one()
    post(second, f"/finance/corrections/{correction}/reject")
    assert [d.id for d in differences("open")] == [alone.id]


def test_a_correction_whose_difference_is_gone_is_not_booked(
    shop: Shop, finance: Finance, db_session: Session
) -> None:
    paid_there((shop.batik, 1))
    hear()
    db_session.execute(text("UPDATE sandbox_lines SET created_at = created_at + interval '3 days'"))
    db_session.commit()
    reconciled()
    first, second = finance
    (alone,) = differences()
    post(first, f"/finance/reconciliation/differences/{alone.id}/propose", {"reason": WHY})
    db_session.execute(text("UPDATE sandbox_lines SET created_at = created_at - interval '3 days'"))
    db_session.commit()
    reconciled()
    correction = db_session.execute(text("SELECT id FROM corrections")).scalar_one()
    refused = post(second, f"/finance/corrections/{correction}/approve")
    assert refused.status_code == 409
    assert "Selisih yang diluruskan koreksi ini sudah hilang" in refused.text
    holds()


def test_a_difference_is_set_aside_with_a_reason_and_looked_at_again(
    shop: Shop, finance: Finance, db_session: Session
) -> None:
    alone = one_difference(shop)
    first, _second = finance
    address = f"/finance/reconciliation/differences/{alone.id}"
    assert post(first, f"{address}/explain", {"reason": ""}).status_code == 422
    assert post(first, f"{address}/explain", {"reason": WHY}).status_code == 303
    assert WHY in first.get(address).text
    assert holds().explained == 700
    assert reconciled().found == 0
    assert [d.id for d in differences("explained")] == [alone.id]
    trail = text("SELECT details ->> 'reason' FROM audit_events WHERE action = 'difference.explained'")
    assert db_session.execute(trail).scalar_one() == WHY
    assert post(first, f"{address}/reopen").status_code == 303
    assert [d.id for d in differences("open")] == [alone.id]
    assert "<b>1</b><span>selisih dengan penyedia pembayaran" in first.get("/finance/").text


def test_a_refund_made_in_the_providers_pages_is_written_down_by_two_people(
    shop: Shop, finance: Finance, db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = paid_there((shop.batik, 2))
    hear()
    give_back(db_session.connection(), taken.payment_id, 50_000, "made-at-the-dashboard")
    db_session.execute(text("UPDATE sandbox_refunds SET idempotency_key = 'elsewhere'"))
    db_session.commit()
    db_session.execute(text("DELETE FROM sandbox_events WHERE type = 'refund.succeeded'"))
    db_session.commit()
    # the sandbox knows every refund by a key; what is made in a provider's own pages has none
    line = sandbox._line
    monkeypatch.setattr(sandbox, "_line", lambda row: dataclasses.replace(line(row), refund_key=None))
    assert reconciled().found == 1
    (missing,) = differences()
    first, second = finance
    address = f"/finance/reconciliation/differences/{missing.id}"
    assert "Uang ini dikembalikan di halaman penyedia sendiri" in first.get(address).text
    assert post(first, f"{address}/refund", {"reason": WHY}).status_code == 303
    refund = db_session.execute(text("SELECT id, state FROM refunds")).one()
    assert refund.state == "proposed"
    assert post(first, f"/finance/refunds/{refund.id}/approve").status_code == 409
    assert post(second, f"/finance/refunds/{refund.id}/approve").status_code == 303
    state = db_session.execute(text("SELECT state, is_made_there FROM refunds")).one()
    assert state == ("succeeded", True)
    assert [d.id for d in differences("settled")] == [missing.id]
    found = holds()
    assert (found.ours, found.theirs) == (taken.amount - 50_000, taken.amount - 50_000)
    jobs = db_session.scalars(text("SELECT task_name FROM procrastinate_jobs WHERE task_name = 'orders.send_refund'"))
    assert jobs.all() == []  # nobody sends it a second time


def test_a_payout_that_should_have_arrived_is_recorded_from_its_difference(
    shop: Shop, finance: Finance, db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = paid_there((shop.batik, 1))
    hear()
    make_books(shop)
    pay_out()
    db_session.commit()
    today = days.today()
    with monkeypatch.context() as later:
        later.setattr(days, "today", lambda: today + datetime.timedelta(days=7))
        reconciled()
    (missing,) = differences()
    first, _second = finance
    page = first.get(f"/finance/reconciliation/differences/{missing.id}").text
    reference = re.search(r'name="reference" value="([^"]+)"', page)
    assert reference
    sent = {
        "gateway": "sandbox",
        "reference": reference[1],
        "amount": str(taken.amount),
        "arrived_on": today.isoformat(),
    }
    assert post(first, "/finance/payouts", sent).status_code == 303
    reconciled()
    assert differences("open") == []
    assert holds().ours == 0


def test_only_those_who_see_the_whole_programme_see_it(app: Flask, shop: Shop, db_session: Session) -> None:
    paid_there((shop.batik, 1))
    some = sign_in(app.test_client(), make_account("finance", facilities=(shop.ambon,)))
    assert some.get("/finance/reconciliation").status_code == 404
    auditor = sign_in(app.test_client(), make_account("auditor"))
    assert auditor.get("/finance/reconciliation").status_code == 200
    assert post(auditor, "/finance/reconciliation", {"gateway": "sandbox"}).status_code == 403
    assert reconciled_days.in_use() == ["sandbox"]
