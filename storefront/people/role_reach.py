"""Which roles the office gives, where each of them reaches, and until when."""

from __future__ import annotations

import datetime

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from storefront.days import today
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.people.models import Role
from storefront.written import day

#: Roles bound to a facility, to the whole programme, and to either; a cashier's belongs to a fair.
AT_A_FACILITY = frozenset({Role.COORDINATOR, Role.HEAD})
EITHER = frozenset({Role.FINANCE, Role.AUDITOR})
GIVEN = tuple(role for role in Role if role is not Role.CASHIER)
#: Days that an auditor reads at most.
LONGEST_AUDIT = 731


def place_of(role: Role, code: str) -> int | None:
    """The facility that a role is for, None for the whole programme. Raises Invalid."""
    if not code:
        if role in AT_A_FACILITY:
            raise Invalid({"facility": _("Pilih UPT tempat peran ini berlaku.")})
        return None
    if role not in AT_A_FACILITY | EITHER:
        raise Invalid({"facility": _("Peran ini berlaku untuk seluruh program: kosongkan UPT-nya.")})
    facility_id = db.session.scalar(select(Facility.id).where(Facility.code == code))
    if facility_id is None:
        raise Invalid({"facility": _("Pilih UPT dari daftar.")})
    return int(facility_id)


def last_day(role: Role, written: str) -> datetime.date | None:
    """The last day of a role: an auditor has one, of at most `LONGEST_AUDIT` days; no other has. Raises Invalid."""
    if role is not Role.AUDITOR:
        return None
    read = day(written)
    if read is None or not today() <= read <= today() + datetime.timedelta(days=LONGEST_AUDIT):
        raise Invalid({"until": _("Tulis hari terakhir tugas auditor ini, paling lambat dua tahun lagi.")})
    return read
