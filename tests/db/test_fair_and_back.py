"""A fair from the plan to the pieces that came home: counted where they arrive, in one place each, whoever hurries."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.exhibitions import arrive, give_back, send
from storefront.exhibitions.arrive import Counted, NotOnTheWay, What
from storefront.exhibitions.fairs import PiecesRefused
from storefront.exhibitions.models import Exhibition, ExhibitionReturn
from storefront.extensions import db
from storefront.notices.models import Notice
from storefront.stock.levels import stand_location_id, store_location_id
from storefront.stock.models import StockMovement
from tests.clones import Clone
from tests.db.test_bringing import no_promise_is_broken, pieces_at
from tests.factories import make_person
from tests.fairs import make_fair, planned, sold_at_stand
from tests.selling import Shop, open_shop
from tests.threads import at_once

KEYS = (f"kunci-pulang-{number:08d}" for number in itertools.count())


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def fair(shop: Shop) -> Exhibition:
    """All five pieces of batik and six of nine tempeh were sent."""
    fair, who = make_fair(shop.pekalongan), make_person().id
    planned(fair, shop.pekalongan, shop.batik.id, 5)
    planned(fair, shop.pekalongan, shop.tempeh.id, 6)
    send.send(fair, shop.pekalongan.id, {shop.batik.id: 5, shop.tempeh.id: 6}, key=next(KEYS), person_id=who)
    db.session.commit()
    return fair


def where(shop: Shop, fair: Exhibition) -> dict[str, tuple[int, int]]:
    """Pieces on hand in the store and at the stand."""
    store, stand = store_location_id(shop.pekalongan.id), stand_location_id(fair.id)
    return {one.sku: (pieces_at(store, one.id)[0], pieces_at(stand, one.id)[0]) for one in (shop.batik, shop.tempeh)}


def arrived(
    what: What, fair: Exhibition, shop: Shop, batik: Counted, tempeh: Counted, who: int, number: int = 1
) -> int:
    counted = {shop.batik.id: batik, shop.tempeh.id: tempeh}
    found = arrive.arrive(what, fair, shop.pekalongan.id, number, counted, person_id=who).id
    db.session.commit()
    return found


def test_a_fair_from_the_plan_to_what_came_home(shop: Shop, fair: Exhibition, database: Clone) -> None:
    cashier, keeper = make_person().id, make_person().id
    facility_id = shop.pekalongan.id
    db.session.commit()
    assert where(shop, fair) == {"PKL-BATIK": (0, 5), "PKL-TEMPE": (3, 6)}

    with pytest.raises(PiecesRefused):  # fewer, and nobody says why
        arrived(What.SENDING, fair, shop, Counted(4), Counted(6), cashier)
    db.session.rollback()
    first = arrived(What.SENDING, fair, shop, Counted(4, "missing"), Counted(5, "damaged"), cashier)
    assert where(shop, fair) == {"PKL-BATIK": (0, 4), "PKL-TEMPE": (3, 5)}
    assert arrived(What.SENDING, fair, shop, Counted(4, "missing"), Counted(5, "damaged"), cashier) == first
    notice = db.session.scalars(select(Notice).where(Notice.kind == "stand")).one()
    assert (notice.facility_id, notice.path) == (facility_id, f"/seller/PKL/exhibitions/{fair.slug}")
    assert arrive.undo(first, fair, facility_id=None, person_id=cashier)
    db.session.commit()
    assert where(shop, fair) == {"PKL-BATIK": (0, 5), "PKL-TEMPE": (3, 6)}
    arrived(What.SENDING, fair, shop, Counted(4, "missing"), Counted(7), cashier)
    with pytest.raises(send.GoneFromStand):  # counted there: it is at home no more by a click
        send.call_back(fair, facility_id, 1, person_id=keeper)
    db.session.rollback()

    sold_at_stand(fair, shop.batik, 3)
    left = give_back.left(fair.id, facility_id)
    assert left == {shop.batik.id: 1, shop.tempeh.id: 7}
    back = give_back.give_back(fair, facility_id, left, key=next(KEYS), person_id=cashier)
    db.session.commit()
    assert where(shop, fair) == {"PKL-BATIK": (0, 0), "PKL-TEMPE": (3, 0)}
    no_promise_is_broken(database)
    number = back.number
    count = arrived(What.RETURN, fair, shop, Counted(1), Counted(6, "missing"), keeper, number)
    assert where(shop, fair) == {"PKL-BATIK": (1, 0), "PKL-TEMPE": (9, 0)}
    with pytest.raises(NotOnTheWay):
        arrived(What.RETURN, fair, shop, Counted(1), Counted(7), keeper, number)
    db.session.rollback()
    with pytest.raises(give_back.AlreadyHome):
        give_back.call_back(fair, facility_id, number, person_id=cashier)
    db.session.rollback()
    assert arrive.undo(count, fair, facility_id=facility_id, person_id=keeper)
    assert give_back.call_back(fair, facility_id, number, person_id=cashier)
    assert not give_back.call_back(fair, facility_id, number, person_id=cashier)
    db.session.commit()
    assert where(shop, fair) == {"PKL-BATIK": (0, 1), "PKL-TEMPE": (3, 7)}
    no_promise_is_broken(database)


def test_what_was_sold_has_arrived(shop: Shop, fair: Exhibition, database: Clone) -> None:
    who = make_person().id
    db.session.commit()
    sold_at_stand(fair, shop.batik, 4)
    with pytest.raises(PiecesRefused) as refused:
        arrived(What.SENDING, fair, shop, Counted(3, "missing"), Counted(6), who)
    assert "sudah terjual" in refused.value.sentences[shop.batik.id]
    db.session.rollback()
    assert where(shop, fair)["PKL-BATIK"] == (0, 1)
    no_promise_is_broken(database)


def test_two_who_return_at_once_return_each_piece_once(
    shop: Shop, fair: Exhibition, wide_app: Flask, database: Clone
) -> None:
    first, second = make_person().id, make_person().id
    fair_id, facility_id, batik, tempeh = fair.id, shop.pekalongan.id, shop.batik.id, shop.tempeh.id
    db.session.commit()

    def call(who: int, key: str) -> Callable[[], object]:
        def run() -> int:
            with wide_app.app_context():
                found = db.session.get_one(Exhibition, fair_id)
                left = {batik: 5, tempeh: 6}
                number = give_back.give_back(found, facility_id, left, key=key, person_id=who).number
                db.session.commit()
                return number

        return run

    key = next(KEYS)
    results = at_once([call(first, key), call(second, next(KEYS)), call(first, key)])
    refused = [one for one in results if isinstance(one, PiecesRefused)]
    assert sum(result == 1 for result in results) == 3 - len(refused)
    assert len(refused) in (1, 2)
    db.session.expire_all()
    assert len(db.session.scalars(select(ExhibitionReturn)).all()) == 1
    out = db.session.scalars(select(StockMovement.quantity).where(StockMovement.source.like("return:%"))).all()
    assert sorted(out) == [-6, -5]
    assert where(shop, fair) == {"PKL-BATIK": (0, 0), "PKL-TEMPE": (3, 0)}
    no_promise_is_broken(database)
