"""Splitting money loses nothing and favours nobody."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.money import format_rupiah, split, take_back

AMOUNTS = st.integers(min_value=-(10**15), max_value=10**15)
WEIGHTS = st.lists(st.integers(min_value=0, max_value=10_000), min_size=1, max_size=8).filter(any)


@given(AMOUNTS, WEIGHTS)
def test_parts_add_up_to_the_amount(amount: int, weights: list[int]) -> None:
    assert sum(split(amount, weights)) == amount


@given(AMOUNTS, WEIGHTS)
def test_each_part_is_within_one_rupiah_of_its_exact_share(amount: int, weights: list[int]) -> None:
    total = sum(weights)
    for part, weight in zip(split(amount, weights), weights, strict=True):
        assert abs(part * total - amount * weight) < total


@given(AMOUNTS, WEIGHTS)
def test_a_heavier_weight_never_gets_less(amount: int, weights: list[int]) -> None:
    parts = split(abs(amount), weights)
    by_weight = sorted(zip(weights, parts, strict=True))
    assert all(a[1] <= b[1] for a, b in itertools.pairwise(by_weight) if a[0] < b[0])


@given(st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=8).filter(any), st.data())
def test_refunds_in_pieces_end_exactly_at_the_shares(shares: list[int], data: st.DataObject) -> None:
    taken = [0] * len(shares)
    left = sum(shares)
    for last in (False, False, False, False, True):
        amount = left if last else data.draw(st.integers(min_value=0, max_value=left))
        parts = take_back(amount, shares, taken)
        assert sum(parts) == amount
        assert all(part >= 0 for part in parts)
        taken = [before + part for before, part in zip(taken, parts, strict=True)]
        assert all(gone <= share for gone, share in zip(taken, shares, strict=True))
        left -= amount
    assert taken == shares


def test_a_refund_beyond_the_line_is_refused() -> None:
    with pytest.raises(ValueError, match="left"):
        take_back(11, [5, 5], [0, 0])


def test_ties_go_to_the_first_share() -> None:
    assert split(1, [5000, 5000]) == [1, 0]
    assert split(100, [1, 1, 1]) == [34, 33, 33]


def test_one_rupiah_of_three_funds() -> None:
    assert split(1, [5000, 3500, 1500]) == [1, 0, 0]


@pytest.mark.parametrize("weights", [[], [0, 0], [-1, 2]])
def test_weights_that_mean_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split(10, weights)


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_written_rupiah_can_be_read_back_and_do_not_break(amount: int) -> None:
    text = format_rupiah(amount)
    assert " " not in text
    assert int(text.replace("Rp\N{NO-BREAK SPACE}", "").replace(".", "").replace("\N{MINUS SIGN}", "-")) == amount


def test_rupiah_as_people_write_them() -> None:
    assert format_rupiah(485_000) == "Rp\N{NO-BREAK SPACE}485.000"
    assert format_rupiah(-620_000) == "\N{MINUS SIGN}Rp\N{NO-BREAK SPACE}620.000"
