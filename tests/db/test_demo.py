"""What the contract promises of the demo, read from a loaded one."""

from __future__ import annotations

import csv
import datetime
from collections import Counter
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.days import today
from storefront.demo import files
from storefront.demo.seasons import seasons_on
from storefront.demo.worked_months import worked_months
from storefront.media.pictures import file_key
from storefront.media.storage import public_files
from storefront.people.passwords import matches
from storefront.refunds.refund_limits import SHIPPED
from storefront.reports.ageing import older_than
from storefront.snapshot import driver_connection
from storefront.training.no_person import looks_like_a_person
from storefront.verify.everything import INVARIANTS
from storefront.verify.invariant import check

ACCOUNTS = {
    "coordinator@demo.test": ["coordinator", "coordinator"],
    "coordinator2@demo.test": ["coordinator"],
    "head@demo.test": ["head"],
    "finance@demo.test": ["finance"],
    "finance2@demo.test": ["finance"],
    "curator@demo.test": ["curator"],
    "admin@demo.test": ["administrator"],
    "auditor@demo.test": ["auditor"],
    "cashier@demo.test": ["cashier"],
    "shopper@demo.test": [],
}


def one(session: Session, query: str, **values: Any) -> Any:
    return session.execute(text(query), values).scalar_one()


def column(session: Session, query: str, **values: Any) -> list[Any]:
    return list(session.execute(text(query), values).scalars())


def test_every_promised_account_signs_in_with_its_roles(demo_session: Session) -> None:
    rows = demo_session.execute(
        text(
            """SELECT p.email, p.is_demo, p.password_hash, array_remove(array_agg(m.role), NULL) AS roles
                 FROM people p LEFT JOIN memberships m ON m.person_id = p.id
                  AND (m.valid_until IS NULL OR m.valid_until > now()) GROUP BY p.id"""
        )
    ).all()
    assert {row.email: row.roles for row in rows} == ACCOUNTS
    assert all(row.is_demo and matches(row.password_hash, "demo") for row in rows)


def test_memberships_reach_where_the_contract_says(demo_session: Session) -> None:
    query = """SELECT f.code FROM memberships m JOIN people p ON p.id = m.person_id
               JOIN facilities f ON f.id = m.facility_id
               WHERE p.email = :email AND (m.valid_until IS NULL OR m.valid_until > now())"""
    two = set(column(demo_session, query, email="coordinator@demo.test"))
    other = set(column(demo_session, query, email="coordinator2@demo.test"))
    head = set(column(demo_session, query, email="head@demo.test"))
    assert (len(two), len(other), len(head)) == (2, 1, 1)
    assert not two & other
    assert head < two
    ends = "SELECT bool_and(valid_until > now()) FROM memberships WHERE role = 'auditor'"
    assert one(demo_session, ends) is True


def test_what_goes_otherwise_is_shown(demo_session: Session) -> None:
    returned = """SELECT count(*) FROM parcel_returns r JOIN parcels p ON p.id = r.parcel_id AND p.state = 'returned'
        JOIN refunds x ON x.order_id = p.order_id AND x.reason = 'returned' AND x.state = 'proposed'"""
    withheld = """SELECT count(*) FROM refunds x JOIN refund_pieces rp ON rp.refund_id = x.id
        JOIN parcels p ON p.id = rp.parcel_id AND p.state = 'to_pack'
        WHERE x.reason = 'cannot_fulfil' AND x.state = 'proposed'"""
    handed = "SELECT count(*) FROM handovers h JOIN memberships m ON m.id = h.ended_role AND m.valid_until = h.done_at"
    assert [one(demo_session, query) for query in (returned, withheld, handed)] == [1, 1, 1]


def test_everything_of_the_file_is_on_sale(demo_session: Session) -> None:
    published = column(demo_session, "SELECT title FROM products WHERE status = 'published'")
    with (files.DATA / "products.csv").open(encoding="utf-8", newline="") as file:
        assert sorted(published) == sorted(row["title_id"] for row in csv.DictReader(file))
    assert len(published) >= 60
    on_sale = "SELECT count(*) FROM listings WHERE state <> 'sold_out' OR paused_until > now()"
    assert one(demo_session, on_sale) == len(published)
    # What was made to measure for a quote is archived from the start, and described by the quote.
    poor = """SELECT count(*) FROM products WHERE status <> 'archived' AND (
                 length(description) < 80 OR length(description_en) < 80 OR title_en = '')"""
    assert one(demo_session, poor) == 0
    assert one(demo_session, "SELECT count(*) FROM facilities WHERE address = '' OR about_en = ''") == 0
    assert one(demo_session, "SELECT count(*) FROM workshops WHERE about = '' OR about_en = ''") == 0


