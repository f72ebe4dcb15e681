"""A month is closed once, on top of the one before, and holds what it held."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.books.models import Period
from storefront.closing import close as closing
from storefront.closing.checklist import checklist, last_check
from storefront.closing.close import NotReady, StillBooking, WrongState, close, reopen
from storefront.errors import Invalid
from storefront.extensions import db
from storefront.ledger.book import Leg, book, books_difference, clearing, to_return
from storefront.ledger.closed import PeriodClosed, is_closed, require_open
from storefront.payments.models import PaymentEvent
from storefront.reconciliation.differences import explain
from storefront.verify.month import ask, check_month, prove
from tests.factories import make_paid_order, make_person
from tests.selling import Shop, open_shop
from tests.taking import agreed, differences, reconciled
from tests.threads import at_once

JAKARTA = datetime.timezone(datetime.timedelta(hours=7))
SEPTEMBER, OCTOBER, NOVEMBER = (datetime.date(2026, month, 1) for month in (9, 10, 11))


@pytest.fixture(autouse=True)
def in_december(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's clock, so that the tests hold in any year; the database's own is later than October 2026."""
    monkeypatch.setattr(days, "today", lambda: datetime.date(2026, 12, 3))


@pytest.fixture
def shop(db_session: Session) -> Shop:
    """Sales in September and October, nothing of the state's overdue: it was all sold on the last days."""
    shop = open_shop()
    for when in (
        datetime.datetime(2026, 9, 30, 12, tzinfo=JAKARTA),
        datetime.datetime(2026, 10, 31, 12, tzinfo=JAKARTA),
    ):
        make_paid_order((shop.batik, 1), (shop.honey, 1), paid_at=when)
    db_session.execute(text("UPDATE messages SET sent_at = now()"))
    agreed()
    db_session.commit()
    return shop


@pytest.fixture
def person(db_session: Session) -> int:
    person_id = make_person().id
    db_session.commit()
    return person_id


