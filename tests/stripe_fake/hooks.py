"""The fake's webhooks: signed as Stripe signs, delivered well or badly."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import threading
import time
from collections import deque

import urllib3

from tests.stripe_fake.account import Account, Object

http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=10), retries=False)
#: Seconds between tries while the shop does not take an event; Stripe takes hours.
PAUSES = (0.2, 0.5, 1, 2, 4)


def signed(account: Account, body: bytes, *, at: int | None = None) -> dict[str, str]:
    """The headers of a webhook: one signature for each secret that is valid now."""
    stamp = int(time.time()) if at is None else at
    signatures = [
        hmac.new(secret.encode(), b"%d." % stamp + body, hashlib.sha256).hexdigest()
        for secret in account.webhook_secrets
    ]
    header = ",".join([f"t={stamp}", *(f"v1={signature}" for signature in signatures)])
    return {"Stripe-Signature": header, "Content-Type": "application/json; charset=utf-8"}


def body_of(event: Object) -> bytes:
    """An event as it is posted."""
    return json.dumps(event, indent=2).encode()


class Deliverer:
    """Posts events to the shop, as `manner` says: `at_once`, `late`, `twice`, `shuffled` or `never`."""

    def __init__(self, account: Account, seed: int = 1) -> None:
        self.account = account
        self.manner = "at_once"
        self.late = 2.0
        self.rng = random.Random(seed)
        self.taken = 0
        self.queue: deque[tuple[float, Object]] = deque()
        self.waits = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def take(self, event: Object) -> None:
        """Deliver an event, if there is somebody to deliver it to."""
        if self.account.webhook_url is None or self.manner == "never":
            return
        self.taken += 1
        pauses = {
            "at_once": [0.0],
            "late": [self.late],
            "twice": [0.0, self.rng.uniform(0, 1)],
            # Every other one is overtaken by those that follow it.
            "shuffled": [self.late if self.taken % 2 else 0.0],
        }[self.manner]
        with self.waits:
            self.queue.extend((time.monotonic() + pause, event) for pause in pauses)
            self.waits.notify()

    def _run(self) -> None:
        while True:
            with self.waits:
                while not self.queue:
                    self.waits.wait()
                due = min(self.queue, key=lambda entry: entry[0])
                pause = due[0] - time.monotonic()
                if pause > 0:
                    self.waits.wait(pause)
                    continue
                self.queue.remove(due)
            threading.Thread(target=self._post, args=(due[1],), daemon=True).start()

    def _post(self, event: Object) -> None:
        body, url = body_of(event), self.account.webhook_url
        for pause in (*PAUSES, None):
            try:
                answer = http.request("POST", url or "", body=body, headers=signed(self.account, body))
                if 200 <= answer.status < 300:
                    self.account.objects[event["id"]]["pending_webhooks"] = 0
                    return
            except urllib3.exceptions.HTTPError:
                pass
            if pause is None:
                return
            time.sleep(pause)
