"""`flask verify`: it holds on a shop that has lived a little, and names each promise that somebody breaks."""

from __future__ import annotations

import contextvars
import datetime
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select, update

from storefront import create_app, worker
from storefront.embedded import SUPERUSER
from storefront.extensions import db
from storefront.orders.expire import expire_unpaid
from storefront.orders.models import Order
from storefront.orders.payment import open_payment, start_payment
from storefront.payments.gateway import gateway
from storefront.payments.inbox import receive
from storefront.payments.models import SandboxEvent
from storefront.payments.sandbox import SandboxGateway, choose_outcome
from storefront.verify import bank, guards, reconciled, stock_takes, training, transferred
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check
from tests import brought_breaks, collected_breaks, counter_breaks, later_books, listed_breaks
from tests.clones import Clone, TestServer, settings_for, worker_name
from tests.factories import (
    make_facility,
    make_member,
    make_order,
    make_product,
    make_rule,
    make_variant,
    make_workshop,
)

LONG_AGO = "now() - interval '16 minutes'"


def deliver(app: Flask) -> None:
    """Bring the provider's events to our inbox, as its worker would, and do all jobs."""
    provider = gateway("sandbox")
    assert isinstance(provider, SandboxGateway)
    for event in db.session.scalars(select(SandboxEvent).where(SandboxEvent.delivered_at.is_(None))):
        receive("sandbox", provider.signed_headers(event.body.encode()), event.body.encode())
        event.delivered_at = db.session.execute(select(func.now())).scalar_one()
    db.session.commit()
    contextvars.Context().run(worker.run, app, wait=False)


def pay(order: Order, times: int = 1) -> None:
    """Open `times` payment pages and succeed on each."""
    payments = [open_payment(order).id for _ in range(times)]
    db.session.commit()
    for payment_id in payments:
        start_payment(payment_id)
        choose_outcome(payment_id, "succeeded")
        db.session.commit()


@pytest.fixture(scope="module")
def lived_in(
    database_server: TestServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Flask, Clone]]:
    """A shop with a paid order, one paid twice, one expired and one that awaits payment."""
    clone = database_server.clone(f"storefront_verify_{worker_name()}")
    app = create_app(settings_for(clone.addresses, Path(tmp_path_factory.mktemp("verify"))))
    app.config["TESTING"] = True
    with app.app_context():
        make_rule()
        first, second = make_facility("TGG"), make_facility("PKB")
        make_rule(basis="profit", facility=second, valid_from=datetime.date(2023, 1, 1))
        make_member("coordinator", facility=first)
        chair = make_variant(make_product(make_workshop(first)), stock=20, price=100_001)
        frame = make_variant(
            make_product(make_workshop(second)), stock=20, price=485_001, material_cost=5_000
        )
        desk = make_variant(make_product(make_workshop(first)), made_to_order=True, price=250_000)
        paid, twice = make_order((chair, 3), (frame, 1), (desk, 1)), make_order((frame, 2))
        make_order((chair, 2), expires_at=datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=1))
        living = make_order((chair, 1), (frame, 1))
        db.session.commit()
        pay(paid)
        pay(twice, times=2)
        waiting = open_payment(living).id
        db.session.commit()
        start_payment(waiting)
        deliver(app)
        deliver(app)  # the refund's news
        expire_unpaid()
        deliver(app)
        db.session.remove()
    yield app, clone
    with app.app_context():
        db.engine.dispose()
    clone.close()


@pytest.fixture
def connection(lived_in: tuple[Flask, Clone]) -> Iterator[psycopg.Connection]:
    """One that no trigger and no foreign key stops; what it does is undone."""
    with psycopg.connect(lived_in[1].addresses[SUPERUSER]) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        yield connection
        connection.rollback()


def broken(connection: psycopg.Connection) -> dict[str, int]:
    return {f.invariant.name: f.count for f in check(connection, INVARIANTS) if not f.holds}


