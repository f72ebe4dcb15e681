"""The first page of the central office: what waits for a person, each kind with its one link."""

from __future__ import annotations

from collections.abc import Callable

from flask import render_template
from flask.typing import ResponseReturnValue

from storefront.blueprints.admin import allowed, bp
from storefront.people import access
from storefront.people.policy import Action
from storefront.people.queues import Find, Queue, Queues

__all__ = ["QUEUES", "Queue", "queue"]

#: In the order in which the modules of this face are imported.
QUEUES = Queues(allowed)
queue: Callable[[Action], Callable[[Find], Find]] = QUEUES.queue


@bp.get("/")
@access.signed_in
def overview() -> ResponseReturnValue:
    """What waits, for whom it concerns."""
    return render_template("admin/overview.html", queues=QUEUES.found())
