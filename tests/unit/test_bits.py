"""Sets as bits, and columns cut into them, say what plain lists say."""

from __future__ import annotations

from array import array
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from storefront.catalogue import bits
from storefront.catalogue.bits import Choices, Numbers

NUMBERS = st.lists(st.integers(0, 1_000_000_000) | st.sampled_from([0, 1, 15_000, 15_001]), max_size=60)
CHANGES = st.lists(st.tuples(st.integers(0, 80), st.integers(0, 2_000_000)), max_size=12)


def changed(values: list[int], changes: list[tuple[int, int]], column: Choices | Numbers) -> list[int]:
    """`values` after `changes`, made to `column` too; a place beyond the end adds a member."""
    values = values.copy()
    for place, value in changes:
        place = min(place, len(values))
        values[place : place + 1] = [value]
        column.put(place, value)
    return values


@given(st.sets(st.integers(0, 3000)), st.integers(0, 200), st.integers(0, 90))
def test_members_come_out_as_they_went_in(members: set[int], skip: int, take: int) -> None:
    found = bits.of(members)
    assert list(bits.members(found)) == sorted(members)
    assert found.bit_count() == len(members)
    assert bits.highest(found, skip, take) == sorted(members, reverse=True)[skip : skip + take]


@given(NUMBERS, CHANGES, st.data(), st.integers(0, 1_200_000_000))
def test_numbers_are_compared_and_sorted_as_in_a_list(
    values: list[int], changes: list[tuple[int, int]], data: st.DataObject, limit: int
) -> None:
    before = Numbers(array("i", values))
    column = before.copy()
    values, old = changed(values, changes, column), values
    within = data.draw(st.sets(st.integers(0, max(0, len(values) - 1))) if values else st.just(set()))
    skip, take = data.draw(st.tuples(st.integers(0, 70), st.integers(0, 30)))
    chosen = bits.of(within)
    assert set(bits.members(column.at_least(chosen, limit))) == {m for m in within if values[m] >= limit}
    assert set(bits.members(column.at_most(chosen, limit))) == {m for m in within if values[m] <= limit}
    for sign, falling in ((1, False), (-1, True)):
        ordered = sorted(within, key=lambda member: (sign * values[member], -member))
        assert column.ordered(chosen, skip, take, falling=falling) == ordered[skip : skip + take]
    assert before.values.tolist() == old, "a copy was changed, not the column itself"


def test_many_equal_numbers_are_cut_at_the_right_place() -> None:
    values = [(n * 7919) % 11 * 1000 for n in range(4000)]
    column = Numbers(array("i", values))
    ordered = sorted(range(4000), key=lambda member: (values[member], -member))
    for skip in (0, 363, 364, 1999, 3990):
        assert column.ordered(bits.below(4000), skip, 24) == ordered[skip : skip + 24]


@given(
    st.lists(st.integers(0, 6), max_size=60),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 6)), max_size=12),
)
def test_choices_are_counted_as_in_a_list(values: list[int], changes: list[tuple[int, int]]) -> None:
    column = Choices(array("i", values)).copy()
    values = changed(values, changes, column)
    everyone = bits.below(len(values))
    assert {value: count for value, count in column.tally(everyone).items() if count} == Counter(values)
    assert set(bits.members(column.any_of([1, 2, 99]))) == {
        m for m, value in enumerate(values) if value in (1, 2)
    }


def test_large_sets_are_counted_like_small_ones() -> None:
    values = [n % 5 for n in range(9000)]
    column = Choices(array("i", values))
    assert column.tally(bits.below(9000)) == Counter(values)
    assert column.tally(bits.below(100)) == Counter(values[:100])
