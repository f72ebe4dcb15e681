"""A shopper reports what is wrong with a parcel: lines, kind, words and photos. It is a request to get money back.

The facility answers within some working days (`answers`), after that the office decides. Until when something may be
reported is *Batas lapor* (`orders/report_window.py`); what comes later goes to the office in writing.
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select

from storefront import content_rule
from storefront.aftercare.models import Problem, ProblemKind, ProblemLine, ProblemPhoto, ProblemState
from storefront.audit.record import record
from storefront.days import accounting_day
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.form_key import TOO_OLD, is_key
from storefront.mail.owe import owe
from storefront.media import pictures
from storefront.media.storage import private_files
from storefront.notices.tell import tell
from storefront.orders.models import Order, Parcel, ParcelState
from storefront.orders.report_window import Windows
from storefront.refunds.refundable import LineLeft, refundable

MOST_PHOTOS = 4
SHORTEST, LONGEST = 10, 2000
#: States of which nothing was decided yet.
WAITING = (ProblemState.OPEN, ProblemState.HANDED_OVER)


class TooLateToReport(DomainError):
    """The limit has passed, or the parcel has not arrived."""

    code, status = "too_late_to_report", 409

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message or _("Batas lapor untuk kiriman ini sudah lewat. Tulis kepada kantor pusat; kami tetap membacanya.")
        )


class AlreadyReported(DomainError):
    """A problem of this parcel waits for its answer."""

    code, status = "already_reported", 409

    def __init__(self) -> None:
        super().__init__(
            _("Laporan Anda untuk kiriman ini sudah kami terima dan sedang dijawab. Keadaannya ada di halaman pesanan.")
        )


@dataclass(frozen=True)
class Piece:
    """A line of a parcel, with the most pieces of it that can be reported."""

    line: LineLeft
    most: int


@dataclass(frozen=True)
class Reportable:
    """What of a parcel can be reported now."""

    parcel_id: int
    position: int
    #: The last day, None while it is on the road.
    until: datetime.date | None
    #: Which kinds: what has not arrived cannot be broken.
    kinds: tuple[ProblemKind, ...]
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Report:
    """A form as a shopper sends it."""

    kind: str
    words: str
    #: Pieces by order line.
    quantities: Mapping[int, int]
    photos: Sequence[bytes]
    request_key: str


def reportable(order: Order, position: int, *, now: datetime.datetime | None = None) -> Reportable:
    """What can be reported of a parcel. Raises NotFound, TooLateToReport, AlreadyReported."""
    parcel = db.session.scalar(select(Parcel).where(Parcel.order_id == order.id, Parcel.position == position))
    left = refundable(order)
    if parcel is None or left is None:
        raise NotFound()
    now = now or db.session.execute(select(func.now())).scalar_one()
    kinds, until = _kinds(parcel, accounting_day(now))
    waits = select(Problem.id).where(Problem.parcel_id == parcel.id, Problem.state.in_(WAITING))
    if db.session.scalar(waits) is not None:
        raise AlreadyReported()
    pieces = tuple(
        Piece(left.lines[part.order_line_id], min(part.quantity, left.lines[part.order_line_id].quantity))
        for part in sorted(parcel.lines, key=lambda part: part.line.position)
    )
    if not any(piece.most and piece.line.amount for piece in pieces):
        raise TooLateToReport(_("Uang untuk isi kiriman ini sudah dikembalikan."))
    return Reportable(parcel.id, parcel.position, until, kinds, pieces)


def report(order: Order, position: int, form: Report) -> Problem:
    """Write a problem down, in the caller's transaction; the photos are stored at once.

    Raises what `reportable` raises, and Invalid by field (`kind`, `words`, `lines`, `quantity-<line>`, `photos`). The
    same form sent again gives the problem that it made.
    """
    before = db.session.scalar(select(Problem).where(Problem.request_key == form.request_key))
    if before is not None:
        if before.order_id != order.id:
            raise NotFound()
        return before
    # Two forms for one parcel follow each other, and the parcel does not change meanwhile.
    db.session.execute(
        select(Parcel.id)
        .where(Parcel.order_id == order.id, Parcel.position == position)
        .with_for_update(key_share=True)
    )
    found = reportable(order, position)
    words, quantities = _checked(found, form)
    photos = [_clean(photo) for photo in form.photos]
    problem = Problem(
        order_id=order.id,
        parcel_id=found.parcel_id,
        facility_id=db.session.get_one(Parcel, found.parcel_id).facility_id,
        kind=form.kind,
        words=words,
        answer_by=Windows.load().answer_until(datetime.datetime.now(datetime.UTC)),
        request_key=form.request_key,
    )
    problem.lines = [ProblemLine(order_line_id=line, quantity=count) for line, count in quantities.items()]
    problem.photos = [
        ProblemPhoto(position=place, key=_store(photo)) for place, photo in enumerate(photos, start=1)
    ]
    db.session.add(problem)
    db.session.flush()
    record(
        "problem.reported",
        "problem",
        problem.id,
        facility_id=problem.facility_id,
        # Never the shopper's words.
        details={"kind": form.kind, "lines": len(quantities), "photos": len(photos)},
    )
    owe("problem_reported", order.id, key=f"problem:{problem.id}:reported")
    facility = db.session.get_one(Facility, problem.facility_id)
    tell(
        facility.id,
        "problem",
        f"problem:{problem.id}",
        about=f"{order.number}/{position}",
        path=f"/seller/{facility.code}/problems/{problem.id}",
    )
    return problem


def _kinds(parcel: Parcel, today: datetime.date) -> tuple[tuple[ProblemKind, ...], datetime.date | None]:
    windows, arrived = Windows.load(), tuple(kind for kind in ProblemKind if kind is not ProblemKind.NOT_ARRIVED)
    if parcel.state == ParcelState.RECEIVED and parcel.received_at is not None:
        until = windows.report_until(parcel.received_at)
        if today > until:
            raise TooLateToReport()
        return (tuple(ProblemKind) if parcel.received_by_itself else arrived), until
    if parcel.state == ParcelState.SHIPPED and parcel.shipped_at is not None:
        due = accounting_day(parcel.shipped_at) + datetime.timedelta(days=parcel.days_max)
        return (tuple(ProblemKind) if today > due else arrived), None
    raise TooLateToReport(_("Kiriman ini belum sampai kepada Anda, jadi belum ada yang dapat dilaporkan."))


def _checked(found: Reportable, form: Report) -> tuple[str, dict[int, int]]:
    errors: dict[str, str] = {}
    words = content_rule.clean(form.words)
    if form.kind not in found.kinds:
        errors["kind"] = _("Pilih apa yang tidak beres.")
    if not SHORTEST <= len(words) <= LONGEST:
        errors["words"] = _("Ceritakan apa yang terjadi, 10 sampai 2.000 huruf.")
    if not is_key(form.request_key):
        errors["lines"] = str(TOO_OLD)
    if len(form.photos) > MOST_PHOTOS:
        errors["photos"] = _("Paling banyak empat foto.")
    if form.kind == ProblemKind.NOT_ARRIVED and ProblemKind.NOT_ARRIVED in found.kinds:
        quantities = {piece.line.id: piece.most for piece in found.pieces if piece.most}
    else:
        most = {piece.line.id: piece.most for piece in found.pieces}
        quantities = {line: count for line, count in form.quantities.items() if count}
        for line, count in quantities.items():
            if line not in most:
                raise NotFound()
            if not 0 < count <= most[line]:
                errors[f"quantity-{line}"] = _("Paling banyak %(most)d buah dari kiriman ini.", most=most[line])
        if not quantities:
            errors["lines"] = _("Pilih karya yang bermasalah, paling sedikit satu.")
    if errors:
        raise Invalid(errors)
    return words, quantities


def _clean(photo: bytes) -> bytes:
    try:
        return pictures.clean_copy(photo, "JPEG", longest_side=1600)
    except pictures.BadPicture as refusal:
        raise Invalid({"photos": str(refusal.message)}) from refusal


def _store(photo: bytes) -> str:
    key = f"problems/{secrets.token_hex(16)}.jpg"
    private_files().write(key, photo)
    return key