def test_stores_are_filled_as_promised(demo_session: Session) -> None:
    gone = column(demo_session, "SELECT sku FROM reporting.stock WHERE available <= 0")
    assert gone == ["PKL-JAHIT-01-XL"]  # a size that has run out; its product has not
    available = column(
        demo_session,
        """SELECT s.available FROM reporting.stock s JOIN variants v USING (sku)
             JOIN products p ON p.id = v.product_id AND p.delivery_scope = 'nationwide'""",
    )
    assert sum(pieces >= 20 for pieces in available) >= 20
    assert sum(2 <= pieces <= 12 for pieces in available) >= 5


def test_every_workshop_has_declared_and_every_product_says_what_its_category_asks(demo_session: Session) -> None:
    undeclared = """SELECT count(*) FROM workshops w WHERE w.sells_undeclared_until IS NOT NULL
        OR NOT workshop_may_sell(w.id, accounting_date(now()))
        OR EXISTS (SELECT FROM order_lines l JOIN orders o ON o.id = l.order_id
                    WHERE l.workshop_id = w.id AND NOT workshop_may_sell(w.id, accounting_date(o.placed_at)))"""
    assert one(demo_session, undeclared) == 0
    assert one(demo_session, "SELECT count(*) FROM workshop_declarations WHERE state = 'proposed'") == 1
    missing = """SELECT p.title, n.need FROM products p JOIN category_needs n USING (category_id)
        WHERE p.status <> 'archived' AND NOT CASE n.need
              WHEN 'food' THEN EXISTS (SELECT FROM product_foods f WHERE f.product_id = p.id)
              WHEN 'registration' THEN EXISTS (SELECT FROM product_papers x WHERE x.product_id = p.id
                                                  AND x.kind IN ('pirt', 'bpom'))
              WHEN 'halal' THEN EXISTS (SELECT FROM product_papers x WHERE x.product_id = p.id
                                           AND x.kind IN ('halal', 'not_halal'))
              WHEN 'svlk' THEN EXISTS (SELECT FROM product_papers x WHERE x.product_id = p.id AND x.kind = 'svlk')
              ELSE EXISTS (SELECT FROM product_facts f WHERE f.product_id = p.id AND f.kind = n.need) END"""
    assert demo_session.execute(text(missing)).all() == []
    assert one(demo_session, "SELECT count(*) FROM size_tables") >= 8
    assert one(demo_session, "SELECT count(*) FROM variants WHERE photo_id IS NOT NULL") >= 4
    poor = "SELECT count(*) FROM product_facts WHERE label_en = '' OR value_en = ''"
    assert one(demo_session, poor) == 0


def test_only_the_six_rules_divide_money(demo_session: Session) -> None:
    with (files.DATA / "split_rules.csv").open(encoding="utf-8", newline="") as file:
        expected = {
            (row["facility"] or None, row["basis"], row["valid_from"], row["legal_basis"]): (
                {name: int(row[name]) for name in ("premium", "working_capital", "state_revenue")}
            )
            for row in csv.DictReader(file)
        }
    rows = demo_session.execute(
        text(
            """SELECT f.code, r.basis, r.valid_from::text, r.legal_basis,
                      jsonb_object_agg(u.code, s.basis_points) AS shares
                 FROM split_rules r JOIN split_rule_shares s ON s.split_rule_id = r.id
                 JOIN funds u ON u.id = s.fund_id LEFT JOIN facilities f ON f.id = r.facility_id
                WHERE r.approved_by <> r.proposed_by GROUP BY r.id, f.code"""
        )
    ).all()
    assert {tuple(row[:4]): row.shares for row in rows} == expected
    assert one(demo_session, "SELECT count(*) FROM split_rules") == 6


