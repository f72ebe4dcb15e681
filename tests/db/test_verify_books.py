"""The promises of the later books: kept by a shop that has lived, named when one is broken."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from storefront.embedded import SUPERUSER
from storefront.verify import clearing, passed_on, periods
from storefront.verify.invariant import check
from tests.clones import Clone
from tests.later_books import BREAKS

INVARIANTS = (*clearing.INVARIANTS, *passed_on.INVARIANTS, *periods.INVARIANTS)


@pytest.fixture
def connection(lived_in: Clone) -> Iterator[psycopg.Connection]:
    """One that no trigger and no foreign key stops; what it does is undone."""
    with psycopg.connect(lived_in.addresses[SUPERUSER]) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        yield connection
        connection.rollback()


def broken(connection: psycopg.Connection) -> dict[str, int]:
    return {f.invariant.name: f.count for f in check(connection, INVARIANTS) if not f.holds}


def test_the_later_promises_hold_on_a_shop_that_has_lived(connection: psycopg.Connection) -> None:
    assert broken(connection) == {}
    kinds = connection.execute("SELECT kind, count(*) FROM journal_entries GROUP BY kind").fetchall()
    assert {kind for kind, _ in kinds} >= {
        "sale", "refund", "fee", "dispute", "payout", "settlement", "deposit", "reversal", "budget_return",
        "correction",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "statement"), BREAKS, ids=[f"{n}-{name}" for n, (name, _) in enumerate(BREAKS)]
)
def test_a_broken_promise_is_named(connection: psycopg.Connection, name: str, statement: str) -> None:
    connection.execute(statement)  # type: ignore[call-overload]
    assert name in broken(connection)


def test_every_later_promise_can_fail() -> None:
    assert {name for name, _ in BREAKS} == {invariant.name for invariant in INVARIANTS}
