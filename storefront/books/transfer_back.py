"""Working capital that a refund or a lost dispute took after it was transferred: the transfer is reversed in part.

How much is decided with the refund, in its transaction; the provider is asked afterwards, by a job. Until it has taken
the money back, and for good where it cannot, it is a receivable from the facility like any other.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select, text

from storefront.books.connect_models import FacilityTransfer, TransferReversal
from storefront.books.four_eyes import Decided, moment
from storefront.books.models import Settlement
from storefront.books.settle import owed_to, record_step
from storefront.books.transfer_sources import FUND
from storefront.crash_points import reach
from storefront.days import accounting_day, today
from storefront.errors import NotFound
from storefront.extensions import db, defer
from storefront.ledger import passing_on
from storefront.ledger.closed import is_closed
from storefront.ledger.take_back import Taken
from storefront.money import split
from storefront.payments.connect import BalanceShort, connect
from storefront.payments.gateway import ProviderRefused
from storefront.payments.models import Payment

log = structlog.get_logger("storefront.books")
#: For so long an account that holds too little is asked again; then the receivable alone is left.
PATIENCE = datetime.timedelta(days=30)

#: What of each transfer of an order is still with a facility, and what its capital of that order is by now.
TRANSFERRED = text(
    """
    SELECT t.id, t.key, t.payment_id, (t.amount - COALESCE((
           SELECT sum(x.amount) FROM transfer_reversals x
            WHERE x.transfer_id = t.id AND x.state <> 'dropped'), 0))::bigint AS there,
           working_capital_of(t.payment_id, s.facility_id) AS capital
      FROM facility_transfers t
      JOIN settlements s ON s.id = t.settlement_id AND s.facility_id = :facility_id
      JOIN payments p ON p.id = t.payment_id AND p.order_id = :order_id
     WHERE t.state <> 'dropped' ORDER BY t.id"""
)
SHARES_LEFT = text(
    """
    SELECT COALESCE(sum(s.amount
           - COALESCE((SELECT sum(r.amount) FROM refund_shares r
                        WHERE (r.order_line_id, r.position) = (s.order_line_id, s.position)), 0)
           - COALESCE((SELECT sum(d.amount) FROM dispute_shares d
                        WHERE (d.order_line_id, d.position) = (s.order_line_id, s.position)), 0)), 0)::bigint
      FROM order_lines l JOIN order_line_shares s ON s.order_line_id = l.id
      JOIN funds f ON f.id = s.fund_id AND f.code = :fund
     WHERE l.order_id = :order_id AND l.facility_id = :facility_id"""
)


def part_to_come_back(there: int, taken: int, before: int, capital: int) -> int:
    """What of `there` transferred rupiah comes back when `taken` of `before` rupiah of capital were taken.

    In proportion, rounded up, so that many small steps end where one step would: with nothing there when all is
    taken. At least so much that no more stays there than the `capital` that is left.
    """
    in_proportion = -(-there * taken // before)
    return min(there, max(in_proportion, there - max(0, capital)))


def plan_reversals(order_id: int, taken: Sequence[Taken], source: str) -> None:
    """What a refund or dispute (`source`) took of an order's capital comes back from its transfers, as jobs.

    Called in the transaction that took it, which holds the accounts. Never commits.
    """
    by_facility: dict[int, int] = {}
    for part in taken:
        if part.fund_code == FUND:
            by_facility[part.facility_id] = by_facility.get(part.facility_id, 0) + part.amount
    for facility_id, amount in sorted(by_facility.items()):
        if amount:
            _plan_of_facility(order_id, facility_id, amount, source)


def _plan_of_facility(order_id: int, facility_id: int, taken: int, source: str) -> None:
    values = {"order_id": order_id, "facility_id": facility_id}
    rows = db.session.execute(TRANSFERRED, values).all()
    there = sum(row.there for row in rows)
    if not there:
        return
    left = db.session.execute(SHARES_LEFT, {**values, "fund": FUND}).scalar_one()
    amount = part_to_come_back(there, taken, left + taken, rows[0].capital)
    for row, part in zip(rows, split(amount, [row.there for row in rows]), strict=True):
        if part:
            reversal = TransferReversal(
                transfer_id=row.id, source=source, amount=part, key=f"{source}:{row.key}"
            )
            db.session.add(reversal)
            db.session.flush()
            defer("books.reverse_transfer", reversal_id=reversal.id)


@dataclass(frozen=True)
class _Asked:
    """What the provider is asked for."""

    transfer_reference: str
    amount: int
    key: str
    attempt: int


def reverse_transfer(reversal_id: int) -> str:
    """Ask the provider for a part of a transfer back, and book it; commits. Ends the session's transaction first.

    Returns what it came to, in a word. Raises GatewayUnavailable: nobody knows then, and it is done again.
    """
    asked, provider = _asked(reversal_id), connect()
    db.session.rollback()  # no transaction stays open while the provider thinks
    if asked is None or provider is None:
        return "waits"
    try:
        made = provider.reverse(asked.transfer_reference, asked.amount, asked.key, asked.attempt)
    except BalanceShort:
        return _note_no(reversal_id, "balance_insufficient", is_final=False)
    except ProviderRefused as refused:
        return _note_no(reversal_id, refused.code, is_final=True)
    except LookupError:
        return _note_no(reversal_id, "unknown_transfer", is_final=True)
    reach("reversal.after_provider")
    done = reversal_made(reversal_id, made.reference, made.at)
    db.session.commit()
    return "made" if done else "already_recorded"


def _asked(reversal_id: int) -> _Asked | None:
    """None while the transfer is not made, and when the reversal is."""
    row = db.session.execute(
        select(TransferReversal, FacilityTransfer.reference)
        .join(FacilityTransfer, FacilityTransfer.id == TransferReversal.transfer_id)
        .where(TransferReversal.id == reversal_id, TransferReversal.state == "planned")
        .where(FacilityTransfer.state == "made")
        .execution_options(populate_existing=True)
    ).one_or_none()
    return None if row is None else _Asked(str(row[1]), row[0].amount, row[0].key, row[0].attempt)


def reversal_made(reversal_id: int, reference: str, at: datetime.datetime) -> bool:
    """The provider took a part of a transfer back: book it; False when it was booked before. Never commits."""
    settlement, transfer, reversal = _locked(reversal_id)
    if reversal.state == "made":
        return False
    on = accounting_day(at)
    on = today() if is_closed(on) else on
    reversal.state, reversal.reference, reversal.made_at, reversal.failure = "made", reference, at, ""
    db.session.flush()
    gateway = db.session.scalars(select(Payment.gateway).where(Payment.id == transfer.payment_id)).one()
    passing_on.book_transfer_reversal(
        passing_on.reversal_source(settlement.id, transfer.id, reversal.id),
        owed_to(settlement.facility_id, settlement.fund_id),
        reversal.amount,
        gateway,
        on=on,
    )
    _record(settlement, reversal, "transfer_reversed", None)
    return True


def try_again(reversal_id: int, person_id: int) -> TransferReversal:
    """Ask once more for a part that the provider did not take back. Raises Decided, NotFound."""
    settlement, _transfer, reversal = _locked(reversal_id)
    if reversal.state not in ("planned", "failed"):
        raise Decided()
    reversal.state = "planned"
    db.session.flush()
    _record(settlement, reversal, "reversal_tried_again", person_id)
    defer("books.reverse_transfer", reversal_id=reversal.id)
    return reversal


def _note_no(reversal_id: int, failure: str, *, is_final: bool) -> str:
    """The provider said no, for good or for now. The receivable stays. Commits."""
    settlement, _transfer, reversal = _locked(reversal_id)
    if reversal.state == "planned":
        is_final = is_final or moment(None) - reversal.planned_at > PATIENCE
        log.error("transfer_not_reversed", reversal=reversal_id, failure=failure, is_final=is_final)
        is_news = reversal.failure != failure or is_final
        reversal.attempt, reversal.failure = reversal.attempt + 1, failure[:500]
        reversal.state = "failed" if is_final else "planned"
        db.session.flush()
        if is_news:
            _record(settlement, reversal, "reversal_refused", None)
    db.session.commit()
    return "failed" if is_final else "short"


def _locked(reversal_id: int) -> tuple[Settlement, FacilityTransfer, TransferReversal]:
    """The facility's account, then the reversal, locked. Raises NotFound."""
    found = db.session.get(TransferReversal, reversal_id)
    if found is None:
        raise NotFound()
    transfer = db.session.get_one(FacilityTransfer, found.transfer_id)
    settlement = db.session.get_one(Settlement, transfer.settlement_id)
    passing_on.lock([owed_to(settlement.facility_id, settlement.fund_id)])
    found = db.session.get_one(TransferReversal, reversal_id, with_for_update=True, populate_existing=True)
    return settlement, transfer, found


def _record(settlement: Settlement, reversal: TransferReversal, what: str, person_id: int | None) -> None:
    failure = {"failure": reversal.failure} if reversal.failure else {}
    record_step(
        settlement,
        what,
        person_id,
        reversal=reversal.id,
        reversed=reversal.amount,
        source=reversal.source,
        **failure,
    )
