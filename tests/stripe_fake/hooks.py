"""The fake's webhooks: signed as Stripe signs, delivered well or badly."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import threading
import time
from collections import Counter, deque

import urllib3

from tests.stripe_fake.account import Account, Object

http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=10), retries=False)
#: Seconds between tries while the shop does not take an event; Stripe takes hours.
PAUSES = (0.2, 0.5, 1, 2, 4)
#: Of a hundred events that are delivered `mixed`; the rest arrive at once.
MIXED = {"dropped": 20, "doubled": 20, "delayed": 35, "on_time": 25}


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
    """Posts events to the shop, as `manner` says: `at_once`, `late`, `twice`, `shuffled`, `never` or `mixed`."""

    def __init__(self, account: Account, seed: int = 1) -> None:
        self.account = account
        self.manner = "at_once"
        #: Seconds; the most that `mixed` takes.
        self.late = 2.0
        self.rng = random.Random(seed)
        self.taken = 0
        #: Moment, the event's place among all, the event.
        self.queue: deque[tuple[float, int, Object]] = deque()
        self.waits = threading.Condition()
        #: What became of events: as `MIXED` names it, `overtaken` by a later one, or `refused` to the end.
        self.counts: Counter[str] = Counter()
        self._newest = self._posting = 0
        threading.Thread(target=self._run, daemon=True).start()

    def take(self, event: Object) -> None:
        """Deliver an event, if there is somebody to deliver it to."""
        if self.account.webhook_url is None or self.manner == "never":
            return
        self.taken += 1
        pauses = {
            "at_once": lambda: [0.0],
            "late": lambda: [self.late],
            "twice": lambda: [0.0, self.rng.uniform(0, 1)],
            # Every other one is overtaken by those that follow it.
            "shuffled": lambda: [self.late if self.taken % 2 else 0.0],
            "mixed": self._mixed,
        }[self.manner]()
        with self.waits:
            self.queue.extend((time.monotonic() + pause, self.taken, event) for pause in pauses)
            self.waits.notify()

    def _mixed(self) -> list[float]:
        """One event is lost, the next comes twice, another late, so that others overtake it."""
        fate = self.rng.choices(list(MIXED), list(MIXED.values()))[0]
        self.counts[fate] += 1
        later = self.rng.uniform(0.1, 1) * self.late
        return {"dropped": [], "doubled": [0.0, later], "delayed": [later], "on_time": [0.0]}[fate]

    def account_for(self) -> Object:
        """What became of all events so far, and how many deliveries are `under_way`."""
        with self.waits:
            return {**self.counts, "under_way": len(self.queue) + self._posting}

    def _run(self) -> None:
        while True:
            with self.waits:
                while not self.queue:
                    self.waits.wait()
                due = min(self.queue, key=lambda entry: entry[:2])
                pause = due[0] - time.monotonic()
                if pause > 0:
                    self.waits.wait(pause)
                    continue
                self.queue.remove(due)
                self._posting += 1
                self.counts["overtaken"] += due[1] < self._newest
                self._newest = max(self._newest, due[1])
            threading.Thread(target=self._post, args=(due[2],), daemon=True).start()

    def _post(self, event: Object) -> None:
        taken = self._insist(event)
        with self.waits:
            self._posting -= 1
            self.counts["refused"] += not taken

    def _insist(self, event: Object) -> bool:
        """Post until the shop takes it; False when it never did."""
        body, url = body_of(event), self.account.webhook_url
        for pause in (*PAUSES, None):
            try:
                answer = http.request("POST", url or "", body=body, headers=signed(self.account, body))
                if 200 <= answer.status < 300:
                    self.account.objects[event["id"]]["pending_webhooks"] = 0
                    return True
            except urllib3.exceptions.HTTPError:
                pass
            if pause is not None:
                time.sleep(pause)
        return False