def test_every_facility_has_sold_within_its_rule(demo_session: Session) -> None:
    sold = column(
        demo_session,
        """SELECT count(DISTINCT o.id)
             FROM facilities f
             JOIN split_rules r ON r.id = COALESCE((SELECT id FROM split_rules WHERE facility_id = f.id),
                                                   (SELECT id FROM split_rules WHERE facility_id IS NULL))
             LEFT JOIN order_lines l ON l.facility_id = f.id AND l.split_rule_id = r.id
             LEFT JOIN orders o ON o.id = l.order_id AND o.state = 'paid'
                  AND accounting_date(o.paid_at) >= r.valid_from
            GROUP BY f.id""",
    )
    assert len(sold) == 28
    assert min(sold) >= 3


def test_orders_of_the_shop_are_collected_at_the_running_fair(demo_session: Session) -> None:
    states = "SELECT state FROM parcels WHERE exhibition_id IS NOT NULL ORDER BY state"
    assert demo_session.scalars(text(states)).all() == ["packed", "ready", "received"]


def test_exhibitions_of_the_past_and_the_one_that_runs(demo_session: Session) -> None:
    rows = demo_session.execute(text("SELECT slug, starts_on, ends_on FROM exhibitions")).all()
    days = {row.slug: (row.starts_on, row.ends_on) for row in rows}
    day = datetime.timedelta(days=1)
    # The template may have been loaded just before midnight.
    assert days["pameran-karya-binaan"] in {(t - day, t + 30 * day) for t in (today(), today() - day)}
    assert days["pameran-narapidana-2017"] == (datetime.date(2017, 4, 4), datetime.date(2017, 4, 7))
    assert len(days) == 5


def test_the_stand_is_stocked_by_transfers(demo_session: Session) -> None:
    rows = demo_session.execute(
        text(
            """SELECT s.available, p.facility_id FROM reporting.stock_by_location s JOIN variants v USING (sku)
                 JOIN products p ON p.id = v.product_id WHERE s.location = 'pameran-karya-binaan'"""
        )
    ).all()
    assert len(rows) >= 30
    assert len({row.facility_id for row in rows}) >= 10
    assert all(2 <= row.available <= 12 for row in rows)
    legs = "SELECT sum(quantity) = 0 AND count(*) = :legs FROM stock_movements WHERE reason = 'transfer'"
    assert one(demo_session, legs, legs=2 * len(rows)) is True
    # As sendings of those who take part; some of what two people plan waits for them.
    unsent = """SELECT count(*) FROM exhibition_pieces e JOIN facilities f ON f.id = e.facility_id
                  LEFT JOIN exhibition_sent t USING (exhibition_id, facility_id, variant_id)
                 WHERE e.planned > COALESCE(t.pieces, 0) AND f.code = :code"""
    assert min(one(demo_session, unsent, code=code) for code in ("PKL", "PLP", "BJB")) >= 1
    taking_part = "SELECT count(DISTINCT facility_id) FROM exhibition_sendings"
    assert one(demo_session, taking_part) == len({row.facility_id for row in rows})


def test_a_year_of_orders(demo_session: Session) -> None:
    states = Counter(column(demo_session, "SELECT status FROM order_status"))
    paid = one(demo_session, "SELECT count(*) FROM orders WHERE state = 'paid'")
    assert paid >= 400
    assert states["completed"] > 0.8 * paid
    assert states["paid"] >= 3
    assert states["shipped"] + states["partly_shipped"] >= 1
    assert states["expired"] >= 5
    # Two of the year, and three of the day of loading: two wait for a transfer, one is on hold.
    assert 4 <= states["awaiting_payment"] <= 6
    facilities = column(
        demo_session,
        """SELECT count(DISTINCT l.facility_id) FROM orders o JOIN order_lines l ON l.order_id = o.id
            WHERE o.state = 'paid' GROUP BY o.id""",
    )
    assert 0.22 < sum(number > 1 for number in facilities) / paid < 0.28
    assert one(demo_session, "SELECT max(placed_at) < now() FROM orders") is True
    assert one(demo_session, "SELECT min(paid_at) > now() - interval '368 days' FROM orders") is True


def test_coordinators_find_parcels_to_pack(demo_session: Session) -> None:
    query = """SELECT count(*) FROM parcels a JOIN memberships m ON m.facility_id = a.facility_id
               JOIN people p ON p.id = m.person_id WHERE a.state = 'to_pack' AND p.email = :email"""
    assert one(demo_session, query, email="coordinator@demo.test") >= 1
    assert one(demo_session, query, email="coordinator2@demo.test") >= 1
    assert one(demo_session, "SELECT count(*) FROM orders o JOIN people p ON p.id = o.person_id") >= 6


