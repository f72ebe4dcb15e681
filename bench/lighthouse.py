"""Google's Lighthouse on home, listing and product, as a cheap phone on a slow line sees them.

Lighthouse comes by npm, pinned, into a folder under var/, without scripts of its packages (none is needed; some would
fetch a browser). The browser is the machine's own. Each page is looked at several times and the best look counts: the
simulated phone is reckoned from this machine's, and whatever else that does makes a page slower, never faster.
`is-crawlable` is left out: a demo refuses robots.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.stage import FOLDER
from tests.drills.running_shop import Shop, descendants
from tests.everything import browser

PACKAGE = "lighthouse@12.2.3"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
#: What each category must reach, of 100.
LEAST = 95
ROUNDS = 3
#: Seconds that one look may take.
PATIENCE = 300
PAGES = {"home": "/", "listing of 24": "/products", "product page": "/products/taplak-meja-batik-cap"}
#: Shown beside the scores; milliseconds, and the share of the window that moved.
METRICS = {"LCP": "largest-contentful-paint", "TBT": "total-blocking-time", "CLS": "cumulative-layout-shift"}


@dataclass(frozen=True)
class Judged:
    """What Lighthouse says of a page, and what did not pass."""

    page: str
    scores: dict[str, int]
    metrics: dict[str, float]
    failing: dict[str, str]

    @property
    def is_good(self) -> bool:
        return min(self.scores.values()) >= LEAST


def measure(shop: Shop, rounds: int = ROUNDS) -> list[Judged]:
    """Judge each page of PAGES. Raises RuntimeError without node, npm or a browser."""
    program, chromium = install(), browser()
    if chromium is None:
        raise RuntimeError("Lighthouse needs a Chromium on this machine.")
    return [
        _judged(page, [_look(program, chromium, shop.address + path) for _ in range(rounds)])
        for page, path in PAGES.items()
    ]


def install() -> Path:
    """Lighthouse's program; installed the first time."""
    folder = FOLDER.parent / "lighthouse"
    program = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise RuntimeError("Lighthouse needs node and npm on this machine.")
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"· Installing {PACKAGE}", flush=True)
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error")
        subprocess.run([npm, "install", "--prefix", str(folder), *options, PACKAGE], check=True)
    return program


def _look(program: Path, chromium: str, address: str) -> dict[str, Any]:
    """One look; Lighthouse and its browser end with it, in time or not."""
    flags = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-extensions"
    command = [
        *("node", str(program), address, "--output=json", "--quiet", "--skip-audits=is-crawlable"),
        *(f"--chrome-flags={flags}", f"--only-categories={','.join(CATEGORIES)}"),
    ]
    process = subprocess.Popen(
        command,
        env={**os.environ, "CHROME_PATH": chromium},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said, complaint = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        for pid in descendants(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise RuntimeError(
            f"Lighthouse took longer than {PATIENCE} s on {address}: a busy machine?"
        ) from None
    if process.returncode:
        raise RuntimeError(f"Lighthouse failed on {address}: {complaint[-2000:]}")
    found: dict[str, Any] = json.loads(said)
    return found


def _judged(page: str, looks: list[dict[str, Any]]) -> Judged:
    best = max(looks, key=lambda look: look["categories"]["performance"]["score"])
    audits: dict[str, Any] = best["audits"]
    return Judged(
        page,
        {name: round(100 * best["categories"][name]["score"]) for name in CATEGORIES},
        {short: audits[name]["numericValue"] for short, name in METRICS.items()},
        {
            name: str(audit.get("displayValue") or audit["title"])
            for name, audit in audits.items()
            if audit["score"] is not None
            and audit["score"] < 0.9
            and audit["scoreDisplayMode"] != "informative"
        },
    )
