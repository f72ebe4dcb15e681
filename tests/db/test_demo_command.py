"""`flask demo`: repeatable, whole or not at all, and never over somebody's data."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from config import Settings
from storefront import create_app
from storefront.demo.load import Size, load
from storefront.embedded import OWNER, WEB
from storefront.extensions import db
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests.clones import SECRETS, TestServer, settings_for, worker_name

PROJECT = Path(__file__).resolve().parents[2]
#: Clocks, and a number that counts statements: the rest of a demo follows from its seed.
CLOCKS = (
    "written_by", "updated_at", "changed_in", "gone_in", "changed_at", "set_at", "loaded_at", "saved_at", "noted_at",
    "uploaded_at",
)  # fmt: skip

Addresses = dict[str, str]


@pytest.fixture
def fresh(database_server: TestServer) -> Callable[[str], Addresses]:
    """Makes migrated databases of this test's own."""

    def make(name: str) -> Addresses:
        database = f"storefront_{name}_{worker_name()}"
        clone = database_server.clone(database)
        clone.close()
        with psycopg.connect(clone.addresses["postgres"], autocommit=True) as connection:
            connection.execute("DROP SCHEMA pristine CASCADE")
        return clone.addresses

    return make


def run(
    addresses: Addresses, var_dir: Path, *arguments: str, command: str = "demo", **env: str
) -> subprocess.Popen[str]:
    environment = (
        os.environ | SECRETS | {"DEMO": "on", "VAR_DIR": str(var_dir), "PYTHONUNBUFFERED": "1"} | env
    )
    environment |= {"DATABASE_URL": addresses[WEB], "DATABASE_OWNER_URL": addresses[OWNER]}
    return subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", command, *arguments],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def rows(addresses: Addresses) -> dict[str, str]:
    """A fingerprint of every table of the shop."""
    with psycopg.connect(addresses[OWNER]) as connection:
        tables = connection.execute(
            """SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
                 FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
                WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND column_name <> ALL (%s)
                  AND table_name NOT LIKE 'procrastinate%%' AND table_name <> 'catalogue_version'
                GROUP BY table_name""",
            [list(CLOCKS)],
        ).fetchall()
        return {
            name: connection.execute(
                f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM (SELECT {columns} FROM {name}) AS t"
            ).fetchone()[0]  # type: ignore[index]
            for name, columns in tables
        }


def count(addresses: Addresses, table: str, role: str = WEB) -> int:
    with psycopg.connect(addresses[role]) as connection:
        (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[misc]
        return int(number)


def filled(addresses: Addresses, var_dir: Path, seed: str, size: Size) -> Addresses:
    settings: Settings = settings_for(addresses, var_dir)
    app = create_app(dataclasses.replace(settings, database_url=settings.database_owner_url))
    with app.app_context():
        load(seed, size)
        db.session.remove()
        db.engine.dispose()
    return addresses


def buyers(addresses: Addresses) -> str:
    with psycopg.connect(addresses[OWNER]) as connection:
        (names,) = connection.execute(
            "SELECT string_agg(name, ',') FROM (SELECT name FROM order_contacts ORDER BY order_id LIMIT 20) first"
        ).fetchone()  # type: ignore[misc]
        return str(names)


def test_same_seed_gives_the_same_rows_and_copies_are_as_right_as_their_originals(
    fresh: Callable[[str], Addresses], database_server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A demo of a million orders in small: all but the first are copied in sets, and the books close over them."""
    var_dir = database_server.var_dir
    # They carry the moment of loading.
    monkeypatch.setattr("storefront.demo.load.Banked.write", lambda self: None)
    monkeypatch.setattr("storefront.demo.load.marketplaces.add", lambda *_: None)
    other = filled(fresh("other"), var_dir, "8", Size(90, 25))
    assert count(other, "products WHERE status <> 'archived'") == 90
    assert count(other, "orders WHERE channel = 'online'") == 25 + 1 + 2

    monkeypatch.setattr("storefront.demo.load.BY_RULE", 40)
    one, two = (filled(fresh(name), var_dir, "7", Size(77, 150)) for name in ("copied", "copied_again"))
    first, second = rows(one), rows(two)
    assert {name for name in first if first[name] != second[name]} == set()
    assert buyers(one) != buyers(other)
    with psycopg.connect(one[OWNER]) as connection:
        broken = [finding for finding in check(connection, INVARIANTS) if not finding.holds]
        assert broken == []
        counted = connection.execute(
            """SELECT count(*) FILTER (WHERE state = 'paid' AND channel = 'online'),
                      min(accounting_date(placed_at)) < current_date - 600,
                      (SELECT min(month) FROM periods) = date_trunc('month', min(accounting_date(paid_at)))
                 FROM orders"""
        ).fetchone()
        # The guards that were put aside stand again.
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("UPDATE postings SET amount = amount + 1")
    assert counted == (150, True, True)


def test_one_facility_alone_sells_much(fresh: Callable[[str], Addresses], database_server: TestServer) -> None:
    with run(fresh("refused"), database_server.var_dir, "--facility", "PKL") as process:
        said, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "--orders" in said


def test_killed_half_way_leaves_nothing(
    fresh: Callable[[str], Addresses], database_server: TestServer
) -> None:
    addresses = fresh("killed")
    with run(addresses, database_server.var_dir) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if " products, " in line:  # written, and not yet committed
                process.kill()
    assert process.returncode != 0
    assert count(addresses, "people", OWNER) == 0
    assert count(addresses, "orders", OWNER) == 0


def test_a_filled_database_is_refused_and_begun_anew_only_when_told(
    fresh: Callable[[str], Addresses], database_server: TestServer
) -> None:
    addresses, var_dir = fresh("filled"), database_server.var_dir
    with psycopg.connect(addresses[OWNER]) as connection:
        connection.execute(
            "INSERT INTO people (email, name, password_hash) VALUES ('a@example.test', 'A', '!')"
        )
    with run(addresses, var_dir) as process:
        said, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "not empty" in said
    with run(addresses, var_dir, "--reset", "--orders", "0") as process:
        said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    # The web's role has its rights again, and the stranger is gone.
    assert count(addresses, "products") == 77
    assert count(addresses, "people") == 10
    assert count(addresses, "orders") == 0


@pytest.mark.parametrize("command", ["demo", "verify"])
def test_a_database_without_tables_is_told_how_to_get_them(database_server: TestServer, command: str) -> None:
    name = f"storefront_bare_{worker_name()}"
    database_server.create(name, "template1")
    with run(database_server.server.addresses(name), database_server.var_dir, command=command) as process:
        said, _ = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "flask --app wsgi migrate" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("arguments", [(), ("--reset",)])
def test_outside_the_demo_nothing_is_loaded_or_emptied(
    fresh: Callable[[str], Addresses], database_server: TestServer, arguments: tuple[str, ...]
) -> None:
    addresses = fresh("outside")
    outside = {
        "DEMO": "off",
        "BASE_URL": "https://shop.example",
        "PAYMENT_GATEWAY": "stripe",
        "STRIPE_SECRET_KEY": "sk_test_1",
        "STRIPE_WEBHOOK_SECRET": "whsec_1",
    }
    with run(addresses, database_server.var_dir, *arguments, **outside) as process:
        said, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "DEMO" in said
    assert count(addresses, "people") == 0
