"""The fairs that a facility takes part in: which they are, when, and who may still bring something."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select, text

from storefront.display import format_day
from storefront.errors import DomainError, NotFound
from storefront.exhibitions.models import Exhibition, ExhibitionFacility
from storefront.extensions import db
from storefront.pages import Paged

PAGE = 25
LIST = text(
    """
    SELECT x.slug, x.name, x.venue, x.city, x.starts_on, x.ends_on,
           COALESCE(sum(e.planned), 0)::integer AS planned, COALESCE(sum(t.pieces), 0)::integer AS sent,
           count(*) FILTER (WHERE e.planned > COALESCE(t.pieces, 0)) AS missing
      FROM exhibitions x
      JOIN exhibition_facilities f ON f.exhibition_id = x.id AND f.facility_id = :facility
      LEFT JOIN exhibition_pieces e ON (e.exhibition_id, e.facility_id) = (f.exhibition_id, f.facility_id)
      LEFT JOIN exhibition_sent t ON (t.exhibition_id, t.facility_id, t.variant_id)
                                   = (f.exhibition_id, f.facility_id, e.variant_id)
     WHERE :wanted = '' OR :wanted = CASE WHEN x.ends_on < :day THEN 'past'
                                        WHEN x.starts_on > :day THEN 'coming' ELSE 'running' END
     GROUP BY x.id
     ORDER BY x.ends_on < :day, x.starts_on > :day,
              CASE WHEN x.ends_on < :day THEN DATE '2000-01-01' - x.ends_on ELSE x.starts_on - DATE '2000-01-01' END,
              x.id"""
)


class When(enum.StrEnum):
    """Where a fair stands in time: its days are inclusive."""

    RUNNING = "running"
    COMING = "coming"
    PAST = "past"


class FairEnded(DomainError):
    """The fair is over: nothing is planned for it or sent to it any more."""

    code, status = "fair_ended", 409

    def __init__(self, ends_on: datetime.date) -> None:
        super().__init__(
            _(
                "Pameran ini sudah selesai pada %(day)s, jadi tidak ada lagi yang direncanakan atau dikirim ke sana.",
                day=format_day(ends_on),
            )
        )


class PiecesRefused(DomainError):
    """Of some variants not so many pieces; `sentences` says by variant id what to do."""

    code, status = "pieces_refused", 409

    def __init__(self, sentences: dict[int, str]) -> None:
        super().__init__(next(iter(sentences.values())))
        self.sentences = sentences


@dataclass(frozen=True)
class Fair:
    """A fair in a facility's list, with its own pieces there."""

    slug: str
    name: str
    venue: str
    city: str
    starts_on: datetime.date
    ends_on: datetime.date
    planned: int
    sent: int
    #: Works of which planned pieces were not sent.
    missing: int
    when: When


class FairPage(Paged[Fair]):
    size = PAGE


def when(exhibition: Exhibition | Fair, day: datetime.date) -> When:
    """Where it stands on `day`."""
    return when_between(exhibition.starts_on, exhibition.ends_on, day)


def when_between(starts_on: datetime.date, ends_on: datetime.date, day: datetime.date) -> When:
    """Where days from `starts_on` to `ends_on`, both inclusive, stand on `day`."""
    if ends_on < day:
        return When.PAST
    return When.COMING if starts_on > day else When.RUNNING


def fairs(facility_id: int, day: datetime.date, wanted: str = "", page: int = 1) -> FairPage:
    """The facility's fairs: what runs, what comes (the next first), what was (the last first); or one kind of them."""
    wanted = wanted if wanted in set(When) else ""
    values = {"facility": facility_id, "day": day, "wanted": wanted}
    rows = db.session.execute(LIST, values).all()
    shown = rows[(page - 1) * PAGE : page * PAGE]
    found = [Fair(**row._mapping, when=when_between(row.starts_on, row.ends_on, day)) for row in shown]
    return FairPage(found, len(rows), page)


def find(facility_id: int, slug: str) -> Exhibition:
    """A fair that the facility takes part in. Raises NotFound for any other, as if it did not exist."""
    found = db.session.scalar(
        select(Exhibition)
        .join(ExhibitionFacility, ExhibitionFacility.exhibition_id == Exhibition.id)
        .where(Exhibition.slug == slug, ExhibitionFacility.facility_id == facility_id)
    )
    if found is None:
        raise NotFound()
    return found


def lock(exhibition_id: int, facility_id: int) -> None:
    """What a facility plans and sends to one fair happens one after the other. Raises NotFound.

    Taken before any stock level, so that two who send never wait for each other in a ring.
    """
    found = db.session.scalar(
        select(ExhibitionFacility.facility_id)
        .where(
            ExhibitionFacility.exhibition_id == exhibition_id, ExhibitionFacility.facility_id == facility_id
        )
        .with_for_update(key_share=True)
    )
    if found is None:
        raise NotFound()
