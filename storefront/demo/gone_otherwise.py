"""What does not go as it should: a parcel came back, pieces cannot be sent, and the work passed to a colleague."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import func, select, text

from storefront.audit.record import dated, record
from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.orders.models import Order, OrderLine, Parcel, ParcelLine, ParcelState, RefundPieces
from storefront.people.models import Membership, Person
from storefront.refunds.cannot_fulfil import cannot_fulfil
from storefront.refunds.parcel_returns import Back, receive_return, still_out
from storefront.teams.handover import Counts
from storefront.teams.models import Handover

#: Whose parcels, the first that has one: where people look first.
LOOKED_AT = ("PKL", "PLP")
#: Whose coordinator passed the work on, days ago, and what passed on with it.
HANDED_OVER, AGO = "PKL", 210
PASSED_ON = Counts(
    to_pack=2, packed=1, questions=1, problems=0, drafts=2, declarations=0, bank_accounts=0, pieces=64,
    pieces_value=7_935_000, owed={"premium": 412_000, "working_capital": 288_400},
)  # fmt: skip


def add(
    facilities: Mapping[str, Facility], keepers: Mapping[str, int], people: Mapping[str, Person],
    today: datetime.date, seed: str,
) -> None:  # fmt: skip
    """`keepers`: coordinators' ids by facility code; `people`: accounts by address."""
    with dated(at(today - days(1), 13, 20)):
        _came_back(facilities, keepers, at(today - days(1), 13, 20), f"demo-return-{seed}".ljust(16, "-"))
    with dated(at(today - days(1), 14, 5)):
        _cannot(facilities, keepers, f"demo-cannot-{seed}".ljust(16, "-"))
    _handed_over(facilities[HANDED_OVER], people, at(today - days(AGO), 15))
    db.session.flush()
    db.session.execute(text("DELETE FROM procrastinate_jobs"))  # nothing of it is left for the worker


def _came_back(
    facilities: Mapping[str, Facility], keepers: Mapping[str, int], moment: datetime.datetime, key: str
) -> None:
    """One that the courier brought back whole: what is in it is on the shelf again, and finance is asked."""
    parcel = _first(facilities, ParcelState.SHIPPED, Parcel.id.not_in(select(RefundPieces.parcel_id)))
    if parcel is None:
        return
    backs = {
        line.order_line_id: Back(line.pieces, 0) if line.has_stock else Back(0, line.pieces)
        for line in still_out(parcel)
    }
    noted = receive_return(
        parcel.id,
        backs,
        note="Dibawa kembali oleh kurir: alamatnya tidak ditemukan.",
        ask_refund=True,
        person_id=keepers[_code(facilities, parcel)],
        facility_id=parcel.facility_id,
        request_key=key,
    )
    noted.noted_at = moment


def _cannot(facilities: Mapping[str, Facility], keepers: Mapping[str, int], key: str) -> None:
    """One piece of several: the others leave, that one waits for finance."""
    several = select(ParcelLine.parcel_id).group_by(ParcelLine.parcel_id).having(func.sum(ParcelLine.quantity) > 1)
    whole = Parcel.id.in_(several), Parcel.id.not_in(select(RefundPieces.parcel_id))
    parcel = _first(facilities, ParcelState.TO_PACK, *whole)
    if parcel is None:
        return
    line_id = db.session.scalars(
        select(ParcelLine.order_line_id)
        .join(OrderLine, OrderLine.id == ParcelLine.order_line_id)
        .where(ParcelLine.parcel_id == parcel.id)
        .order_by(OrderLine.position.desc())
    ).first()
    assert line_id is not None
    cannot_fulfil(
        parcel.id,
        {line_id: 1},
        back={line_id: "none"},
        with_shipping=False,
        note="Jahitannya lepas saat diperiksa; bengkel belum dapat membuat yang baru.",
        person_id=keepers[_code(facilities, parcel)],
        facility_id=parcel.facility_id,
        request_key=key,
    )


def _handed_over(facility: Facility, people: Mapping[str, Person], moment: datetime.datetime) -> None:
    """Who kept this shop before: their role ended that day, and the minute says what passed on."""
    before, after, head = (people[f"{name}@demo.test"] for name in ("coordinator2", "coordinator", "head"))
    ended = Membership(
        person_id=before.id,
        role="coordinator",
        facility_id=facility.id,
        valid_from=moment - days(500),
        valid_until=moment,
        granted_by=head.id,
    )
    db.session.add(ended)
    db.session.flush()
    row = Handover(
        facility_id=facility.id,
        from_person=before.id,
        from_name=before.name,
        to_person=after.id,
        to_name=after.name,
        made_by=head.id,
        made_at=moment,
        done_at=moment,
        counts=asdict(PASSED_ON),
        ended_role=ended.id,
    )
    db.session.add(row)
    db.session.flush()
    details = {"from": before.id, "to": after.id, "counts": row.counts}
    with dated(moment):
        record("handover.done", "handover", row.id, person_id=head.id, facility_id=facility.id, details=details)


def _first(facilities: Mapping[str, Facility], state: ParcelState, *conditions: object) -> Parcel | None:
    for code in LOOKED_AT:
        parcel: Parcel | None = db.session.scalars(
            select(Parcel)
            .join(Order, Order.id == Parcel.order_id)
            .where(
                Parcel.facility_id == facilities[code].id,
                Parcel.state == state.value,
                Parcel.is_pickup.is_(False),
                Order.channel == "online",
                *conditions,  # type: ignore[arg-type]
            )
            .order_by(Parcel.id)
        ).first()
        if parcel is not None:
            return parcel
    return None


def _code(facilities: Mapping[str, Facility], parcel: Parcel) -> str:
    return next(code for code, facility in facilities.items() if facility.id == parcel.facility_id)