def without_checks(table: str) -> str:
    """SQL that takes a table's CHECK and EXCLUDE constraints away."""
    return f"""DO $$ DECLARE c record; BEGIN
        FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype IN ('c', 'x') LOOP
            EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', c.conname); END LOOP; END $$"""


#: A refund speaks of a piece that lies in no parcel.
PIECES = """INSERT INTO refund_lines (refund_id, order_line_id, quantity, amount, pieces)
    SELECT r.id, l.id, 1, 100, 'none' FROM refunds r JOIN order_lines l ON l.order_id = r.order_id LIMIT 1"""
#: Pieces that came back of the first line with stock, and nothing moved.
CAME_BACK = """INSERT INTO parcel_returns (parcel_id, noted_by, request_key)
    SELECT l.parcel_id, (SELECT min(id) FROM people), repeat('k', 20) FROM parcel_lines l
      JOIN order_lines o ON o.id = l.order_line_id AND o.location_id IS NOT NULL ORDER BY 1 LIMIT 1;
    INSERT INTO parcel_return_lines SELECT r.id, l.order_line_id, {pieces}, 0 FROM parcel_returns r
      JOIN parcel_lines l ON l.parcel_id = r.parcel_id
      JOIN order_lines o ON o.id = l.order_line_id AND o.location_id IS NOT NULL LIMIT 1"""

