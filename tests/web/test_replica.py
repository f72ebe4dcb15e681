"""A real streaming replica, seconds behind: strangers read from it, and nobody misses what they did themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from storefront import create_app, metrics, replica, replica_watch
from storefront.blueprints.shop.state import StateReader
from storefront.embedded import SUPERUSER, WEB, Server
from storefront.exports.from_replica import settled
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.languages import PERSONAL_FACES
from storefront.listings.models import ListingDraft
from storefront.people import access
from storefront.snapshot import snapshot
from storefront.sources import Source, engine
from tests.clones import TEMPLATE, TestServer, settings_for
from tests.conftest import IsolatedClient
from tests.drills.running_shop import stock_up
from tests.drills.shoppers import ADDRESS
from tests.listings import make_draft
from tests.replica import Replica, copy_database
from tests.staff import SAME, make_account, post, sign_in

#: How long the replica waits with each commit here, in seconds: longer than any test looks at what it does not know.
BEHIND = 120


@pytest.fixture(scope="module")
def primary(database_server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, so that the replica has nothing else to follow."""
    server = Server(tmp_path_factory.mktemp("primary"), durable=False)
    server.start()
    copy_database(database_server.server.addresses(TEMPLATE)[SUPERUSER], server.addresses()[SUPERUSER])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def follower(primary: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    server = Replica(primary, tmp_path_factory.mktemp("replica"))
    server.start()
    yield server
    server.stop()


def app_on(primary: Server, replica_url: str | None) -> Flask:
    env = {"DATABASE_REPLICA_URL": replica_url} if replica_url else {}
    app = create_app(settings_for(primary.addresses(), primary.var_dir, **env))
    app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=False)
    app.test_client_class = IsolatedClient
    return app


@pytest.fixture(scope="module")
def shop(primary: Server, follower: Replica) -> Iterator[Flask]:
    """A shop with a replica, goods and an open app context."""
    app = app_on(primary, follower.addresses()[WEB])
    with app.app_context():
        stock_up(50)
        db.session.commit()
        yield app
        watched = replica.watch()
        assert watched is not None
        watched.close()
        db.session.remove()
        for each in db.engines.values():
            each.dispose()


@pytest.fixture
def caught_up(shop: Flask, follower: Replica) -> Iterator[None]:
    """The replica knows all at the beginning, and from then on nothing more."""
    db.session.commit()
    follower.wait_with_commits(0)
    follower.caught_up()
    follower.wait_with_commits(BEHIND)
    look()
    yield
    follower.wait_with_commits(0)


def look() -> replica_watch.Condition:
    watched = replica.watch()
    assert watched is not None
    return watched.look()


def read_from(client: FlaskClient, path: str) -> tuple[Source, int, str]:
    """Which server answers a page, with what status and text."""
    before = {source: _reads(source) for source in Source}
    answer = client.get(path)
    (source,) = [source for source in Source if _reads(source) > before[source]]
    return source, answer.status_code, answer.text


def _reads(source: Source) -> float:
    return metrics.READS.labels(source.value)._value.get()


def page_of(client: FlaskClient, path: str) -> tuple[Source, int]:
    return read_from(client, path)[:2]


