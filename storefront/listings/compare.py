"""Two versions of one draft, field by field: for the second of two people who write at once."""

from __future__ import annotations

import base64
import binascii
import copy
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """A field that both wrote differently."""

    #: Its path in `typed`; of a list that grew or shrank, the list's.
    path: str
    theirs: Any
    mine: Any
    #: Who alone changed it since the page was opened, `mine` or `theirs`; empty: both, or it is not known.
    changed_by: str = ""

    @property
    def can_be_written(self) -> bool:
        """Whether a third text may be put in its place; otherwise one of the two is chosen whole."""
        return isinstance(self.theirs, str) and isinstance(self.mine, str) and not self.path.endswith(".seen")


def differences(
    theirs: Mapping[str, Any], mine: Mapping[str, Any], base: Mapping[str, Any] | None = None
) -> list[Difference]:
    """Where two contents (each in the shape of `typed`) differ, in the order of the page; `base`: before both."""
    found = [one for one in _differences("", theirs, mine) if not one.path.endswith(".seen")]
    return found if base is None else [_judged(one, base) for one in found]


def _judged(found: Difference, base: Mapping[str, Any]) -> Difference:
    before = _at(base, found.path)
    by = "theirs" if before == found.mine else "mine" if before == found.theirs else ""
    return Difference(found.path, found.theirs, found.mine, by)


def _at(content: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(content, list):
            content = content[int(step)] if step.isdecimal() and int(step) < len(content) else None
        else:
            content = content.get(step) if isinstance(content, Mapping) else None
    return content


def packed(content: Mapping[str, Any]) -> str:
    """A content in a hidden field of its page: what both started from."""
    return base64.b64encode(zlib.compress(json.dumps(content).encode(), 9)).decode()


def unpacked(written: str) -> dict[str, Any] | None:
    """What `packed` gave; None for anything else."""
    try:
        raw = zlib.decompressobj().decompress(base64.b64decode(written, validate=True), 400_000)
        content = json.loads(raw)
    except (binascii.Error, ValueError, zlib.error):
        return None
    return content if isinstance(content, dict) else None


def _differences(path: str, theirs: Any, mine: Any) -> list[Difference]:
    if theirs == mine:
        return []
    stem = f"{path}." if path else ""
    if isinstance(theirs, Mapping) and isinstance(mine, Mapping) and theirs.keys() == mine.keys():
        return [found for name in theirs for found in _differences(stem + name, theirs[name], mine[name])]
    if _are_rows(theirs, mine):
        return [
            found
            for place, (one, other) in enumerate(zip(theirs, mine, strict=True))
            for found in _differences(f"{stem}{place}", one, other)
        ]
    return [Difference(path, theirs, mine)]


def _are_rows(theirs: Any, mine: Any) -> bool:
    """Lists of the same things in the same order: rows that both have."""
    if not (isinstance(theirs, list) and isinstance(mine, list) and len(theirs) == len(mine)):
        return False
    return all(
        isinstance(one, Mapping) and isinstance(other, Mapping) and one.get("id") == other.get("id")
        for one, other in zip(theirs, mine, strict=True)
    )


def merged(theirs: Mapping[str, Any], mine: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, Any]:
    """What comes of both: of each difference what was chosen, by path `mine`, `theirs` or `=` and a text of its own.

    Where nothing was chosen, what is saved stays: the page asks for each.
    """
    content = copy.deepcopy(dict(theirs))
    for found in differences(theirs, mine):
        choice = chosen.get(found.path, "theirs")
        if choice == "mine":
            _put(content, found.path, copy.deepcopy(found.mine))
        elif choice.startswith("=") and found.can_be_written:
            _put(content, found.path, choice[1:])
    return content


def _put(content: Any, path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        content = content[int(step)] if isinstance(content, list) else content[step]
    if isinstance(content, list):
        content[int(last)] = value
    else:
        content[last] = value
