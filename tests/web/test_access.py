"""Every route of the personal faces × every role × two facilities, drawn from the URL map."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from werkzeug.routing import Rule as Route

from storefront import days
from storefront.books import proof
from storefront.catalogue.models import Variant
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.facilities import rest
from storefront.facilities.models import Facility
from storefront.orders import labels
from storefront.orders.models import Parcel
from storefront.people import access, coordinators, invitations, policy
from storefront.people.models import Membership, Role
from storefront.people.policy import Action
from storefront.shipping import offers
from storefront.stock import takes
from storefront.teams import handover
from storefront.web import PERSONAL_FACES
from tests.after_sale import make_problem
from tests.factories import PDF, make_member, make_paid_order, make_person, make_rule
from tests.fairs import make_fair, planned
from tests.listing_files import make_import
from tests.listings import listed_things
from tests.money_out import make_books, money_of
from tests.notices import notices_of
from tests.quotes import quoted_things
from tests.replay import replayed
from tests.selling import open_shop
from tests.staff import csrf_token, make_account, sign_in
from tests.training import training_of
from tests.unit.test_policy import TABLE
from tests.voices import asked, reviewed

#: Who is asked: roles, and whether they are bound to the first facility.
WHO = {
    "nobody": (),
    "shopper": (),
    "coordinator": ("coordinator",),
    "head": ("head",),
    "finance": ("finance",),
    "curator": ("curator",),
    "administrator": ("administrator",),
    "auditor": ("auditor",),
    "cashier": (),
}
#: Roles that a membership may bind to the first facility alone.
BOUND = {"coordinator", "head", "finance", "auditor"}
#: CONTRACT.md, "Pages": who enters a face at all.
ENTERS = {
    "seller": {"coordinator", "head"},
    "finance": {"finance", "administrator", "auditor"},
    "admin": {"administrator", "curator", "auditor"},
    "counter": {"cashier"},
}

#: Parts of an address that name a facility's own thing.
THINGS = {
    "parcel_id", "sku", "settlement_id", "deposit_id", "distribution_id", "account_id", "rule_id", "workshop_id",
    "enquiry_id", "file_id", "quote_id", "problem_id", "offer_id", "pause_id", "day_off_id", "member_id",
    "invitation_id", "handover_id", "reply_id", "certificate_id", "draft_id", "product_id", "lot_id", "labels_id",
    "event_id", "import_id", "slug", "programme_id", "followup_id", "upload_id",
}  # fmt: skip


@dataclass
class World:
    """Two facilities, each with something behind every address."""

    own: Facility
    other: Facility
    arguments: dict[str, dict[str, Any]]


@pytest.fixture
def world(db_session: DbSession) -> World:
    return whole_world()


@replayed
def whole_world() -> World:
    shop = open_shop()
    make_paid_order((shop.batik, 1), (shop.honey, 1))
    books = make_books(shop)
    db.session.commit()
    threads = {shop.pekalongan.code: asked(shop.tempeh).id, shop.ambon.code: asked(shop.honey).id}
    decree = proof.keep("rules", PDF)
    arguments = {}
    for facility, sku in ((shop.pekalongan, "PKL-BATIK"), (shop.ambon, "NML-MADU")):
        parcel = db.session.scalars(select(Parcel).where(Parcel.facility_id == facility.id)).one()
        rule = make_rule(facility=facility, document_key=decree)
        problem = make_problem(parcel)
        team = team_of(facility)
        things = listed_things(sku, decree)
        offer = offers.bear(facility.id, "nationwide", 100_000, days.today(), None, person_id=None)
        batch = labels.make_batch(facility.id, [parcel.id], "a6", make_person().id, facility.code.ljust(20, "-"))
        arguments[facility.code] = {
            "code": facility.code, "parcel_id": parcel.id, "sku": sku, "period": f"{days.today():%Y-%m}",
            "month": "2026-10", "fund": "premium", "rule_id": rule.id, "workshop_id": facility.workshops[0].id,
            "enquiry_id": threads[facility.code], "problem_id": problem.id, "position": 1, "offer_id": offer.id,
            "number": begun_take(facility.id), **team, **notices_of(facility), **things, **money_of(books, facility),
            "import_id": make_import(facility), "labels_id": batch.id, "slug": fair_of(facility, sku),
            **training_of(facility),
            **quoted_things(facility, sku, threads[facility.code]),
        }  # fmt: skip
    arguments["PKL"]["review_id"] = reviewed(shop.tempeh).id
    return World(shop.pekalongan, shop.ambon, arguments)


def team_of(facility: Facility) -> dict[str, int]:
    """A pause and a day off far ahead, a member, and an invitation that waits for a handover that is done."""
    head, first, second = (make_member(role, facility=facility) for role in ("head", "coordinator", "coordinator"))
    ahead = days.today() + datetime.timedelta(days=200)
    members = {one.person_id: one.id for one in coordinators.members(facility.id)}
    found = {
        "pause_id": rest.pause(facility.id, ahead, ahead, "Perbaikan bengkel", "Repairs", first.id).id,
        "day_off_id": rest.take_off(facility.id, ahead, ahead, "", first.id).id,
        "invitation_id": invitations.invite(facility.id, f"{facility.code}@contoh.test".lower(), "Calon", head.id).id,
        "handover_id": handover.hand_over(facility.id, members[first.id], members[second.id], head.id).id,
        "member_id": members[second.id],
    }
    db.session.commit()
    return found


def fair_of(facility: Facility, sku: str) -> str:
    """The address of a fair to which the facility means to bring a piece."""
    fair = make_fair(facility)
    planned(fair, facility, db.session.scalars(select(Variant.id).where(Variant.sku == sku)).one(), 1)
    return fair.slug


def begun_take(facility_id: int) -> int:
    """The number of a stock-take that is being counted."""
    key = f"kunci-hitung-stok-{facility_id}"
    who = make_person().id
    return takes.begin(facility_id, workshop_id=None, category_id=None, person_id=who, key=key).number


def routes(app: Flask) -> list[Route]:
    """All routes of the personal faces."""
    return [r for r in app.url_map.iter_rules() if r.endpoint.partition(".")[0] in PERSONAL_FACES]


def sample(route: Route, arguments: dict[str, Any]) -> dict[str, Any]:
    """Something for each part of the address; ids of nothing where the world has nothing."""
    found = {}
    for name in route.arguments:
        converter = route._converters[name]
        made_up: Any = 987_654_321 if type(converter).__name__ == "IntegerConverter" else "tidak-ada"
        if type(converter).__name__ == "AnyConverter":
            made_up = sorted(converter.items)[0]
        found[name] = arguments.get(name, made_up)
    return found


def ask(
    app: Flask, client: FlaskClient, route: Route, method: str, arguments: dict[str, Any], token: str,
    *, briefly: bool = False,
) -> int:
    """The status of a request as a page of ours would make it; `briefly`: as htmx would, with errors as fragments."""
    with app.test_request_context():
        address = app.url_map.bind("localhost").build(route.endpoint, sample(route, arguments), method=method)
    headers = {"X-CSRFToken": token} | ({"HX-Request": "true"} if briefly else {})
    answer = client.open(address, method=method, headers=headers)
    if answer.status_code in (302, 303) and answer.headers["Location"].startswith("/login?next"):
        return 401
    return 401 if answer.status_code == 302 and answer.headers["Location"] == "/login" else answer.status_code


def methods(route: Route) -> set[str]:
    return (route.methods or set()) - {"HEAD", "OPTIONS"}


def test_every_route_of_a_personal_face_declares_its_rule(app: Flask) -> None:
    with app.app_context():
        missing = [route.endpoint for route in routes(app) if access.rule_of(route.endpoint) is None]
    assert missing == []


def test_every_personal_face_is_guarded(app: Flask) -> None:
    for name in PERSONAL_FACES & app.blueprints.keys():
        assert app.blueprints[name].before_request_funcs, name


def test_only_the_ways_in_and_out_are_public(app: Flask) -> None:
    with app.app_context():
        public = {r.endpoint for r in routes(app) if (rule := access.rule_of(r.endpoint)) and rule.public}
    assert public == {
        *("account.login", "account.enter", "account.logout"),
        # By a mailed link, also where nobody is signed in.
        *("account.ask_for_link", "account.link_sent", "account.open_link"),
        *("account.code", "account.enter_code", "account.set_up", "account.finish_set_up"),
        *("account.use_link", "account.open_new_email", "account.use_new_email"),
        *("account.open_invitation", "account.accept_invitation"),
    }


def test_what_changes_something_is_never_allowed_by_a_right_to_read(app: Flask) -> None:
    with app.app_context():
        for route in routes(app):
            rule = access.rule_of(route.endpoint)
            if rule and rule.action and methods(route) & {"POST", "PUT", "DELETE", "PATCH"}:
                assert not rule.action.value.endswith(".read"), route.endpoint


#: Asked for or entered by a facility: nothing moves until another person, who is proven, agrees. Packs only gather.
ASKS = {Action.PREMIUM_ENTER, Action.REFUNDS_ASK, Action.EXPORTS_WRITE}
#: Acts that move neither money nor roles nor bank accounts. A new action belongs here or into `policy.PROVEN`.
MOVES_NOTHING = {
    Action.LISTINGS_WRITE, Action.STOCK_WRITE, Action.REVIEW_ASK, Action.PUBLISH, Action.PARCELS_WRITE,
    Action.BUYERS_UNMASK, Action.CERTIFICATES_ISSUE, Action.REFUNDS_ASK, Action.PREMIUM_ENTER, Action.ENQUIRIES_WRITE,
    Action.TRAINING_WRITE, Action.EXHIBITIONS_BRING, Action.EXHIBITIONS_WRITE, Action.EXHIBITION_PAGES,
    Action.COUNTER_SELL, Action.PAGES_WRITE, Action.DECLARATIONS_PROPOSE,
    Action.DECLARATIONS_APPROVE, Action.CASES_WRITE, Action.FACILITIES_WRITE, Action.EXPORTS_WRITE,
    Action.SYSTEM_WRITE,
}  # fmt: skip


def test_every_act_is_either_proven_or_moves_neither_money_nor_roles(app: Flask) -> None:
    reads = {action for action in Action if action.value.endswith(".read")}
    assert not MOVES_NOTHING & policy.PROVEN
    assert set(Action) - reads == MOVES_NOTHING | policy.PROVEN
    wrong = []
    moving = re.compile("refund|deposit|settlement|account|payout|transfer|bank|premium|distribut|role|people|period")
    with app.app_context():
        for route in routes(app):
            rule, face = access.rule_of(route.endpoint), route.endpoint.partition(".")[0]
            if face in ENTERS and methods(route) & {"POST", "PUT", "DELETE", "PATCH"} and moving.search(route.rule):
                assert rule is not None
                if rule.action not in policy.PROVEN | ASKS:
                    wrong.append(route.endpoint)
    assert wrong == []


def test_what_concerns_a_facility_names_it(app: Flask) -> None:
    for route in routes(app):
        if route.endpoint.startswith("seller."):
            assert route.rule in ("/seller/",) or route.rule.startswith("/seller/<code>"), route.rule


@pytest.mark.parametrize("name", WHO)
def test_the_matrix(app: Flask, world: World, name: str) -> None:
    own = world.own.code
    client = app.test_client()
    if name != "nobody":
        person = make_account(*WHO[name], facilities=(world.own,))
        if name == "cashier":
            slug = world.arguments[own]["slug"]
            fair = db.session.scalars(select(Exhibition.id).where(Exhibition.slug == slug)).one()
            db.session.add(Membership(person_id=person.id, role="cashier", exhibition_id=fair))
        sign_in(client, person)
    token = csrf_token(client)
    wrong = []
    with app.app_context():
        declared = {route.endpoint: access.rule_of(route.endpoint) for route in routes(app)}
    for route in sorted(routes(app), key=lambda r: (r.rule, sorted(methods(r)))):
        rule, face = declared[route.endpoint], route.endpoint.partition(".")[0]
        if rule is None or rule.public or route.endpoint.startswith("account.end_"):
            continue  # the ends of sessions have tests of their own: they would sign this client out
        for code in world.arguments if "code" in route.arguments else (own,):
            for method in methods(route):
                expected = outcome(name, face, rule, code == own)
                # Thousands are refused, by one page that others test.
                closed = expected in ("absent", "refused")
                status = ask(app, client, route, method, world.arguments[code], token, briefly=closed)
                if not fits(status, expected):
                    wrong.append(f"{method} {route.rule} in {code}: {status}, expected {expected}")
    assert wrong == []


def outcome(name: str, face: str, rule: access.Rule, is_own: bool) -> str:
    """What the promises say: `sign in`, `absent`, `refused` or `open`."""
    if name == "nobody":
        return "sign in"
    if face in ENTERS:
        if name not in ENTERS[face]:
            return "absent"
        if not is_own and name in BOUND:
            return "absent"
    if rule.action in (None, Action.COUNTER_SELL):  # whom the counter admits sells at the fair of the address
        return "open"
    return "open" if name in TABLE[rule.action].split() else "refused"


def fits(status: int, expected: str) -> bool:
    if expected == "sign in":
        return status == 401
    if expected == "absent":
        return status == 404
    if expected == "refused":
        return status == 403
    # Behind an open door a made-up id is not found, a missing field is refused, an old step comes too late.
    return status not in (401, 403) and status < 500


@pytest.mark.parametrize("role", ["coordinator", "head"])
def test_behind_an_open_door_the_real_things_are_there(app: Flask, world: World, role: str) -> None:
    client = sign_in(app.test_client(), make_account(role, facilities=(world.own,)))
    token = csrf_token(client)
    with app.app_context():
        declared = {route.endpoint: access.rule_of(route.endpoint) for route in routes(app)}
    for route in routes(app):
        rule = declared[route.endpoint]
        closed = rule is not None and rule.action is not None and role not in TABLE[rule.action].split()
        if route.endpoint.startswith("seller.") and "GET" in methods(route) and not closed:
            # An export without a format, and the address of a refused form, lead to the page that offers them.
            leads_on = route.endpoint == "seller.export" or route.endpoint.startswith("seller.after_")
            status = ask(app, client, route, "GET", world.arguments["PKL"], token)
            # What needs a buyer's parcel or a slip that nobody has uploaded yet is not there.
            absent = 404 if route.endpoint == "seller.deposit_proof" else 200
            assert status == (302 if leads_on else absent), route.rule


def test_another_facilitys_things_under_ones_own_address_do_not_exist(app: Flask, world: World) -> None:
    client = sign_in(app.test_client(), make_account("coordinator", "head", facilities=(world.own,)))
    token = csrf_token(client)
    foreign = {**world.arguments["NML"], "code": "PKL"}
    asked = 0
    for route in routes(app):
        if not route.endpoint.startswith("seller.") or not route.arguments & THINGS:
            continue
        for method in methods(route):
            asked += 1
            assert ask(app, client, route, method, foreign, token) == 404, f"{method} {route.rule}"
    assert asked >= 25


def test_a_facility_that_does_not_exist_answers_as_anothers(app: Flask, world: World) -> None:
    client = sign_in(app.test_client(), make_account("coordinator", facilities=(world.own,)))
    unknown, other = client.get("/seller/ZZZ/"), client.get("/seller/NML/")
    assert unknown.status_code == other.status_code == 404

    def same(text: str) -> str:
        return re.sub(r"[0-9a-f]{16}", "", text.replace("ZZZ", "NML"))

    assert same(unknown.text) == same(other.text)


def test_two_facilities_are_listed_and_only_those(app: Flask, world: World) -> None:
    both = sign_in(app.test_client(), make_account("coordinator", facilities=(world.own, world.other)))
    one = sign_in(app.test_client(), make_account("head", facilities=(world.own,)))
    assert 'href="/seller/PKL/"' in both.get("/seller/").text
    assert 'href="/seller/NML/"' in both.get("/seller/").text
    assert 'href="/seller/PKL/"' in one.get("/seller/").text
    assert "/seller/NML" not in one.get("/seller/").text


def test_a_route_without_a_rule_is_refused(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in(app.test_client(), make_account("coordinator", facilities=(world.own,)))
    assert client.get("/seller/PKL/").status_code == 200
    monkeypatch.delattr(app.view_functions["seller.today"], access.RULE)
    assert client.get("/seller/PKL/").status_code == 403


def test_programs_are_told_to_sign_in(app: Flask, world: World) -> None:
    answer = app.test_client().get("/seller/PKL/", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.json["code"] == "sign_in_needed"


def test_the_table_knows_every_role() -> None:
    assert {role.value for role in Role} == set().union(*(faces for faces in ENTERS.values()))
    assert {face: {r.value for r in held} for face, held in policy.FACES.items()} == ENTERS
