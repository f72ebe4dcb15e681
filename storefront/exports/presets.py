"""Exports under a name: saved, shared, and made by the clock."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import func, or_, select

from storefront.audit.record import record
from storefront.days import today
from storefront.errors import DomainError, Invalid, NotFound
from storefront.exports import export_jobs
from storefront.exports.datasets import DATASETS, FILTERS, Wish
from storefront.exports.formats import Format, offered
from storefront.exports.models import ExportPreset
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.people import policy
from storefront.people.models import Person
from storefront.people.policy import PersonLike

EVERY = ("day", "week", "month")
#: What of an address is kept.
KEPT = ("facility", *FILTERS, "columns")
#: Presets of one person.
MOST = 50


class NameTaken(DomainError):
    code, status = "name_taken", 422
    message = _("Nama ini sudah dipakai. Pilih nama lain, atau hapus yang lama dahulu.")


class TooMany(DomainError):
    code, status = "too_many_presets", 422
    message = _("Paling banyak 50 pilihan tersimpan. Hapus yang tidak dipakai.")


def save(person_id: int, name: str, dataset: str, query: Mapping[str, str]) -> ExportPreset:
    """Keep what an export page asks for under a name. Never commits. Raises Invalid, NameTaken, TooMany."""
    if not 1 <= len(name) <= 60:
        raise Invalid({"name": _("Tulis nama dengan 1 sampai 60 huruf.")})
    own = select(ExportPreset).where(ExportPreset.person_id == person_id)
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))
    if db.session.scalar(own.where(func.lower(ExportPreset.name) == func.lower(name))):
        raise NameTaken()
    if len(db.session.scalars(own).all()) >= MOST:
        raise TooMany()
    kept = {key: query[key] for key in KEPT if query.get(key)}
    found = ExportPreset(person_id=person_id, name=name, dataset=dataset, query=kept)
    db.session.add(found)
    db.session.flush()
    details = {"name": name, "dataset": dataset, **kept}
    record("export_preset.added", "export_preset", found.id, person_id=person_id, details=details)
    return found


def shown_to(person: PersonLike, person_id: int) -> list[tuple[ExportPreset, str]]:
    """Own and shared ones of what the person may read, with whose they are, by name."""
    rows = db.session.execute(
        select(ExportPreset, Person.name)
        .join(Person, Person.id == ExportPreset.person_id)
        .where(or_(ExportPreset.person_id == person_id, ExportPreset.shared_at.is_not(None)))
        .order_by(func.lower(ExportPreset.name), ExportPreset.id)
    )
    return [(row, name) for row, name in rows if _where(person, row.dataset)]


def own(person_id: int, preset_id: int) -> ExportPreset:
    """One's own, to be changed. Raises NotFound."""
    found = db.session.get(ExportPreset, preset_id, with_for_update=True, populate_existing=True)
    if found is None or found.person_id != person_id:
        raise NotFound()
    return found


def share(found: ExportPreset, *, shared: bool) -> None:
    """Show it to colleagues, or to nobody else again. Never commits."""
    if shared != (found.shared_at is not None):
        found.shared_at = datetime.datetime.now(datetime.UTC) if shared else None
        _noted("shared" if shared else "unshared", found)


def schedule(found: ExportPreset, every: str, format: str) -> None:
    """Have it made each day, Monday or first of a month; empty: no more. Never commits. Raises Invalid."""
    if every not in ("", *EVERY) or format not in offered():
        raise Invalid()
    found.every, found.format = every or None, format
    found.next_on = next_day(every, today()) if every else None
    _noted("scheduled" if every else "unscheduled", found)


def delete(found: ExportPreset) -> None:
    """Forget it. Never commits."""
    _noted("removed", found)
    db.session.delete(found)


def _noted(verb: str, found: ExportPreset) -> None:
    details = {"name": found.name, "every": found.every, "format": found.format}
    record(f"export_preset.{verb}", "export_preset", found.id, person_id=found.person_id, details=details)


def next_day(every: str, after: datetime.date) -> datetime.date:
    """The first day after `after` on which it is made."""
    if every == "day":
        return after + datetime.timedelta(days=1)
    if every == "week":
        return after + datetime.timedelta(days=7 - after.weekday())
    return (after.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)


def days_before(every: str, day: datetime.date) -> tuple[datetime.date, datetime.date]:
    """First and last of the day, week or month that ended before `day`."""
    last = day - datetime.timedelta(days=1)
    if every == "day":
        return last, last
    if every == "week":
        return day - datetime.timedelta(days=7), last
    return last.replace(day=1), last


def make_due(day: datetime.date) -> int:
    """Ask for all that is due up to `day`; returns how many. What its owner may not read any more stops. Never commits.

    After days without a worker the latest day, week or month is made, once.
    """
    due = select(ExportPreset).where(ExportPreset.next_on <= day).order_by(ExportPreset.id).with_for_update()
    made = 0
    for found in db.session.scalars(due):
        assert found.every is not None  # as the table says
        person = db.session.get_one(Person, found.person_id)
        wish = _wish(person, found, *days_before(found.every, _latest(found.every, day)))
        found.next_on = next_day(found.every, day)
        if wish is None:
            found.every = found.next_on = None
            _noted("unscheduled", found)
            continue
        with force_locale(person.locale):
            export_jobs.ask(
                wish, Format(found.format), as_of=None, rows=None, person_id=person.id,
                title=f"{found.name}, {wish.first}–{wish.last}", by_letter=True,
            )  # fmt: skip
        made += 1
    return made


def _latest(every: str, day: datetime.date) -> datetime.date:
    """The latest day up to `day` on which it is made."""
    if every == "week":
        return day - datetime.timedelta(days=day.weekday())
    return day.replace(day=1) if every == "month" else day


def _where(person: PersonLike, dataset: str) -> policy.Reach | None:
    """Where they may read it; None: nowhere, or there is no such set any more."""
    if dataset not in DATASETS:
        return None
    return policy.reach(person, DATASETS[dataset].action, face="finance") or None


def _wish(person: Person, found: ExportPreset, first: datetime.date, last: datetime.date) -> Wish | None:
    """What is wanted, within what its owner may read today; None when that is nothing."""
    where, code = _where(person, found.dataset), found.query.get("facility", "")
    if where is None:
        return None
    ids = None if where.everywhere else tuple(sorted(where.facility_ids))
    if code:
        one = db.session.scalar(select(Facility.id).where(Facility.code == code))
        if one is None or one not in where:
            return None
        ids = (one,)
    filters = {name: found.query[name] for name in FILTERS if found.query.get(name)}
    columns = tuple(name for name in found.query.get("columns", "").split(",") if name)
    return Wish(found.dataset, first, last, ids, code, filters, columns)
