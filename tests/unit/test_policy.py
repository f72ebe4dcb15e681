"""PRODUCT.md, "Who may do what", as promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from storefront.errors import Forbidden, NotFound
from storefront.people import policy
from storefront.people.policy import Action, Role

OWN, OTHER = 1, 2
NOW = datetime.now(UTC)


@dataclass
class Holds:
    role: str
    facility_id: int | None = None
    exhibition_id: int | None = None
    valid_from: datetime = NOW - timedelta(days=1)
    valid_until: datetime | None = None


@dataclass
class Somebody:
    memberships: list[Holds]
    is_active: bool = True


PEOPLE = {
    "shopper": Somebody([]),
    "coordinator": Somebody([Holds("coordinator", OWN)]),
    "head": Somebody([Holds("head", OWN)]),
    "finance": Somebody([Holds("finance")]),
    "finance of one": Somebody([Holds("finance", OWN)]),
    "curator": Somebody([Holds("curator")]),
    "administrator": Somebody([Holds("administrator")]),
    "auditor": Somebody([Holds("auditor")]),
    "cashier": Somebody([Holds("cashier", exhibition_id=7)]),
}

#: Who may do it in their own facility, written out once more from the table.
TABLE = {
    Action.LISTINGS_READ: "coordinator head curator administrator auditor",
    Action.LISTINGS_WRITE: "coordinator curator administrator",
    Action.STOCK_READ: "coordinator head administrator auditor",
    Action.STOCK_WRITE: "coordinator administrator",
    Action.REVIEW_ASK: "coordinator",
    Action.PUBLISH: "curator administrator",
    Action.PARCELS_READ: "coordinator head finance administrator auditor",
    Action.PARCELS_WRITE: "coordinator administrator",
    Action.BUYERS_READ: "coordinator administrator",
    Action.BUYERS_UNMASK: "administrator",
    Action.REVENUE_READ: "coordinator head finance administrator auditor",
    Action.CERTIFICATES_ISSUE: "coordinator",
    Action.REFUNDS_READ: "coordinator finance auditor",
    Action.REFUNDS_ASK: "coordinator",
    Action.REFUNDS_WRITE: "finance",
    Action.DEPOSITS_READ: "head finance auditor",
    Action.DEPOSITS_WRITE: "finance",
    Action.DEPOSITS_APPROVE: "head finance",
    Action.SETTLEMENTS_READ: "head finance auditor",
    Action.SETTLEMENTS_WRITE: "finance",
    Action.SETTLEMENTS_APPROVE: "head finance",
    Action.BANK_ACCOUNTS_READ: "head finance auditor",
    Action.BANK_ACCOUNTS_WRITE: "finance",
    Action.BANK_ACCOUNTS_APPROVE: "head finance",
    Action.BANK_ACCOUNTS_PROPOSE: "coordinator head",
    Action.BANK_READ: "finance auditor",
    Action.BANK_WRITE: "finance",
    Action.RETURNS_READ: "finance",
    Action.RETURNS_WRITE: "finance",
    Action.PREMIUM_READ: "coordinator head finance auditor",
    Action.PREMIUM_ENTER: "coordinator finance",
    Action.PREMIUM_APPROVE: "head finance",
    Action.EXPORTS_WRITE: "finance administrator auditor",
    Action.BOOKS_READ: "finance administrator auditor",
    Action.BOOKS_WRITE: "finance",
    Action.BOOKS_CLOSE: "finance",
    Action.BOOKS_REOPEN: "administrator",
    Action.RULES_READ: "coordinator head finance administrator auditor",
    Action.RULES_PROPOSE: "finance",
    Action.RULES_APPROVE: "administrator",
    Action.ENQUIRIES_READ: "coordinator head finance administrator auditor",
    Action.ENQUIRIES_WRITE: "coordinator administrator",
    Action.TRAINING_READ: "coordinator head finance administrator auditor",
    Action.TRAINING_WRITE: "coordinator administrator",
    Action.EXHIBITIONS_READ: "coordinator head finance curator administrator auditor",
    Action.EXHIBITIONS_BRING: "coordinator",
    Action.EXHIBITIONS_WRITE: "administrator",
    Action.EXHIBITION_PAGES: "curator administrator",
    Action.TILLS_CLOSE: "finance",
    Action.COUNTER_SELL: "",  # asked by exhibition, see below
    Action.PAGES_WRITE: "curator administrator",
    Action.DECLARATIONS_READ: "coordinator head curator administrator auditor",
    Action.DECLARATIONS_PROPOSE: "coordinator",
    Action.DECLARATIONS_APPROVE: "curator administrator",
    Action.CASES_READ: "administrator auditor",
    Action.CASES_WRITE: "administrator",
    Action.FACILITIES_READ: "administrator auditor",
    Action.FACILITIES_WRITE: "administrator",
    Action.PEOPLE_READ: "head administrator auditor",
    Action.COORDINATORS_WRITE: "head administrator",
    Action.PEOPLE_WRITE: "administrator",
    Action.SETTINGS_WRITE: "administrator",
    Action.SYSTEM_READ: "administrator auditor",
    Action.SYSTEM_WRITE: "administrator",
    Action.RATES_READ: "administrator auditor",
    Action.RATES_WRITE: "administrator",
    Action.SETTINGS_READ: "administrator auditor",
    Action.INTEGRATIONS_READ: "administrator auditor",
    Action.INTEGRATIONS_WRITE: "administrator",
    Action.AUDIT_READ: "finance administrator auditor",
}
BOUND = ("coordinator", "head", "finance of one")


@pytest.mark.parametrize("action", list(Action))
def test_each_action_is_for_the_roles_of_the_table(action: Action) -> None:
    allowed = set(TABLE[action].split())
    if "finance" in allowed:
        allowed.add("finance of one")
    for name, person in PEOPLE.items():
        assert policy.may(person, action, OWN) == (name in allowed), name
        assert policy.may(person, action, OTHER) == (name in allowed and name not in BOUND), name


def test_a_membership_counts_from_its_first_to_its_last_moment() -> None:
    over = Somebody([Holds("coordinator", OWN, valid_until=NOW - timedelta(seconds=1))])
    to_come = Somebody([Holds("coordinator", OWN, valid_from=NOW + timedelta(hours=1))])
    assert not policy.may(over, Action.PARCELS_READ, OWN)
    assert not policy.may(to_come, Action.PARCELS_READ, OWN)
    assert policy.may(Somebody([Holds("auditor", valid_until=NOW + timedelta(hours=1))]), Action.BOOKS_READ)


def test_an_inactive_person_may_nothing() -> None:
    assert not policy.may(Somebody([Holds("administrator")], is_active=False), Action.PEOPLE_WRITE)
    assert not policy.may(None, Action.PEOPLE_WRITE)


def test_another_facility_does_not_exist_and_another_role_is_refused() -> None:
    with pytest.raises(NotFound):
        policy.require(PEOPLE["coordinator"], Action.PARCELS_READ, OTHER, face="seller")
    with pytest.raises(Forbidden):
        policy.require(PEOPLE["head"], Action.PARCELS_WRITE, OWN, face="seller")
    policy.require(PEOPLE["coordinator"], Action.PARCELS_WRITE, OWN, face="seller")


def test_the_office_does_not_work_through_a_facilitys_face() -> None:
    for name in ("administrator", "auditor", "finance of one", "curator"):
        with pytest.raises(NotFound):
            policy.require(PEOPLE[name], Action.PARCELS_READ, OWN, face="seller")


def test_roles_add_up_but_a_role_in_one_place_does_not_reach_another() -> None:
    both = Somebody([Holds("head", OWN), Holds("coordinator", OTHER)])
    assert policy.may(both, Action.PARCELS_WRITE, OTHER)
    assert not policy.may(both, Action.PARCELS_WRITE, OWN)
    assert policy.reach(both, Action.PARCELS_READ).facility_ids == {OWN, OTHER}


def test_only_a_named_cashier_sells_and_only_there() -> None:
    assert policy.may_sell_at(PEOPLE["cashier"], 7)
    assert not policy.may_sell_at(PEOPLE["cashier"], 8)
    assert not any(policy.may_sell_at(PEOPLE[name], 7) for name in PEOPLE if name != "cashier")


def test_every_role_has_a_face_and_every_action_a_role() -> None:
    assert set().union(*policy.FACES.values()) == set(Role)
    assert set(policy.GRANTS) == set(Action)
    assert all(policy.GRANTS.values())
