"""What the parent tells the person at the terminal."""

from __future__ import annotations

from pathlib import Path

from config import Settings

DEMO_ACCOUNTS = (
    ("shopper@demo.test", "buys"),
    ("coordinator@demo.test", "packs and ships for two facilities"),
    ("coordinator2@demo.test", "the same for another one"),
    ("head@demo.test", "heads one of the first two"),
    ("finance@demo.test", "exports, settles, deposits"),
    ("finance2@demo.test", "the second pair of eyes"),
    ("curator@demo.test", "looks after the listings"),
    ("admin@demo.test", "admits people and facilities"),
    ("auditor@demo.test", "reads everything"),
    ("cashier@demo.test", "sells at the running fair"),
)


def welcome(settings: Settings, address: str, var: Path) -> str:
    """The lines that stand on the terminal once the shop is open."""
    lines = ["", f"  {settings.shop_name} is open at {address}  (English: {address}/en/)"]
    if settings.demo:
        width = max(len(name) for name, _ in DEMO_ACCOUNTS)
        lines += ["", f"  Demo accounts, password demo, at {address}/login:"]
        lines += [f"    {name:<{width}}  {what}" for name, what in DEMO_ACCOUNTS]
    lines += ["", f"  Logs: {var / 'log'}", "  Stop with Ctrl-C.", "", ""]
    return "\n".join(lines)
