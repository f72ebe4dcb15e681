"""Nothing about fewer than five people can be worked out of all that is published, on all days together."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.impact.training_page import SalesLink, sales_link
from storefront.small_counts import SMALLEST, Figure, Piece, figure, is_safe, release
from storefront.training.published import Counted, Trained, publish

DAY0 = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
FACILITIES = {"AAA": "Bali", "BBB": "Bali", "CCC": "Maluku"}
KINDS = ("vocational_training", "apprenticeship")
MEASURES = ("participants", "women", "passed", "certified")
PARTS = (
    ("women", "participants"),
    ("passed", "participants"),
    ("certified", "participants"),
    ("certified", "passed"),
)

Vector = dict[tuple[int, str], int]


@st.composite
def programmes(draw: st.DrawFn, most: int = 9) -> list[Counted]:
    """Programmes of a few facilities in two years, large and small, some of them withdrawn later."""
    rows: list[Counted] = []
    for number in range(draw(st.integers(1, most))):
        participants = draw(st.integers(1, 12) | st.integers(5, 40))
        passed = draw(st.integers(0, participants) | st.just(participants))
        facility = draw(st.sampled_from(sorted(FACILITIES)))
        certifies = draw(st.booleans())
        row = Counted(
            id=number,
            known_at=DAY0 + datetime.timedelta(days=draw(st.integers(0, 200))),
            facility=facility,
            province=FACILITIES[facility],
            year=draw(st.sampled_from((2025, 2026))),
            kind=draw(st.sampled_from(KINDS)),
            workshop_id=1,
            skill="",
            skill_en="",
            participants=participants,
            women=draw(st.integers(0, participants) | st.sampled_from((0, participants))),
            passed=passed,
            certified=draw(st.integers(0, passed) | st.just(passed)) if certifies else 0,
            certifies=certifies,
        )
        rows.append(row)
        if draw(st.integers(0, 5)) == 0:
            later = row.known_at + datetime.timedelta(days=draw(st.integers(0, 90)))
            rows.append(replace(row, sign=-1, known_at=later))
    return sorted(rows, key=lambda row: (row.known_at, row.id, -row.sign))


def scopes(rows: list[Counted]) -> Iterator[Callable[[Counted], bool]]:
    """Everything that pages, files and permanent links may ask for."""
    for year in (None, 2025, 2026):
        for kind in (None, *KINDS):
            yield lambda row, y=year, k=kind: y in (None, row.year) and k in (None, row.kind)
        for facility in FACILITIES:
            yield lambda row, y=year, f=facility: y in (None, row.year) and row.facility == f
        for province in sorted(set(FACILITIES.values())):
            yield lambda row, y=year, p=province: y in (None, row.year) and row.province == p


def seen(rows: list[Counted]) -> tuple[list[tuple[Vector, int]], list[tuple[Vector, int]]]:
    """All sums that were ever published, and all that were not, as vectors over the programmes' counts."""
    published, hidden = [], []
    for moment in sorted({row.known_at for row in rows}):
        known = [row for row in rows if row.known_at <= moment]
        trained = Trained(publish(known))
        for belongs in scopes(rows):
            for measure in MEASURES:
                found: Figure = trained.figure(measure, belongs)
                truth: Vector = {}
                for row in known:
                    if belongs(row):
                        key = (row.id, measure)
                        truth[key] = truth.get(key, 0) + row.sign
                shown: Vector = {}
                for block in trained.measures[measure].blocks:
                    if all(belongs(row) for row in block.rows):
                        for row in block.rows:
                            key = (row.id, measure)
                            shown[key] = shown.get(key, 0) + row.sign
                # Even a sum below five that stays hidden counts as seen: a wider one minus another may give it away.
                published.append((shown, found.value))
                if not found.is_whole:
                    hidden.append((truth, sum(row.count(measure) for row in known if belongs(row))))
    return published, hidden


def without_secret(rows: list[Counted], vector: Vector) -> bool:
    """Whether a sum speaks of nothing that is a count of people."""
    secret = {row.id for row in rows if row.certifies}
    return not any(times and (measure != "certified" or id in secret) for (id, measure), times in vector.items())


class Known:
    """The linear combinations of what an attacker knows."""

    def __init__(self, vectors: list[Vector]) -> None:
        self.rows: dict[tuple[int, str], dict[tuple[int, str], Fraction]] = {}
        for vector in vectors:
            rest = self.reduced(vector)
            if rest:
                lead = min(rest)
                self.rows[lead] = {key: value / rest[lead] for key, value in rest.items()}

    def reduced(self, vector: Vector) -> dict[tuple[int, str], Fraction]:
        """What of the vector no combination gives; empty: its value is determined."""
        rest = {key: Fraction(value) for key, value in vector.items() if value}
        done: dict[tuple[int, str], Fraction] = {}
        while rest:
            lead = min(rest)
            row, factor = self.rows.get(lead), rest[lead]
            if row is None:
                done[lead] = rest.pop(lead)
                continue
            for key, value in row.items():
                left = rest.get(key, Fraction(0)) - factor * value
                if left:
                    rest[key] = left
                else:
                    rest.pop(key, None)
        return done

    def determines(self, vector: Vector) -> bool:
        return not self.reduced(vector)


