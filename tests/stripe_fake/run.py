"""The fake for tests: started as a process, told what to do, and asked what it saw."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

PROJECT = Path(__file__).resolve().parent.parent.parent
KEY, WEBHOOK_SECRET = "sk_test_of_the_fake", "whsec_of_the_fake"
http = urllib3.PoolManager(maxsize=8, timeout=urllib3.Timeout(connect=3, read=30), retries=False)


@dataclass(frozen=True)
class FakeStripe:
    """A running fake at `address`."""

    address: str
    key: str = KEY
    webhook_secret: str = WEBHOOK_SECRET

    def settings(self, **more: str) -> dict[str, str]:
        """The environment of a shop that pays through it."""
        return {
            "PAYMENT_GATEWAY": "stripe",
            "STRIPE_SECRET_KEY": self.key,
            "STRIPE_WEBHOOK_SECRET": self.webhook_secret,
            "STRIPE_API_BASE": self.address,
            **more,
        }

    def tell(self, what: str, **body: Any) -> Any:
        """Use a control (`control.py`): its answer. Raises ValueError for what the fake refuses."""
        answer = http.request("POST", f"{self.address}/_control/{what}", json=body)
        if answer.status != 200:
            raise ValueError(answer.data.decode())
        return answer.json()

    def fail_next(self, **fault: Any) -> None:
        """Let one thing go wrong: `kind`, and the rest of `faults.Fault`."""
        self.tell("faults", faults=[fault])

    def calls(self, method: str = "", path: str = "") -> list[dict[str, Any]]:
        """The calls that were made to it, oldest first."""
        seen = self.tell("calls")
        return [call for call in seen if method in ("", call["method"]) and path in call["path"]]


@contextmanager
def fake_stripe(
    *, key: str = KEY, webhook_secrets: tuple[str, ...] = (WEBHOOK_SECRET,)
) -> Iterator[FakeStripe]:
    """A fake of one's own, ended with the block, or with the process that started it."""
    secrets = [part for secret in webhook_secrets for part in ("--webhook-secret", secret)]
    command = [sys.executable, "-m", "tests.stripe_fake", "--key", key, *secrets]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), "the fake did not start"
        yield FakeStripe(address, key, webhook_secrets[0])
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
