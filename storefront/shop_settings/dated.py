"""Settings that administrators change, each from a day on, never backwards: what has been stays as it was."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text

from storefront.audit.models import AuditEvent
from storefront.audit.record import record
from storefront.cart.models import CartKeeping
from storefront.days import today
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.orders.models import OrderHold, ReportWindow
from storefront.people.models import Person
from storefront.stock.levels import FEW
from storefront.stock.models import LowStockDefault


class SettingChanged(DomainError):
    """Somebody else has set it since the page was opened."""

    code, status = "setting_changed", 409
    message = _l(
        "Orang lain baru saja menetapkan ini. Bandingkan dengan yang terbaru di bawah; isian Anda masih di sini."
    )


@dataclass(frozen=True)
class Setting:
    """One dated table: its figures with the least and the most that each may be (as the database says too)."""

    name: str
    model: Any
    bounds: Mapping[str, tuple[int, int]]
    #: What holds until somebody sets something: of the program or the environment. None: the shop came with a row.
    defaults: Callable[[], Mapping[str, int]] | None = None


def _holds() -> dict[str, int]:
    """What the gateway of new orders and the environment say."""
    settings = current_app.extensions["settings"]
    page = current_app.extensions["gateways"][settings.payment_gateway].hold
    return {"page_minutes": int(page.total_seconds()) // 60, "transfer_days": settings.bank_transfer_days}


SETTINGS = {
    setting.name: setting
    for setting in (
        # PP 80/2019 Pasal 69: no fewer than two working days.
        Setting(
            "report_window",
            ReportWindow,
            {"days": (1, 90), "working_days": (2, 30), "answer_days": (1, 10), "received_after": (1, 60)},
        ),
        Setting("cart_keeping", CartKeeping, {"days": (1, 400)}),
        Setting("low_stock", LowStockDefault, {"pieces": (0, 1000)}, lambda: {"pieces": FEW}),
        # No provider opens a page for less than half an hour.
        Setting("order_hold", OrderHold, {"page_minutes": (35, 1440), "transfer_days": (1, 14)}, _holds),
    )
}


@dataclass(frozen=True)
class Held:
    """A row of a setting: who set it and when; None: it came with the shop."""

    row: Any
    is_current: bool
    set_by: str | None
    set_at: datetime.datetime | None


def setting(name: str) -> Setting:
    """Raises NotFound."""
    if name not in SETTINGS:
        raise NotFound()
    return SETTINGS[name]


def shipped(found: Setting) -> Mapping[str, int]:
    """What holds while the setting has no row."""
    return found.defaults() if found.defaults else {}


def history(found: Setting) -> Sequence[Held]:
    """All its rows, the latest day first."""
    rows = db.session.scalars(select(found.model).order_by(found.model.valid_from.desc())).all()
    current = next((row for row in rows if row.valid_from <= today()), None)
    acts = db.session.execute(
        select(AuditEvent.subject_id, AuditEvent.at, Person.name)
        .outerjoin(Person, Person.id == AuditEvent.person_id)
        .where(AuditEvent.action == "setting.set", AuditEvent.subject_kind == found.name)
    )
    by_day = {day: (name, at) for day, at, name in acts}
    return [Held(row, row is current, *by_day.get(row.valid_from.isoformat(), (None, None))) for row in rows]


def change(
    found: Setting,
    values: Mapping[str, int],
    *,
    valid_from: datetime.date,
    legal_basis: str,
    seen: str,
    person_id: int,
) -> Any:
    """Have other figures from a day on, tomorrow at the soonest; `seen` is the last row's day as the person saw it.

    Never commits. Raises Invalid by field, SettingChanged.
    """
    errors: dict[str, Any] = {}
    for column, (least, most) in found.bounds.items():
        if not least <= values[column] <= most:
            errors[column] = _("Tulis bilangan dari %(least)d sampai %(most)d.", least=least, most=most)
    if not 10 <= len(legal_basis) <= 300:
        errors["legal_basis"] = _("Tulis dasar atau alasannya, 10 sampai 300 huruf.")
    # Two who set it at once: the second waits, and is told.
    db.session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"setting:{found.name}"})
    rows = select(found.model).order_by(found.model.valid_from.desc()).limit(1)
    last = db.session.scalars(rows.execution_options(populate_existing=True)).one_or_none()
    if (last.valid_from.isoformat() if last else "") != seen:
        raise SettingChanged()
    if valid_from <= today():
        errors["valid_from"] = _("Paling cepat mulai besok: yang sudah lewat tetap seperti waktu itu.")
    elif last and valid_from <= last.valid_from:
        errors["valid_from"] = _("Sudah ada ketentuan yang mulai sesudah itu. Pilih hari yang lebih kemudian.")
    before = {column: getattr(last, column) for column in found.bounds} if last else dict(shipped(found))
    if not errors and dict(values) == before:
        errors[next(iter(found.bounds))] = _("Angkanya sama dengan ketentuan yang terakhir.")
    if errors:
        raise Invalid(errors)
    row = found.model(valid_from=valid_from, legal_basis=legal_basis, **values)
    db.session.add(row)
    db.session.flush()
    details = {"before": before, "after": {**values, "legal_basis": legal_basis}}
    record("setting.set", found.name, valid_from.isoformat(), person_id=person_id, details=details)
    return row