def test_hampers_sell_before_lebaran(demo_session: Session) -> None:
    rows = demo_session.execute(
        text(
            """SELECT accounting_date(o.placed_at) AS day, sum(l.quantity) AS pieces
                 FROM order_lines l JOIN orders o ON o.id = l.order_id
                WHERE l.sku = 'PLP-BOGA-01' AND o.state = 'paid' GROUP BY 1"""
        )
    ).all()
    year = [today() - datetime.timedelta(days=back) for back in range(1, 366)]
    ramadan = [day for day in year if "ramadan" in seasons_on(day)]
    in_ramadan = sum(row.pieces for row in rows if row.day in ramadan) / len(ramadan)
    otherwise = sum(row.pieces for row in rows if row.day not in ramadan) / (len(year) - len(ramadan))
    assert in_ramadan > 3 * otherwise


def test_past_lies_in_the_past_and_nothing_waits(
    demo_session: Session, demo_owner: psycopg.Connection
) -> None:
    broken = [finding for finding in check(demo_owner, INVARIANTS) if not finding.holds]
    assert broken == []
    assert one(demo_session, "SELECT count(*) FROM procrastinate_jobs") == 0
    assert one(demo_session, "SELECT count(*) FROM messages WHERE sent_at IS NULL") == 0
    # A marketplace's sales come in a file, after they were made.
    late = """SELECT count(*) FROM journal_entries e JOIN orders o ON o.id = e.order_id
               WHERE e.kind = 'sale' AND o.channel <> 'marketplace'
                 AND (e.effective_date <> accounting_date(o.paid_at) OR e.posted_at <> o.paid_at)"""
    assert one(demo_session, late) == 0
    for table, moment in [
        ("stock_movements", "moved_at"), ("messages", "created_at"), ("payment_attempts", "at"),
        ("audit_events", "at"), ("payment_events", "handled_at"), ("sandbox_events", "delivered_at"),
        ("reservations", "created_at"), ("payments", "created_at"),
        ("journal_entries", "posted_at"), ("refunds", "requested_at"), ("refunds", "finished_at"),
        ("payouts", "recorded_at"), ("settlements", "proposed_at"), ("settlements", "approved_at"),
        ("deposits", "proposed_at"), ("deposits", "approved_at"), ("bank_accounts", "proposed_at"),
        ("premium_distributions", "entered_at"), ("premium_distributions", "approved_at"),
        ("periods", "closed_at"), ("period_checks", "finished_at"), ("refunds", "approved_at"),
        ("disputes", "opened_at"), ("disputes", "closed_at"), ("corrections", "proposed_at"),
        ("corrections", "approved_at"), ("corrections", "rejected_at"), ("fee_bearers", "proposed_at"),
        ("settlements", "rejected_at"), ("premium_distributions", "rejected_at"),
    ]:  # fmt: skip
        # Nothing of the year carries the hour of loading: that day has the few things that the bank tells of alone.
        lately = one(
            demo_session, f"SELECT count(*) FROM {table} WHERE accounting_date({moment}) >= :day", day=today()
        )
        assert lately <= 60, (table, moment)


def test_months_are_worked_and_closed_but_the_last(demo_session: Session) -> None:
    first = today().replace(day=1)
    last_closed = (first - datetime.timedelta(days=32)).replace(day=1)
    assert one(demo_session, "SELECT max(month) FROM periods WHERE state = 'closed'") == last_closed
    assert one(demo_session, "SELECT count(*) FROM periods WHERE state = 'closed'") >= 10
    for kind in ("payout", "settlement", "deposit", "refund"):
        months = column(
            demo_session,
            "SELECT DISTINCT date_trunc('month', effective_date) FROM journal_entries WHERE kind = :kind",
            kind=kind,
        )
        assert len(months) >= 3, kind
    # Carried to the treasury piece by piece, so that a slip leads back to what was sold.
    assert one(demo_session, "SELECT count(*) FROM reporting.deposit_lines") > 300
    assert one(demo_session, "SELECT count(*) FROM reporting.deposit_lines WHERE line_id IS NULL") == 0
    reasons = set(column(demo_session, "SELECT DISTINCT reason FROM reporting.refunds"))
    assert reasons >= {"returned", "goodwill"}
    assert one(demo_session, "SELECT count(*) FROM reporting.premium_distributions") >= 5


