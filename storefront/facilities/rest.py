"""Pauses of a facility: from a day to a day nothing of it can be ordered and nothing is packed.

A pause begins and ends by its days; nobody has to remember it. It is announced ahead on the facility's pages, and
its reason is read by everybody.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, select

from storefront import content_rule
from storefront.audit.record import record
from storefront.days import today
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import DayOff, Facility, Pause
from storefront.written import one_line

SHORTEST, LONGEST_REASON, LONGEST_NOTE = 5, 200, 120
#: Days that a pause lasts at most; days in a row that are off at most; how far ahead either is written down.
LONGEST_PAUSE, LONGEST_OFF = datetime.timedelta(days=180), datetime.timedelta(days=60)
FURTHEST = datetime.timedelta(days=365)
#: A pause is announced so long before it begins.
AHEAD = 21
_DAY = datetime.timedelta(days=1)

#: The pause that the facility `f` is in on :today or begins within `AHEAD` days, as JSON for `Rest.of`.
COLUMN = f"""
       (SELECT json_build_object('first', r.first_day, 'last', r.last_day, 'reason', r.reason,
                                 'reason_en', r.reason_en, 'is_now', r.first_day <= :today)
          FROM pauses r WHERE r.facility_id = f.id AND r.cancelled_at IS NULL AND r.last_day >= :today
           AND r.first_day <= CAST(:today AS date) + {AHEAD} ORDER BY r.first_day LIMIT 1)"""  # noqa: S608


class Ended(DomainError):
    """It is over or was called off already."""

    code, status = "ended", 409
    message = lazy_gettext(
        "Istirahat ini sudah selesai atau dibatalkan. Muat ulang untuk melihat keadaannya sekarang."
    )


@dataclass(frozen=True)
class Rest:
    """A pause as the public reads it: the one of today, or the next one announced."""

    first: datetime.date
    last: datetime.date
    reason: str
    is_now: bool

    @classmethod
    def of(cls, found: Mapping[str, Any] | None, locale: str) -> Rest | None:
        """From the JSON of `COLUMN`."""
        if found is None:
            return None
        read = datetime.date.fromisoformat
        reason = found["reason_en" if locale == "en" else "reason"]
        return cls(read(found["first"]), read(found["last"]), reason, found["is_now"])


def pause(
    facility_id: int,
    first: datetime.date,
    last: datetime.date,
    reason: str,
    reason_en: str,
    person_id: int | None,
) -> Pause:
    """Write a pause down; the same once more is the same. Never commits.

    Raises Invalid by field (`first_day`, `last_day`, `reason`, `reason_en`).
    """
    _lock(facility_id)
    reason, reason_en = one_line(reason), one_line(reason_en)
    errors = _wrong_days(first, last, LONGEST_PAUSE)
    for name, words in (("reason", reason), ("reason_en", reason_en)):
        if not SHORTEST <= len(words) <= LONGEST_REASON:
            errors[name] = (
                _("Tulis alasannya untuk pembeli, 5 sampai 200 huruf.")
                if name == "reason"
                else _("Tulis alasannya juga dalam bahasa Inggris, 5 sampai 200 huruf.")
            )
        elif content_rule.reasons(words):
            errors[name] = _(
                "Tulis tanpa nama orang, nomor, tautan, atau alamat surel: siapa pun membaca ini."
            )
    other = None if errors else _in_the_way(facility_id, first, last)
    if other is not None:
        if (other.first_day, other.last_day, other.reason, other.reason_en) == (
            first,
            last,
            reason,
            reason_en,
        ):
            return other
        errors["first_day"] = _(
            "Sudah ada istirahat pada hari-hari itu. Batalkan dahulu, atau pilih hari lain."
        )
    if errors:
        raise Invalid(errors)
    row = Pause(
        facility_id=facility_id,
        first_day=first,
        last_day=last,
        reason=reason,
        reason_en=reason_en,
        written_by=person_id,
    )
    db.session.add(row)
    db.session.flush()
    _note("pause.set", row, person_id)
    return row


def end_pause(facility_id: int, pause_id: int, person_id: int) -> Pause:
    """Call a pause off before it begins, or end it so that today is a day like any other. Never commits.

    Raises NotFound for another facility's, Ended.
    """
    _lock(facility_id)
    row = db.session.get(Pause, pause_id, populate_existing=True)
    if row is None or row.facility_id != facility_id:
        raise NotFound()
    day = today()
    if row.cancelled_at is not None or row.last_day < day:
        raise Ended()
    if row.first_day < day:
        row.last_day = day - _DAY
    else:
        row.cancelled_by, row.cancelled_at = person_id, db.session.scalar(select(func.now()))
    db.session.flush()
    _note("pause.ended", row, person_id)
    return row


def take_off(
    facility_id: int, first: datetime.date, last: datetime.date, note: str, person_id: int | None
) -> DayOff:
    """Pack nothing on these days; the same once more is the same. Never commits.

    Raises Invalid by field (`off_first`, `off_last`, `note`).
    """
    _lock(facility_id)
    note = one_line(note)
    errors = {
        f"off_{name.partition('_')[0]}": words
        for name, words in _wrong_days(first, last, LONGEST_OFF).items()
    }
    if len(note) > LONGEST_NOTE:
        errors["note"] = _("Catatan paling panjang 120 huruf.")
    if errors:
        raise Invalid(errors)
    days = (DayOff.first_day == first) & (DayOff.last_day == last) & DayOff.removed_at.is_(None)
    same = db.session.scalar(select(DayOff).where(DayOff.facility_id == facility_id, days))
    if same is not None:
        return same
    row = DayOff(facility_id=facility_id, first_day=first, last_day=last, note=note, written_by=person_id)
    db.session.add(row)
    db.session.flush()
    _note("day_off.set", row, person_id)
    return row


def put_back(facility_id: int, day_off_id: int, person_id: int) -> DayOff:
    """Pack on these days after all; once more is the same. Never commits. Raises NotFound for another facility's."""
    _lock(facility_id)
    row = db.session.get(DayOff, day_off_id, populate_existing=True)
    if row is None or row.facility_id != facility_id:
        raise NotFound()
    if row.removed_at is None:
        row.removed_at = db.session.scalar(select(func.now()))
        db.session.flush()
        _note("day_off.removed", row, person_id)
    return row


