"""How amounts, days and moments are written on pages, in the language of the request."""

from __future__ import annotations

import contextlib
import datetime
from zoneinfo import ZoneInfo

import jinja2
from babel.dates import format_date as babel_date
from flask import Flask, has_request_context, request
from flask_babel import get_locale
from jinja2.bccache import Bucket
from markupsafe import Markup

from config import Settings
from storefront import markdown
from storefront.days import ACCOUNTING_ZONE, ZONE_NAMES, today
from storefront.media.storage import media_url
from storefront.money import format_exact, format_number, format_rupiah


def language() -> str:
    """The language to write in: of the request, or the one a mail is written in."""
    return str(get_locale() or "id")


def format_date(day: datetime.date | datetime.datetime, zone: str | None = None) -> str:
    """`24 November 2026`; a moment counts in `zone`, else in the accounting zone."""
    if isinstance(day, datetime.datetime):
        day = day.astimezone(ZoneInfo(zone) if zone else ACCOUNTING_ZONE).date()
    return babel_date(day, "d MMMM y", locale=language())


def format_day(day: datetime.date) -> str:
    """`8 Desember`, with its year only when that is not the present one: for days to come."""
    return babel_date(day, "d MMMM" if day.year == today().year else "d MMMM y", locale=language())


def format_month(day: datetime.date) -> str:
    """`November 2026`."""
    return babel_date(day, "MMMM y", locale=language())


def short_month(day: datetime.date) -> str:
    """`Nov`."""
    return babel_date(day, "MMM", locale=language())


def format_datetime(moment: datetime.datetime, zone: str | None = None) -> str:
    """`24 November 2026 pukul 14.05 WIB`: the zone is always named, the accounting zone unless told."""
    there = moment.astimezone(ZoneInfo(zone) if zone else ACCOUNTING_ZONE)
    name = ZONE_NAMES.get(str(there.tzinfo), str(there.tzinfo))
    if language() == "en":
        return f"{format_date(there.date())}, {there:%H:%M} {name}"
    return f"{format_date(there.date())} pukul {there:%H.%M} {name}"


def format_until(moment: datetime.datetime) -> str:
    """A moment soon to come: `14.05 WIB` on the same day, else as `format_datetime`."""
    there = moment.astimezone(ACCOUNTING_ZONE)
    if there.date() != today():
        return format_datetime(moment)
    return f"{there:%H:%M} WIB" if language() == "en" else f"{there:%H.%M} WIB"


def number_text(number: int) -> str:
    """A count: `1.202`, in English `1,202`. Amounts of money are written alike in both (`rupiah`)."""
    text = format_number(number)
    return text.replace(".", ",") if language() == "en" else text


def signed_text(number: int) -> str:
    """A change: `+3`, `−1.202`, `0`."""
    return f"{'+' if number > 0 else chr(0x2212) if number < 0 else ''}{number_text(abs(number))}"


def markdown_text(text: str) -> Markup:
    """A longer text as HTML; its links to our own pages keep the language of this one."""
    return markdown.to_html(text, root=request.script_root if has_request_context() else "")


class CompiledTemplates(jinja2.FileSystemBytecodeCache):
    """Templates as other processes compiled them, by their text. On a full disk they are compiled again."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def init_app(app: Flask, settings: Settings) -> None:
    """The filters `rupiah`, `amount` (rupiah without Rp), `number`, `date`, … and what every template knows."""
    app.jinja_env.filters.update(
        rupiah=format_rupiah,
        amount=format_number,
        number=number_text,
        signed=signed_text,
        exact=format_exact,
        date=format_date,
        day=format_day,
        month=format_month,
        datetime=format_datetime,
        until=format_until,
        markdown=markdown_text,
    )
    app.jinja_env.globals.update(settings=settings, media_url=media_url)
    # Every process would compile every template anew: 40 ms for each page's first visitor.
    folder = settings.var_dir / "templates" / jinja2.__version__
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    app.jinja_env.bytecode_cache = CompiledTemplates(str(folder))
