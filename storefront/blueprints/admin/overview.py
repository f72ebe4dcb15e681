"""The first page of the central office: what waits for a person, each kind with its one link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import render_template
from flask.typing import ResponseReturnValue

from storefront.blueprints.admin import allowed, bp
from storefront.people import access
from storefront.people.policy import Action


@dataclass(frozen=True)
class Queue:
    """Things that wait: how many, what they are, since when or why, and where they are worked off."""

    count: int
    label: str
    note: str
    url: str


#: In the order in which the modules of this face are imported.
QUEUES: list[tuple[Action, Callable[[], Queue]]] = []


def queue(action: Action) -> Callable[[Callable[[], Queue]], Callable[[], Queue]]:
    """Show what the function finds on the first page, to whoever may do `action`."""

    def register(find: Callable[[], Queue]) -> Callable[[], Queue]:
        QUEUES.append((action, find))
        return find

    return register


@bp.get("/")
@access.signed_in
def overview() -> ResponseReturnValue:
    """What waits, for whom it concerns."""
    found = [find() for action, find in QUEUES if allowed(action)]
    return render_template("admin/overview.html", queues=sorted(found, key=lambda q: q.count == 0))
