"""Idempotency keys: the same key gives the same answer for a day, and with another body an error."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.stripe_fake.account import Account, Object, Refused
from tests.stripe_fake.connect import AnsweredNo

DAY = 24 * 60 * 60


@dataclass
class Kept:
    """What was answered under a key."""

    request: str
    at: int
    status: int
    body: Object


class Keys:
    """All keys of an account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.kept: dict[str, Kept] = {}

    def once(
        self, key: str | None, path: str, params: Any, act: Callable[[], Object]
    ) -> tuple[int, Object, bool]:
        """Act, or answer as before: status, body, whether it was answered before.

        What was refused before it began (an unknown parameter, a date that is too early) is not kept; a no that
        was found out on the way is.
        """
        request = hashlib.sha256(json.dumps([path, params], sort_keys=True).encode()).hexdigest()
        earlier = self.kept.get(key) if key else None
        if earlier is not None and earlier.at + DAY > self.account.now():
            if earlier.request != request:
                raise Refused(
                    "Keys for idempotent requests can only be used with the same parameters they were first"
                    f" used with. Try using a key other than '{key}' if you meant to execute a different request.",
                    kind="idempotency_error",
                )
            return earlier.status, earlier.body, True
        try:
            status, body = 200, act()
        except AnsweredNo as no:
            status, body = no.status, no.body
        if key:
            self.kept[key] = Kept(request, self.account.now(), status, json.loads(json.dumps(body)))
        return status, body, False