@pytest.mark.usefixtures("caught_up")
def test_strangers_read_from_the_replica_and_a_buyer_sees_their_own_order_at_once(shop: Flask) -> None:
    slug = db.session.execute(text("SELECT slug FROM products ORDER BY id LIMIT 1")).scalar_one()
    facility = db.session.execute(text("SELECT slug FROM facilities ORDER BY id LIMIT 1")).scalar_one()
    db.session.rollback()
    stranger = shop.test_client()
    public = [
        *("/", "/products", "/products?q=kursi", "/fragments/suggest?q=kur", "/facilities", "/exhibitions", "/impact"),
        *(f"/products/{slug}", f"/facilities/{facility}", "/help", "/sitemap.xml", "/sitemap-1.xml", "/en/"),
        *("/feeds/products.xml", "/api/v1/products"),
    ]
    for path in (*public, "/"):
        assert page_of(stranger, path) == (Source.REPLICA, 200), path
    buyer = shop.test_client()
    cart = buyer.post("/api/v1/carts", json={}).json["id"]
    assert buyer.post(f"/api/v1/carts/{cart}/lines", json={"sku": "DRA-1", "quantity": 3}).status_code == 201
    asked = {"name": "Sari", "email": "sari@example.test", "address": ADDRESS}
    done = buyer.post(f"/api/v1/carts/{cart}/checkout", json=asked, headers={"Idempotency-Key": "replica-1"})
    order = done.json["order"]
    # The replica knows nothing of it, and is asked for none of this.
    seen = buyer.get(f"/api/v1/orders/{order['number']}?token={order['token']}").json
    assert (seen["status"], seen["total"]) == ("awaiting_payment", order["total"])
    opened = buyer.get(f"/orders/{order['number']}?token={order['token']}", follow_redirects=True)
    assert (opened.status_code, order["number"] in opened.text) == (200, True)
    # What is free is true at this moment for everybody, although the list came from the replica.
    (source, _, _), found = read_from(stranger, "/api/v1/products"), stranger.get("/api/v1/products").json
    free = {v["sku"]: v["available"] for item in found["items"] for v in item["variants"]}
    assert (source, free["DRA-1"]) == (Source.REPLICA, 47)
    # Whoever has just changed something reads from the primary, until the replica knows of it.
    buyer.post("/cart/lines", data={"sku": "DRA-2", "quantity": "1"}, headers=SAME)
    assert page_of(buyer, "/") == (Source.PRIMARY, 200)
    assert page_of(stranger, "/") == (Source.REPLICA, 200)


@pytest.fixture
def place(shop: Flask) -> Workshop:
    return db.session.scalars(db.select(Workshop).order_by(Workshop.id)).first() or pytest.fail("no workshop")


def test_what_is_published_is_seen_at_once_and_no_older_page_stands_under_a_newer_state(
    shop: Flask, place: Workshop, follower: Replica, caught_up: None
) -> None:
    code, author = place.facility.code, make_account("coordinator", facilities=(place.facility,))
    draft = make_draft(place, author, title="Keripik tempe pedas", description="Gurih.")
    draft_id = draft.id
    curator_account = make_account("curator")
    db.session.commit()
    stranger, keeper, curator = shop.test_client(), shop.test_client(), shop.test_client()
    assert "Keripik tempe" not in stranger.get("/products").text
    sign_in(keeper, author)  # the session is written and read at the primary: nobody is signed out again
    sign_in(curator, curator_account)
    sent = post(keeper, f"/seller/{code}/listings/{draft_id}/submit", {"version": "1"})
    assert sent.status_code == 303
    version = db.session.get_one(ListingDraft, draft_id, populate_existing=True).version
    db.session.commit()
    assert post(curator, f"/admin/listings/{draft_id}/approve", {"version": str(version)}).status_code == 303
    assert keeper.get(f"/seller/{code}/listings").status_code == 200
    for person in (curator, keeper):
        source, status, listed = read_from(person, "/products")
        assert (source, status, "Keripik tempe pedas" in listed) == (Source.PRIMARY, 200, True)
        assert page_of(person, "/products/keripik-tempe-pedas") == (Source.PRIMARY, 200)
    # A stranger's list is some seconds old; a link that was sent to them is not refused for that.
    source, status, listed = read_from(stranger, "/products")
    assert (source, status, "Keripik tempe" in listed) == (Source.REPLICA, 200, False)
    assert page_of(stranger, "/products/keripik-tempe-pedas") == (Source.PRIMARY, 200)
    behind = look().behind
    assert behind is not None
    assert behind > 0
    follower.wait_with_commits(0)
    follower.caught_up()
    for person in (stranger, keeper):
        source, status, listed = read_from(person, "/products")
        assert (source, status, "Keripik tempe pedas" in listed) == (Source.REPLICA, 200, True)
    assert page_of(stranger, "/products/keripik-tempe-pedas") == (Source.REPLICA, 200)


