"""A process may be killed anywhere in a purchase; the step is run again, and nothing is lost or done twice."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.crash_points import POINTS
from storefront.embedded import OWNER, WEB
from storefront.extensions import db, defer
from storefront.payments.sandbox import SandboxGateway
from storefront.reconciliation import runs
from tests.clones import SECRETS, Clone
from tests.drills.doomed import Doomed, End
from tests.drills.live import serve
from tests.drills.promises import broken, unfinished
from tests.factories import make_facility, make_product, make_rule, make_variant, make_workshop

IN_CHECKOUT = (
    "checkout.before_commit",
    "checkout.after_commit",
    "payment.after_provider",
    "payment.after_commit",
)
IN_WEBHOOK = ("webhook.before_commit", "webhook.after_commit")
IN_JOBS = (
    *("delivery.after_answer", "event.before_commit", "event.after_commit"),
    *("message.before_send", "message.after_send", "refund.after_provider", "refund.after_commit"),
)
IN_EXPIRY = ("expiry.after_provider", "expiry.before_commit", "expiry.after_commit")
IN_RECONCILIATION = ("reconcile.after_events", "reconcile.after_lines", "reconcile.between_days")
#: Tried in test_export_killed.py.
IN_EXPORT = ("export.half_written", "export.between_files")
#: Tried in test_made_files.py.
IN_MADE_FILES = ("made_file.stored",)
#: Tried in test_listing_import_killed.py.
IN_IMPORT = ("import.before_commit", "import.after_commit")
#: Tried in test_webhooks.py.
IN_TOLD = ("told.before_post", "told.after_post")
#: Tried in tests/payments/test_connect.py.
IN_TRANSFERS = ("transfer.after_provider", "transfer.after_commit", "reversal.after_provider")

ADDRESS = {
    "line1": "Jl. Melati 1",
    "district": "Pekalongan Barat",
    "city": "Pekalongan",
    "province": "Jawa Tengah",
    "postal_code": "51111",
}
BUYER = {"name": "Sari", "email": "sari@example.test", "phone": "+628123456789", "address": ADDRESS}


@dataclass
class Shop:
    """The shop whose processes die, and what a test wants of it."""

    steps: Doomed
    app: Flask
    session: Session
    owner: psycopg.Connection[Any]
    mail: Path
    skus: tuple[str, str]

    def cart(self) -> str:
        """A cart with pieces of two facilities."""
        cart: str = self.steps.request("POST", "/api/v1/carts").json["id"]
        for sku, quantity in zip(self.skus, (2, 1), strict=True):
            line = {"sku": sku, "quantity": quantity}
            assert self.steps.request("POST", f"/api/v1/carts/{cart}/lines", json=line).status == 201
        return cart

    def check_out(self, cart: str, crash_at: str | None = None) -> End:
        return self.steps.request(
            "POST",
            f"/api/v1/carts/{cart}/checkout",
            json=BUYER,
            headers={"Idempotency-Key": "one"},
            crash_at=crash_at,
        )

    def choose(self, payment_id: str, outcome: str = "succeeded") -> None:
        answer = self.steps.request(
            "POST", f"/sandbox/payments/{payment_id}/outcome", json={"outcome": outcome}
        )
        assert answer.status == 202

    def one(self, query: str) -> Any:
        """The first value that a query finds, as the owner sees it."""
        row = self.owner.execute(query).fetchone()  # type: ignore[call-overload]
        return row[0] if row else None

    def work_until_killed(self, point: str) -> bool:
        """Run workers, each until nothing is due, until one dies at `point`."""
        for _ in range(5):
            if self.steps.jobs(crash_at=point).signal == signal.SIGKILL:
                return True
            self.owner.execute(
                "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE scheduled_at > now()"
            )
        return False

    def drain(self) -> None:
        """Run workers until nothing is due; jobs of dead workers are found as after their heartbeat's end."""
        for _ in range(8):
            self.owner.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'")
            defer("jobs.retry_stalled", timestamp=0, queueing_lock="jobs.retry_stalled")
            self.session.commit()
            self.owner.execute(
                "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE scheduled_at > now()"
            )
            assert self.steps.jobs().signal is None
            if not self.one("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"):
                return
        raise AssertionError("jobs are left that no worker finishes")

    def stock(self) -> list[tuple[int, int]]:
        """(on hand, reserved) of the two pieces."""
        levels = self.owner.execute("SELECT on_hand, reserved FROM stock_levels ORDER BY variant_id")
        return levels.fetchall()

    def assert_kept(self) -> None:
        """Every promise holds, and nothing is on its way any more."""
        assert broken(db.engine) == []
        assert unfinished(self.owner) == {}
        letters = [path.stem.replace(".", ":") for path in sorted(self.mail.glob("*.eml"))]
        assert letters == sorted(key for (key,) in self.owner.execute("SELECT key FROM messages"))


@pytest.fixture(scope="module")
def live_app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    with serve(make_app) as app:
        yield app


@pytest.fixture(scope="module")
def steps(clone: Clone, live_app: Flask) -> Iterator[Doomed]:
    settings = live_app.extensions["settings"]
    doomed = Doomed(
        {
            "VAR_DIR": str(settings.var_dir),
            "DEMO": "on",
            "DATABASE_URL": clone.addresses[WEB],
            "DATABASE_OWNER_URL": clone.addresses[OWNER],
            "RATE_LIMITS": "off",
            "BASE_URL": settings.base_url,
            **SECRETS,
        }
    )
    yield doomed
    doomed.close()


