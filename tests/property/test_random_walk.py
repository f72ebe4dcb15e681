"""Whatever shoppers, providers, workers and dying processes do, and in whatever order: the promises hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from storefront import crash_points, import_rooms
from storefront.embedded import OWNER
from tests.clones import Clone
from tests.drills.live import serve
from tests.drills.walk import Walk, fill

#: `make drill` walks longer and elsewhere each time; these are short and always the same.
STEPS = int(os.environ.get("WALK_STEPS", "120"))
SEEDS = [int(seed) for seed in os.environ.get("WALK_SEEDS", "1 2").split()]


@pytest.fixture(scope="module")
def served(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    with serve(make_app) as app:
        yield app


@pytest.fixture
def in_app(served: Flask, database: Clone) -> Iterator[Session]:
    """A session of the served app, and crash points as they were, afterwards."""
    from storefront.extensions import db

    import_rooms("tasks")
    end = crash_points.end
    with served.app_context():
        yield db.session()
        db.session.rollback()
    crash_points.end, crash_points.chosen = end, None


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_done_twice(seed: int, served: Flask, in_app: Session, database: Clone) -> None:
    fill(in_app)
    with psycopg.connect(database.addresses[OWNER], autocommit=True) as owner:
        walk = Walk(served, owner, seed)
        walk.run(STEPS)
    print(f"seed {seed}:", ", ".join(f"{what} {n}" for what, n in sorted(walk.seen.items())))
    assert walk.seen["shop"] > 5
