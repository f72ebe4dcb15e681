"""A shopper reports a problem with photos: answered by the facility in time, decided by the office after that."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront.aftercare import answers
from storefront.aftercare.models import Problem
from storefront.display import format_day
from storefront.embedded import SUPERUSER
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.media.storage import private_files
from storefront.orders.models import Order
from storefront.orders.report_window import Windows
from storefront.payments.models import Refund
from storefront.refunds import refunds
from tests.after_sale import arrive, body, key_in, kinds, letter, make_problem, parcels_of, photo, send, visit
from tests.clones import Clone
from tests.factories import make_paid_order, make_person
from tests.selling import Shop, open_shop
from tests.staff import SAME, make_account, post, sign_in
from tests.threads import while_held


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def order(db_session: Session, shop: Shop) -> Order:
    """Two facilities; the first parcel has arrived."""
    made = make_paid_order((shop.batik, 2), (shop.honey, 1))
    db_session.commit()
    arrive(parcels_of(made.id)[0])
    return made


def form_of(order: Order, page: str, **changes: object) -> dict[str, object]:
    line = parcels_of(order.id)[0].lines[0].order_line_id
    words = "Kainnya sobek di bagian tepi."
    return {"kind": "damaged", f"quantity-{line}": "1", "words": words, "request_key": key_in(page), **changes}


def test_a_report_with_photos_becomes_a_refund(
    app: Flask, client: FlaskClient, db_session: Session, shop: Shop, order: Order, run_jobs: Callable[[], None]
) -> None:
    address = f"/orders/{order.number}/parcels/1/problem"
    page = visit(client, order).get(address).text
    files = [(io.BytesIO(photo("PNG")), "a.png"), (io.BytesIO(photo()), "b.jpg")]
    form = form_of(order, page, photos=files)
    sent = client.post(address, data=form, headers=SAME)
    assert sent.status_code == 303
    problem = db_session.scalars(select(Problem)).one()
    again = form_of(order, page)
    assert client.post(address, data=again, headers=SAME).headers["Location"] == sent.headers["Location"]
    assert db_session.scalar(select(func.count()).select_from(Problem)) == 1
    # Another form for the same parcel waits for the answer.
    other = client.post(address, data={**again, "request_key": "x" * 20}, headers=SAME)
    assert (other.status_code, "sedang dijawab" in other.text) == (409, True)
    # Encoded anew: a JPEG that knows nothing of its origin, seen by whom it concerns.
    shown = client.get(f"/orders/{order.number}/problems/{problem.id}/photos/1")
    assert shown.mimetype == "image/jpeg"
    assert shown.headers["Cache-Control"] == "no-store"
    picture = Image.open(io.BytesIO(shown.data))
    assert not picture.getexif()
    assert b"RAHASIA" not in shown.data
    assert client.get(f"/orders/{order.number}/problems/{problem.id}/photos/3").status_code == 404
    other_order = make_paid_order((shop.batik, 1))
    db_session.commit()
    visit(client, other_order)
    assert client.get(f"/orders/{other_order.number}/problems/{problem.id}/photos/1").status_code == 404
    assert app.test_client().get(f"/media/{problem.photos[0].key}").status_code == 404

    coordinator = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    foreign = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.ambon,)))
    assert f"jawab paling lambat {format_day(problem.answer_by)}" in coordinator.get("/seller/PKL/").text
    seen = coordinator.get(f"/seller/PKL/problems/{problem.id}").text
    assert "Kainnya sobek" in seen
    assert "Sari" not in seen
    assert "+62" not in seen
    assert coordinator.get(f"/seller/PKL/problems/{problem.id}/photos/2").status_code == 200
    assert foreign.get(f"/seller/NML/problems/{problem.id}").status_code == 404
    said = {"decision": "accept", "answer": "Maaf, kami kembalikan uangnya."}
    assert post(coordinator, f"/seller/PKL/problems/{problem.id}", said).status_code == 303
    late = post(coordinator, f"/seller/PKL/problems/{problem.id}", {"decision": "refuse", "answer": "Tidak jadi saja."})
    assert (late.status_code, "sudah dijawab" in late.text) == (409, True)
    refund = db_session.scalars(select(Refund)).one()
    # The facility asks, finance decides.
    assert (refund.state, refund.amount, refund.reason) == ("proposed", 100_000, "damaged")
    finance = sign_in(app.test_client(), make_account("finance"))
    assert post(finance, f"/finance/refunds/{refund.id}/approve").status_code == 303
    run_jobs()
    assert [kind for kind in kinds(order.id) if kind.startswith("problem")] == ["problem_reported", "problem_accepted"]
    told = body(letter(f"problem:{problem.id}:accepted"))
    assert "Maaf, kami kembalikan uangnya." in told
    visit(client, order)
    assert "sedang dikembalikan kepada Anda" in client.get(f"/orders/{order.number}").text
    trail = db_session.scalars(
        text("SELECT action FROM audit_events WHERE subject_kind = 'problem' ORDER BY id")
    ).all()
    assert trail == ["problem.reported", "problem.accepted"]
    assert not db_session.scalar(text("SELECT count(*) FROM audit_events WHERE details::text LIKE '%sobek%'"))


def test_what_is_wrong_with_a_report_is_said_beside_its_field(
    client: FlaskClient, db_session: Session, order: Order
) -> None:
    address = f"/orders/{order.number}/parcels/1/problem"
    page = visit(client, order).get(address).text
    bad = [(io.BytesIO(b"<svg onload=x>"), "a.jpg")]
    refused = client.post(address, data=form_of(order, page, photos=bad), headers=SAME)
    assert (refused.status_code, "bukan foto yang dapat dibaca" in refused.text) == (422, True)
    assert "Kainnya sobek" in refused.text  # nothing typed is lost
    empty = client.post(address, data={"request_key": key_in(page), "kind": "not_arrived"}, headers=SAME)
    assert empty.status_code == 422
    for said in ("Pilih apa yang tidak beres", "Ceritakan apa yang terjadi", "Pilih karya yang bermasalah"):
        assert said in empty.text
    five = [(io.BytesIO(photo()), f"{n}.jpg") for n in range(5)]
    many = client.post(address, data=form_of(order, page, photos=five), headers=SAME)
    assert (many.status_code, "Paling banyak empat foto" in many.text) == (422, True)
    line = parcels_of(order.id)[0].lines[0].order_line_id
    more = client.post(address, data=form_of(order, page, **{f"quantity-{line}": "3"}), headers=SAME)
    assert (more.status_code, "Paling banyak 2 buah" in more.text) == (422, True)
    foreign = parcels_of(order.id)[1].lines[0].order_line_id
    others = form_of(order, page, **{f"quantity-{foreign}": "1"})
    assert client.post(address, data=others, headers=SAME).status_code == 404
    assert db_session.scalar(select(func.count()).select_from(Problem)) == 0


def test_the_limit_is_held_and_what_is_late_goes_to_the_office(
    client: FlaskClient, db_session: Session, order: Order
) -> None:
    visit(client, order)
    not_there = client.get(f"/orders/{order.number}/parcels/2/problem")
    assert (not_there.status_code, "belum sampai kepada Anda" in not_there.text) == (409, True)
    send(parcels_of(order.id)[1])
    assert client.get(f"/orders/{order.number}/parcels/2/problem").status_code == 200
    first = parcels_of(order.id)[0]
    assert first.received_at is not None
    first.received_at -= datetime.timedelta(days=7)
    db_session.commit()
    assert client.get(f"/orders/{order.number}/parcels/1/problem").status_code == 200
    first = parcels_of(order.id)[0]
    first.received_at -= datetime.timedelta(days=1)  # type: ignore[operator]
    db_session.commit()
    late = client.get(f"/orders/{order.number}/parcels/1/problem")
    assert (late.status_code, "Tulis kepada kantor pusat" in late.text) == (409, True)
    page = client.get(f"/orders/{order.number}").text
    assert "Sesudahnya tulis kepada kantor pusat" in page
    assert "/parcels/1/problem" not in page


def test_the_office_decides_what_the_facility_left(
    app: Flask, client: FlaskClient, db_session: Session, shop: Shop, order: Order, run_jobs: Callable[[], None]
) -> None:
    late = make_problem(parcels_of(order.id)[0], answer_by=datetime.date.today() - datetime.timedelta(days=3))  # noqa: DTZ011
    db_session.commit()
    problem_id = late.id
    assert answers.hand_over_overdue() == 1
    assert answers.hand_over_overdue() == 0
    coordinator = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))
    page = coordinator.get(f"/seller/PKL/problems/{problem_id}").text
    assert "kantor pusat yang memutuskan" in page
    assert 'name="decision"' not in page
    said = {"decision": "refuse", "answer": "Kami rasa tidak rusak."}
    assert post(coordinator, f"/seller/PKL/problems/{problem_id}", said).status_code == 409
    finance = sign_in(app.test_client(), make_account("finance"))
    assert "1 laporan tidak dijawab" in finance.get("/finance/problems").text
    auditor = sign_in(app.test_client(), make_account("auditor"))
    assert 'name="decision"' not in auditor.get(f"/finance/problems/{problem_id}").text
    silent = post(finance, f"/finance/problems/{problem_id}", {"decision": "refuse", "answer": "tidak"})
    assert (silent.status_code, "Tulis alasannya untuk pembeli" in silent.text) == (422, True)
    assert post(finance, f"/finance/problems/{problem_id}", {"decision": "accept"}).status_code == 303
    refund = db_session.scalars(select(Refund)).one()
    assert refund.state in ("requested", "pending")  # below the limit finance decides alone
    run_jobs()
    for kind in ("handed_over", "accepted"):
        assert letter(f"problem:{problem_id}:{kind}")
    visit(client, order)
    assert f'id="laporan-{problem_id}"' in client.get(f"/orders/{order.number}").text


def test_a_refusal_is_told_with_its_reason_and_a_refund_that_finance_turns_down_too(
    client: FlaskClient, db_session: Session, shop: Shop, order: Order, run_jobs: Callable[[], None]
) -> None:
    problem = make_problem(parcels_of(order.id)[0])
    with pytest.raises(Invalid):
        answers.refuse(problem.id, person_id=make_person().id, facility_id=shop.pekalongan.id, answer=" ")
    said = "Cacatnya sudah tertulis."
    answers.refuse(problem.id, person_id=make_person().id, facility_id=shop.pekalongan.id, answer=said)
    second = make_problem(parcels_of(order.id)[0])
    answers.accept(second.id, person_id=make_person().id, facility_id=shop.pekalongan.id)
    assert second.refund_id is not None
    refunds.reject(second.refund_id, make_person().id)
    db_session.commit()
    number, first_id = order.number, problem.id
    run_jobs()
    assert "Cacatnya sudah tertulis." in body(letter(f"problem:{first_id}:refused"))
    assert kinds(order.id)[-1] == "refund_refused"
    page = visit(client, order).get(f"/orders/{number}").text
    assert "Bagian keuangan memutuskan bahwa uangnya tidak dikembalikan" in page
    assert "Cacatnya sudah tertulis." in page


def test_of_two_answers_at_once_one_counts(
    app: Flask, db_session: Session, database: Clone, shop: Shop, order: Order
) -> None:
    problem_id = make_problem(parcels_of(order.id)[0]).id
    facility_id, people = shop.pekalongan.id, [make_person().id, make_person().id]
    db_session.commit()

    def yes() -> str:
        with app.app_context():
            answers.accept(problem_id, person_id=people[0], facility_id=facility_id)
            db.session.commit()
            return "accepted"

    def no() -> str:
        with app.app_context():
            answers.refuse(problem_id, person_id=people[1], facility_id=facility_id, answer="Menurut kami utuh.")
            db.session.commit()
            return "refused"

    done = while_held(
        database.addresses[SUPERUSER], f"SELECT FROM problems WHERE id = {problem_id} FOR UPDATE", [yes, no]
    )
    won = [each for each in done if isinstance(each, str)]
    assert len(won) == 1
    assert [type(each) for each in done if not isinstance(each, str)] == [answers.ProblemAnswered]
    problem = db_session.get_one(Problem, problem_id, populate_existing=True)
    assert problem.state == won[0]
    assert db_session.scalar(select(func.count()).select_from(Refund)) == (won[0] == "accepted")
    with pytest.raises(Exception, match="stays as it was said and answered"):
        db_session.execute(text("UPDATE problems SET answer = 'lain' WHERE id = :id"), {"id": problem_id})


def test_what_never_arrived_goes_back_whole(db_session: Session, shop: Shop, order: Order) -> None:
    second = parcels_of(order.id)[1]
    send(second)
    second = parcels_of(order.id)[1]
    second.shipped_at -= datetime.timedelta(days=second.days_max + 1)  # type: ignore[operator]
    problem = make_problem(second, kind="not_arrived")
    answers.accept(problem.id, person_id=make_person().id, facility_id=shop.ambon.id)
    refund = db_session.get_one(Refund, problem.refund_id)
    assert (refund.amount, refund.reason) == (70_000, "lost")  # shipping included
    assert private_files().exists(problem.photos[0].key)


def test_working_days_leave_out_the_weekend(db_session: Session) -> None:
    windows = Windows.load()
    friday = datetime.datetime(2026, 11, 27, 10, tzinfo=datetime.UTC)
    assert windows.answer_until(friday) == datetime.date(2026, 12, 1)
    assert windows.report_until(friday) == datetime.date(2026, 12, 4)
    db_session.execute(
        text("INSERT INTO report_windows VALUES ('2026-11-01', 1, 2, 2, 7, 'Aturan yang lebih pendek')")
    )
    # Never less than two working days, whatever the setting says.
    assert Windows.load().report_until(friday) == datetime.date(2026, 12, 1)
