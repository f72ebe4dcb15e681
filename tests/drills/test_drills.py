"""The short form of `make drill`: a running shop loses processes in the middle of purchases, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drills.__main__ import Series, shop_with_own_database
from tests.drills.faults import kill_one
from tests.drills.running_shop import Shop
from tests.drills.shoppers import Crowd

pytestmark = pytest.mark.drill


def kill_them_all(shop: Shop, crowd: Crowd) -> str:
    """One of each kind, one after the other, while people buy."""
    return "; ".join(kill_one(role)(shop, crowd) for role in ("web", "worker", "database"))


def test_a_shop_that_loses_processes_loses_nothing_else(tmp_path: Path) -> None:
    with shop_with_own_database(tmp_path / "var") as shop:
        row = Series(shop).drill("kill them all", kill_them_all, hurry=True, after=3)
        took = shop.stop()
    assert row.purchases, row
    assert row.verdict == "nothing lost, nothing twice", row
    assert took < 5.0, f"all gone only after {took:.1f} s"