def test_every_closed_month_is_proved(demo_session: Session, demo_app: Flask) -> None:
    runner = demo_app.test_cli_runner()
    months = column(demo_session, "SELECT to_char(month, 'YYYY-MM') FROM periods ORDER BY month")
    for month in months:
        proof = runner.invoke(args=["verify", "--period", month])
        assert proof.exit_code == 0, proof.output
        assert "unchanged" in proof.output
    still_open = runner.invoke(args=["verify", "--period", f"{today():%Y-%m}"])
    assert still_open.exit_code == 1
    assert "not closed" in still_open.output


def test_what_goes_wrong_is_in_the_books_too(demo_session: Session) -> None:
    def states(table: str) -> Counter[str]:
        return Counter(column(demo_session, f"SELECT state FROM {table}"))

    assert states("disputes") == {"won": 1, "lost": 1, "open": 1}
    assert states("corrections") == {"booked": 2, "proposed": 1, "rejected": 1}
    assert set(states("refunds")) == {"by_bank", "proposed", "rejected", "failed", "succeeded"}
    assert states("settlements")["reversed"] == states("deposits")["reversed"] == 1
    assert states("settlements")["rejected"] == states("premium_distributions")["rejected"] == 1
    kinds = set(column(demo_session, "SELECT DISTINCT kind FROM journal_entries"))
    assert kinds >= {"sale", "fee", "refund", "payout", "settlement", "deposit", "dispute", "correction", "reversal"}
    # A facility that forgets its deposit heads the overview.
    connection = driver_connection(demo_session.connection())
    assert older_than(connection, "state_revenue", today() - datetime.timedelta(days=30))


def test_fees_are_told_since_the_months_that_are_worked(demo_session: Session) -> None:
    query = """SELECT count(*) FROM payments
                WHERE state = 'succeeded' AND gateway = 'sandbox'
                  AND (fee IS NOT NULL) <> (accounting_date(succeeded_at) >= :day)"""
    # The template may have been loaded just before midnight.
    days = (worked_months(day)[0].first for day in (today(), today() - datetime.timedelta(days=1)))
    assert 0 in [one(demo_session, query, day=day) for day in days]
    assert one(demo_session, "SELECT count(*) FROM payments WHERE fee IS NOT NULL") > 50


def test_some_work_is_left_for_two_people(demo_session: Session) -> None:
    deposits = Counter(column(demo_session, "SELECT state FROM deposits"))
    assert deposits["proposed"] >= 1
    assert deposits["approved"] >= 2
    asked = """SELECT p.email, r.amount FROM refunds r JOIN people p ON p.id = r.proposed_by
                WHERE r.state = 'proposed' ORDER BY p.email"""
    *of_coordinators, of_finance = demo_session.execute(text(asked)).all()
    assert len(of_coordinators) == 3
    assert all(refund.email.startswith("coordinator") for refund in of_coordinators)
    assert (of_finance.email, of_finance.amount >= SHIPPED) == ("finance@demo.test", True)
    bearer = "SELECT count(*) FROM fee_bearers WHERE approved_at IS NULL AND rejected_at IS NULL"
    assert one(demo_session, bearer) == 1
    mine = """SELECT count(*) FROM settlements s JOIN memberships m ON m.facility_id = s.facility_id
                JOIN people p ON p.id = m.person_id
               WHERE s.state = 'proposed' AND p.email = 'head@demo.test' AND m.role = 'head'"""
    assert one(demo_session, mine) >= 1
    entered = "SELECT count(*) FROM premium_distributions WHERE state = 'entered'"
    assert one(demo_session, entered) >= 1
    alone = "SELECT count(*) FROM bank_accounts WHERE approved_at IS NULL AND rejected_at IS NULL"
    assert one(demo_session, alone) == 1