def test_a_replica_that_is_gone_is_not_missed_and_is_used_when_it_is_back(shop: Flask, follower: Replica) -> None:
    follower.wait_with_commits(0)
    follower.caught_up()
    administrator, stranger = sign_in(shop.test_client(), make_account("administrator")), shop.test_client()
    db.session.commit()
    follower.caught_up()
    look()
    assert page_of(stranger, "/products?sort=price") == (Source.REPLICA, 200)
    assert "tertinggal 0 detik" in administrator.get("/admin/system").text
    assert "0 s behind" in administrator.get("/en/admin/system").text
    assert stranger.get("/readyz").json["checks"]["replica"] == "ok"
    follower.kill()
    assert page_of(stranger, "/products?sort=price") == (Source.PRIMARY, 200)
    assert page_of(stranger, "/api/v1/products?q=kursi") == (Source.PRIMARY, 200)
    assert "tidak menjawab" in administrator.get("/admin/system").text
    ready = stranger.get("/readyz")
    assert (ready.status_code, ready.json["checks"]["replica"]) == (200, "away")
    follower.come_back()
    assert look().is_good
    assert page_of(stranger, "/products?sort=price") == (Source.REPLICA, 200)


def test_an_export_by_a_job_waits_for_the_replica_or_does_without_it(shop: Flask, follower: Replica) -> None:
    def orders(_as_of: object) -> tuple[str, int]:
        with snapshot(engine()) as connection:
            (row,) = connection.execute("SELECT pg_is_in_recovery()::text, count(*) FROM orders").fetchall()
            return row

    follower.wait_with_commits(1)
    db.session.execute(text("UPDATE catalogue_version SET version = version + 1"))
    db.session.commit()
    begun, (in_recovery, _) = time.monotonic(), settled(None, orders)
    assert in_recovery == "true"
    assert time.monotonic() - begun > 0.7

    def fails_there(as_of: object) -> tuple[str, int]:
        found = orders(as_of)
        if found[0] == "true":
            with snapshot(engine()) as connection:
                connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return found

    follower.wait_with_commits(0)
    follower.caught_up()
    assert settled(None, fails_there)[0] == "false"


def test_a_marked_view_that_writes_fails_whichever_server_it_is_given(shop: Flask, primary: Server) -> None:
    def writes() -> str:
        db.session.execute(text("UPDATE catalogue_version SET version = version + 1"))
        db.session.commit()
        return "written"

    assert look().is_good
    for app in (shop, app_on(primary, None)):
        with app.test_request_context("/"):
            with pytest.raises(InternalError, match="read-only transaction"):
                replica.read(writes)
            db.session.rollback()


def test_what_may_lag_is_public_and_only_reads(shop: Flask) -> None:
    marked = {
        rule.endpoint: rule
        for rule in shop.url_map.iter_rules()
        if getattr(shop.view_functions[rule.endpoint], "may_lag", False)
    }
    assert {rule.endpoint.partition(".")[0] for rule in marked.values()} <= {"shop", "api"}
    assert not {name for name in marked if name.partition(".")[0] in PERSONAL_FACES}
    assert all(rule.methods <= {"GET", "HEAD", "OPTIONS"} for rule in marked.values() if rule.methods)
    assert {name for name in marked if name.startswith("api.")} == {"api.list_products"}
    # A figure of a day that is over stays for ever, and who asks `since` must miss nothing.
    kept_away = {
        *("shop.impact_figure_rows", "shop.catalogue_lines", "shop.catalogue_csv", "shop.me", "shop.stock"),
        *("shop.short_link", "shop.certificate", "shop.product_shipping"),
    }
    assert not kept_away & set(marked)


class Answers:
    """A line whose answers are given."""

    def __init__(self, answer: Callable[[], tuple[object, ...]]) -> None:
        self.ask = lambda _question: answer()


def test_how_far_behind_is_told_by_the_log_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for({WEB: "postgresql://x", "storefront_owner": "postgresql://x"}, tmp_path)
    watched, now = replica_watch.Watch(settings), [1000.0]
    monkeypatch.setattr(replica_watch.time, "monotonic", lambda: now[0])
    state = {"written": "0/100", "replayed": "0/100", "age": 3600.0, "recovers": True}

    def primary_says() -> tuple[object, ...]:
        if state["written"] is None:
            raise replica.psycopg.OperationalError
        return (state["written"],)

    watched.primary = Answers(primary_says)  # type: ignore[assignment]
    watched._replica = Answers(lambda: (state["recovers"], state["replayed"], state["age"]))  # type: ignore[assignment]

    def after(seconds: float, **news: object) -> tuple[str, float | None]:
        now[0] += seconds
        state.update(news)
        found = watched.look()
        return found.word, found.behind

    assert after(0) == ("ok", 0)  # nobody has written for an hour: it knows all there is
    assert after(1, written="0/200") == ("ok", 0)
    assert after(20, written="0/300") == ("ok", 20)
    assert after(5, replayed="0/200") == ("ok", 5)
    assert after(26) == ("behind", 31)
    assert after(1, written=None, replayed="0/300") == ("ok", 0)  # the primary is away: nothing new is written
    assert after(1, recovers=False) == ("not_a_replica", None)
    fresh = replica_watch.Watch(settings)
    fresh.primary, fresh._replica = watched.primary, watched._replica
    state.update(recovers=True, written="0/900", age=45.0)
    assert fresh.look().word == "behind"  # a process that has just begun does not take an old replica for a good one


