"""Pieces for a fair: only one's own, never more than planned or free, each in one place, sent and undone once."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from psycopg.errors import CheckViolation, ForeignKeyViolation, RestrictViolation
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.errors import NotFound
from storefront.exhibitions import plan, send
from storefront.exhibitions.fairs import FairEnded, PiecesRefused
from storefront.exhibitions.models import Exhibition, ExhibitionSending
from storefront.exhibitions.plan import Change
from storefront.extensions import db
from storefront.stock import adjust
from storefront.stock.levels import stand_location_id, store_location_id
from storefront.stock.models import MovementReason, StockLevel, StockMovement
from storefront.verify import brought as brought_promises
from storefront.verify import stock as stock_promises
from storefront.verify.invariant import check
from tests.clones import SUPERUSER, Clone
from tests.factories import make_order, make_person
from tests.fairs import make_fair, planned
from tests.selling import Shop, cart_with, open_shop, order_of
from tests.threads import at_once, while_held

KEYS = (f"kunci-pameran-{number:08d}" for number in itertools.count())


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def pieces_at(location_id: int, variant_id: int) -> tuple[int, int]:
    """On hand and reserved."""
    db.session.expire_all()
    level = db.session.get(StockLevel, (variant_id, location_id))
    return (level.on_hand, level.reserved) if level else (0, 0)


def where(shop: Shop, fair: Exhibition) -> tuple[int, int]:
    """Pieces of batik on hand in Pekalongan's store and at the stand."""
    store, stand = store_location_id(shop.pekalongan.id), stand_location_id(fair.id)
    return pieces_at(store, shop.batik.id)[0], pieces_at(stand, shop.batik.id)[0]


def sending(fair: Exhibition, shop: Shop, pieces: dict[int, int], who: int, key: str = "") -> ExhibitionSending:
    sent = send.send(fair, shop.pekalongan.id, pieces, key=key or next(KEYS), person_id=who)
    db.session.commit()
    return sent


def no_promise_is_broken(database: Clone) -> None:
    with psycopg.connect(database.addresses[SUPERUSER]) as connection:
        promises = (*stock_promises.INVARIANTS, *brought_promises.INVARIANTS)
        assert [found for found in check(connection, promises) if not found.holds] == []


def test_the_database_keeps_plans_of_ones_own_pieces(shop: Shop, database: Clone) -> None:
    fair = make_fair(shop.pekalongan)
    insert = "INSERT INTO exhibition_pieces VALUES (%s, %s, %s, %s)"
    pekalongan, ambon, batik, honey = (
        one.id for one in (shop.pekalongan, shop.ambon, shop.batik, shop.honey)
    )
    refused = [
        (CheckViolation, (fair.id, pekalongan, honey, 1)),  # another facility's
        (ForeignKeyViolation, (fair.id, ambon, honey, 1)),  # does not take part
        (CheckViolation, (fair.id, pekalongan, batik, 0)),
        (CheckViolation, (fair.id, pekalongan, batik, 10_001)),
    ]
    db.session.commit()
    with psycopg.connect(database.addresses[SUPERUSER], autocommit=True) as connection:
        for error, values in refused:
            with pytest.raises(error):
                connection.execute(insert, values)
        connection.execute(insert, (fair.id, pekalongan, batik, 10_000))


def test_what_was_sent_stays_written_down(shop: Shop, database: Clone) -> None:
    fair, who = make_fair(shop.pekalongan), make_person().id
    planned(fair, shop.pekalongan, shop.batik.id, 3)
    sent = sending(fair, shop, {shop.batik.id: 3}, who)
    assert (sent.number, where(shop, fair)) == (1, (2, 3))
    db.session.commit()
    with psycopg.connect(database.addresses[SUPERUSER], autocommit=True) as connection:
        for change in (
            "UPDATE exhibition_sending_lines SET pieces = 1",
            "DELETE FROM exhibition_sending_lines",
            "DELETE FROM exhibition_sendings",
            "UPDATE exhibition_sendings SET number = 2",
        ):
            with pytest.raises((RestrictViolation, psycopg.errors.RaiseException)):
                connection.execute(change)
    moved = db.session.scalars(
        select(StockMovement).where(StockMovement.reason == "transfer").order_by(StockMovement.quantity)
    ).all()
    assert [(one.quantity, one.note, one.person_id) for one in moved] == [
        (-3, fair.name, who), (3, fair.name, who),
    ]  # fmt: skip
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "exhibition.sent")).one()
    assert event.details == {"number": 1, "pieces": {"PKL-BATIK": 3}}
    no_promise_is_broken(database)


