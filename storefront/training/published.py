"""What the public may know of the training counts: sums of whole blocks alone (`storefront.small_counts`)."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from storefront.extensions import db
from storefront.small_counts import Figure, Piece, Released, as_pieces, figure, release

#: Counts that are published, in the order of pages and files.
MEASURES = ("participants", "women", "passed", "certified", "own_business", "employed")

#: How long a small count waits for company of its facility, of its province, of its year, of anybody; in days.
PATIENCE = (0, 30, 60, 200)
#: Parts of participants.
PARTS = ("women", "passed", "certified")
#: Counts that are published for years, not for places: there they would mostly be hidden, and hide others.
BY_YEAR = ("women", "passed")

#: Everything checked, and when it became known and was taken back.
QUERY = """
SELECT (SELECT json_agg(t ORDER BY t.checked_at, t.id) FROM (
          SELECT t.id, t.workshop_id, t.kind, t.skill, t.skill_en, t.participants, t.women, t.passed, t.certified,
                 t.kind = 'competence_certification' OR t.scheme <> '' AS certifies,
                 extract(year FROM t.ended_on)::int AS year, f.code AS facility, r.name AS province,
                 t.checked_at, t.withdrawn_at
            FROM training_programmes t
            JOIN facilities f ON f.id = t.facility_id
            JOIN provinces r ON r.id = f.province_id
           WHERE t.checked_at IS NOT NULL) t) AS programmes,
       (SELECT json_agg(o ORDER BY o.checked_at, o.id) FROM (
          SELECT id, programme_id, own_business, employed, checked_at FROM training_outcomes) o) AS outcomes,
       (SELECT json_agg(g ORDER BY g.year, g.measure) FROM (
          SELECT year, measure, people, is_cumulative, source FROM training_targets) g) AS targets"""


@dataclass(frozen=True)
class Counted:
    """A programme's counts as they became known (`sign` 1) or were withdrawn (-1)."""

    id: int
    known_at: datetime.datetime
    facility: str
    province: str
    #: The year in which it ended.
    year: int
    kind: str
    workshop_id: int
    skill: str
    skill_en: str
    participants: int
    women: int = 0
    passed: int = 0
    certified: int = 0
    own_business: int = 0
    employed: int = 0
    #: Whether it gives certificates at all; where it does not, nobody being certified is no count of people.
    certifies: bool = True
    sign: int = 1

    def count(self, measure: str) -> int:
        value: int = getattr(self, measure)
        return self.sign * value

    @property
    def places(self) -> tuple[str, ...]:
        """From the narrowest to the widest, for who may wait for whom; a year is kept whole as long as that goes."""
        return (f"{self.facility} {self.year}", f"{self.province} {self.year}", str(self.year), "")


@dataclass(frozen=True)
class Target:
    """How many people were to be reached in a year, or by its end."""

    year: int
    #: new_entrepreneurs, participants, certified.
    measure: str
    people: int
    is_cumulative: bool
    source: str


@dataclass(frozen=True)
class Trained:
    """The published counts, by measure."""

    measures: dict[str, Released]
    #: Rows that count now: for what is no count, such as names of skills and numbers of programmes.
    living: tuple[Counted, ...] = ()
    targets: tuple[Target, ...] = ()

    def figure(self, measure: str, belongs: Callable[[Counted], bool] = lambda row: True) -> Figure:
        """The public count over the rows that belong to it."""
        meant = belongs if measure != "certified" else lambda row: row.certifies and belongs(row)
        found = figure(self.measures[measure], meant)
        # What waits as a part of the whole has not come as far as its parts.
        before = self.measures["participants"].waiting if measure in PARTS else ()
        missing = any(meant(row) for piece in before for row in piece.rows)
        return replace(found, is_whole=False, is_empty=False) if missing else found

    def years(self) -> list[int]:
        """Years with programmes, the newest first."""
        return sorted({row.year for row in self.living}, reverse=True)


def publish(programmes: Iterable[Counted], outcomes: Iterable[Counted] = ()) -> dict[str, Released]:
    """Make the blocks of each measure. `outcomes` are rows of the later counts alone.

    Women, those who passed and the certified are parts of participants, so their blocks are made of whole blocks of
    those, and those left over (men, not passed, not certified) are never fewer than five either.
    """
    later = list(outcomes)
    participants = release((_piece("participants", row) for row in programmes), patience=PATIENCE)
    return {
        "participants": participants,
        # Published for years alone, never for places: so anybody of the same year may be company.
        "women": _part(participants, "women", by_year=True),
        "passed": _part(participants, "passed", by_year=True),
        "certified": _part(participants, "certified", "passed", among=lambda row: row.certifies),
        "own_business": release((_later("own_business", "employed", row) for row in later), patience=PATIENCE),
        "employed": release((_later("employed", "own_business", row) for row in later), patience=PATIENCE),
    }


