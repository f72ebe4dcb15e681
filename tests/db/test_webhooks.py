"""Other systems are told what happened: once, signed, again until they answer, and never with a buyer in it."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from storefront import crash_points
from storefront.closing import close
from storefront.extensions import db
from storefront.integrations import deliver, endpoints, events
from storefront.integrations.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from storefront.orders import ship
from storefront.orders.models import Parcel
from storefront.orders.payment import open_payment
from storefront.orders.place import Contact
from tests.factories import make_order, make_paid_order, make_person
from tests.receiver import Receiver, receiver
from tests.selling import Shop, open_shop, pay
from tests.threads import at_once

BUYER = Contact("Murniati Rahasia", "murniati@example.test", "+628123456789")
EVERYTHING = [kind.value for kind in events.Kind]
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
Jobs = Callable[[], None]


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver() as other:
        yield other


def listening(other: Receiver, *kinds: str) -> tuple[int, str]:
    """An endpoint's id and secret, committed."""
    endpoint, shown = endpoints.add("Gudang data", other.url, kinds or EVERYTHING, make_person().id)
    db.session.commit()
    return endpoint.id, shown


def sold(shop: Shop) -> None:
    make_paid_order((shop.batik, 1), (shop.honey, 1), contact=BUYER)
    db.session.commit()


def only() -> WebhookDelivery:
    db.session.rollback()
    return db.session.scalars(select(WebhookDelivery)).one()


def time_passes() -> None:
    """The next attempt is due."""
    db.session.execute(text("UPDATE webhook_deliveries SET next_at = now() - interval '1 second'"))
    db.session.commit()


def verifier() -> Any:
    """The function that docs/api.md gives to integrators."""
    (snippet,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    names: dict[str, Any] = {}
    exec(snippet, names)  # noqa: S102 - our own document
    return names["is_ours"]


def test_a_paid_order_is_told_once_signed_and_without_its_buyer(
    shop: Shop, other: Receiver, run_jobs: Jobs
) -> None:
    _id, secret = listening(other)
    sold(shop)
    run_jobs()
    ((path, headers, body),) = other.taken
    told = json.loads(body)
    assert (path, told["type"], headers["webhook-event"]) == ("/hook?from=shop", "order.paid", "order.paid")
    assert told["data"]["facilities"] == ["NML", "PKL"]
    assert headers["webhook-id"] == told["id"]
    assert headers["content-type"] == "application/json"
    assert "Murniati" not in body.decode()
    assert "8123456789" not in body.decode()
    moment, v1 = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["webhook-signature"]).groups()  # type: ignore[union-attr]
    assert v1 == hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    done = only()
    assert (done.state, done.attempts, done.answer_status) == ("delivered", 1, 200)
    # Whatever comes again: the fact is told.
    deliver.deliver(done.id)
    run_jobs()
    assert len(other.taken) == 1


