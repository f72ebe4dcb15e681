"""What is written down of a training programme, and why it cannot be. Counts of people, never a name."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import gettext as _

from storefront.errors import Invalid
from storefront.training.models import Kind
from storefront.training.no_person import looks_like_a_number_of_a_person, looks_like_a_person
from storefront.written import one_line

#: Letters of a reason.
LEAST_REASON = 10
MOST_PEOPLE, MOST_HOURS = 10_000, 5_000
EARLIEST = datetime.date(1990, 1, 1)
BATCH = re.compile(r"[A-Z0-9][A-Z0-9./-]{2,29}")


@dataclass(frozen=True, kw_only=True)
class Programme:
    """What is recorded of a programme; counts are people."""

    workshop_id: int
    kind: str
    skill: str
    started_on: datetime.date
    ended_on: datetime.date
    hours: int
    participants: int
    women: int
    #: None: not known yet.
    passed: int | None = None
    certified: int | None = None
    skill_en: str = ""
    partner: str = ""
    scheme: str = ""
    batch: str = ""


def problems(programme: Programme) -> dict[str, str]:
    """By field: why the programme cannot be recorded so; nothing when it can."""
    tests: list[tuple[str, Callable[[], bool], str]] = [
        ("kind", lambda: programme.kind in set(Kind), _("Pilih jenis programnya.")),
        ("skill", lambda: 3 <= len(programme.skill.strip()) <= 80, _("Tulis keterampilannya, 3 sampai 80 huruf.")),
        ("skill_en", lambda: len(programme.skill_en) <= 80, _("Paling banyak 80 huruf.")),
        ("partner", lambda: len(programme.partner) <= 120, _("Paling banyak 120 huruf.")),
        ("scheme", lambda: len(programme.scheme) <= 120, _("Paling banyak 120 huruf.")),
        ("started_on", lambda: programme.started_on >= EARLIEST, _("Periksa tahunnya.")),
        (
            "ended_on",
            lambda: programme.ended_on >= programme.started_on,
            _("Hari terakhir tidak bisa sebelum hari pertama."),
        ),
        ("hours", lambda: 1 <= programme.hours <= MOST_HOURS, _("Tulis jumlah jam, dari 1 sampai 5.000.")),
        (
            "participants",
            lambda: 1 <= programme.participants <= MOST_PEOPLE,
            _("Tulis jumlah peserta, dari 1 sampai 10.000."),
        ),
        (
            "women",
            lambda: 0 <= programme.women <= programme.participants,
            _("Jumlah perempuan tidak bisa lebih dari jumlah peserta."),
        ),
        (
            "passed",
            lambda: programme.passed is None or 0 <= programme.passed <= programme.participants,
            _("Jumlah yang lulus tidak bisa lebih dari jumlah peserta."),
        ),
        (
            "certified",
            lambda: programme.certified is None or 0 <= programme.certified <= (programme.passed or 0),
            _("Jumlah yang bersertifikat tidak bisa lebih dari jumlah yang lulus."),
        ),
        (
            "batch",
            lambda: not programme.certified or bool(programme.batch and len(programme.scheme.strip()) >= 3),
            _("Sertifikat memerlukan nama skema dan nomor batchnya."),
        ),
        (
            "batch",
            lambda: not programme.batch or bool(BATCH.fullmatch(programme.batch)),
            _("Tulis nomor batch dengan huruf besar, angka, titik, garis miring, atau tanda hubung, 3 sampai 30."),
        ),
    ]
    found = {field: sentence for field, holds, sentence in reversed(tests) if not holds()}
    for field in ("skill", "skill_en", "partner", "scheme"):
        why = looks_like_a_person(getattr(programme, field), digits=7 if field == "scheme" else 5)
        if why:
            found.setdefault(field, why)
    if why := looks_like_a_number_of_a_person(programme.batch):
        found.setdefault("batch", why)
    return found


def why_not(reason: str) -> str:
    """A reason on one line, for the records. Raises Invalid (`reason`) when it is short or speaks of a person."""
    reason = one_line(reason)
    if len(reason) < LEAST_REASON:
        raise Invalid({"reason": _("Tulis alasannya, paling sedikit 10 huruf.")})
    if why := looks_like_a_person(reason, digits=7):
        raise Invalid({"reason": why})
    return reason[:500]