def test_a_page_that_is_made_is_not_lost_when_its_transaction_is_cut_off_at_rest(
    shop: Flask, follower: Replica
) -> None:
    def rests() -> str:
        pid = db.session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with psycopg.connect(follower.addresses()[SUPERUSER], autocommit=True) as there:
            there.execute("SELECT pg_terminate_backend(%s, 2000)", [pid])
        return "made"

    assert look().is_good
    with shop.test_request_context("/"):
        before = _reads(Source.REPLICA)
        assert replica.read(rests) == "made"
        assert _reads(Source.REPLICA) == before + 1
        assert db.session.execute(text("SELECT pg_is_in_recovery()")).scalar_one() is False


def test_a_replica_that_is_frozen_keeps_nobody_waiting(
    shop: Flask, follower: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = shop.test_client()
    monkeypatch.setattr(replica_watch, "SILENT", 2.0)
    assert look().is_good
    assert page_of(stranger, "/products?q=kursi+jati") == (Source.REPLICA, 200)
    follower.freeze()
    try:
        begun = time.monotonic()
        with ThreadPoolExecutor(6) as several:
            pages = list(several.map(lambda n: stranger.get(f"/products?q=tas+{n}").status_code, range(12)))
        assert (set(pages), time.monotonic() - begun < 15) == ({200}, True)
    finally:
        follower.freeze(thaw=True)
    assert look().is_good
    assert page_of(stranger, "/products?q=kursi+rotan") == (Source.REPLICA, 200)


def test_a_page_is_filed_under_the_state_of_the_connection_that_made_it(
    shop: Flask, follower: Replica, caught_up: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = shop.test_client()
    assert page_of(stranger, "/products?q=selendang") == (Source.REPLICA, 200)
    renamed = "UPDATE products SET title = 'Selendang sutra' WHERE id = (SELECT min(product_id) FROM listings)"
    db.session.execute(text(renamed))
    db.session.commit()
    # As if the tiny question had gone to a server that knows of it already, and the page to one that does not.
    newer = StateReader(shop.extensions["settings"])
    monkeypatch.setitem(shop.extensions, "shop_state replica", newer)
    source, _, page = read_from(stranger, "/products?q=selendang")
    assert (source, "Selendang sutra" in page) == (Source.REPLICA, False)
    monkeypatch.undo()
    follower.wait_with_commits(0)
    follower.caught_up()
    source, _, page = read_from(stranger, "/products?q=selendang")
    assert (source, "Selendang sutra" in page) == (Source.REPLICA, True)


def test_what_a_migration_has_made_is_read_where_it_is(shop: Flask, primary: Server, caught_up: None) -> None:
    with psycopg.connect(primary.addresses()[SUPERUSER], autocommit=True) as owner:
        owner.execute("CREATE TABLE made_just_now AS SELECT 7 AS n")
        owner.execute(f"GRANT SELECT ON made_just_now TO {WEB}")
        with shop.test_request_context("/"):
            assert replica.read(lambda: db.session.execute(text("SELECT n FROM made_just_now")).scalar_one()) == 7
            db.session.rollback()
        assert page_of(shop.test_client(), "/") == (Source.REPLICA, 200)


def test_who_is_signed_in_is_asked_of_the_primary_also_within_a_marked_view(shop: Flask, caught_up: None) -> None:
    browser = sign_in(shop.test_client(), make_account("curator", name="Wulan Replika"))
    cookie = browser.get_cookie("session")
    assert cookie is not None
    with shop.test_request_context("/", headers={"Cookie": f"session={cookie.value}"}):
        assert replica.read(lambda: access.person() and access.person().name) == "Wulan Replika"
