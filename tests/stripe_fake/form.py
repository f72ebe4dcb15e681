"""Stripe's form encoding, `a[b][0]=c`, read back into objects and lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

PART = re.compile(r"\[([^\]]*)\]")


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The nested parameters that `pairs` spell."""
    root: dict[str, Any] = {}
    for name, value in pairs:
        head, *rest = name.split("[", 1)
        path = [head, *PART.findall("[" + rest[0])] if rest else [head]
        place = root
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return {name: _lists(value) for name, value in root.items()}


def _lists(value: Any) -> Any:
    """Objects whose names are 0, 1, 2 … are lists."""
    if not isinstance(value, dict):
        return value
    parts = {name: _lists(part) for name, part in value.items()}
    if parts and list(parts) == [str(number) for number in range(len(parts))]:
        return list(parts.values())
    return parts
