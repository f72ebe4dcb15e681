"""The faults of a running shop, one function each. Each returns in words what happened."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import urllib3

from storefront.payments.sandbox import SandboxGateway
from storefront.worker import STALLED_SECONDS
from tests.drills.proxy import Proxy
from tests.drills.running_shop import PROJECT, STOP_SECONDS, NotRunning, Shop, is_alive, kill
from tests.drills.shoppers import Client, Crowd

Fault = Callable[[Shop, Crowd], str]


class NotAsPromised(Exception):
    """The shop came through, but not in the way it promises; the text says how."""


def kill_one(role: str) -> Fault:
    """SIGKILL to a process that plays `role`; it must come back by itself."""

    def fault(shop: Shop, crowd: Crowd) -> str:
        before = shop.pids(role)
        begun = time.monotonic()
        kill(before[0])
        shop.wait_for(role, before)
        while not shop.answers():
            time.sleep(0.05)
        return f"{role} killed, back after {time.monotonic() - begun:.1f} s"

    return fault


def kill_a_backend(shop: Shop, crowd: Crowd) -> str:
    """SIGKILL to one of the database's own processes: it cuts all connections and recovers."""
    with shop.owner() as connection:
        row = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'storefront' ORDER BY state = 'active' DESC"
        ).fetchone()
    assert row is not None
    # In a user namespace the number is still the machine's: only users are mapped.
    kill(row[0])
    return "one database process killed, all connections cut"


def kill_the_parent(shop: Shop, crowd: Crowd) -> str:
    """SIGKILL to the parent: all it started must go with it, and a new start must find everything."""
    family = shop.family()
    kill(family[0])
    deadline = time.monotonic() + 2 * STOP_SECONDS
    while any(is_alive(pid) for pid in family) and time.monotonic() < deadline:
        time.sleep(0.02)
    left = [pid for pid in family if is_alive(pid)]
    if left:
        raise NotAsPromised(f"{len(left)} processes outlive their parent")
    took = shop.start()
    return f"parent killed, all went with it; open again {took:.1f} s after the next start"


def stop_in_flight(shop: Shop, crowd: Crowd) -> str:
    """SIGTERM to the parent while requests are answered."""
    took = shop.stop()
    again = shop.start()
    if took > STOP_SECONDS:
        raise NotAsPromised(f"all gone only after {took:.1f} s")
    return f"SIGTERM under load, all gone after {took:.1f} s, open again after {again:.1f} s"


def freeze_a_worker(shop: Shop, crowd: Crowd) -> str:
    """SIGSTOP for longer than a worker may be silent: another takes its jobs; then it wakes and finishes them."""
    frozen = shop.pids("worker")[0]
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    other = subprocess.Popen(
        command, cwd=PROJECT, env=_with_database(shop), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(4)
        kill(frozen, signal.SIGSTOP)
        held = _doing(shop)
        time.sleep(STALLED_SECONDS + 20)
        kill(frozen, signal.SIGCONT)
        time.sleep(5)
    finally:
        kill(frozen, signal.SIGCONT)
        other.terminate()
        other.wait(30)
    return f"one of two workers frozen for {STALLED_SECONDS + 20} s with {held} jobs at hand, then awake"


def _with_database(shop: Shop) -> dict[str, str]:
    from storefront.embedded import WEB

    address = shop.env.get("DATABASE_URL") or shop.addresses()[WEB]
    return {**shop.environment(), "DATABASE_URL": address}


def _doing(shop: Shop) -> int:
    with shop.owner() as connection:
        row = connection.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'").fetchone()
    return row[0] if row else 0


def events_in_disorder(shop: Shop, crowd: Crowd) -> str:
    """The worker is held; every event arrives fifty times from eight sides, the last first; then the worker's own."""
    worker = shop.pids("worker")[0]
    kill(worker, signal.SIGSTOP)
    try:
        crowd.wait_for(10, 30)
        with shop.owner() as connection:
            query = "SELECT body FROM sandbox_events ORDER BY created_at DESC LIMIT 40"
            bodies = [body for (body,) in connection.execute(query)]
        # A word that comes too late, after the good one: it must not undo what is paid.
        bodies += [
            json.dumps(event | {"id": event["id"] + "-late", "type": "payment.failed"})
            for event in (json.loads(body) for body in bodies[:10])
            if "refund" not in event
        ]
        provider = SandboxGateway(shop.address, (shop.var_dir / "sandbox-webhook-secret").read_text().strip())
        refused = _flood(shop.address, provider, bodies * 50)
    finally:
        kill(worker, signal.SIGCONT)
    if refused:
        raise NotAsPromised(f"{refused} of {len(bodies) * 50} events were not answered 200")
    return f"{len(bodies)} events fifty-fold, the last first, then once more by the worker"


def _flood(address: str, provider: SandboxGateway, bodies: list[str]) -> int:
    pool = urllib3.PoolManager(maxsize=8, timeout=30, retries=False)

    def send(body: str) -> bool:
        raw = body.encode()
        for _ in range(5):
            answer = pool.request(
                "POST", f"{address}/webhooks/sandbox", body=raw, headers=provider.signed_headers(raw)
            )
            if answer.status == 200:
                return True
            time.sleep(0.2)  # 503 under a flood is an answer too: a provider comes again
        return False

    with ThreadPoolExecutor(8) as senders:
        return sum(not taken for taken in senders.map(send, bodies))


def database_gone(proxy: Proxy, seconds: float) -> Fault:
    """No database for a while: the shop must say so at once, live on, and go on when it is back."""

    def fault(shop: Shop, crowd: Crowd) -> str:
        proxy.vanish()
        time.sleep(1)
        begun = time.monotonic()
        status = Client(shop.address, timeout=20).call("GET", "/readyz").status
        waited = time.monotonic() - begun
        time.sleep(max(0.0, seconds - 1 - waited))
        proxy.come_back()
        begun = time.monotonic()
        while not shop.answers():
            if time.monotonic() - begun > 60:
                raise NotRunning("the shop did not notice that its database is back")
            time.sleep(0.1)
        if status != 503:
            raise NotAsPromised(f"/readyz said {status} while there was no database")
        return (
            f"no database for {seconds:.0f} s: 503 after {waited:.1f} s; ready {time.monotonic() - begun:.1f} s"
            " after it came back"
        )

    return fault


def commits_cut(proxy: Proxy, number: int) -> Fault:
    """Connections cut during COMMIT: half of them before it reached the database, half after."""

    def fault(shop: Shop, crowd: Crowd) -> str:
        before, after = proxy.cut_before, proxy.cut_after
        done = threading.Event()
        for _ in range(number):
            proxy.cut_commits(proxy.cuts_left + 1 if proxy.cuts_left else 2)
            done.wait(0.7)
        deadline = time.monotonic() + 30
        while proxy.cuts_left and time.monotonic() < deadline:
            time.sleep(0.1)
        proxy.cut_commits(0)
        return (
            f"connections cut during COMMIT: {proxy.cut_before - before} before and {proxy.cut_after - after}"
            " after it reached the database"
        )

    return fault