@given(programmes())
@settings(max_examples=30, deadline=None)
def test_no_combination_of_all_published_sums_gives_a_small_count(rows: list[Counted]) -> None:
    published, hidden = seen(rows)
    # That a programme gives no certificates is no secret.
    without: list[Vector] = [{(row.id, "certified"): 1} for row in rows if not row.certifies]
    known = Known([*(vector for vector, _value in published), *without])
    for row in rows:
        if row.sign < 0:
            continue
        for measure in MEASURES:
            if row.count(measure) < SMALLEST and (measure != "certified" or row.certifies):
                assert not known.determines({(row.id, measure): 1}), (row, measure)
        for part, whole in PARTS:
            if 0 < row.count(whole) - row.count(part) < SMALLEST and (part != "certified" or row.certifies):
                assert not known.determines({(row.id, whole): 1, (row.id, part): -1}), (row, part)
    for vector, value in hidden:
        if 0 <= value < SMALLEST and not without_secret(rows, vector):
            assert not known.determines(vector), (vector, value)


@st.composite
def counted_later(draw: st.DrawFn) -> tuple[list[Counted], list[Counted]]:
    """Programmes that stay, and later counts of some of them: the number of a later count is its programme's."""
    rows = [row for row in draw(programmes(6)) if row.sign > 0]
    later = []
    for row in rows:
        own = draw(st.integers(0, row.participants))
        others = row.participants - own
        employed = draw(st.integers(0, others) | st.integers(max(0, others - 5), others))
        known_at = row.known_at + datetime.timedelta(days=draw(st.integers(1, 300)))
        if draw(st.integers(0, 4)):
            later.append(replace(row, known_at=known_at, own_business=own, employed=employed))
    return rows, sorted(later, key=lambda row: (row.known_at, row.id))


@given(counted_later())
@settings(max_examples=40, deadline=None)
def test_nobody_learns_of_fewer_than_five_what_became_of_them(found: tuple[list[Counted], list[Counted]]) -> None:
    """Of the table of later counts by year and the targets, with all that is published of participants anywhere."""
    rows, later = found
    vectors: list[Vector] = []
    for moment in sorted({row.known_at for row in (*rows, *later)}):
        trained = Trained(
            publish([row for row in rows if row.known_at <= moment], [row for row in later if row.known_at <= moment])
        )
        for measure in ("participants", "own_business", "employed"):
            for belongs in scopes(rows):
                blocks = trained.measures[measure].blocks
                inside = [block for block in blocks if all(map(belongs, block.rows))]
                vectors.append(dict.fromkeys(((row.id, measure) for block in inside for row in block.rows), 1))
    known = Known(vectors)
    for row in later:
        own, employed = {(row.id, "own_business"): 1}, {(row.id, "employed"): 1}
        rest = {(row.id, "participants"): 1, (row.id, "own_business"): -1, (row.id, "employed"): -1}
        told = [(own, row.own_business), (employed, row.employed)]
        for vector, value in [*told, (rest, row.participants - row.own_business - row.employed)]:
            if value < SMALLEST and (value or vector is not rest):
                assert not known.determines(vector), (row, vector)


def test_those_with_neither_work_nor_a_business_are_never_fewer_than_five() -> None:
    """Of twenty eight have a business and ten work: either would be published alone, both together tell of two."""
    row = Counted(id=1, known_at=DAY0, facility="AAA", province="Bali", year=2026, kind=KINDS[0], workshop_id=1,
                  skill="", skill_en="", participants=20, passed=20)  # fmt: skip
    for own, employed, hidden in ((8, 10, True), (8, 7, False), (8, 12, False)):
        trained = Trained(publish([row], [replace(row, own_business=own, employed=employed)]))
        assert trained.figure("own_business").is_hidden is hidden
        assert trained.figure("employed").is_hidden is hidden


