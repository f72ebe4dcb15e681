"""When the demo's facilities do not pack: one rests now, one announces it, one has a day off; and a text that waits."""

from __future__ import annotations

import datetime

from storefront import content_rule
from storefront.demo.moments import at, days
from storefront.extensions import db
from storefront.facilities.models import DayOff, Facility, Pause
from storefront.moderation import queue
from storefront.profiles.models import ProfileText
from storefront.profiles.write import KIND

#: Code → (first day, last day, reasons), in days from today.
PAUSES = {
    "KLD": (-2, 9, "Bengkel pindah ke gedung baru.", "The workshop moves to a new building."),
    "BJB": (12, 19, "Bengkel ditata ulang dan mesinnya dirawat.", "The workshop is rearranged, its machines serviced."),
}
#: A text that names an address of its own: a curator looks at it first.
WAITS = (
    "PLP",
    "Kue kering dan rajutan dari bengkel perempuan di Palembang. Pesanan khusus lewat surel kegiatan@contoh.test.",
    "Cookies and knitwear from a women's workshop in Palembang. Special orders by e-mail to kegiatan@contoh.test.",
)


def add(facilities: dict[str, Facility], keepers: dict[str, int], today: datetime.date) -> None:
    """`keepers`: coordinators' ids by facility code."""
    for code, (first, last, reason, reason_en) in PAUSES.items():
        db.session.add(
            Pause(
                facility_id=facilities[code].id,
                first_day=today + days(first),
                last_day=today + days(last),
                reason=reason,
                reason_en=reason_en,
                written_by=keepers.get(code),
                written_at=at(today - days(6), 10),
            )
        )
    day = today + days(24)
    db.session.add(
        DayOff(
            facility_id=facilities["PKL"].id,
            first_day=day,
            last_day=day + days(1),
            note="Upacara dan bersih-bersih bengkel",
            written_by=keepers["PKL"],
            written_at=at(today - days(3), 9),
        )
    )
    code, about, about_en = WAITS
    facility = facilities[code]
    for is_first, texts in ((True, (facility.about, facility.about_en)), (False, (about, about_en))):
        row = ProfileText(
            facility_id=facility.id,
            about=texts[0],
            about_en=texts[1],
            contact=facility.contact,
            written_by=None if is_first else keepers[code],
            written_at=at(today - days(1), 11),
            is_shown=is_first,
        )
        db.session.add(row)
        db.session.flush()
    item = queue.submit(KIND, row.id, facility_id=facility.id, reasons=content_rule.reasons(about, about_en))
    item.submitted_at = at(today - days(1), 11)
    db.session.flush()