#: Each promise and what breaks it.
BREAKS = [
    (
        "import_rows_accounted",
        """INSERT INTO listing_imports (facility_id, form_key, file_name, format, language, state, on_fault, rows,
                                        stored, unchanged, refused, created_by, begun_at, begun_by, ended_at)
           VALUES (1, 'a-form-key-of-16', 'a.csv', 'csv', 'id', 'done', 'skip', 1, 1, 0, 0, 1, now(), 1, now())""",
    ),
    (
        "import_products_whole",
        """INSERT INTO listing_import_rows (import_id, row, product, cells, verdict, outcome, faults)
           VALUES (1, 2, 1, '[]', 'new', 'stored', '[]'), (1, 3, 1, '[]', 'new', 'left', '[{}]')""",
    ),
    ("changes_are_noted", "DELETE FROM catalogue_changes"),
    ("entries_balanced", "UPDATE postings SET amount = amount + 1 WHERE id = (SELECT min(id) FROM postings)"),
    ("entries_have_postings", "DELETE FROM postings WHERE entry_id = (SELECT min(id) FROM journal_entries)"),
    (
        "deposits_wait",
        """UPDATE payments SET counts = true, state = 'succeeded', succeeded_at = now()
            WHERE order_id = (SELECT id FROM orders WHERE state = 'awaiting_payment' LIMIT 1)""",
    ),
    (
        "ended_orders_keep_nothing",
        "UPDATE orders SET state = 'cancelled', paid_at = NULL, closed_at = now() WHERE state = 'paid'",
    ),
    ("entries_name_their_fact", "UPDATE journal_entries SET source = 'payment:nobody:captured' WHERE id = 1"),
    ("entries_name_their_fact", "UPDATE journal_entries SET kind = 'sale' WHERE kind = 'payment_held'"),
    ("entries_name_their_fact", "UPDATE refunds SET state = 'failed'"),
    ("captures_booked_once", "DELETE FROM journal_entries WHERE kind = 'sale'"),
    ("captures_booked_once", "UPDATE payments SET amount = amount - 1 WHERE counts"),
    ("captures_booked_once", "DELETE FROM journal_entries WHERE kind = 'payment_held'"),
    ("refunds_booked_once", "DELETE FROM journal_entries WHERE kind = 'refund'"),
    ("clearing_balance", "UPDATE payments SET amount = amount + 1 WHERE counts"),
    ("clearing_balance", "DELETE FROM refunds"),
    ("sandbox_agrees", "UPDATE sandbox_payments SET amount = amount - 1 WHERE state = 'succeeded'"),
    ("sandbox_agrees", "UPDATE sandbox_payments SET state = 'failed' WHERE state = 'succeeded'"),
    ("sandbox_agrees", "DELETE FROM sandbox_payments"),
    ("sandbox_agrees", "DELETE FROM sandbox_refunds"),
    (
        "sandbox_agrees",
        f"UPDATE sandbox_payments SET state = 'succeeded', created_at = {LONG_AGO}",
    ),
    ("sales_credit_the_shares", "UPDATE order_line_shares SET amount = amount + 1"),
    (
        "sales_credit_the_shares",
        "UPDATE accounts SET facility_id = (SELECT id FROM facilities WHERE code = 'TGG') WHERE code LIKE 'owed:PKB:%'",
    ),
    ("sales_credit_the_shipping", "UPDATE parcels SET shipping_amount = shipping_amount + 1"),
    ("sales_booked_on_their_day", "UPDATE journal_entries SET effective_date = effective_date - 1"),
    ("sales_booked_on_their_day", "UPDATE orders SET paid_at = paid_at - interval '1 day' WHERE state = 'paid'"),
    ("sales_booked_on_their_day", "UPDATE payments SET succeeded_at = succeeded_at - interval '1 day' WHERE counts"),
    ("sales_booked_on_their_day", without_checks("journal_entries")
                                  + "; UPDATE journal_entries SET happened_on = effective_date - 40"),
    ("money_to_return", "UPDATE postings SET amount = amount * 2 WHERE account_id = "
                        "(SELECT id FROM accounts WHERE code = 'customers:to_return') AND amount < 0"),
    ("sales_view_equals_ledger", "DELETE FROM journal_entries WHERE id = 1"),
    ("level_equals_movements", "UPDATE stock_levels SET on_hand = on_hand + 1"),
    ("level_equals_movements", "DELETE FROM stock_levels"),
    ("reserved_equals_held", "UPDATE stock_levels SET reserved = reserved + 1"),
    ("reserved_equals_held", "UPDATE stock_levels SET reserved = 0"),
    ("reserved_within_on_hand", without_checks("stock_levels") + "; UPDATE stock_levels SET reserved = on_hand + 1"),
    ("reserved_within_on_hand", without_checks("stock_levels") + "; UPDATE stock_levels SET reserved = -1"),
    ("reservations_follow_their_order", "UPDATE reservations SET state = 'released' WHERE state = 'held'"),
    ("reservations_follow_their_order", "UPDATE reservations SET state = 'held' WHERE state = 'released'"),
    ("reservations_follow_their_order", "DELETE FROM orders WHERE state = 'paid'"),
    ("lines_have_their_pieces", "DELETE FROM reservations WHERE state = 'sold'"),
    ("lines_have_their_pieces", "UPDATE reservations SET quantity = quantity + 1"),
    ("sold_pieces_moved_once", "DELETE FROM stock_movements WHERE reason = 'sold'"),
    ("sold_pieces_moved_once", "UPDATE stock_movements SET quantity = quantity - 1 WHERE reason = 'sold'"),
    (
        "sold_pieces_moved_once",
        "INSERT INTO stock_movements (variant_id, location_id, quantity, reason) "
        "SELECT variant_id, location_id, -1, 'sold' FROM stock_levels",
    ),
    ("order_totals", "UPDATE orders SET items_total = items_total + 1"),
    ("order_totals", "UPDATE orders SET shipping_total = shipping_total + 1"),
    ("instalments_cover_the_order", "UPDATE instalments SET amount = amount + 1"),
    ("one_payment_counts", "DROP INDEX payments_one_counts; UPDATE payments SET counts = state = 'succeeded'"),
    ("counting_payments_fit", "UPDATE payments SET amount = amount + 1 WHERE counts"),
    ("counting_payments_fit", "UPDATE payments SET order_id = order_id + 1"),
    ("paid_when_all_instalments_are", "UPDATE payments SET counts = false"),
    (
        "paid_when_all_instalments_are",
        "INSERT INTO instalments (order_id, position, amount, due_at) "
        "SELECT id, 2, 1, now() FROM orders WHERE state = 'paid'",
    ),
    ("vain_payments_given_back", "DELETE FROM refunds"),
    ("vain_payments_given_back", "UPDATE refunds SET amount = amount - 1"),
    ("refunds_within_payments", "UPDATE refunds SET amount = amount + 1"),
    ("refunds_within_payments", "UPDATE refunds SET order_id = order_id + 1"),
    (
        "called_off_is_given_back",
        """INSERT INTO refunds (payment_id, order_id, amount, reason)
           SELECT id, order_id, 100001, 'cancelled' FROM payments WHERE counts ORDER BY id LIMIT 1;
           INSERT INTO refund_lines
           SELECT (SELECT max(id) FROM refunds), min(id), 1, 100001, 'none' FROM order_lines""",
    ),
    *(
        (
            "problems_are_answered",
            f"""INSERT INTO problems (order_id, parcel_id, facility_id, kind, words, answer_by, request_key)
                SELECT order_id, id, facility_id, 'damaged', 'Retak di sudutnya', {day}, 'abcdefghijklmnop'
                  FROM parcels ORDER BY id LIMIT 1;
                INSERT INTO messages (key, kind, order_id, sent_at)
                SELECT 'problem:' || id || ':{kind}', 'problem_reported', order_id, now() FROM problems""",
        )
        for day, kind in (("current_date - 5", "reported"), ("current_date + 2", "elsewhere"))
    ),
    ("parcels_hold_the_lines", "DELETE FROM parcel_lines"),
    ("parcels_hold_the_lines", "UPDATE parcel_lines SET quantity = quantity + 1"),
    ("parcels_hold_the_lines", "UPDATE parcels SET facility_id = 3 - facility_id"),
    ("refunds_know_their_pieces", PIECES),
    (
        "refunds_know_their_pieces",
        PIECES + "; INSERT INTO refund_pieces (refund_id, order_line_id, parcel_id, quantity)"
        " SELECT x.refund_id, x.order_line_id, l.parcel_id, 99 FROM refund_lines x"
        " JOIN parcel_lines l USING (order_line_id)",
    ),
    ("pieces_come_back_once", CAME_BACK.format(pieces=99)),
    ("returns_moved_the_stock", CAME_BACK.format(pieces=1)),
    (
        "merged_parcels_are_empty",
        without_checks("parcels") + "; UPDATE parcels SET merged_at = now() WHERE id = (SELECT min(id) FROM parcels)",
    ),
    (
        "merged_parcels_are_empty",
        without_checks("parcels") + "; UPDATE parcels SET split_from = p.id FROM parcels p"
        " WHERE p.facility_id <> parcels.facility_id",
    ),
    (
        "labels_are_printed_in_batches",
        "INSERT INTO label_batches (facility_id, size, made_by, request_key)"
        " SELECT f.id, 'a6', (SELECT min(id) FROM people), repeat('k', 20) FROM facilities f ORDER BY f.id LIMIT 1;"
        " INSERT INTO label_batch_parcels SELECT b.id, p.id FROM label_batches b, parcels p"
        " WHERE p.facility_id <> b.facility_id",
    ),
    ("parcels_follow_their_order", "UPDATE parcels SET state = 'to_pack' WHERE state = 'waiting'"),
    ("parcels_follow_their_order", "UPDATE parcels SET state = 'waiting' WHERE state = 'to_pack'"),
    ("parcels_follow_their_order", "UPDATE parcels SET state = 'waiting' WHERE state = 'cancelled'"),
    ("unpaid_orders_end", f"UPDATE orders SET expires_at = {LONG_AGO}"),
    ("open_payments_end", f"UPDATE payments SET expires_at = {LONG_AGO}"),
    ("refunds_end", f"UPDATE refunds SET state = 'pending', finished_at = NULL, requested_at = {LONG_AGO}"),
    ("refunds_end", "UPDATE refunds SET state = 'failed'"),
    ("shares_sum_to_the_line", "UPDATE order_line_shares SET amount = amount + 1 WHERE position = 1"),
    (
        "shares_follow_the_rule",
        "UPDATE order_line_shares SET amount = amount + position * 2 - 3 WHERE position IN (1, 2)",
    ),
    ("shares_follow_the_rule", "UPDATE order_line_shares SET fund_id = 1"),
    ("shares_follow_the_rule", "DELETE FROM order_line_shares WHERE is_material"),
    ("lines_keep_their_rule", "UPDATE order_lines SET split_rule_id = (SELECT min(id) FROM split_rules)"),
    ("lines_keep_their_rule", "UPDATE order_lines SET split_basis = 'profit'"),
    ("lines_keep_their_rule", "UPDATE split_rules SET valid_to = '2024-01-01' WHERE basis = 'profit'"),
    ("lines_keep_their_rule", without_checks("split_rules") + "; UPDATE split_rules SET approved_at = NULL"),
    ("rules_divide_the_whole", "UPDATE split_rule_shares SET basis_points = basis_points - 1 WHERE position = 1"),
    (
        "one_rule_for_a_scope",
        without_checks("split_rules")
        + "; INSERT INTO split_rules (basis, valid_from, legal_basis, proposed_by, approved_by, approved_at)"
        " SELECT basis, valid_from, legal_basis, proposed_by, approved_by, approved_at FROM split_rules"
        " WHERE facility_id IS NULL",
    ),
    ("events_handled", f"UPDATE payment_events SET handled_at = NULL, received_at = {LONG_AGO}"),
    ("events_have_a_job", "UPDATE payment_events SET handled_at = NULL"),
    ("messages_have_a_job", "UPDATE messages SET sent_at = NULL"),
    ("refunds_have_a_job", "UPDATE refunds SET state = 'requested', finished_at = NULL"),
    *(
        (
            "jobs_have_their_fact",
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
            f" VALUES ('default', '{task}', '{json.dumps(arguments)}')",
        )
        for task, arguments in [
            ("orders.handle_payment_event", {"event_row_id": 999_999}),
            ("orders.send_message", {"message_id": 999_999}),
            ("orders.send_refund", {"refund_id": 999_999}),
            ("sandbox.deliver_event", {"event_id": "evt_nobody"}),
        ]
    ),
    ("messages_sent", f"UPDATE messages SET sent_at = NULL, created_at = {LONG_AGO}"),
    ("payment_told_once", "DELETE FROM messages WHERE kind = 'order_paid'"),
    ("payment_told_once", "UPDATE messages SET kind = 'order_paid' WHERE kind = 'order_expired'"),
    ("provider_events_delivered", f"UPDATE sandbox_events SET delivered_at = NULL, created_at = {LONG_AGO}"),
    ("provider_events_kept", "DELETE FROM payment_events"),
    (
        "shown_was_let_through",
        "INSERT INTO enquiries (kind, facility_id, product_id, is_public, locale)"
        " SELECT 'question', facility_id, id, true, 'id' FROM products ORDER BY id LIMIT 1;"
        " INSERT INTO enquiry_messages (enquiry_id, author, body, is_shown, request_key)"
        " SELECT id, 'asker', 'Ada warna lain?', true, 'k' FROM enquiries",
    ),
    (
        "resting_listings_say_so",
        "ALTER TABLE listings DISABLE TRIGGER listings_paused; UPDATE listings SET paused_until = '2999-01-01';"
        " ALTER TABLE listings ENABLE TRIGGER listings_paused",
    ),
    ("ratings_are_their_reviews", "INSERT INTO product_ratings SELECT min(id), 5, 1 FROM products"),
    (
        "reviewed_was_received",
        "INSERT INTO reviews (order_line_id, product_id, facility_id, stars, locale)"
        " SELECT id, product_id, facility_id, 5, 'id' FROM order_lines ORDER BY id LIMIT 1",
    ),
    ("guards_in_place", "ALTER TABLE postings DISABLE TRIGGER postings_append_only"),
    ("guards_in_place", "DROP TRIGGER journal_entries_no_truncate ON journal_entries"),
    ("guards_in_place", "DROP TRIGGER deposits_free_lines ON deposits"),
    ("guards_in_place", "ALTER TABLE settlements ENABLE REPLICA TRIGGER settlements_keep_paid"),
    ("once_in_place", "DROP INDEX deposits_ntpn"),
    ("once_in_place", "DROP INDEX deposits_ntpn; CREATE INDEX deposits_ntpn ON deposits (ntpn)"),
    ("once_in_place", "ALTER TABLE satkers DROP CONSTRAINT satkers_one_in_force"),
    ("once_in_place", "ALTER TABLE payouts ADD CONSTRAINT odd CHECK (amount <> 1) NOT VALID"),
    ("four_eyes", without_checks("split_rules") + "; UPDATE split_rules SET approved_by = proposed_by"),
    ("four_eyes", without_checks("memberships") + "; UPDATE memberships SET granted_by = person_id"),
    (
        "four_eyes",
        without_checks("invitations")
        + "; INSERT INTO invitations (email, name, role, by_office, invited_by, approved_by, approved_at, expires_at)"
        + " SELECT 'a@b.id', 'A', 'curator', true, min(id), min(id), now(), now() FROM people",
    ),
    ("suspended_by_somebody", "UPDATE facilities SET status = 'suspended' WHERE code = 'TGG'"),
    (
        "suspended_by_somebody",
        "INSERT INTO facility_suspensions (facility_id, reason) SELECT min(id), 'Diperiksa' FROM facilities",
    ),
    ("roles_have_their_reach", without_checks("memberships") + "; UPDATE memberships SET facility_id = NULL"),
    (
        "sessions_of_active_people",
        "UPDATE people SET is_active = false; INSERT INTO sessions (token_hash, person_id, expires_at)"
        " SELECT sha256('x'), min(id), now() + interval '1 hour' FROM people",
    ),
    *listed_breaks.BREAKS,
    *brought_breaks.BREAKS,
    *collected_breaks.BREAKS,
    ("marketplace_orders_once", "UPDATE orders SET channel = 'marketplace' WHERE state = 'paid'"),
    *counter_breaks.BREAKS,
    (
        "listed_workshops_declared",
        "ALTER TABLE workshops DISABLE TRIGGER USER; UPDATE workshops SET sells_undeclared_until = '2026-01-01'",
    ),
    (
        "unanswered_alerts_forgotten",
        "INSERT INTO stock_alerts (variant_id, email, locale, created_at)"
        " SELECT min(id), 'a@b.id', 'id', now() - interval '9 days' FROM variants",
    ),
    ("children_do_not_sell", without_checks("facilities") + "; UPDATE facilities SET kind = 'lpka'"),
    (
        "children_are_not_featured",
        without_checks("facilities")
        + "; UPDATE facilities SET kind = 'lpka' WHERE code = 'TGG'"
        + "; INSERT INTO home_blocks (position, kind, settings)"
        + " SELECT 99, 'workshop', jsonb_build_object('workshop', w.id) FROM workshops w"
        + " JOIN facilities f ON f.id = w.facility_id AND f.code = 'TGG'",
    ),
]  # fmt: skip