def _later(measure: str, other: str, row: Counted) -> Piece:
    """A later count. It is a part of the participants and, since both are published, of those that the other leaves:
    people with neither work nor a business are never fewer than five either. Published for years alone.
    """
    piece = _piece(measure, row, "participants")
    left = row.count("participants") - row.count(other)
    return replace(piece, places=(*[str(row.year)] * 3, ""), wholes=(*piece.wholes, left))


def _piece(measure: str, row: Counted, *wholes: str) -> Piece:
    return Piece(
        id=(row.id, row.sign),
        known_at=row.known_at,
        value=row.count(measure),
        people=abs(row.count(measure)),
        places=row.places,
        wholes=tuple(row.count(whole) for whole in wholes),
        undoes=(row.id, 1) if row.sign < 0 else None,
        rows=(row,),
    )


def _part(
    released: Released,
    measure: str,
    *further: str,
    among: Callable[[Counted], bool] = lambda row: True,
    by_year: bool = False,
) -> Released:
    """The blocks of a part of participants; it is a part of the `further` counts too."""

    def count(of: str) -> Callable[[Counted], int]:
        return lambda row: row.count(of) if among(row) else 0

    wholes = [count(of) for of in ("participants", *further)]
    pieces = as_pieces(released, value=count(measure), wholes=wholes)
    if by_year:
        pieces = [replace(piece, places=(*[piece.places[2]] * 3, "")) for piece in pieces]
    # Rows that cannot have the part say nothing of it.
    kept = (replace(piece, rows=tuple(filter(among, piece.rows))) for piece in pieces)
    return release((piece for piece in kept if piece.rows), patience=PATIENCE)


def read_trained(until: datetime.datetime | None = None) -> Trained:
    """The public counts as they were known at `until` (default: now): one query."""
    row = db.session.execute(text(QUERY)).one()
    return from_rows(row.programmes or [], row.outcomes or [], row.targets or [], until)


def from_rows(
    programmes: list[dict[str, Any]],
    outcomes: list[dict[str, Any]],
    targets: list[dict[str, Any]],
    until: datetime.datetime | None,
) -> Trained:
    """The public counts of what the query gives."""
    rows: list[Counted] = []
    by_id = {}
    for item in programmes:
        counted = Counted(
            **{name: item[name] for name in _PLAIN}, known_at=datetime.datetime.fromisoformat(item["checked_at"])
        )
        by_id[counted.id] = counted
        rows.append(counted)
        if item["withdrawn_at"]:
            rows.append(replace(counted, sign=-1, known_at=datetime.datetime.fromisoformat(item["withdrawn_at"])))
    later = _outcomes(outcomes, by_id, {row.id: row.known_at for row in rows if row.sign < 0})
    rows, later = (
        sorted(
            (row for row in found if until is None or row.known_at <= until), key=lambda row: (row.known_at, row.id)
        )
        for found in (rows, later)
    )
    gone = {row.id for row in rows if row.sign < 0}
    return Trained(
        publish(rows, later),
        tuple(row for row in rows if row.id not in gone),
        tuple(Target(**item) for item in targets),
    )


_PLAIN = (
    *("id", "workshop_id", "kind", "skill", "skill_en", "participants", "women", "passed", "certified"),
    *("year", "facility", "province", "certifies"),
)


def _outcomes(
    outcomes: list[dict[str, Any]], programmes: dict[int, Counted], withdrawn: dict[int, datetime.datetime]
) -> list[Counted]:
    """Each later count, and what takes back the one before it; the last of a withdrawn programme goes with it."""
    last: dict[int, Counted] = {}
    found = []
    for item in outcomes:
        known_at = datetime.datetime.fromisoformat(item["checked_at"])
        before = last.get(item["programme_id"])
        now = replace(
            programmes[item["programme_id"]],
            id=item["id"], known_at=known_at, own_business=item["own_business"], employed=item["employed"],
        )  # fmt: skip
        if before is not None:
            found.append(replace(before, sign=-1, known_at=known_at))
        found.append(now)
        last[item["programme_id"]] = now
    gone = [replace(last[id_], sign=-1, known_at=at) for id_, at in withdrawn.items() if id_ in last]
    return found + gone
