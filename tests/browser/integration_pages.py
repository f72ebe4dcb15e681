"""Pages for the office's other systems: tokens and webhooks, with something in them."""

from __future__ import annotations

import datetime

from playwright.sync_api import Response
from sqlalchemy import select, update

from storefront import days
from storefront.extensions import db
from storefront.integrations import deliver, endpoints, events, tokens
from storefront.integrations.models import WebhookDelivery, WebhookEndpoint
from storefront.people.models import Person
from tests.browser.sights import Sight
from tests.browser.visitor import Visitor

ADMINISTRATOR = "admin@demo.test"


def with_tokens(visitor: Visitor) -> Response:
    """Two tokens, one of them revoked."""
    with visitor.shop.app.test_request_context():
        by = db.session.scalars(select(Person.id).where(Person.email == ADMINISTRATOR)).one()
        last = days.today() + datetime.timedelta(days=90)
        tokens.make("Gudang data biro keuangan", ["sales:read", "facilities:read"], [], last, by)
        gone, _shown = tokens.make("Aplikasi kanwil", ["statements:read"], ["PKL", "PLP"], last, by)
        tokens.revoke(gone.id, by)
        db.session.commit()
    return visitor.go("/admin/tokens")


#: Fields of the form for a token, but its boxes.
NEW_TOKEN = {
    "#f-name": "Gudang data",
    "#f-expires": (days.today() + datetime.timedelta(days=30)).isoformat(),
}


def made(visitor: Visitor) -> Response:
    """A token, shown once."""
    visitor.go("/admin/tokens")
    visitor.page.locator("input[name=scopes][value='sales:read']").check()
    for selector, value in NEW_TOKEN.items():
        visitor.page.locator(selector).fill(value)
    with visitor.page.expect_navigation() as navigation:
        visitor.page.locator("form:has(#f-scopes) [type=submit]").click()
    return navigation.value  # type: ignore[return-value]


def told(visitor: Visitor) -> int:
    """A webhook that was told something, and something that it did not take; its id."""
    with visitor.shop.app.test_request_context():
        by = db.session.scalars(select(Person.id).where(Person.email == ADMINISTRATOR)).one()
        url = "https://data.example.go.id/hook"
        endpoint, _secret = endpoints.add("Gudang data biro keuangan", url, list(events.Kind), by)
        for number in range(3):
            endpoints.test(endpoint.id, by)
            latest = select(WebhookDelivery.id).order_by(WebhookDelivery.id.desc()).limit(1).scalar_subquery()
            now = datetime.datetime.now(datetime.UTC)
            values = (
                {"state": "delivered", "attempts": 1, "answer_status": 200, "finished_at": now, "tried_at": now},
                {"attempts": 2, "answer_status": 503, "tried_at": now, "next_at": now + datetime.timedelta(minutes=5)},
                {
                    "state": "failed",
                    "attempts": len(deliver.PAUSES) + 1,
                    "error": "timeout",
                    "finished_at": now,
                    "tried_at": now,
                },
            )[number]
            db.session.execute(update(WebhookDelivery).where(WebhookDelivery.id == latest).values(**values))
        endpoint_id = endpoint.id
        db.session.commit()
    return endpoint_id


def log(visitor: Visitor) -> Response:
    return visitor.go(f"/admin/webhooks/{told(visitor)}")


def all_webhooks(visitor: Visitor) -> Response:
    """One that is told and one that is paused."""
    endpoint_id = told(visitor)
    with visitor.shop.app.test_request_context():
        endpoints.pause(endpoint_id, db.session.get_one(WebhookEndpoint, endpoint_id).created_by)
        db.session.commit()
    return visitor.go("/admin/webhooks")


INTEGRATION_PAGES = (
    Sight("api-tokens", "admin.token_list", with_tokens, ADMINISTRATOR),
    Sight("api-token-made", "admin.make_token", made, ADMINISTRATOR, status=201),
    Sight("webhooks", "admin.webhook_list", all_webhooks, ADMINISTRATOR),
    Sight("webhook-log", "admin.webhook", log, ADMINISTRATOR),
)
