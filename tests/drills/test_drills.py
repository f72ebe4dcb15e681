"""The short form of `make drill`: a running shop loses processes in the middle of purchases, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drills.__main__ import Series, shop_with_own_database
from tests.drills.faults import kill_one

pytestmark = pytest.mark.drill


def test_a_shop_that_loses_processes_loses_nothing_else(tmp_path: Path) -> None:
    with shop_with_own_database(tmp_path / "var") as shop:
        series = Series(shop)
        for role in ("web", "worker", "database"):
            row = series.drill(f"kill-{role}", kill_one(role), hurry=True, after=3)
            assert row.purchases, row
            assert row.verdict == "nothing lost, nothing twice", row
        took = shop.stop()
    assert took < 5.0, f"all gone only after {took:.1f} s"
