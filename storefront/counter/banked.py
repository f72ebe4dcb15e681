"""Cash that a line of the bank shows: it is written down for its till's session and tied to the line by one click."""

from __future__ import annotations

from storefront.bank import from_line
from storefront.counter.models import TillSettlement
from storefront.counter.settle import MOST_REFERENCE, settle


def bank_line(line_id: int, session_id: int, person_id: int) -> TillSettlement:
    """The line is cash of this closed session; the same line again gives what it made. Never commits.

    What is counted but not banked stays in the till. Raises what `settle` does, NotEven, Decided, NotFound.
    """
    line = from_line.whole_line(line_id)
    settlement = settle(
        session_id,
        banked=line.amount,
        difference=0,
        on=line.booked_on,
        note="",
        key=f"bank-line-{line_id:08d}-{session_id:08d}",
        person_id=person_id,
        bank_reference=from_line.reference_of(line)[:MOST_REFERENCE],
    )
    from_line.tie_entry(line_id, f"cash:{settlement.id}:banked", person_id)
    return settlement