@pytest.fixture
def shop(steps: Doomed, live_app: Flask, db_session: Session, database: Clone) -> Iterator[Shop]:
    """Two facilities with 5 pieces each, and nothing sold."""
    make_rule()
    variants = [
        make_variant(make_product(make_workshop(make_facility(city=city))), stock=5, price=price)
        for city, price in (("Pekalongan", 100_000), ("Semarang", 33_333))
    ]
    skus = (variants[0].sku, variants[1].sku)
    db_session.commit()
    mail = live_app.extensions["settings"].var_dir / "mail"
    for letter in mail.glob("*.eml"):
        letter.unlink()
    with psycopg.connect(database.addresses[OWNER], autocommit=True) as owner:
        yield Shop(steps, live_app, db_session, owner, mail, skus)


def test_every_point_is_drilled() -> None:
    tried = [*IN_CHECKOUT, *IN_WEBHOOK, *IN_JOBS, *IN_EXPIRY, *IN_RECONCILIATION, *IN_EXPORT, *IN_TRANSFERS]
    tried += [*IN_IMPORT, *IN_MADE_FILES, *IN_TOLD]
    assert sorted(tried) == sorted(POINTS)


@pytest.mark.parametrize("point", IN_CHECKOUT)
def test_a_checkout_that_died_is_answered_by_the_same_key(shop: Shop, point: str) -> None:
    cart = shop.cart()
    assert shop.check_out(cart, crash_at=point).signal == signal.SIGKILL
    assert shop.one("SELECT count(*) FROM orders") == (0 if point == "checkout.before_commit" else 1)
    first, again = shop.check_out(cart), shop.check_out(cart)
    assert (first.status, again) == (201, first)
    assert first.json["payment"]["url"]
    assert shop.one("SELECT count(*) FROM orders") == shop.one("SELECT count(*) FROM sandbox_payments") == 1
    assert shop.stock() == [(5, 2), (5, 1)]
    shop.choose(first.json["payment"]["id"])
    shop.drain()
    assert shop.stock() == [(3, 0), (4, 0)]
    shop.assert_kept()


@pytest.mark.parametrize("point", IN_WEBHOOK)
def test_an_event_that_nobody_answered_is_sent_again_and_kept_once(shop: Shop, point: str) -> None:
    payment_id = shop.check_out(shop.cart()).json["payment"]["id"]
    shop.choose(payment_id)
    body = shop.one("SELECT body FROM sandbox_events")
    provider = shop.app.extensions["gateways"]["sandbox"]
    assert isinstance(provider, SandboxGateway)
    message = {"body": body, "headers": provider.signed_headers(body.encode())}
    assert shop.steps.request("POST", "/webhooks/sandbox", crash_at=point, **message).signal == signal.SIGKILL
    assert shop.steps.request("POST", "/webhooks/sandbox", **message).status == 200
    shop.drain()
    assert shop.one("SELECT count(*) FROM payment_events") == 1
    assert shop.stock() == [(3, 0), (4, 0)]
    shop.assert_kept()


@pytest.mark.parametrize("point", IN_JOBS)
def test_a_job_whose_worker_died_is_done_once(shop: Shop, point: str) -> None:
    order = shop.check_out(shop.cart()).json
    number, token = order["order"]["number"], order["order"]["token"]
    second = shop.steps.request("POST", f"/api/v1/orders/{number}/payments?token={token}").json
    shop.choose(order["payment"]["id"])
    shop.choose(second["id"])
    assert shop.work_until_killed(point)
    shop.drain()
    # paid once, and the second payment given back: one sale, one hold, one refund
    entries = shop.owner.execute("SELECT kind, count(*) FROM journal_entries GROUP BY kind ORDER BY kind")
    assert entries.fetchall() == [("payment_held", 1), ("refund", 1), ("sale", 1)]
    assert shop.one("SELECT count(*) FROM sandbox_refunds") == 1
    assert shop.stock() == [(3, 0), (4, 0)]
    shop.assert_kept()


@pytest.mark.parametrize("point", IN_EXPIRY)
def test_an_expiry_that_died_gives_the_pieces_back_once(shop: Shop, point: str) -> None:
    shop.check_out(shop.cart())
    shop.drain()
    shop.session.execute(text("UPDATE orders SET expires_at = now() - interval '1 minute'"))
    shop.session.commit()
    for crash_at, signalled in ((point, signal.SIGKILL), (None, None)):
        # periodic: the next minute's run, not the dead one's, does what is left
        defer("orders.expire_unpaid", timestamp=0)
        shop.session.commit()
        assert shop.steps.jobs(crash_at=crash_at).signal == signalled
    assert shop.stock() == [(5, 0), (5, 0)]
    shop.drain()
    assert shop.stock() == [(5, 0), (5, 0)]
    shop.assert_kept()


@pytest.mark.parametrize("point", IN_RECONCILIATION)
def test_a_comparison_that_died_heals_what_it_was_to_heal(shop: Shop, point: str) -> None:
    """The provider's news never came; a run that finds them dies on the way, and is carried out again."""
    payment_id = shop.check_out(shop.cart()).json["payment"]["id"]
    never = shop.steps.request(
        "POST", f"/sandbox/payments/{payment_id}/delivery", json={"delivery": "never"}
    )
    assert never.status in (200, 202)
    shop.choose(payment_id)
    runs.ask("sandbox", None)
    shop.session.commit()
    assert shop.work_until_killed(point)
    shop.drain()
    assert shop.one("SELECT state FROM orders") == "paid"
    assert shop.one("SELECT count(*) FROM journal_entries WHERE kind = 'sale'") == 1
    assert shop.one("SELECT state FROM reconciliation_runs") == "done"
    assert shop.one("SELECT count(*) FROM reconciliation_differences") == 0
    assert shop.one("SELECT count(*) FROM provider_lines") == 1
    assert broken(db.engine) == []
