"""What facilities bring to the running exhibition: who takes part, their plans, and the first sending to its stand."""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping

from sqlalchemy import select

from storefront.audit.record import dated, dated_at
from storefront.catalogue.models import Variant
from storefront.demo.moments import at, days
from storefront.demo.places import CAMPAIGN, RUNNING
from storefront.demo.shelves import Shelves
from storefront.exhibitions.arrive import Counted, What, arrive
from storefront.exhibitions.models import Exhibition, ExhibitionFacility, ExhibitionPrice
from storefront.exhibitions.plan import Change, set_plan
from storefront.exhibitions.send import send
from storefront.exhibitions.set_prices import special
from storefront.extensions import db
from storefront.people.models import Person

#: Of so many planned works one is planned beyond what was sent; so many more wait whole.
EVERY, WHOLE = 3, 2
#: Per cent off on the closing day.
CLOSING_OFF = 20
#: Who counts what arrives.
CASHIER = "cashier@demo.test"


def bring(shelves: Shelves, office_id: int, today: datetime.date, seed: str) -> None:
    """Bring the chosen pieces from the stores to the stand, two days before loading, as people would have.

    Where a facility has a coordinator, some of its plan is left to send.
    """
    rng = random.Random(f"{seed}:bringing")
    cashier_id = db.session.execute(select(Person.id).where(Person.email == CASHIER)).scalar_one()
    exhibitions = shelves.places.exhibitions
    campaign = exhibitions[CAMPAIGN]
    added_at = at(campaign.starts_on - days(30), 10)
    for facility in shelves.places.facilities.values():
        db.session.add(ExhibitionFacility(exhibition_id=campaign.id, facility_id=facility.id, added_at=added_at))
    fair = exhibitions[RUNNING]
    for code, pieces in shelves.brought().items():
        facility_id = shelves.places.facilities[code].id
        db.session.add(
            ExhibitionFacility(
                exhibition_id=fair.id,
                facility_id=facility_id,
                added_by=office_id,
                added_at=at(today - days(30), 10),
            )
        )
        db.session.flush()
        more = _left_to_send(shelves, code, pieces, rng) if code in shelves.keepers else {}
        _bring_of(
            fair, facility_id, code, pieces, more, person_id=shelves.keepers.get(code, office_id), today=today
        )
        with dated(at(today - days(1), 9)):
            _count(fair, facility_id, pieces, cashier_id)
    with dated(at(today - days(1), 8)):
        _close_cheaper(fair, sorted(id_ for pieces in shelves.brought().values() for id_ in pieces), office_id)


def _count(fair: Exhibition, facility_id: int, pieces: Mapping[int, int], cashier_id: int) -> None:
    """All arrived as it was sent."""
    counted = {id_: Counted(number) for id_, number in pieces.items()}
    arrive(What.SENDING, fair, facility_id, 1, counted, person_id=cashier_id)


def _close_cheaper(fair: Exhibition, variant_ids: list[int], office_id: int) -> None:
    """On the closing day every second thing costs a fifth less."""
    prices = db.session.execute(
        select(Variant.id, Variant.price).where(Variant.id.in_(variant_ids[::2])).order_by(Variant.id)
    )
    for id_, price in prices.all():
        row = ExhibitionPrice(
            exhibition_id=fair.id,
            variant_id=id_,
            price=special("percent", CLOSING_OFF, price),
            from_day=fair.ends_on,
            to_day=fair.ends_on,
            set_by=office_id,
            set_at=dated_at(),
        )
        db.session.add(row)
        db.session.flush()


def _left_to_send(
    shelves: Shelves, code: str, pieces: Mapping[int, int], rng: random.Random
) -> dict[int, int]:
    """Pieces by variant that are planned and wait in the store."""
    further = [number for number, id_ in enumerate(sorted(pieces)) if number % EVERY == 0]
    more = {sorted(pieces)[number]: rng.randrange(2, 6) for number in further}
    others = [id_ for id_ in shelves.portable(code) if id_ not in pieces]
    return more | {id_: rng.randrange(3, 8) for id_ in others[:WHOLE]}


def _bring_of(
    fair: Exhibition,
    facility_id: int,
    code: str,
    pieces: Mapping[int, int],
    more: Mapping[int, int],
    *,
    person_id: int,
    today: datetime.date,
) -> None:
    plan = {id_: Change(0, pieces.get(id_, 0) + more.get(id_, 0)) for id_ in {*pieces, *more}}
    with dated(at(today - days(9), 10)):
        set_plan(fair, facility_id, plan, person_id=person_id)
    with dated(at(today - days(2), 15)):
        send(fair, facility_id, pieces, key=f"demo-pameran-{code.lower():0>8}", person_id=person_id)
