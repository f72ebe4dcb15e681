"""Where measurements take place: the shop with its demo, and beside it the smallest page on the same server."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import urllib3

from storefront.embedded import OWNER, WEB, Server
from storefront.run.parent import granian_command
from tests.drills.running_shop import PROJECT, NotRunning, Shop, cpu_of, descendants, free_port

#: Kept between runs: loading the demo takes a minute.
FOLDER = PROJECT / "var" / "bench"


@contextmanager
def open_shop(
    products: int | None = None,
    *,
    orders: int | None = None,
    facility: str | None = None,
    fresh: bool = False,
) -> Iterator[Shop]:
    """The shop on the demo in a folder of its own under var/bench/, with options of `flask demo`."""
    shop = Shop(_filled({"products": products, "orders": orders, "facility": facility}, fresh=fresh))
    folder = shop.var_dir
    print(f"· Opening the shop in {folder}", flush=True)
    shop.start()
    try:
        yield shop
    finally:
        shop.stop()


@contextmanager
def open_database(orders: int, *, fresh: bool = False) -> Iterator[tuple[Shop, int]]:
    """The same without web and worker: a shop for commands alone, and the process of its database."""
    folder = _filled({"orders": orders}, fresh=fresh)
    server = Server(folder)
    server.start()
    try:
        shop, addresses = Shop(folder), server.addresses()
        shop.env = {"DATABASE_URL": addresses[WEB], "DATABASE_OWNER_URL": addresses[OWNER]}
        if (done := shop.command("migrate")).returncode:
            raise NotRunning(done.stderr[-1000:])
        assert server.process is not None
        yield shop, server.process.pid
    finally:
        server.stop()


def _filled(asked: Mapping[str, object], *, fresh: bool) -> Path:
    """The folder of the demo with these options, loaded on first use."""
    given = {name: str(value) for name, value in asked.items() if value is not None}
    folder = FOLDER / ("-".join(part for pair in given.items() for part in pair) or "demo")
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    # By a command, not at the shop's first start: on a busy machine that takes longer than a start may.
    if not (folder / "filled").exists():
        begun = time.monotonic()
        _fill(folder, given)
        print(f"· Loaded in {time.monotonic() - begun:.0f} s", flush=True)
    return folder


def _fill(folder: Path, given: dict[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    options = [part for name, value in given.items() for part in (f"--{name}", value)]
    print(f"· Loading a demo {' '.join(options)}", flush=True)
    server = Server(folder, durable=False)  # filled anew when the power fails meanwhile
    server.start()
    try:
        shop = Shop(folder)
        addresses = server.addresses()
        shop.env = {"DATABASE_URL": addresses[WEB], "DATABASE_OWNER_URL": addresses[OWNER]}
        for command in (["migrate"], ["demo", *options]):
            done = shop.command(*command)
            if done.returncode:
                raise NotRunning(done.stdout[-1000:] + done.stderr[-1000:])
        (folder / "filled").touch()
    finally:
        server.stop()


@dataclass
class Smallest:
    """The smallest Flask page, served as the shop is, on the shop's database."""

    shop: Shop
    port: int
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Processor time of its processes, without the database's."""
        return sum(cpu_of(pid) for pid in descendants(self.process.pid))


@contextmanager
def open_smallest(shop: Shop) -> Iterator[Smallest]:
    """`bench.smallest` on granian with the same settings as the shop's."""
    port = free_port()
    command = granian_command("127.0.0.1", port)
    command[-1] = "bench.smallest:application"
    environment = {
        **os.environ,
        "DATABASE_URL": shop.addresses()[WEB],
        "DEMO": "on",
        "VAR_DIR": str(shop.var_dir),
    }
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
    smallest = Smallest(shop, port, process)
    try:
        deadline = time.monotonic() + 60
        while True:
            with suppress(urllib3.exceptions.HTTPError):
                urllib3.request("GET", smallest.address + "/-", timeout=2, retries=False)
                break
            if time.monotonic() > deadline or process.poll() is not None:
                raise NotRunning("the smallest page did not start")
            time.sleep(0.1)
        yield smallest
    finally:
        process.terminate()
        process.wait(15)


def plenty(shop: Shop, facilities: int = 2) -> list[str]:
    """SKUs delivered nationwide, one for each of some facilities, made plenty for purchases without end."""
    with shop.owner() as connection:
        rows = connection.execute(
            """SELECT DISTINCT ON (p.facility_id) v.sku, v.id, l.id
                 FROM variants v JOIN products p ON p.id = v.product_id
                 JOIN stock_locations l ON l.facility_id = p.facility_id
                 JOIN stock_levels s ON s.variant_id = v.id AND s.location_id = l.id
                 JOIN facilities f ON f.id = p.facility_id AND f.status = 'active'
                WHERE p.status = 'published' AND v.is_active AND NOT v.made_to_order AND s.on_hand >= 5
                  AND p.delivery_scope = 'nationwide'
                ORDER BY p.facility_id, v.id LIMIT %s""",
            (facilities,),
        ).fetchall()
        for _, variant_id, location_id in rows:
            connection.execute(
                "INSERT INTO stock_movements (variant_id, location_id, quantity, reason) VALUES (%s, %s, 5000, 'made')",
                (variant_id, location_id),
            )
    return [sku for sku, _, _ in rows]


def quiet_rate(shop: Shop, seconds: float = 5.0) -> dict[str, float]:
    """Processor time that each part of the shop uses in a second while nobody asks for anything."""
    before = shop.cpu_seconds()
    time.sleep(seconds)
    after = shop.cpu_seconds()
    return {part: (after[part] - before[part]) / seconds for part in after}


def used(
    before: dict[str, float], after: dict[str, float], quiet: dict[str, float], seconds: float
) -> dict[str, float]:
    """Processor time that work has cost each part of the shop, without what it uses in quiet."""
    return {part: max(0.0, after[part] - before[part] - quiet[part] * seconds) for part in after}