@pytest.fixture
def all_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks that find nothing: what they check is tested elsewhere, and these shops were made by hand."""
    monkeypatch.setattr("storefront.verify.month.INVARIANTS", ())


def verified(month: datetime.date, person: int) -> None:
    row = ask(month, person)
    db.session.commit()
    check_month(row.id)
    db.session.commit()


def closed(month: datetime.date, person: int, **options: Any) -> Period:
    verified(month, person)
    period = close(month, person, are_named=True, **options)
    db.session.commit()
    return period


def booked(
    app: Flask, day: datetime.date, source: str, before_commit: Callable[[], object] = lambda: None
) -> str:
    with app.app_context():
        book(source, "correction", day, [Leg(books_difference(), 5), Leg(to_return(), -5)])
        before_commit()
        db.session.commit()
    return source


def points(month: datetime.date) -> dict[str, bool]:
    return {point.code: point.is_clean for point in checklist(month)}


def test_a_month_is_closed_on_top_of_the_one_before(
    db_session: Session, shop: Shop, person: int, all_holds: None
) -> None:
    first, second = closed(SEPTEMBER, person), closed(OCTOBER, person)
    assert (first.entries, second.entries) == (1, 1)
    assert first.previous_hash is None
    assert second.previous_hash == first.hash
    for period in (first, second):
        assert period.hash == db_session.scalar(select(func.period_hash(period.month, period.previous_hash)))
        proof = prove(period.month)
        assert proof is not None
        assert proof.holds
    closings = select(AuditEvent).where(AuditEvent.action == "period.closed").order_by(AuditEvent.id)
    event = db_session.scalars(closings).all()[-1]
    assert event.person_id == person
    assert event.details["hash"] == second.hash.hex()


def test_a_month_waits_for_the_one_before(
    db_session: Session, shop: Shop, person: int, all_holds: None
) -> None:
    verified(OCTOBER, person)
    with pytest.raises(NotReady) as refusal:
        close(OCTOBER, person, are_named=True)
    assert [point.code for point in refusal.value.points] == ["month_before"]


def test_the_database_keeps_the_order_of_months(db_session: Session, shop: Shop, person: int) -> None:
    insert = text(
        "INSERT INTO periods (month, state, closed_by, hash, previous_hash, entries)"
        " VALUES (:month, 'closed', :person, sha256('x'), :base, 0)"
    )
    for values in ({"month": OCTOBER, "base": None}, {"month": SEPTEMBER, "base": b"x" * 32}):
        with pytest.raises(DBAPIError), db_session.begin_nested():
            db_session.execute(insert, {"person": person, **values})


def test_the_month_that_runs_is_not_closed(
    db_session: Session, shop: Shop, person: int, all_holds: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(SEPTEMBER, person)
    monkeypatch.setattr(days, "today", lambda: datetime.date(2026, 10, 31))
    verified(OCTOBER, person)
    with pytest.raises(NotReady):
        close(OCTOBER, person, are_named=True)


def test_nothing_is_dated_into_a_closed_month_or_before_it(
    app: Flask, db_session: Session, shop: Shop, person: int, all_holds: None
) -> None:
    closed(SEPTEMBER, person)
    assert is_closed(datetime.date(2026, 9, 30))
    for day in (datetime.date(2026, 9, 15), datetime.date(2026, 8, 1)):
        with pytest.raises(PeriodClosed, match=r"period_closed"):
            require_open(day)
        with pytest.raises(DBAPIError, match="is closed"):
            booked(app, day, f"payment:late-{day}:held")
    require_open(datetime.date(2026, 10, 1))
    booked(app, datetime.date(2026, 10, 1), "payment:in-time:held")


def test_the_refusal_names_the_month(
    db_session: Session, shop: Shop, person: int, all_holds: None, app: Flask
) -> None:
    closed(SEPTEMBER, person)
    with app.test_request_context("/"), pytest.raises(PeriodClosed) as refusal:
        require_open(datetime.date(2026, 9, 15))
    assert "September 2026" in str(refusal.value.message)
    assert refusal.value.status == 409


def test_only_the_last_closed_month_is_opened_again_and_chained_anew(
    app: Flask, db_session: Session, shop: Shop, person: int, all_holds: None
) -> None:
    closed(SEPTEMBER, person)
    before = closed(OCTOBER, person).hash
    with pytest.raises(WrongState):
        reopen(SEPTEMBER, person, "Salah tanggal pada satu setoran")
    with pytest.raises(DBAPIError), db_session.begin_nested():
        db_session.execute(
            text("UPDATE periods SET state = 'reopened', reopened_at = now(), reopened_by = :p,"
                 " reopen_reason = 'Salah tanggal' WHERE month = :m"), {"p": person, "m": SEPTEMBER}
        )  # fmt: skip
    with pytest.raises(Invalid):
        reopen(OCTOBER, person, "salah")
    reopen(OCTOBER, person, "Salah tanggal pada satu setoran")
    db_session.commit()
    with pytest.raises(WrongState):
        reopen(OCTOBER, person, "Salah tanggal pada satu setoran")
    db_session.rollback()  # who was refused holds nobody up
    booked(app, datetime.date(2026, 10, 20), "payment:found:held")
    after = closed(OCTOBER, person)
    assert after.hash != before
    assert after.entries == 2
    assert after.reopen_reason is None
    actions = select(AuditEvent.action).where(AuditEvent.subject_kind == "period").order_by(AuditEvent.id)
    assert list(db_session.scalars(actions))[-2:] == ["period.reopened", "period.closed"]


def test_two_who_close_at_once_close_once(wide_app: Flask, shop: Shop, person: int, all_holds: None) -> None:
    verified(SEPTEMBER, person)

    def call() -> bytes:
        with wide_app.app_context():
            period = close(SEPTEMBER, person, are_named=True)
            db.session.commit()
            return period.hash

    found = at_once([call, call, call])
    assert sum(isinstance(answer, bytes) for answer in found) == 1
    assert sum(isinstance(answer, WrongState) for answer in found) == 2


def test_a_booking_while_a_month_closes_is_in_the_hash_or_refused(
    wide_app: Flask, shop: Shop, person: int, all_holds: None
) -> None:
    """Ten book into the month while it is closed; whoever came first, the hash and the books agree."""
    verified(SEPTEMBER, person)

    def try_to_close() -> str:
        with wide_app.app_context():
            for _ in range(200):
                try:
                    close(SEPTEMBER, person, are_named=True)
                    db.session.commit()
                    return "closed"
                except NotReady:  # somebody booked since the check: check again, as a person would
                    db.session.rollback()
                    verified(SEPTEMBER, person)
        return "never"

    def one(number: int) -> Callable[[], str]:
        return lambda: booked(wide_app, datetime.date(2026, 9, 10), f"payment:while-{number}:held")

    found = at_once([try_to_close, *(one(number) for number in range(10))])
    assert found[0] == "closed"
    with wide_app.app_context():
        kept = db.session.scalar(
            text("SELECT count(*) FROM journal_entries WHERE source LIKE 'payment:while-%'")
        )
        refused = [answer for answer in found[1:] if isinstance(answer, DBAPIError)]
        assert all("is closed" in str(answer) for answer in refused)
        assert kept + len(refused) == 10
        proof = prove(SEPTEMBER)
        assert proof is not None
        assert proof.holds
        assert proof.period.entries == 1 + kept


def test_closing_waits_for_a_booking_that_has_not_ended(
    wide_app: Flask, shop: Shop, person: int, all_holds: None
) -> None:
    """With an entry written and not yet committed, closing gives up; without it, the entry is in the hash."""
    verified(SEPTEMBER, person)
    written, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        def wait() -> None:
            written.set()
            assert go_on.wait(20)

        return booked(wide_app, datetime.date(2026, 9, 10), "payment:slow:held", wait)

    def impatient() -> str:
        with wide_app.app_context():
            assert written.wait(20)
            try:
                close(SEPTEMBER, person, are_named=True, patience=0.2)
                return "closed"
            except StillBooking:
                db.session.rollback()
                return "waited"
            finally:
                go_on.set()

    assert at_once([slow, impatient]) == ["payment:slow:held", "waited"]
    with wide_app.app_context(), pytest.raises(NotReady) as refusal:
        close(SEPTEMBER, person, are_named=True)
    assert [point.code for point in refusal.value.points] == ["verified"]


def test_what_was_booked_after_the_check_asks_for_another(
    app: Flask, db_session: Session, shop: Shop, person: int, all_holds: None
) -> None:
    verified(SEPTEMBER, person)
    assert points(SEPTEMBER)["verified"]
    booked(app, datetime.date(2026, 10, 5), "payment:other-month:held")
    assert points(SEPTEMBER)["verified"]
    booked(app, datetime.date(2026, 9, 5), "payment:same-month:held")
    assert not points(SEPTEMBER)["verified"]


def test_a_broken_promise_keeps_the_month_open(
    db_session: Session, shop: Shop, person: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storefront.verify.invariant import Invariant

    monkeypatch.setattr(
        "storefront.verify.month.INVARIANTS", (Invariant("never", 1, "Never.", "SELECT 1 AS one"),)
    )
    verified(SEPTEMBER, person)
    check = last_check(SEPTEMBER)
    assert check is not None
    assert check.broken == [{"name": "never", "promise": "Never.", "count": 1}]
    with pytest.raises(NotReady) as refusal:
        close(SEPTEMBER, person, are_named=True)
    assert [point.code for point in refusal.value.points] == ["verified"]


def test_each_open_point_is_named(db_session: Session, shop: Shop, person: int, all_holds: None) -> None:
    verified(SEPTEMBER, person)
    assert points(SEPTEMBER) == {
        "over": True, "month_before": True, "events": True, "reconciled": True, "clearing": True, "refunds": True,
        "deposits": True, "verified": True,
    }  # fmt: skip
    received_at = datetime.datetime(2026, 9, 20, tzinfo=JAKARTA)
    db_session.add(
        PaymentEvent(
            gateway="sandbox", event_id="evt_x", type="payment.succeeded", body=b"{}", received_at=received_at
        )
    )
    make_paid_order((shop.batik, 1), paid_at=datetime.datetime(2026, 9, 2, 12, tzinfo=JAKARTA))
    book(
        "payment:unexplained:held",
        "payment_held",
        SEPTEMBER,
        [Leg(clearing("sandbox"), 9), Leg(to_return(), -9)],
    )
    open_ = {point.code: list(point.facts) for point in checklist(SEPTEMBER) if not point.is_clean}
    assert open_["events"] == ["sandbox: payment.succeeded (evt_x)"]
    assert open_["reconciled"] == ["sandbox: 1 September 2026 – 29 September 2026 belum dicocokkan"]
    assert open_["clearing"] == ["sandbox: Rp\u00a09"]
    assert open_["deposits"] == [f"{shop.pekalongan.name}: Rp\u00a015.000"]
    assert "verified" in open_


def test_a_month_stays_open_while_a_day_is_not_compared_or_differs(
    db_session: Session, shop: Shop, person: int, all_holds: None
) -> None:
    """Of each provider in use; what came after a comparison, and what differs, until somebody says why."""

    def kept_open_by() -> list[str]:
        verified(SEPTEMBER, person)
        with pytest.raises(NotReady) as refusal:
            close(SEPTEMBER, person, are_named=True)
        db_session.rollback()
        [point] = refusal.value.points
        assert point.code == "reconciled"
        return list(point.facts)

    make_paid_order((shop.honey, 1), paid_at=datetime.datetime(2026, 9, 28, 12, tzinfo=JAKARTA))
    db_session.commit()
    assert kept_open_by() == ["sandbox: 28 September 2026 – 29 September 2026 belum dicocokkan"]
    reconciled()
    assert kept_open_by() == ["sandbox, 28 September 2026: −Rp\u00a070.000"]
    [found] = differences()
    explain(found.id, person, "Dibayar langsung di kantor penyedia, lihat surat 7")
    db_session.commit()
    assert points(SEPTEMBER)["reconciled"]
    assert closed(SEPTEMBER, person).state == "closed"


def test_overdue_deposits_are_named_and_go_into_the_audit_trail(
    db_session: Session, shop: Shop, person: int, all_holds: None
) -> None:
    make_paid_order((shop.batik, 1), paid_at=datetime.datetime(2026, 9, 2, 12, tzinfo=JAKARTA))
    agreed()
    verified(SEPTEMBER, person)
    with pytest.raises(NotReady) as refusal:
        close(SEPTEMBER, person)
    assert [point.code for point in refusal.value.points] == ["deposits"]
    db_session.rollback()
    close(SEPTEMBER, person, are_named=True)
    db_session.commit()
    event = db_session.scalars(select(AuditEvent).where(AuditEvent.action == "period.closed")).one()
    assert event.details["named"] == [f"{shop.pekalongan.name}: Rp\u00a015.000"]


def test_the_proof_names_a_month_that_was_changed(
    app: Flask, db_session: Session, shop: Shop, person: int, all_holds: None, owner_connection: Any
) -> None:
    closed(SEPTEMBER, person)
    runner = app.test_cli_runner()
    fine = runner.invoke(args=["verify", "--period", "2026-09"])
    assert (fine.exit_code, "2026-09" in fine.output) == (0, True), fine.output
    owner_connection.execute("ALTER TABLE journal_entries DISABLE TRIGGER USER")
    owner_connection.execute(
        "UPDATE journal_entries SET source = source || 'x' WHERE effective_date < '2026-10-01'"
    )
    owner_connection.execute("ALTER TABLE journal_entries ENABLE TRIGGER USER")
    owner_connection.commit()
    changed = runner.invoke(args=["verify", "--period", "2026-09"])
    assert changed.exit_code == 1
    assert "2026-09" in changed.output
    for month in ("2026-08", "kemarin"):
        assert runner.invoke(args=["verify", "--period", month]).exit_code != 0


def test_the_reason_must_be_there_before_anything_is_locked(
    db_session: Session, shop: Shop, person: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "_alone", lambda patience: pytest.fail("locked"))
    with pytest.raises(Invalid):
        reopen(OCTOBER, person, "  ")