@given(st.lists(st.integers(0, 12), max_size=16), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_sales_beside_certificates_are_sums_of_five_workshops_and_more(certified: list[int], each: int) -> None:
    rows = tuple(
        Counted(id=number, known_at=DAY0, facility="AAA", province="Bali", year=2026, kind=KINDS[0],
                workshop_id=number, skill="", skill_en="", participants=20, passed=20, certified=count)
        for number, count in enumerate(certified)
    )  # fmt: skip
    sold = dict.fromkeys(range(len(certified)), each * 1000)
    link = sales_link(Trained({}, rows), sold)
    many = sum(count >= SMALLEST for count in certified)
    if min(many, len(certified) - many) < SMALLEST:
        assert link is None
    else:
        assert link == SalesLink(many, many * each * 1000, len(sold) - many, (len(sold) - many) * each * 1000)


@given(programmes())
@settings(max_examples=30, deadline=None)
def test_what_was_published_of_a_day_stays(rows: list[Counted]) -> None:
    whole = publish(rows)
    for moment in sorted({row.known_at for row in rows}):
        then = publish([row for row in rows if row.known_at <= moment])
        for measure in MEASURES:
            until = tuple(block for block in whole[measure].blocks if block.released_at <= moment)
            assert [b.rows for b in then[measure].blocks] == [b.rows for b in until]


@given(programmes(5).filter(lambda rows: all(row.sign > 0 for row in rows)))
@settings(max_examples=30, deadline=None)
def test_a_hidden_count_may_be_any_of_five_numbers_and_more(rows: list[Counted]) -> None:
    """Within its block, whoever knows every finer count of the whole still finds at least six possible values."""
    measures = publish(rows)
    for measure, whole in (("women", "participants"), ("passed", "participants")):
        for block in measures[measure].blocks:
            finer = [piece for piece in measures[whole].blocks if set(piece.rows) <= set(block.rows)]
            for part in finer if len(finer) > 1 else ():
                if part.value and sum(r.count(measure) for r in part.rows) == part.value == 0:
                    continue
                others = sum(piece.value for piece in finer) - part.value
                low, high = max(0, block.value - others), min(part.value, block.value)
                if sum(piece.value for piece in finer) == block.value:
                    continue  # everybody passed, everywhere: each part is its whole, and that is five or more
                assert high - low >= SMALLEST
    for block in measures["participants"].blocks:
        assert block.value >= SMALLEST


def piece(id: int, value: int, people: int, day: int, place: str, undoes: int | None = None) -> Piece:
    at = DAY0 + datetime.timedelta(days=day)
    return Piece(id, at, value, people, (place, place, "P", ""), (), undoes, (place,))


def test_what_waits_does_not_go_out_with_a_withdrawal_that_everybody_can_reckon() -> None:
    """Of eleven five passed, which is published; of six then five, which is not: the withdrawal of the first would
    give the second away.
    """
    first, second = piece(1, 5, 5, 0, "AAA"), piece(2, 5, 5, 1, "AAA")
    first, second = replace(first, wholes=(11,)), replace(second, wholes=(6,))
    withdrawn = Piece(3, DAY0 + datetime.timedelta(days=2), -5, 5, first.places, (-11,), 1, ("AAA",))
    released = release([first, second, withdrawn])
    assert [[p.id for p in block.pieces] for block in released.blocks] == [[1], [3]]
    assert released.waiting == (second,)


def test_a_small_amount_waits_for_the_next_of_its_facility() -> None:
    small, other, large = piece(1, 300, 3, 0, "AAA"), piece(2, 900, 9, 1, "BBB"), piece(3, 800, 8, 2, "AAA")
    assert figure(release([small, other])).value == 900
    assert figure(release([small, other]), lambda place: place == "AAA").is_hidden
    found = release([small, other, large])
    assert [block.value for block in found.blocks] == [900, 1100]
    assert figure(found, lambda place: place == "AAA") == Figure(1100, True)


def test_after_a_season_anybody_may_be_its_company_and_both_are_hidden() -> None:
    small, other = piece(1, 300, 3, 0, "AAA"), piece(2, 900, 9, 95, "BBB")
    found = release([small, other])
    assert figure(found) == Figure(1200, True)
    assert figure(found, lambda place: place == "BBB").is_hidden


def test_what_is_taken_back_never_leaves_a_small_one_alone() -> None:
    small, large = piece(1, 3, 3, 0, "AAA"), piece(2, 20, 20, 1, "AAA")
    gone = piece(3, -20, 20, 2, "AAA", undoes=2)
    assert figure(release([small, large, gone])).value == 23
    anew = piece(4, 19, 19, 3, "AAA")
    assert figure(release([small, large, gone, anew])).value == 22
    alone = [large, gone]
    assert figure(release(alone)).value == 0
    assert figure(release([small, piece(5, -3, 3, 1, "AAA", undoes=1)])).is_empty


@pytest.mark.parametrize(
    ("value", "wholes", "safe"),
    [(4, (), False), (5, (), True), (18, (20,), False), (20, (20,), True), (18, (18, 40), True), (18, (19, 40), False)],
)
def test_those_left_over_count_too(value: int, wholes: tuple[int, ...], safe: bool) -> None:
    assert is_safe([Piece(1, DAY0, value, value, (), wholes)]) is safe
