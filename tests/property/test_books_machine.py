"""Whatever comes in and goes out, in whatever order: the books say what a plain notebook says, to the rupiah."""

from __future__ import annotations

import os
from collections import Counter

import psycopg
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from storefront import import_rooms
from storefront.embedded import OWNER
from tests.bookkeeping.machine import BooksMachine
from tests.clones import Clone

#: `make drill` goes longer, and elsewhere each time; these are short and always the same.
EXAMPLES = int(os.environ.get("BOOKS_EXAMPLES", "3"))
STEPS = int(os.environ.get("BOOKS_STEPS", "50"))
SAME_EACH_TIME = "BOOKS_EXAMPLES" not in os.environ
#: Without these a run proves little.
MET = {
    "sale", "refund succeeded", "fee", "payout", "dispute lost", "settlement paid", "deposit paid", "month closed",
    "steps with something to come back",
}  # fmt: skip
#: And without these a long one does.
MET_IN_TIME = {"taken in by a settlement", "budget returned", "month opened again", "distribution approved"}


def test_books_say_what_the_notebook_says(app: Flask, database: Clone) -> None:
    import_rooms("tasks")
    seen: Counter[str] = Counter()

    with app.app_context(), psycopg.connect(database.addresses[OWNER], autocommit=True) as owner:
        owner.prepare_threshold = 1  # the same questions after each step

        class Machine(BooksMachine):
            def __init__(self) -> None:
                database.clean()
                super().__init__()

        Machine.owner, Machine.seen = owner, seen
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                derandomize=SAME_EACH_TIME,
                database=None,
                deadline=None,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )
    print(", ".join(f"{what} {count}" for what, count in sorted(seen.items())))
    assert seen["sale"] > EXAMPLES
    assert seen.keys() >= (MET if SAME_EACH_TIME else MET | MET_IN_TIME)
