"""When a buyer's name, address and phone show to the facility that sends the parcel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from storefront.orders.parcel_sheet import needs_buyer

NOW = datetime(2026, 11, 24, 5, tzinfo=UTC)


def shows(
    state: str, *, shipped: float | None = None, received: float | None = None, days_max: int = 3
) -> bool:
    """Whether the data show, `shipped` and `received` so many days ago."""
    return needs_buyer(
        state,
        shipped_at=NOW - timedelta(days=shipped) if shipped is not None else None,
        received_at=NOW - timedelta(days=received) if received is not None else None,
        days_max=days_max,
        now=NOW,
    )


@pytest.mark.parametrize("state", ["to_pack", "packed"])
def test_while_it_is_packed_the_label_needs_them(state: str) -> None:
    assert shows(state)


@pytest.mark.parametrize("state", ["waiting", "cancelled"])
def test_unpaid_and_cancelled_parcels_need_nobody(state: str) -> None:
    assert not shows(state)


def test_thirty_days_after_it_was_received_they_are_masked() -> None:
    assert shows("received", shipped=31, received=29.9)
    assert not shows("received", shipped=33, received=30)
    assert not shows("returned", shipped=40, received=35)


def test_a_parcel_nobody_noted_as_received_is_masked_all_the_same() -> None:
    assert shows("shipped", shipped=32.9)
    assert not shows("shipped", shipped=33)
    assert not shows("ready", shipped=30, days_max=0)
