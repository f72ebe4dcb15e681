"""Parcels that wait for the facility: late ones first, each with the day that was promised."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select

from storefront.days import accounting_day, begins
from storefront.display import format_day
from storefront.extensions import db
from storefront.notices.waiting import Asked, Urgency, Waits, source
from storefront.orders import pickups
from storefront.orders.models import Parcel, ParcelState
from storefront.orders.packing import FAIRS
from storefront.people.policy import Action


@source(Action.PARCELS_READ)
def parcels(asked: Asked) -> Iterable[Waits]:
    """Parcels to pack and to send, by whether their day is over, today or to come."""
    # What is on its way to a stand waits there.
    not_sent = Parcel.state.in_([ParcelState.TO_PACK, ParcelState.PACKED]) & Parcel.left_at.is_(None)
    to_pack = func.count().filter(Parcel.state == ParcelState.TO_PACK)
    when = func.sign(Parcel.ready_by - asked.day)
    rows = db.session.execute(
        select(
            when.label("at"),
            func.count().label("all"),
            to_pack.label("to_pack"),
            func.min(Parcel.ready_by).label("day"),
        )
        .where(Parcel.facility_id == asked.facility_id, not_sent)
        .group_by(when)
    ).all()
    for row in rows:
        state = "to_pack" if row.to_pack else "packed"
        button = _("Kemas") if row.to_pack else _("Kirim")
        page = f"parcels?state={state}"
        if row.at is not None and row.at < 0:
            label = ngettext("kiriman terlambat", "kiriman terlambat", row.all)
            note = _("dijanjikan sejak %(day)s", day=format_day(row.day))
            yield Waits("late", Urgency.LATE, row.all, label, note, button, page, "clock", on=row.day)
        elif row.at == 0:
            label = ngettext("kiriman dijanjikan hari ini", "kiriman dijanjikan hari ini", row.all)
            note = _("kemas dan serahkan ke kurir hari ini")
            yield Waits("due", Urgency.TODAY, row.all, label, note, button, page, "package", on=row.day)
        else:
            yield from _later(row.to_pack, row.all - row.to_pack, row.day)


@source(Action.PARCELS_READ)
def not_collected(asked: Asked) -> Iterable[Waits]:
    """Parcels that have lain ready so long that they may be given up, and those for a fair that is over."""
    since = begins(asked.day - pickups.GIVE_UP_AFTER)
    waiting = [ParcelState.TO_PACK, ParcelState.PACKED, ParcelState.READY]
    lies = Parcel.exhibition_id.is_(None) & (Parcel.state == ParcelState.READY) & (Parcel.shipped_at < since)
    is_over = FAIRS.c.ends_on < asked.day
    number, first, left, ended = db.session.execute(
        select(
            func.count().filter(lies),
            func.min(Parcel.shipped_at).filter(lies),
            func.count().filter(is_over),
            func.max(FAIRS.c.ends_on).filter(is_over),
        )
        .select_from(Parcel)
        .outerjoin(FAIRS, FAIRS.c.id == Parcel.exhibition_id)
        .where(Parcel.facility_id == asked.facility_id, Parcel.state.in_(waiting))
    ).one()
    if first is not None:
        label = ngettext("kiriman siap yang tidak diambil", "kiriman siap yang tidak diambil", number)
        note = _("siap sejak %(day)s", day=format_day(accounting_day(first)))
        yield Waits("not_collected", Urgency.OPEN, number, label, note, _("Lihat"), "parcels?state=ready", "package")
    if ended is not None:
        label = ngettext("kiriman tidak diambil di stan pameran", "kiriman tidak diambil di stan pameran", left)
        note = _("pameran selesai %(day)s; catat yang kembali", day=format_day(ended))
        yield Waits("stand", Urgency.TODAY, left, label, note, _("Lihat"), "parcels?way=stand", "package", on=ended)


def _later(to_pack: int, packed: int, day: datetime.date | None) -> Iterable[Waits]:
    note = _("yang pertama dijanjikan %(day)s", day=format_day(day)) if day else ""
    if to_pack:
        label = ngettext("kiriman perlu dikemas", "kiriman perlu dikemas", to_pack)
        page = "parcels?state=to_pack"
        yield Waits("to_pack", Urgency.OPEN, to_pack, label, note, _("Kemas"), page, "package", on=day)
    if packed:
        label = ngettext("sudah dikemas, belum dikirim", "sudah dikemas, belum dikirim", packed)
        page, said = "parcels?state=packed", _("isi kurir dan nomor resi")
        yield Waits("packed", Urgency.OPEN, packed, label, said, _("Kirim"), page, "truck", on=day)