def pack_on(facility_id: int, weekdays: list[int], person_id: int) -> None:
    """Pack on these weekdays (1 Monday to 7 Sunday) of every week. Never commits. Raises Invalid (`packing_days`)."""
    facility = _lock(facility_id)
    chosen = sorted({day for day in weekdays if 1 <= day <= 7})
    if not chosen:
        raise Invalid({"packing_days": _("Pilih paling sedikit satu hari.")})
    before = sorted(facility.packing_days)
    if chosen == before:
        return
    facility.packing_days = chosen
    db.session.flush()
    record(
        "facility.packing_days_set",
        "facility",
        facility.code,
        person_id=person_id,
        facility_id=facility_id,
        details={"before": before, "after": chosen},
    )


def pauses_of(facility_id: int, limit: int = 12) -> list[Pause]:
    """The facility's pauses, the latest first; those called off are not among them."""
    query = select(Pause).where(Pause.facility_id == facility_id, Pause.cancelled_at.is_(None))
    return list(db.session.scalars(query.order_by(Pause.first_day.desc()).limit(limit)))


def days_off_of(facility_id: int) -> list[DayOff]:
    """The facility's own days off that are not over, the next first."""
    query = select(DayOff).where(DayOff.facility_id == facility_id, DayOff.removed_at.is_(None))
    return list(db.session.scalars(query.where(DayOff.last_day >= today()).order_by(DayOff.first_day)))


def _wrong_days(first: datetime.date, last: datetime.date, longest: datetime.timedelta) -> dict[str, str]:
    day = today()
    errors = {}
    if first < day:
        errors["first_day"] = _("Hari ini sudah lewat. Mulai hari ini atau sesudahnya.")
    elif first > day + FURTHEST:
        errors["first_day"] = _("Terlalu jauh di depan: paling lambat setahun lagi.")
    if last < first:
        errors["last_day"] = _("Hari terakhir tidak bisa sebelum hari pertama.")
    elif last > first + longest:
        errors["last_day"] = _("Paling lama %(days)d hari sekaligus.", days=longest.days + 1)
    return errors


def _in_the_way(facility_id: int, first: datetime.date, last: datetime.date) -> Pause | None:
    return db.session.scalar(
        select(Pause).where(
            Pause.facility_id == facility_id,
            Pause.cancelled_at.is_(None),
            Pause.first_day <= last,
            Pause.last_day >= first,
        )
    )


def _lock(facility_id: int) -> Facility:
    """Two who change a facility's calendar do it one after the other."""
    return db.session.get_one(
        Facility, facility_id, with_for_update={"key_share": True}, populate_existing=True
    )


def _note(action: str, row: Pause | DayOff, person_id: int | None) -> None:
    record(
        action,
        action.partition(".")[0],
        row.id,
        person_id=person_id,
        facility_id=row.facility_id,
        details={"from": str(row.first_day), "until": str(row.last_day)},
    )
