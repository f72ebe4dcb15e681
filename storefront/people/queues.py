"""What waits for a person, on the first page of a face: each kind with its number and its one link."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from storefront import days
from storefront.people.policy import Action


@dataclass(frozen=True)
class Queue:
    """Things that wait: how many, what they are, since when or why, and where they are worked off."""

    count: int
    label: str
    note: str
    url: str
    #: What they come to, in rupiah; None where no money waits.
    amount: int | None = None
    #: The day of the oldest one.
    since: datetime.date | None = None
    #: Past its day.
    is_late: bool = False

    @property
    def age(self) -> int | None:
        """Days since the oldest one came; None where nobody knows."""
        return None if self.since is None else max(0, (days.today() - self.since).days)


Find = Callable[[], Queue | Iterable[Queue]]


class Queues:
    """The queues of one face. `allowed` says whether the reader may do an action there."""

    def __init__(self, allowed: Callable[[Action], bool]) -> None:
        self._allowed = allowed
        self._finds: list[tuple[Action, Find]] = []

    def queue(self, action: Action) -> Callable[[Find], Find]:
        """Show what the function finds on the first page, to whoever may do `action`."""

        def register(find: Find) -> Find:
            self._finds.append((action, find))
            return find

        return register

    def found(self) -> list[Queue]:
        """What waits, for whom it concerns: what is late, what waits, and then what does not."""
        every: list[Queue] = []
        for action, find in self._finds:
            if self._allowed(action):
                one = find()
                every += [one] if isinstance(one, Queue) else one
        return sorted(every, key=lambda q: (q.count == 0, not q.is_late))
