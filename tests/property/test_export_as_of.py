"""An export's moment is settled: whatever is being sold meanwhile, the same moment gives the same bytes."""

from __future__ import annotations

import contextvars
import datetime
import hashlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from storefront.catalogue.models import Variant
from storefront.days import accounting_day
from storefront.exports import formats, report_tables, sales
from storefront.exports.formats import Format
from storefront.exports.moment import StillWriting, settle
from storefront.extensions import db
from storefront.snapshot import snapshot
from tests.factories import make_paid_order, make_rule, make_variant

WRITERS, SALES_EACH, EXPORTS = 4, 6, 8


@pytest.fixture
def variant_id(app: Flask) -> int:
    """Something that can be sold often, made to order so that no two sales wait for one shelf."""
    with app.app_context():
        make_rule()
        variant = make_variant(made_to_order=True)
        db.session.commit()
        return variant.id


def export(app: Flask, as_of: datetime.datetime) -> tuple[int, str]:
    """Rows and digest of all sales up to `as_of`."""
    with app.app_context():
        day = accounting_day(datetime.datetime.now(datetime.UTC))
        selection = sales.select(
            db.engine, day - datetime.timedelta(days=1), day + datetime.timedelta(days=1)
        )
        with sales.opened(db.engine, selection, as_of) as source:
            content = b"".join(formats.text_blocks(source.connection, source.table, Format.CSV))
            rows = source.totals.rows
        return rows, hashlib.sha256(content).hexdigest()


def in_own_context(call: Any, *arguments: Any) -> Any:
    return contextvars.Context().run(call, *arguments)


def test_without_waiting_a_sale_would_appear_later(app: Flask, variant_id: int) -> None:
    """The race that the waiting is for: a sale that began before the moment and is committed after the export."""
    with app.app_context():
        make_paid_order((db.session.get_one(Variant, variant_id), 1))
        as_of = datetime.datetime.now(datetime.UTC)
        before = in_own_context(export, app, as_of)
        db.session.commit()
    assert export(app, as_of) != before


@pytest.mark.parametrize("seed", range(3))
def test_the_same_moment_gives_the_same_bytes_under_fire(app: Flask, variant_id: int, seed: int) -> None:
    pauses = random.Random(seed)
    stop = threading.Event()

    def sell(slow: random.Random) -> None:
        with app.app_context():
            for _ in range(SALES_EACH):
                make_paid_order((db.session.get_one(Variant, variant_id), 1))
                stop.wait(slow.random() * 0.1)  # between booking and commit, as long as the test goes on
                db.session.commit()

    def take() -> tuple[datetime.datetime, tuple[int, str]]:
        with app.app_context():
            as_of = settle(db.engine)
        return as_of, export(app, as_of)

    with ThreadPoolExecutor(WRITERS) as writers:
        selling = [
            writers.submit(in_own_context, sell, random.Random(pauses.random())) for _ in range(WRITERS)
        ]
        taken = [in_own_context(take) for _ in range(EXPORTS)]
        stop.set()
        for sold in selling:
            sold.result()
    for as_of, found in taken:
        assert export(app, as_of) == found
    rows = [found[0] for _, found in taken]
    assert rows == sorted(rows)
    assert in_own_context(take)[1][0] == WRITERS * SALES_EACH


def test_a_new_name_that_is_not_yet_written_is_waited_for(app: Flask, variant_id: int) -> None:
    """Renamed before the moment, committed after it: whoever asks at the moment sees the new name, now and later."""
    with app.app_context():
        make_paid_order((db.session.get_one(Variant, variant_id), 1))
        db.session.commit()
        renamed, go_on = threading.Event(), threading.Event()

        def rename() -> None:
            with app.app_context():
                db.session.execute(text("UPDATE facilities SET name = 'Lapas Nama Baru'"))
                renamed.set()
                go_on.wait(60)
                db.session.commit()

        def balances(as_of: datetime.datetime) -> list[Any]:
            day = accounting_day(as_of)
            with app.app_context(), snapshot(db.engine) as connection:
                ids = [row[0] for row in connection.execute("SELECT id FROM facilities")]
                made = report_tables.balances_table(ids, day, as_of, {})
                return connection.execute(made.sql, made.parameters).fetchall()

        before = in_own_context(balances, settle(db.engine))
        with ThreadPoolExecutor(1) as writer:
            writing = writer.submit(in_own_context, rename)
            assert renamed.wait(30)
            moment = datetime.datetime.now(datetime.UTC)
            with pytest.raises(StillWriting):
                settle(db.engine, moment, patience=0.2)
            go_on.set()
            found = in_own_context(balances, settle(db.engine, moment))
            writing.result()
        assert {row[1] for row in found} == {"Lapas Nama Baru"} != {row[1] for row in before}
        assert found == in_own_context(balances, moment)
