"""At a stand a piece costs the special price of the day, else what it costs anyway; never two prices on one day."""

from __future__ import annotations

import datetime

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storefront import days
from storefront.exhibitions.models import ExhibitionPrice
from storefront.exhibitions.prices import stand_price
from storefront.extensions import db
from tests.factories import make_person
from tests.fairs import make_fair
from tests.selling import open_shop


def test_a_piece_has_one_price_on_each_day_of_the_fair(db_session: Session) -> None:
    shop = open_shop()
    fair, other, who = make_fair(shop.pekalongan), make_fair(shop.pekalongan), make_person().id
    day = days.today()
    next_day = day + datetime.timedelta(days=1)
    batik, ordinary = shop.batik.id, shop.batik.price
    special = {"exhibition_id": fair.id, "variant_id": batik, "set_by": who}
    db.session.add(ExhibitionPrice(**special, price=90_000, from_day=next_day, to_day=fair.ends_on))
    db.session.commit()

    assert stand_price(fair.id, [batik, 0], day) == {batik: (ordinary, None)}
    assert stand_price(fair.id, [batik], next_day) == {batik: (90_000, fair.ends_on)}
    assert stand_price(fair.id, [batik], fair.ends_on + datetime.timedelta(days=1)) == {batik: (ordinary, None)}
    assert stand_price(other.id, [batik], next_day) == {batik: (ordinary, None)}
    db.session.add(ExhibitionPrice(**special, price=80_000, from_day=fair.ends_on, to_day=fair.ends_on))
    with pytest.raises(IntegrityError):
        db.session.flush()