def test_what_the_guide_says_finds_forged_and_old_messages(shop: Shop, other: Receiver, run_jobs: Jobs) -> None:
    endpoint_id, former = listening(other)
    _endpoint, secret = endpoints.renew_secret(endpoint_id, make_person().id)
    endpoints.test(endpoint_id, make_person().id)
    db.session.commit()
    run_jobs()
    ((_path, headers, body),) = other.taken
    is_ours, signature = verifier(), headers["webhook-signature"]
    # While the secret is renewed both are good, so that a receiver changes it when it likes.
    assert is_ours(body, signature, secret)
    assert is_ours(body, signature, former)
    assert not is_ours(body + b" ", signature, secret)
    assert not is_ours(body, signature, "whsec_x")
    assert not is_ours(body, signature.replace("t=", "t=1"), secret)
    assert not is_ours(body, "", secret)
    old = "1700000000"
    forged = hmac.new(secret.encode(), old.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert not is_ours(body, f"t={old},v1={forged}", secret)
    db.session.execute(text("UPDATE webhook_endpoints SET former_until = now()"))
    endpoints.test(endpoint_id, make_person().id)
    db.session.commit()
    run_jobs()
    assert not is_ours(other.taken[-1][2], other.taken[-1][1]["webhook-signature"], former)


def test_a_fact_that_is_taken_back_is_never_told(shop: Shop, other: Receiver, run_jobs: Jobs) -> None:
    listening(other)
    make_paid_order((shop.batik, 1))
    db.session.rollback()
    run_jobs()
    assert other.taken == []
    assert db.session.execute(select(func.count()).select_from(WebhookEvent)).scalar_one() == 0


def test_where_nobody_listens_nothing_is_written(shop: Shop, other: Receiver) -> None:
    listening(other, "period.closed")
    sold(shop)
    assert db.session.execute(select(func.count()).select_from(WebhookEvent)).scalar_one() == 0


def test_a_parcel_is_told_when_it_leaves_without_its_tracking_number(
    shop: Shop, other: Receiver, run_jobs: Jobs
) -> None:
    listening(other, "parcel.shipped")
    sold(shop)
    parcel = db.session.scalars(select(Parcel).where(Parcel.facility_id == shop.ambon.id)).one()
    person = make_person().id
    ship.mark_packed(parcel.id, person)
    ship.mark_shipped(parcel.id, "JNE", "JNE0001234", person)
    db.session.commit()
    run_jobs()
    ((_path, _headers, body),) = other.taken
    told = json.loads(body)
    assert (told["type"], told["data"]["facility"], told["data"]["courier"]) == ("parcel.shipped", "NML", "JNE")
    assert "JNE0001234" not in body.decode()


def test_a_closed_month_is_told_with_its_hash(
    shop: Shop, other: Receiver, run_jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening(other, "period.closed")
    monkeypatch.setattr(close, "checklist", lambda month: [])
    period = close.close(datetime.date(2026, 1, 1), make_person().id)
    told = {"period": "2026-01", "entries": period.entries, "hash": period.hash.hex()}
    db.session.commit()
    run_jobs()
    ((_path, _headers, body),) = other.taken
    assert json.loads(body)["data"] == told


def test_it_is_tried_again_with_the_same_id_until_it_is_taken(shop: Shop, other: Receiver, run_jobs: Jobs) -> None:
    listening(other)
    other.answers = [500, 302, 404, -2]
    sold(shop)
    run_jobs()
    run_jobs()
    assert len(other.taken) == 1  # not before its pause is over
    before = only()
    assert (before.state, before.answer_status) == ("waiting", 500)
    assert before.tried_at is not None
    assert 50 < (before.next_at - before.tried_at).total_seconds() < 70
    for _ in range(4):
        time_passes()
        deliver.deliver(only().id)
    assert (only().state, only().attempts, only().answer_status) == ("delivered", 5, 200)
    assert len({json.loads(body)["id"] for _path, _headers, body in other.taken}) == 1
    assert [headers["webhook-attempt"] for _path, headers, _body in other.taken] == ["1", "2", "3", "4", "5"]


def test_after_a_day_it_is_given_up_and_can_be_sent_again(shop: Shop, other: Receiver, run_jobs: Jobs) -> None:
    endpoint_id, _secret = listening(other)
    assert datetime.timedelta(hours=23) < datetime.timedelta(minutes=sum(deliver.PAUSES)) <= datetime.timedelta(days=1)
    assert list(deliver.PAUSES) == sorted(deliver.PAUSES)
    other.answers = [503] * 10
    sold(shop)
    run_jobs()
    for _ in deliver.PAUSES:
        time_passes()
        deliver.deliver(only().id)
    assert (only().state, only().attempts, len(other.taken)) == ("failed", 10, 10)
    time_passes()
    deliver.deliver(only().id)
    assert len(other.taken) == 10
    endpoints.send_again(endpoint_id, only().id, make_person().id)
    db.session.commit()
    run_jobs()
    assert (only().state, len(other.taken)) == ("delivered", 11)
    assert json.loads(other.taken[-1][2])["id"] == json.loads(other.taken[0][2])["id"]


def test_what_happens_while_it_is_paused_waits(shop: Shop, other: Receiver, run_jobs: Jobs) -> None:
    endpoint_id, _secret = listening(other)
    person = make_person().id
    endpoints.pause(endpoint_id, person)
    sold(shop)
    run_jobs()
    assert (only().state, other.taken) == ("waiting", [])
    endpoints.resume(endpoint_id, person)
    db.session.commit()
    run_jobs()
    assert (only().state, len(other.taken)) == ("delivered", 1)
    with pytest.raises(endpoints.WrongEndpointState):
        endpoints.resume(endpoint_id, person)


def test_a_removed_endpoint_is_told_nothing_more(shop: Shop, other: Receiver, run_jobs: Jobs) -> None:
    endpoint_id, _secret = listening(other)
    sold(shop)
    endpoints.remove(endpoint_id, make_person().id)
    db.session.commit()
    sold(shop)
    run_jobs()
    assert other.taken == []
    assert (only().state, only().error) == ("failed", "removed")


def test_a_lost_job_is_found_and_what_ended_long_ago_forgotten(shop: Shop, other: Receiver, run_jobs: Jobs) -> None:
    listening(other)
    sold(shop)
    db.session.execute(text("DELETE FROM procrastinate_jobs"))
    assert deliver.send_waiting() == 0
    db.session.execute(text("UPDATE webhook_deliveries SET next_at = now() - interval '11 minutes'"))
    assert deliver.send_waiting() == 1
    db.session.commit()
    run_jobs()
    assert (only().state, len(other.taken)) == ("delivered", 1)
    deliver.forget_old()
    assert only().state == "delivered"
    db.session.execute(text("UPDATE webhook_deliveries SET finished_at = finished_at - interval '91 days'"))
    deliver.forget_old()
    assert db.session.scalars(select(WebhookDelivery)).all() == []


def test_without_its_secret_nothing_is_sent_unsigned(app: Flask, shop: Shop, other: Receiver) -> None:
    listening(other)
    sold(shop)
    was = app.config["SECRET_KEY"]
    try:
        app.config["SECRET_KEY"] = "another"
        deliver.deliver(only().id)
    finally:
        app.config["SECRET_KEY"] = was
    assert (only().state, only().error, other.taken) == ("waiting", "secret_lost", [])


def in_child(app: Flask, act: Callable[[], None], crash_at: str) -> int:
    """Act in a process of its own, on connections of its own; how it ended."""
    child = os.fork()
    if child == 0:
        crash_points.chosen = crash_at
        with app.app_context():
            db.engine.dispose(close=False)  # the parent's connections stay the parent's
            db.session.remove()
            act()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_worker_killed_between_sending_and_noting_sends_the_same_again(
    app: Flask, shop: Shop, other: Receiver
) -> None:
    listening(other)
    sold(shop)
    delivery_id = only().id
    for crash_at, came in (("told.before_post", 0), ("told.after_post", 1)):
        db.session.rollback()
        assert in_child(app, lambda: deliver.deliver(delivery_id), crash_at) == -signal.SIGKILL
        assert (only().state, len(other.taken)) == ("waiting", came)
    deliver.deliver(delivery_id)
    assert (only().state, only().attempts) == ("delivered", 3)
    first, second = other.taken
    assert first[2] == second[2]
    assert first[1]["webhook-id"] == second[1]["webhook-id"]


def test_two_payments_at_the_same_moment_are_two_events(app: Flask, shop: Shop, other: Receiver) -> None:
    listening(other)
    orders = [make_order((shop.chair, 1)) for _ in range(2)]
    payments = [open_payment(order).id for order in orders]
    db.session.commit()

    def paid(payment_id: str) -> Callable[[], None]:
        def act() -> None:
            with app.app_context():
                pay(payment_id)

        return act

    # The same news of both, twice each.
    at_once([paid(payment_id) for payment_id in payments * 2])
    db.session.rollback()
    kept = db.session.execute(select(func.count()).select_from(WebhookDelivery)).scalar_one()
    assert kept == 2


def test_the_secret_is_not_in_the_database(shop: Shop, other: Receiver) -> None:
    _id, secret = listening(other)
    row = db.session.scalars(select(WebhookEndpoint)).one()
    assert secret.encode() not in row.secret
