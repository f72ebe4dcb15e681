"""What coordinators keep: ready answers, a view of a list, a certificate of sale; and a parcel that is asked about."""

from __future__ import annotations

import calendar
import datetime
import random

from sqlalchemy import select, text

from storefront.demo.bulk import insert_for_ids, insert_rows
from storefront.demo.moments import at, days
from storefront.demo.places import Places
from storefront.enquiries.models import CannedReply, Enquiry, EnquiryMessage
from storefront.exports.certificates import LETTERS, content_of
from storefront.exports.models import SaleCertificate
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.moderation.models import ItemState, ModerationItem
from storefront.notices.models import SavedView
from storefront.orders.models import Order, OrderAddress, Parcel
from storefront.shipping.shown_city import plain_city

REPLIES = (
    (
        "Lama pengerjaan",
        "Terima kasih sudah bertanya. Untuk pesanan khusus kami perlu dua minggu; setelah itu dikirim pada hari kerja"
        " berikutnya.",
        "Thank you for asking. An order of its own takes us two weeks; it is sent on the next working day.",
    ),
    ("Ukuran khusus", "Ukuran khusus bisa, mulai tiga buah. Tulis panjang dan lebarnya di sini.", ""),
    (
        "Perawatan kain",
        "Cuci dengan tangan dan air dingin, jemur di tempat teduh, setrika dari sisi dalam.",
        "Wash by hand in cold water, dry in the shade, iron from the inside.",
    ),
)
ASKED = "Apakah kiriman ini bisa dititipkan ke tetangga bila rumah kosong?"


def add(sites: Places, keepers: dict[str, int], today: datetime.date, seed: str) -> None:
    """For each facility with a coordinator; the same seed gives the same. Never commits."""
    rng = random.Random(f"{seed}:kept")
    for code, person_id in keepers.items():
        facility = sites.facilities[code]
        insert_rows(
            CannedReply,
            [
                {
                    "facility_id": facility.id, "name": name, "body": body, "body_en": english,
                    "changed_by": person_id, "changed_at": at(today - days(30 + number), 10),
                }
                for number, (name, body, english) in enumerate(REPLIES)
            ],
        )  # fmt: skip
        insert_rows(
            SavedView,
            [
                {
                    "facility_id": facility.id, "person_id": person_id, "list": "seller.parcels",
                    "name": "Perlu dikemas", "query": "state=to_pack", "created_at": at(today - days(20), 9),
                }
            ],
        )  # fmt: skip
        _certificate(code, facility, person_id, today, rng)
    _asked_of_parcel(sites.facilities["PKL"].id, today, rng)


def _certificate(
    code: str, facility: Facility, person_id: int, today: datetime.date, rng: random.Random
) -> None:
    """Of the last whole month in which the facility sold something."""
    sold = text(
        "SELECT max(accounting_date(paid_at)) FROM reporting.sales WHERE facility_code = :code AND paid_at < :until"
    )
    day = db.session.execute(sold, {"code": code, "until": at(today.replace(day=1), 0)}).scalar()
    if day is None:
        return
    first, last = day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])
    content = content_of(facility, first, last, None)
    issued = at(max(last + days(1), today - days(5)), 9)
    db.session.add(
        SaleCertificate(
            facility_id=facility.id, year=issued.year, number=1,
            code="".join(rng.choice(LETTERS) for _each in range(12)), first_day=first, last_day=last,
            lines=content["lines"], pieces=content["pieces"], net_amount=content["sums"]["net_amount"],
            content=content, issued_by=person_id, issued_at=issued, request_key=f"demo-certificate-{code}",
        )
    )  # fmt: skip
    db.session.flush()


def _asked_of_parcel(facility_id: int, today: datetime.date, rng: random.Random) -> None:
    """Who waits for a parcel asks about it, in private."""
    row = db.session.execute(
        select(Parcel.id, Parcel.order_id, OrderAddress.city)
        .join(Order, Order.id == Parcel.order_id)
        .join(OrderAddress, OrderAddress.order_id == Order.id)
        .where(Parcel.facility_id == facility_id, Parcel.state == "to_pack", Order.locale == "id")
        .order_by(Parcel.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return
    moment = at(today - days(1), 19)
    (enquiry_id,) = insert_for_ids(
        Enquiry,
        [
            {
                "kind": "question", "facility_id": facility_id, "order_id": row.order_id, "parcel_id": row.id,
                "is_public": False, "is_buyer": True, "city": plain_city(row.city), "locale": "id",
                "created_at": moment,
            }
        ],
    )  # fmt: skip
    (message_id,) = insert_for_ids(
        EnquiryMessage,
        [
            {
                "enquiry_id": enquiry_id, "author": "asker", "body": ASKED, "is_shown": True, "created_at": moment,
                "request_key": f"demo-parcel-{rng.randbytes(8).hex()}",
            }
        ],
    )  # fmt: skip
    item = {"kind": "question", "subject_id": message_id, "facility_id": facility_id, "submitted_at": moment}
    insert_rows(ModerationItem, [{**item, "state": ItemState.PASSED.value, "reasons": []}])
