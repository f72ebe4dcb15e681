"""The short form of `make drill`: a running shop loses processes and its provider's news, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from storefront import create_app
from storefront.extensions import db
from tests.clones import TestServer, settings_for, worker_name
from tests.drills.__main__ import Series, shop_with_own_database
from tests.drills.faults import kill_one
from tests.drills.running_shop import Shop, stock_up
from tests.drills.shoppers import Crowd
from tests.drills.soak import SHORT, soak

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


def test_payments_add_up_though_their_news_are_lost_and_the_worker_is_killed(
    tmp_path: Path, database_server: TestServer
) -> None:
    clone = database_server.clone(f"storefront_soak_{worker_name()}")
    with create_app(settings_for(clone.addresses, tmp_path)).app_context():
        stock_up(5000)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    came_to = soak(tmp_path / "var", SHORT, clone.addresses)
    clone.close()
    assert came_to.wrong == [], came_to.words()
    # Without reconciliation it would not have come to a good end.
    assert came_to.before, came_to.words()
    assert came_to.figures["kills"] >= 2, came_to.words()
    assert came_to.figures["events dropped"], came_to.words()
