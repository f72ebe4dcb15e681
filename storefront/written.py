"""What people write into forms: amounts, days, lines of text. Kept as written when something is wrong."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask_babel import gettext as _

from storefront.errors import DomainError, Forbidden, NotFound
from storefront.extensions import db

Result = TypeVar("Result")
#: No amount is larger; the database counts further.
MOST = 10**15
#: `Rp`, `Rp.` or `IDR`, before or behind.
CURRENCY = re.compile(r"^(?:rp\.?|idr)|(?:rp|idr)$", re.IGNORECASE)
DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


def whole_number(text: str) -> int | None:
    """`1250000`, `1.250.000`, `1,250,000`, `Rp 1.250.000,-` or `1.250.000,00` as a number; None for anything else.

    Dots and commas stand between thousands; what could be a part of a rupiah is none of ours to round.
    """
    plain = CURRENCY.sub("", "".join(text.split()))
    plain = re.sub(r"(?:[.,]-|[.,]00)$", "", plain)
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]{1,3}(?:,[0-9]{3})+", plain):
        plain = re.sub(r"[.,]", "", plain)
    return int(plain) if re.fullmatch(r"[0-9]{1,15}", plain) else None


def day(text: str) -> datetime.date | None:
    """`2026-11-24`, `24/11/2026` or `24-11-2026` as a day; None for anything else."""
    text = text.strip()
    if found := DAY.fullmatch(text):
        text = f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}"
    try:
        read = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return read if 2000 <= read.year <= 2999 else None


def days_between(args: Mapping[str, str]) -> tuple[datetime.date | None, datetime.date | None, dict[str, str]]:
    """The days `from` and `to` of an address, None where not said, and what is wrong with them by field."""
    texts = {name: args.get(name, "").strip() for name in ("from", "to")}
    first, last = (day(text) for text in texts.values())
    read = {"from": first, "to": last}
    errors = {
        name: _("Tulis tanggalnya seperti 2026-11-30.") for name, text in texts.items() if text and read[name] is None
    }
    if not errors and first and last and first > last:
        errors["to"] = _("Hari terakhir tidak bisa sebelum hari pertama.")
    return first, last, errors


def one_line(text: str) -> str:
    """`text` on one line, printable characters only."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@dataclass
class Written:
    """A form as it was sent, and what is wrong with it: a sentence for each field, or one for the whole."""

    values: Mapping[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    #: HTTP status of the page that shows it again.
    status: int = 200

    def __getitem__(self, name: str) -> str:
        """The field as it was written; empty when it was not."""
        return str(self.values.get(name, "") or "")

    def line(self, name: str) -> str:
        """The field as one line of text."""
        return one_line(self[name])

    def amount(self, name: str) -> int:
        """The field in whole rupiah, or any whole number; 0 with a sentence when it is none."""
        number = whole_number(self[name])
        if number is None or number > MOST:
            self.wrong(name, _("Tulis dengan angka bulat, tanpa koma."))
            return 0
        return number

    def day(self, name: str) -> datetime.date:
        """The field as a day; the first of the calendar, with a sentence, when it is none."""
        read = day(self[name])
        if read is None:
            self.wrong(name, _("Tulis tanggalnya seperti 2026-11-30."))
            return datetime.date.min
        return read

    def day_or_none(self, name: str) -> datetime.date | None:
        """The field as a day, None when it is left empty."""
        return self.day(name) if self[name].strip() else None

    def wrong(self, name: str, sentence: object) -> None:
        """Say what is wrong with a field; the first sentence stays."""
        self.errors.setdefault(name, str(sentence))
        self.status = 422

    def done(self, act: Callable[[], Result]) -> Result | None:
        """Run a rule and commit. When it refuses, undo all, keep its sentences here, and return None.

        Nothing is run when a field could not be read. Raises NotFound and Forbidden as the rule does.
        """
        if self.errors:
            return None
        try:
            result = act()
            db.session.commit()
        except (NotFound, Forbidden):
            raise
        except DomainError as refusal:
            db.session.rollback()
            self.status = refusal.status
            if errors := refusal.extra.get("errors"):
                for name, sentence in errors.items():
                    self.errors.setdefault(name, str(sentence))
            else:
                self.refusal = str(refusal.message)
            return None
        return result