def test_the_provider_knows_of_the_same_money(demo_session: Session) -> None:
    """Its books agree with ours to the rupiah but for the difference that is shown, and each payout with its lines."""
    held = one(demo_session, "SELECT sum(amount - fee) FROM sandbox_lines")
    shown = one(demo_session, "SELECT sum(theirs - ours) FROM reconciliation_differences WHERE state = 'open'")
    assert shown == -500
    assert held - shown == one(
        demo_session,
        """SELECT sum(p.amount) FROM postings p JOIN accounts a ON a.id = p.account_id
            WHERE a.code = 'clearing:sandbox'""",
    )
    payouts = demo_session.execute(
        text(
            """SELECT o.amount, sum(l.amount - l.fee) FROM sandbox_payouts o
                 JOIN sandbox_lines l ON l.payout_id = o.id AND l.id <> 'txn_' || o.id GROUP BY o.id, o.amount"""
        )
    ).all()
    assert len(payouts) > 10
    assert [amount for amount, of_lines in payouts] == [of_lines for amount, of_lines in payouts]


def test_no_parcel_is_before_its_payment(demo_session: Session) -> None:
    wrong = """SELECT count(*) FROM parcels p JOIN orders o ON o.id = p.order_id
                WHERE p.packed_at < o.paid_at OR p.shipped_at < p.packed_at OR p.received_at < p.shipped_at"""
    assert one(demo_session, wrong) == 0


def test_shelves_were_never_below_nothing(demo_session: Session) -> None:
    negative = """SELECT count(*) FROM (
        SELECT sum(quantity) OVER (PARTITION BY variant_id, location_id ORDER BY moved_at, quantity DESC) AS level
          FROM stock_movements) AS walk WHERE level < 0"""
    assert one(demo_session, negative) == 0


def test_pictures_went_through_the_pipeline(demo_session: Session, demo_app: Flask) -> None:
    photos = demo_session.execute(text("SELECT DISTINCT key, widths FROM photos")).all()
    store = public_files()
    for photo in photos:
        for width in photo.widths:
            assert store.exists(file_key(photo.key, width, "webp"))
    bare = """SELECT count(*) FROM products p WHERE p.status <> 'archived' AND NOT EXISTS (
                  SELECT FROM photos h WHERE h.product_id = p.id AND length(alt) > 10 AND length(alt_en) > 10)"""
    assert one(demo_session, bare) == 0


def test_every_variant_has_a_code_for_its_label(demo_session: Session) -> None:
    query = """SELECT count(*) FROM variants v
                WHERE NOT EXISTS (SELECT FROM short_codes WHERE kind = 'variant' AND target = v.id)"""
    assert one(demo_session, query) == 0


@pytest.mark.parametrize("table", ["order_contacts", "people"])
def test_no_address_reaches_anybody(demo_session: Session, table: str) -> None:
    emails = column(demo_session, f"SELECT email FROM {table} WHERE email IS NOT NULL")
    assert all(email.endswith(("@example.test", "@demo.test")) for email in emails)


def test_training_of_all_kinds_over_several_years(demo_session: Session) -> None:
    kinds = dict(demo_session.execute(text("SELECT kind, count(*) FROM reporting.training GROUP BY 1")).all())
    assert set(kinds) == {"vocational_training", "apprenticeship", "competence_certification"}
    assert sum(kinds.values()) >= 20
    years = column(demo_session, "SELECT DISTINCT extract(year FROM ended_on)::int FROM reporting.training")
    assert len(years) >= 2
    # Some are too small to be shown, some wait for the office, one was withdrawn; and later outcomes are counted.
    assert one(demo_session, "SELECT count(*) FROM reporting.training WHERE participants < 5") >= 2
    states = set(column(demo_session, "SELECT state FROM training_programmes"))
    assert states == {"checked", "recorded", "rejected", "withdrawn"}
    files = demo_session.execute(text("SELECT state, stored, faults FROM training_imports ORDER BY id")).all()
    assert files == [("stored", 3, 1), ("ready", None, None)]
    assert one(demo_session, "SELECT count(*) FROM training_followups WHERE state = 'recorded'") == 1
    assert one(demo_session, "SELECT count(*) FROM training_outcomes") >= 5
    targets = demo_session.execute(text("SELECT year, people FROM training_targets ORDER BY year")).all()
    assert targets[:2] == [(2017, 5000), (2019, 20000)]
    for row in demo_session.execute(text("SELECT skill, partner, scheme FROM training_programmes")):
        assert not any(map(looks_like_a_person, row)), row