def test_never_more_than_is_planned_or_free(shop: Shop, database: Clone) -> None:
    fair, who = make_fair(shop.pekalongan, shop.ambon), make_person().id
    planned(fair, shop.pekalongan, shop.batik.id, 9)
    make_order((shop.batik, 2))
    db.session.commit()
    for pieces, said in ((4, "hanya 3 yang bebas"), (10, "paling banyak 9 lagi")):
        with pytest.raises(PiecesRefused, match="pieces_refused") as refused:
            sending(fair, shop, {shop.batik.id: pieces}, who)
        db.session.rollback()
        assert said in refused.value.sentences[shop.batik.id]
    with pytest.raises(NotFound):
        sending(fair, shop, {shop.honey.id: 1}, who)
    db.session.rollback()
    with pytest.raises(PiecesRefused):  # its own, but not in the plan
        sending(fair, shop, {shop.batik.id: 1, shop.tempeh.id: 1}, who)
    db.session.rollback()
    assert where(shop, fair) == (5, 0)
    sending(fair, shop, {shop.batik.id: 3}, who)
    assert where(shop, fair) == (2, 3)
    no_promise_is_broken(database)


def test_the_last_pieces_go_once_when_two_send_them(shop: Shop, wide_app: Flask, database: Clone) -> None:
    fair, first, second = make_fair(shop.pekalongan), make_person().id, make_person().id
    planned(fair, shop.pekalongan, shop.batik.id, 10)
    fair_id, facility_id, batik = fair.id, shop.pekalongan.id, shop.batik.id
    db.session.commit()

    def call(who: int, key: str) -> Callable[[], object]:
        def run() -> int:
            with wide_app.app_context():
                found = db.session.get_one(Exhibition, fair_id)
                number = send.send(found, facility_id, {batik: 5}, key=key, person_id=who).number
                db.session.commit()
                return number

        return run

    answers = while_held(
        database.addresses[SUPERUSER],
        "SELECT FROM exhibition_facilities FOR UPDATE",
        [call(first, next(KEYS)), call(second, next(KEYS))],
    )
    refused = [one for one in answers if isinstance(one, PiecesRefused)]
    assert [one for one in answers if not isinstance(one, Exception)] == [1]
    assert "tidak ada yang bebas" in refused[0].sentences[batik]
    assert where(shop, fair) == (0, 5)
    # One form that a bad line sends several times moves once.
    adjust.move(batik, store_location_id(facility_id), 5, MovementReason.MADE)
    db.session.commit()
    key = next(KEYS)
    answers = at_once([call(first, key), call(first, key), call(first, key)])
    assert answers == [2, 2, 2]
    assert where(shop, fair) == (0, 10)
    no_promise_is_broken(database)


def test_a_shopper_and_a_sender_do_not_get_the_same_piece(shop: Shop, wide_app: Flask, database: Clone) -> None:
    fair, who = make_fair(shop.pekalongan), make_person().id
    planned(fair, shop.pekalongan, shop.batik.id, 4)
    fair_id, facility_id, batik = fair.id, shop.pekalongan.id, shop.batik.id
    cart = cart_with(("PKL-BATIK", 4))

    def bring() -> int:
        with wide_app.app_context():
            found = db.session.get_one(Exhibition, fair_id)
            number = send.send(found, facility_id, {batik: 4}, key=next(KEYS), person_id=who).number
            db.session.commit()
            return number

    answers = at_once([bring, order_of(wide_app, cart, "kunci-pembeli-1")])
    assert sum(isinstance(one, Exception) for one in answers) == 1, answers
    assert all(getattr(one, "status", 409) == 409 for one in answers)
    on_hand, reserved = pieces_at(store_location_id(facility_id), batik)
    assert (on_hand, reserved) in {(1, 0), (5, 4)}
    no_promise_is_broken(database)


