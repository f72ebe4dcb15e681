"""What a change must pass, in one run: lint, types, layers, then all tests. `make test` calls it.

`python -m tests.everything [lint|types|tests]`; without a word, all of them. Every part runs even when an
earlier one fails, so that one run tells everything; pytest's summary is the last line.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
#: One without a window of its own takes half the work.
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def run(title: str, *command: str) -> bool:
    """Whether `command` succeeds; what it says goes to the terminal."""
    print(f"── {title}", flush=True)
    status = subprocess.run(command, cwd=PROJECT).returncode
    if status < 0:
        print(f"{title} was ended by signal {-status}", file=sys.stderr)
    return status == 0


def lint() -> bool:
    """Style, and who may import whom."""
    good = run("ruff", sys.executable, "-m", "ruff", "check", "--quiet", ".")
    layers = "import sys; sys.path.insert(0, ''); from importlinter.cli import lint_imports_command as c; c()"
    return run("layers", sys.executable, "-c", layers, "--no-logo") and good


def types() -> bool:
    """mypy; strict where money and stock are."""
    return run("mypy", sys.executable, "-m", "mypy", "--no-error-summary")


def tests() -> bool:
    """All tests, two at a time."""
    install_browser()
    return run("pytest", sys.executable, "-m", "pytest", "-n", "2", "--durations=10", "-q")


def browser() -> str | None:
    """A Chromium: the machine's own, else the one that Playwright has downloaded, else None."""
    for name in CHROMIUMS:
        found = shutil.which(name)
        if found:
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install_browser() -> None:
    """Get a Chromium if there is none: Playwright's own, else the system's package."""
    if browser() is not None:
        return
    if run("Installing Chromium", sys.executable, "-m", "playwright", "install", "chromium") and browser():
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        run("Updating the list of packages", "apt-get", "update", "-qq")
        for package in CHROMIUMS[:2]:  # older systems know the second alone
            if run("Installing Chromium", "apt-get", "install", "-y", "-qq", "--no-install-recommends", package):
                break
    if browser() is None:
        sys.exit("No Chromium for the browser tests, and none could be installed. Install one and try again.")


def main() -> int:
    """0 when all that was asked for is good."""
    parts = {"lint": lint, "types": types, "tests": tests}
    wanted = sys.argv[1:] or list(parts)
    results = {name: parts[name]() for name in wanted}
    bad = [name for name, good in results.items() if not good]
    if bad and "tests" not in bad:
        print(f"Not good: {', '.join(bad)} (see above)", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
