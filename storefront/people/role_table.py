"""Who may do what, as a table for people: read from the policy, never written a second time."""

from __future__ import annotations

from dataclasses import dataclass

from storefront.people.models import Role
from storefront.people.policy import FACES, GRANTS, PROVEN, Action

#: In the order of PRODUCT.md's columns.
ROLES = (
    Role.COORDINATOR,
    Role.HEAD,
    Role.FINANCE,
    Role.CURATOR,
    Role.ADMINISTRATOR,
    Role.AUDITOR,
    Role.CASHIER,
)


@dataclass(frozen=True)
class Line:
    """One action and whose it is."""

    action: Action
    #: For each of `ROLES`.
    marks: tuple[bool, ...]
    #: Asks for the code of the phone again.
    is_proven: bool


@dataclass(frozen=True)
class Group:
    """Actions on one kind of thing."""

    #: What the action's name begins with.
    noun: str
    lines: tuple[Line, ...]


def groups() -> list[Group]:
    """Every action with whose it is, those on the same kind of thing together, in the policy's order."""
    found: dict[str, list[Line]] = {}
    for action in Action:
        line = Line(action, tuple(role in GRANTS[action] for role in ROLES), action in PROVEN)
        found.setdefault(action.value.partition(".")[0], []).append(line)
    return [Group(noun, tuple(lines)) for noun, lines in found.items()]


def faces() -> list[tuple[str, tuple[bool, ...]]]:
    """Which faces each role enters at all."""
    return [(face, tuple(role in held for role in ROLES)) for face, held in FACES.items()]