def test_a_sending_is_called_back_once_and_whole(shop: Shop, database: Clone) -> None:
    fair, who = make_fair(shop.pekalongan), make_person().id
    planned(fair, shop.pekalongan, shop.batik.id, 4)
    planned(fair, shop.pekalongan, shop.tempeh.id, 2)
    pekalongan = shop.pekalongan.id
    sent = sending(fair, shop, {shop.batik.id: 4, shop.tempeh.id: 2}, who)
    assert send.call_back(fair, pekalongan, sent.number, person_id=who)
    db.session.commit()
    assert not send.call_back(fair, pekalongan, sent.number, person_id=who)
    assert where(shop, fair) == (5, 0)
    assert plan.sent_pieces(fair.id, pekalongan) == {}
    with pytest.raises(NotFound):
        send.call_back(fair, pekalongan, 2, person_id=who)
    again = sending(fair, shop, {shop.batik.id: 4, shop.tempeh.id: 2}, who)
    assert again.number == 2
    # One piece is gone from the stand: then nothing of it comes back.
    adjust.move(shop.tempeh.id, stand_location_id(fair.id), -1, MovementReason.DAMAGED)
    db.session.commit()
    with pytest.raises(send.GoneFromStand, match="gone_from_stand") as refused:
        send.call_back(fair, pekalongan, 2, person_id=who)
    db.session.rollback()
    assert "PKL-TEMPE: dari 2 yang dikirim, hanya 1" in str(refused.value.message)
    assert where(shop, fair) == (1, 4)
    assert db.session.scalar(select(func.count()).where(AuditEvent.action == "exhibition.called_back")) == 1
    no_promise_is_broken(database)


def test_a_plan_heeds_colleagues_and_what_is_sent(shop: Shop, database: Clone) -> None:
    fair, who = make_fair(shop.pekalongan), make_person().id
    pekalongan, batik = shop.pekalongan.id, shop.batik.id

    def write(variant_id: int, was: int, now: int) -> int:
        try:
            done = plan.set_plan(fair, pekalongan, {variant_id: Change(was, now)}, person_id=who)
        except Exception:
            db.session.rollback()
            raise
        db.session.commit()
        return done

    assert write(batik, 0, 4) == 1
    assert write(batik, 0, 4) == 0  # the same once more
    with pytest.raises(PiecesRefused) as refused:
        write(batik, 0, 7)
    assert "baru menulis 4" in refused.value.sentences[batik]
    with pytest.raises(NotFound):
        write(shop.honey.id, 0, 1)
    with pytest.raises(PiecesRefused) as refused:
        write(shop.chair.id, 0, 1)
    assert "dibuat sesuai pesanan" in refused.value.sentences[shop.chair.id]
    sending(fair, shop, {batik: 3}, who)
    with pytest.raises(PiecesRefused) as refused:
        write(batik, 4, 2)
    assert "Sudah dikirim 3" in refused.value.sentences[batik]
    assert write(batik, 4, 3) == 1
    assert plan.planned(fair.id, pekalongan) == {batik: 3}
    events = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "exhibition.planned").order_by(AuditEvent.id)
    )
    assert [one.details["pieces"] for one in events] == [{"PKL-BATIK": [0, 4]}, {"PKL-BATIK": [4, 3]}]
    no_promise_is_broken(database)


def test_a_fair_that_has_ended_takes_nothing(shop: Shop) -> None:
    fair, who = make_fair(shop.pekalongan, opens=-4, ends=-1), make_person().id
    planned(fair, shop.pekalongan, shop.batik.id, 3)
    with pytest.raises(FairEnded) as refused:
        sending(fair, shop, {shop.batik.id: 1}, who)
    assert "sudah selesai pada" in str(refused.value.message)
    with pytest.raises(FairEnded):
        plan.set_plan(fair, shop.pekalongan.id, {shop.batik.id: Change(3, 4)}, person_id=who)
    today_is_its_last = make_fair(shop.pekalongan, opens=0, ends=0)
    planned(today_is_its_last, shop.pekalongan, shop.batik.id, 3)
    assert sending(today_is_its_last, shop, {shop.batik.id: 1}, who).number == 1