def test_every_promise_holds_on_a_shop_that_has_lived(
    connection: psycopg.Connection, lived_in: tuple[Flask, Clone]
) -> None:
    assert broken(connection) == {}
    states = connection.execute("SELECT state, count(*) FROM orders GROUP BY state ORDER BY state").fetchall()
    assert states == [("awaiting_payment", 1), ("expired", 1), ("paid", 2)]
    assert connection.execute("SELECT state FROM refunds").fetchall() == [("succeeded",)]


@pytest.mark.parametrize(
    ("name", "statement"), BREAKS, ids=[f"{n}-{name}" for n, (name, _) in enumerate(BREAKS)]
)
def test_a_broken_promise_is_named(connection: psycopg.Connection, name: str, statement: str) -> None:
    connection.execute(statement)  # type: ignore[call-overload]
    assert name in broken(connection)


def test_every_trigger_of_the_schema_is_watched(connection: psycopg.Connection) -> None:
    """A new one is added to `verify/guards.py` with the migration that brings it."""
    rows = connection.execute(
        """SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
            WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace
              AND c.relname NOT LIKE 'procrastinate%'"""
    ).fetchall()
    assert set(rows) == {(table, name) for table, names in guards.TRIGGERS.items() for name in names}


def test_every_index_that_allows_a_thing_once_is_watched(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        """SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
             JOIN pg_class c ON c.oid = x.indrelid
            WHERE i.relnamespace = 'public'::regnamespace AND (x.indisunique OR x.indisexclusion)
              AND NOT x.indisprimary AND c.relname NOT LIKE 'procrastinate%'"""
    ).fetchall()
    assert {name for (name,) in rows} == set(guards.ONCE)


