"""Who runs the shop, day by day: the words of every page's foot, and of papers of their time.

Every page carries them, also one that says that the database is away: each process keeps the few rows, and reads them
anew when a public page is made for a newer state, or once a minute.
"""

from __future__ import annotations

import datetime
import re
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from flask import Flask, current_app, g, has_request_context
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from storefront import sources
from storefront.audit.record import record
from storefront.content.models import OperatorRow
from storefront.days import today
from storefront.display import language
from storefront.errors import DomainError, Invalid
from storefront.extensions import db
from storefront.mail.address import is_email

log = structlog.get_logger("storefront.content")

#: Seconds for which pages that follow no version use the rows read last.
KEPT = 60.0
PHONE = re.compile(r"[0-9+() -]{5,40}")
ROWS = select(OperatorRow).order_by(OperatorRow.valid_from.desc(), OperatorRow.id.desc())


class OperatorChanged(DomainError):
    """Somebody else has set other words since the form was opened."""

    code, status = "operator_changed", 409
    message = _l(
        "Seseorang sudah menyimpan keterangan lain setelah Anda membuka halaman ini. Isian Anda masih di sini: "
        "periksa riwayatnya, lalu simpan lagi bila masih perlu."
    )


@dataclass(frozen=True)
class Operator:
    """Who runs the shop from a day on."""

    id: int
    valid_from: datetime.date
    name_id: str
    name_en: str
    address: str
    email: str
    phone: str
    legal_basis: str

    @property
    def name(self) -> str:
        """In the language of the page or letter."""
        return self.name_en if language() == "en" and self.name_en else self.name_id


#: Before anything could be read.
UNKNOWN = Operator(0, datetime.date.min, "Kementerian Imigrasi dan Pemasyarakatan", "", "", "", "", "")


class Kept:
    """The rows that a process knows; safe for threads."""

    def __init__(self) -> None:
        self.rows: tuple[Operator, ...] = ()
        self.newest: int | None = None
        self.read_at = -KEPT
        self._lock = threading.Lock()

    def get(self, newest: int | None) -> tuple[Operator, ...]:
        """The rows, the latest day first; `newest` is the id of the last one where the caller knows it."""
        if self._is_fresh(newest):
            return self.rows
        with self._lock:
            if not self._is_fresh(newest):
                self._read()
        return self.rows

    def _is_fresh(self, newest: int | None) -> bool:
        if newest is not None:
            return newest == self.newest
        return time.monotonic() - self.read_at < KEPT

    def _read(self) -> None:
        # On a connection of its own: this runs on error pages too, whatever became of the session.
        try:
            with sources.engine().connect() as connection:
                rows = connection.execute(ROWS.with_only_columns(*OperatorRow.__table__.columns)).all()
        except SQLAlchemyError as error:
            log.warning("operator unknown", error=type(error).__name__)
            self.read_at = time.monotonic() - KEPT + 5  # once more in five seconds
            return
        self.rows = tuple(_operator(row) for row in rows)
        self.newest = max((row.id for row in self.rows), default=None)
        self.read_at = time.monotonic()

    def forget(self) -> None:
        """Read anew at the next asking."""
        self.newest, self.read_at = None, -KEPT


def _operator(row: object) -> Operator:
    names = ("id", "valid_from", "name", "name_en", "address", "email", "phone", "legal_basis")
    return Operator(*(getattr(row, name) for name in names))


def _kept() -> Kept:
    return sources.kept("operators", Kept)


def operator(day: datetime.date | None = None) -> Operator:
    """Who runs the shop on the accounting day `day`, by default today. Never fails."""
    day = day or today()
    newest = g.get("newest_operator") if has_request_context() else None
    rows = _kept().get(newest)
    return next((row for row in rows if row.valid_from <= day), rows[-1] if rows else UNKNOWN)


def domain() -> str:
    """The shop's one official address, as people read it."""
    return urlsplit(current_app.extensions["settings"].base_url).netloc


def placeholders() -> dict[str, str]:
    """What `{name}` stands for in the texts of pages."""
    now = operator()
    return {
        "shop": current_app.extensions["settings"].shop_name,
        "operator": now.name,
        "address": now.address,
        "email": now.email,
        "phone": now.phone,
        "domain": domain(),
    }


def history() -> list[OperatorRow]:
    """Every row, the latest day first."""
    return list(db.session.scalars(ROWS))


def set_operator(fields: dict[str, str], valid_from: datetime.date, seen: int, person_id: int) -> OperatorRow:
    """Have the shop run by these words from a day on; `seen` is the id of the last row that the person saw.

    Raises Invalid for fields that cannot be used, OperatorChanged when there is a newer row.
    """
    errors: dict[str, str] = {}
    if not 3 <= len(fields["name"]) <= 160:
        errors["name"] = _("Tulis nama penyelenggara, 3 sampai 160 huruf.")
    if not 3 <= len(fields["address"]) <= 300:
        errors["address"] = _("Tulis alamat surat, 3 sampai 300 huruf.")
    if not is_email(fields["email"]):
        errors["email"] = _("Tulis alamat surel yang dibaca kantor, seperti bantuan@contoh.go.id.")
    if fields["phone"] and not PHONE.fullmatch(fields["phone"]):
        errors["phone"] = _("Tulis nomor telepon dengan angka, atau kosongkan.")
    if valid_from < today():
        errors["valid_from"] = _("Paling cepat hari ini: yang sudah lewat tetap seperti waktu itu.")
    for name, most in (("name_en", 160), ("legal_basis", 300)):
        if len(fields[name]) > most:
            errors[name] = _("Paling panjang %(most)s huruf.", most=most)
    if errors:
        raise Invalid(errors)
    db.session.execute(text("SELECT pg_advisory_xact_lock(hashtext('operators'))"))
    newest = db.session.scalar(select(func.max(OperatorRow.id)))
    if newest != seen:
        raise OperatorChanged()
    row = OperatorRow(valid_from=valid_from, set_by=person_id, **fields)
    db.session.add(row)
    db.session.flush()
    after = {**fields, "valid_from": valid_from.isoformat()}
    record("operator.set", "operator", row.id, person_id=person_id, details={"after": after})
    return row


def forget() -> None:
    """After a commit: this process reads the rows anew."""
    _kept().forget()


def init_app(app: Flask) -> None:
    """`operator()`, `official_domain()` and `language()` for every template, letters included."""
    app.jinja_env.globals.update(operator=operator, official_domain=domain, language=language)
