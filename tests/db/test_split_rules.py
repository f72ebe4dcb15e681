"""Split rules: proposed by one, approved by another, never changed once used, and never two at once."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.books.four_eyes import Decided, FourEyes
from storefront.books.models import Period
from storefront.catalogue.models import CommodityGroup, Product
from storefront.days import today
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.ledger.models import Fund, SplitRule
from storefront.ledger.split_rules import Scope, rules_in_force
from storefront.orders.models import OrderLine
from storefront.rules.rule_changes import RuleDraft, RuleRefused, approve, propose, reject
from storefront.rules.rule_ends import approve_end, propose_end, reject_end
from storefront.rules.rule_preview import preview
from tests.factories import make_paid_order, make_person, make_rule
from tests.selling import Shop, open_shop
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("db_session")
DAY = datetime.timedelta(days=1)


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def fund(code: str) -> int:
    return db.session.execute(select(Fund.id).where(Fund.code == code)).scalar_one()


def draft(shop: Shop, **changes: object) -> RuleDraft:
    """From tomorrow: 60 to makers, 30 to capital, 10 to the state, of what Pekalongan sells."""
    given = RuleDraft(
        basis="net",
        valid_from=today() + DAY,
        valid_to=None,
        legal_basis="Keputusan Kepala Lapas nomor 12",
        legal_basis_en="Decision 12 of the head",
        shares=[(fund("premium"), 6000), (fund("working_capital"), 3000), (fund("state_revenue"), 1000)],
        facility_id=shop.pekalongan.id,
    )
    return replace(given, **changes)  # type: ignore[arg-type]


def in_force(facility: Facility, on: datetime.date) -> int:
    [rule] = rules_in_force([Scope(facility.id, 0)], on)
    return rule.id


def errors_of(call: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        call()
    return refused.value.errors


def test_a_rule_counts_only_once_another_person_has_approved_it(shop: Shop) -> None:
    first, second = make_person(), make_person()
    before = in_force(shop.pekalongan, today() + DAY)
    rule = propose(draft(shop), first.id)
    assert in_force(shop.pekalongan, today() + DAY) == before
    with pytest.raises(FourEyes):
        approve(rule.id, first.id)
    approve(rule.id, second.id)
    assert in_force(shop.pekalongan, today()) == before
    assert in_force(shop.pekalongan, today() + DAY) == rule.id
    assert in_force(shop.ambon, today() + DAY) == before


def test_the_database_refuses_the_same_person(shop: Shop) -> None:
    person = make_person()
    rule = propose(draft(shop), person.id)
    db.session.commit()
    with pytest.raises(DBAPIError, match="check"):
        db.session.execute(
            text("UPDATE split_rules SET approved_by = proposed_by, approved_at = now() WHERE id = :id"),
            {"id": rule.id},
        )


def test_what_was_proposed_is_what_is_approved(shop: Shop) -> None:
    rule = propose(draft(shop), make_person().id)
    db.session.commit()
    for statement in (
        "UPDATE split_rules SET basis = 'profit' WHERE id = :id",
        "UPDATE split_rules SET valid_from = valid_from + 1 WHERE id = :id",
        "UPDATE split_rule_shares SET basis_points = basis_points WHERE split_rule_id = :id",
        "INSERT INTO split_rule_shares SELECT :id, 8, max(id), 1 FROM funds",
    ):
        with pytest.raises(DBAPIError, match="proposed as it is"), db.session.begin_nested():
            db.session.execute(text(statement), {"id": rule.id})


def test_a_successor_ends_the_rule_before_it(shop: Shop) -> None:
    first, second = make_person(), make_person()
    former = make_rule(facility=shop.pekalongan, valid_from=datetime.date(2022, 1, 1))
    rule = approve(propose(draft(shop, valid_from=today() + 10 * DAY), first.id).id, second.id)
    assert former.valid_to == today() + 9 * DAY
    assert in_force(shop.pekalongan, today() + 9 * DAY) == former.id
    assert in_force(shop.pekalongan, today() + 10 * DAY) == rule.id


def test_overlapping_with_a_later_rule_is_a_clear_sentence(shop: Shop) -> None:
    first, second = make_person(), make_person()
    approve(propose(draft(shop, valid_from=today() + 10 * DAY), first.id).id, second.id)
    found = errors_of(lambda: propose(draft(shop, valid_from=today() + 5 * DAY), first.id))
    assert "berlaku mulai" in found["valid_from"]
    # With a last day before it, it fits.
    fits = draft(shop, valid_from=today() + 5 * DAY, valid_to=today() + 9 * DAY)
    approve(propose(fits, first.id).id, second.id)


def test_shares_that_sum_to_9999_are_a_sentence_with_the_sum(shop: Shop) -> None:
    shares = [(fund("premium"), 6000), (fund("working_capital"), 3000), (fund("state_revenue"), 999)]
    found = errors_of(lambda: propose(draft(shop, shares=shares), make_person().id))
    assert "99,99 % (9999 dari 10.000)" in found["shares"]
    assert db.session.scalar(select(SplitRule.id).where(SplitRule.approved_at.is_(None))) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"shares": []}, "shares"),
        ({"shares": [(1, 5000), (1, 5000)]}, "shares"),
        ({"shares": [(987_654, 10_000)]}, "shares"),
        ({"shares": [(1, 0), (2, 10_000)]}, "shares"),
        ({"shares": [(n, 1000) for n in range(1, 11)]}, "shares"),
        ({"basis": "gross"}, "basis"),
        ({"legal_basis": "SK"}, "legal_basis"),
        ({"legal_basis_en": ""}, "legal_basis_en"),
        ({"valid_to": datetime.date(2020, 1, 1)}, "valid_to"),
        ({"facility_id": 987_654}, "facility"),
        ({"workshop_id": 987_654}, "workshop"),
        ({"workshop_id": 1, "commodity_group_id": 1}, "commodity_group"),
        ({"facility_id": None, "valid_to": datetime.date(2099, 1, 1)}, "valid_to"),
        ({"valid_from": datetime.date(9000, 1, 1)}, "valid_from"),
    ],
)
def test_a_draft_that_cannot_be_is_refused_beside_its_field(
    shop: Shop, changes: dict[str, object], field: str
) -> None:
    assert field in errors_of(lambda: propose(draft(shop, **changes), make_person().id))


def test_a_rule_may_send_all_to_the_state(shop: Shop) -> None:
    rule = propose(draft(shop, shares=[(fund("state_revenue"), 10_000)]), make_person().id)
    approve(rule.id, make_person().id)
    assert in_force(shop.pekalongan, today() + DAY) == rule.id


def test_a_sale_is_never_divided_anew(shop: Shop) -> None:
    make_paid_order((shop.batik, 1))
    found = errors_of(lambda: propose(draft(shop, valid_from=today()), make_person().id))
    assert "1 baris penjualan" in found["valid_from"]
    # Another facility has not sold today: its rule may start at once.
    rule = propose(draft(shop, facility_id=shop.ambon.id, valid_from=today()), make_person().id)
    approve(rule.id, make_person().id)
    order = make_paid_order((shop.honey, 1))
    db.session.flush()
    used = db.session.scalar(select(OrderLine.split_rule_id).where(OrderLine.order_id == order.id))
    assert used == rule.id


def test_sales_of_a_narrower_rule_do_not_hinder_a_wider_one(shop: Shop) -> None:
    make_rule(facility=shop.pekalongan)
    make_paid_order((shop.batik, 1))
    changed = draft(shop, facility_id=None, valid_from=today())
    approve(propose(changed, make_person().id).id, make_person().id)


def test_a_sale_between_proposal_and_approval_is_seen(shop: Shop) -> None:
    rule = propose(draft(shop, valid_from=today()), make_person().id)
    make_paid_order((shop.batik, 1))
    with pytest.raises(RuleRefused) as refused:
        approve(rule.id, make_person().id)
    assert "tidak dibagi ulang" in str(refused.value.message)
    assert rule.approved_at is None


def test_a_date_in_a_closed_month_is_refused(shop: Shop) -> None:
    last = (today().replace(day=1) - DAY).replace(day=1)
    db.session.add(Period(month=last, state="closed", closed_by=make_person().id, entries=0))
    db.session.flush()
    found = errors_of(lambda: propose(draft(shop, valid_from=last), make_person().id))
    assert "sudah ditutup" in found["valid_from"]


def test_a_rejected_rule_stays_rejected(shop: Shop) -> None:
    rule = reject(propose(draft(shop), make_person().id).id, make_person().id, "Dasar hukumnya belum terbit")
    with pytest.raises(Decided):
        approve(rule.id, make_person().id)
    with pytest.raises(NotFound):
        approve(987_654, make_person().id)


def test_a_narrower_rule_ends_by_two_people_and_the_wider_one_follows(shop: Shop) -> None:
    first, second = make_person(), make_person()
    wider = in_force(shop.pekalongan, today())
    rule = make_rule(facility=shop.pekalongan)
    end = propose_end(rule.id, today() + DAY, "Kembali ke aturan umum", first.id)
    with pytest.raises(Decided):
        propose_end(rule.id, today() + DAY, "Kembali ke aturan umum", first.id)
    with pytest.raises(FourEyes):
        approve_end(end.id, first.id)
    assert in_force(shop.pekalongan, today() + 2 * DAY) == rule.id
    approve_end(end.id, second.id)
    assert in_force(shop.pekalongan, today() + DAY) == rule.id
    assert in_force(shop.pekalongan, today() + 2 * DAY) == wider
    with pytest.raises(Decided):
        reject_end(end.id, second.id)


def test_an_end_before_a_sale_or_of_the_default_is_refused(shop: Shop) -> None:
    person = make_person()
    rule = make_rule(facility=shop.pekalongan)
    make_paid_order((shop.batik, 1))
    assert "last_day" in errors_of(
        lambda: propose_end(rule.id, today() - DAY, "Sudah tidak dipakai", person.id)
    )
    default = in_force(shop.ambon, today())
    found = errors_of(lambda: propose_end(default, today() + DAY, "singkat", person.id))
    assert "tanpa pengganti" in found["last_day"]
    assert "10 sampai" in found["reason"]


def test_each_step_is_in_the_trail(shop: Shop) -> None:
    first, second = make_person(), make_person()
    rule = approve(propose(draft(shop), first.id).id, second.id)
    rows = db.session.scalars(
        select(AuditEvent).where(AuditEvent.subject_kind == "split_rule").order_by(AuditEvent.id)
    ).all()
    assert [(row.action, row.person_id, row.facility_id) for row in rows] == [
        ("split_rule.proposed", first.id, shop.pekalongan.id),
        ("split_rule.approved", second.id, shop.pekalongan.id),
    ]
    assert rows[1].subject_id == str(rule.id)
    assert rows[1].details["after"]["shares"] == {
        "premium": 6000,
        "working_capital": 3000,
        "state_revenue": 1000,
    }


def test_two_administrators_approving_rules_of_one_scope_at_once(shop: Shop, app: Flask) -> None:
    author = make_person().id
    rules = [propose(draft(shop), author).id for _ in range(2)]
    people = [make_person().id for _ in range(2)]
    db.session.commit()

    def call(rule_id: int, person_id: int) -> Callable[[], int]:
        def approve_one() -> int:
            with app.app_context():
                approve(rule_id, person_id)
                db.session.commit()
                return rule_id

        return approve_one

    answers = at_once([call(*pair) for pair in zip(rules, people, strict=True)])
    assert len([answer for answer in answers if isinstance(answer, int)]) == 1
    [refused] = [answer for answer in answers if isinstance(answer, Exception)]
    assert isinstance(refused, RuleRefused)
    assert "berlaku mulai" in str(refused.message)


def test_two_administrators_approving_the_same_rule_at_once(shop: Shop, app: Flask) -> None:
    rule = propose(draft(shop), make_person().id).id
    people = [make_person().id for _ in range(3)]
    db.session.commit()

    def call(person_id: int) -> Callable[[], int]:
        def approve_it() -> int:
            with app.app_context():
                approve(rule, person_id)
                db.session.commit()
                return person_id

        return approve_it

    answers = at_once([call(person_id) for person_id in people])
    assert len([answer for answer in answers if isinstance(answer, int)]) == 1
    assert all(isinstance(answer, int | Decided) for answer in answers)


def test_a_sale_and_the_approval_of_a_rule_for_today_wait_for_each_other(shop: Shop, app: Flask) -> None:
    """Whoever comes first wins: the sale has the new rule, or the rule is refused. Never the old one under it."""
    rule = propose(draft(shop, valid_from=today()), make_person().id).id
    person = make_person().id
    db.session.commit()

    def sell() -> int:
        with app.app_context():
            order_id = make_paid_order((shop.batik, 1)).id
            db.session.commit()
            return order_id

    def put_in_force() -> None:
        with app.app_context():
            approve(rule, person)
            db.session.commit()

    sold, approved = at_once([sell, put_in_force])
    assert isinstance(sold, int)
    used = db.session.scalar(select(OrderLine.split_rule_id).where(OrderLine.order_id == sold))
    assert (used == rule) == (approved is None), approved


def test_a_preview_divides_last_months_sales_and_writes_nothing(shop: Shop) -> None:
    last = (today().replace(day=1) - DAY).replace(day=1)
    noon = datetime.datetime.combine(last + 9 * DAY, datetime.time(5), datetime.UTC)
    make_paid_order((shop.batik, 2), (shop.honey, 1), paid_at=noon)
    make_paid_order((shop.chair, 1), paid_at=noon)
    db.session.commit()
    rule = propose(draft(shop), make_person().id)
    db.session.flush()
    counted = text("SELECT (SELECT count(*) FROM postings), (SELECT count(*) FROM order_line_shares)")
    before = db.session.execute(counted).one()
    found = preview(rule, last)
    assert db.session.execute(counted).one() == before
    [facility] = found.facilities
    assert (facility.code, facility.lines, facility.net_amount) == ("PKL", 2, 685_000)
    changes = {row.code: (found.total(row.id).old, found.total(row.id).new) for row in found.funds}
    assert changes == {
        "premium": (342_500, 411_000),
        "working_capital": (239_750, 205_500),
        "state_revenue": (102_750, 68_500),
    }
    assert sum(found.total(row.id).difference for row in found.funds) == 0


def test_a_preview_takes_goods_in_the_group_they_were_sold_in(shop: Shop) -> None:
    groups = {row.code: row.id for row in db.session.scalars(select(CommodityGroup))}
    food, crafts = groups["food"], groups["crafts"]
    product = db.session.get_one(Product, shop.batik.product_id)
    product.commodity_group_id = crafts
    db.session.flush()
    make_paid_order((shop.batik, 1))
    product.commodity_group_id = food
    db.session.flush()
    lines = {}
    for group in (food, crafts):
        rule = propose(draft(shop, facility_id=None, commodity_group_id=group), make_person().id)
        lines[group] = preview(rule, today().replace(day=1)).lines
    assert lines == {food: 0, crafts: 1}


def test_a_preview_reckons_material_first_under_profit(shop: Shop) -> None:
    shop.batik.material_cost = 40_000
    db.session.flush()
    make_paid_order((shop.batik, 1))
    rule = propose(draft(shop, basis="profit", shares=[(fund("state_revenue"), 10_000)]), make_person().id)
    found = preview(rule, today().replace(day=1))
    changes = {row.code: found.total(row.id).new for row in found.funds}
    assert changes == {"premium": 0, "working_capital": 40_000, "state_revenue": 60_000}
    assert preview(rule, today().replace(day=1), [shop.ambon.id]).lines == 0