def test_every_promise_can_fail() -> None:
    names = [invariant.name for invariant in INVARIANTS]
    # Broken in test_verify_bank.py, test_reconcile.py, test_stock_take.py, test_training.py, payments/test_connect.py.
    rooms = (
        *bank.INVARIANTS, *reconciled.INVARIANTS, *stock_takes.INVARIANTS, *transferred.INVARIANTS,
        *training.INVARIANTS,
    )  # fmt: skip
    elsewhere = {invariant.name for invariant in rooms}
    assert {name for name, _ in (*BREAKS, *later_books.BREAKS)} == set(names) - elsewhere
    assert len(names) == len(set(names))


def test_at_most_twenty_rows_are_shown_and_all_are_counted(connection: psycopg.Connection) -> None:
    connection.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
        " SELECT 'default', 'orders.send_refund', '{\"refund_id\": 999999}' FROM generate_series(1, 25)"
    )
    [found] = [f for f in check(connection, INVARIANTS) if f.invariant.name == "jobs_have_their_fact"]
    assert (found.count, len(found.rows)) == (25, 20)
    assert "rows_in_all" not in found.rows[0]


def test_the_command_exits_0_when_all_hold(lived_in: tuple[Flask, Clone]) -> None:
    result = lived_in[0].test_cli_runner().invoke(args=["verify"])
    assert result.exit_code == 0, result.output
    assert f"{len(INVARIANTS)} invariants hold" in result.output
    assert all(invariant.name in result.output for invariant in INVARIANTS)


def test_the_command_exits_1_and_shows_the_rows(lived_in: tuple[Flask, Clone]) -> None:
    app, _ = lived_in
    with app.app_context():
        statement = update(Order).where(Order.state == "awaiting_payment")
        moment = db.session.scalar(select(Order.expires_at).where(Order.state == "awaiting_payment"))
        db.session.execute(statement.values(expires_at=func.now() - datetime.timedelta(hours=1)))
        db.session.commit()
        try:
            plain = app.test_cli_runner().invoke(args=["verify"])
            told = app.test_cli_runner().invoke(args=["verify", "--json"])
        finally:
            db.session.execute(statement.values(expires_at=moment))
            db.session.commit()
    assert (plain.exit_code, told.exit_code) == (1, 1)
    assert "unpaid_orders_end" in plain.output
    assert "BROKEN (1)" in plain.output
    assert "number=KB-" in plain.output
    answer = json.loads(told.output)
    assert answer["holds"] is False
    [finding] = [finding for finding in answer["invariants"] if finding["count"]]
    assert finding["name"] == "unpaid_orders_end"
    assert finding["rows"][0]["number"].startswith("KB-")
