"""The sandbox provider's own work: it delivers its events like a provider, until they are taken."""

from __future__ import annotations

import urllib3
from procrastinate import RetryStrategy

from storefront.crash_points import reach
from storefront.extensions import db, jobs
from storefront.payments.gateway import gateway
from storefront.payments.sandbox import SandboxGateway
from storefront.payments.sandbox_delivery import note_delivery
from storefront.payments.sandbox_models import SandboxEvent

http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=10), retries=False)


class NotTaken(Exception):
    """The shop did not answer 2xx; the event is sent again later."""


@jobs.task(name="sandbox.deliver_event", retry=RetryStrategy(max_attempts=80, wait=1, linear_wait=5))
def deliver_event(event_id: str, again: bool = False) -> None:
    """Sign an event of the sandbox and post it to the shop's webhook; `again` also when it was taken before."""
    event = db.session.get(SandboxEvent, event_id)
    provider = gateway("sandbox")
    assert isinstance(provider, SandboxGateway)
    if event is None or (event.delivered_at is not None and not again):
        return
    body = event.body.encode()
    db.session.rollback()  # no transaction stays open while we wait for an answer
    try:
        answer = http.request(
            "POST", f"{provider.base_url}/webhooks/sandbox", body=body, headers=provider.signed_headers(body)
        )
    except urllib3.exceptions.HTTPError as error:
        raise NotTaken(str(error)) from error
    reach("delivery.after_answer")
    taken = 200 <= answer.status < 300
    note_delivery(event_id, taken=taken)
    db.session.commit()
    if not taken:
        raise NotTaken(f"HTTP {answer.status}")
