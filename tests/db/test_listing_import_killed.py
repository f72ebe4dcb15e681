"""A worker that is killed in the midst of an import loses nothing and does nothing twice."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from storefront import crash_points
from storefront.extensions import db
from storefront.listing_files import keeping, run
from storefront.listings.models import ListingDraft
from storefront.people.models import Person
from storefront.stock.models import StockLevel, StockMovement
from storefront.verify import imports
from storefront.verify.invariant import check
from tests.factories import make_member
from tests.listing_files import csv_of, fresh, new_rows, rows_of, upload
from tests.selling import Shop, open_shop

Jobs = Callable[[], None]


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def person(shop: Shop, db_session: Session) -> Person:
    person = make_member("coordinator", facility=shop.pekalongan)
    db_session.commit()
    return person


def in_child(app: Flask, act: Callable[[], None], crash_at: str) -> int:
    """Act in a process of its own, on connections of its own; how it ended."""
    child = os.fork()
    if child == 0:
        crash_points.chosen = crash_at
        with app.app_context():
            db.engine.dispose(close=False)  # the parent's connections stay the parent's
            db.session.remove()
            act()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def begun(shop: Shop, person: Person, run_jobs: Jobs, rows: list[dict[str, str]]) -> int:
    """An import whose run was asked for, and not begun."""
    import_id = upload(shop.pekalongan, person, csv_of(rows))
    run_jobs()
    keeping.begin(shop.pekalongan.id, import_id, "skip", person.id)
    db.session.commit()
    return import_id


def test_a_killed_run_goes_on_where_it_was(
    app: Flask,
    shop: Shop,
    person: Person,
    db_session: Session,
    run_jobs: Jobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "PRODUCTS_TOGETHER", 2)
    stock = {"SKU": "PKL-BATIK", "Stok": "9", "Harga": "90000"}
    facility_id = shop.pekalongan.id
    import_id = begun(shop, person, run_jobs, [stock, *new_rows(3), {"SKU": "HILANG-1", "Harga": "5"}])
    ends = []
    for crash_at in (
        "import.before_commit",
        "import.after_commit",
        "import.after_commit",
        "import.before_commit",
    ):
        db_session.rollback()
        ends.append(in_child(app, lambda: run.work_on(facility_id), crash_at))
        ends.append(sum(row.outcome is not None for row in rows_of(import_id)))
    killed = -signal.SIGKILL
    assert ends == [killed, 0, killed, 2, killed, 4, killed, 4]
    db_session.rollback()
    run_jobs()
    found = fresh(import_id)
    assert (found.state, found.rows, found.stored, found.refused) == ("done", 5, 4, 1)
    assert db_session.scalar(select(func.count()).select_from(ListingDraft)) == 3
    counted = select(func.count()).select_from(StockMovement).where(StockMovement.source.like("import:%"))
    assert db_session.scalar(counted) == 1
    driver = db_session.connection().connection.driver_connection
    assert all(finding.holds for finding in check(driver, imports.INVARIANTS))  # type: ignore[arg-type]


def test_two_imports_of_a_facility_run_one_after_the_other(
    app: Flask, shop: Shop, person: Person, db_session: Session, run_jobs: Jobs
) -> None:
    first = begun(shop, person, run_jobs, new_rows(6))
    facility_id, coordinator = shop.pekalongan.id, person.id
    second = upload(shop.pekalongan, person, csv_of(new_rows(6, Cerita="Lagi.")))
    db_session.execute(
        text("UPDATE procrastinate_jobs SET status = 'cancelled' WHERE task_name = 'listing_files.run'")
    )
    db_session.commit()
    run_jobs()
    keeping.begin(facility_id, second, "skip", coordinator)
    db_session.commit()
    # However many work at once, by whatever accident: each product of each import is stored once.
    failures: list[Exception] = []

    def work() -> None:
        with app.app_context():
            try:
                run.work_on(facility_id)
            except Exception as failure:
                failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_jobs()
    assert failures == []
    one, other = fresh(first), fresh(second)
    assert (one.state, other.state) == ("done", "done")
    assert (one.stored, one.refused) == (6, 0)
    assert (other.stored, other.refused) == (6, 0)
    assert one.ended_at is not None
    assert other.ended_at is not None
    assert one.ended_at < other.ended_at
    drafts = db_session.scalars(select(ListingDraft)).all()
    assert sorted(draft.content["title"] for draft in drafts) == [f"Taplak nomor {n}" for n in range(1, 7)]
    assert all(draft.content["description"] == "Lagi." for draft in drafts)


@pytest.mark.parametrize(
    ("on_fault", "outcomes"), [("skip", ["fault", "stored", "stored"]), ("stop", ["fault", "left", "left"])]
)
def test_one_that_cannot_be_stored_any_more_costs_its_neighbours_nothing(
    shop: Shop,
    person: Person,
    db_session: Session,
    run_jobs: Jobs,
    monkeypatch: pytest.MonkeyPatch,
    on_fault: str,
    outcomes: list[str],
) -> None:
    import_id = upload(
        shop.pekalongan,
        person,
        csv_of([{"SKU": "PKL-BATIK", "Stok": "2"}, {"SKU": "PKL-TEMPE", "Stok": "3"}, *new_rows(1)]),
    )
    run_jobs()
    keeping.begin(shop.pekalongan.id, import_id, on_fault, person.id)
    db_session.commit()
    read = run.current_of

    def then_held(*arguments: Any) -> Any:
        """What was read, before somebody's order holds pieces."""
        now = read(*arguments)
        held = update(StockLevel).where(StockLevel.variant_id == shop.batik.id).values(reserved=4)
        with db.engine.begin() as connection:
            connection.execute(held)
        return now

    monkeypatch.setattr(run, "current_of", then_held)
    run.work_on(shop.pekalongan.id)
    found, kept = fresh(import_id), rows_of(import_id)
    assert [row.outcome for row in kept] == outcomes
    assert all(bool(row.faults) == (row.outcome != "stored") for row in kept)
    assert "dipegang pesanan" in kept[0].faults[0]["text"]
    assert found.rows == (found.stored or 0) + (found.refused or 0) == 3
    on_hand = dict(db_session.execute(select(StockLevel.variant_id, StockLevel.on_hand)).all())
    assert on_hand[shop.batik.id] == 5
    assert on_hand[shop.tempeh.id] == (3 if on_fault == "skip" else 9)


def test_a_quarter_hundred_products_take_a_few_statements(
    shop: Shop, person: Person, db_session: Session, run_jobs: Jobs, statements: Callable[[], list[str]]
) -> None:
    import_id = begun(
        shop, person, run_jobs, [{"SKU": "PKL-BATIK", "Stok": "9", "Harga": "90000"}, *new_rows(24)]
    )
    statements()
    run.work_on(shop.pekalongan.id)
    # Looking up what is there takes some twenty, whatever the rows; storing them, some fifteen.
    assert len(statements()) < 60
    assert fresh(import_id).stored == 25
