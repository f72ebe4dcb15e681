"""Transfers on their way: asked of the provider between transactions, booked once it has made them.

Each may be asked for again, whatever was lost: the provider finds it by our key. A plain no is shown to finance, who
tries again or leaves it: what was not transferred is then owed as before.
"""

from __future__ import annotations

import datetime

import structlog
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from storefront.books.connect_models import ConnectedAccount, FacilityTransfer, TransferReversal
from storefront.books.four_eyes import Decided, moment
from storefront.books.models import Settlement
from storefront.books.settle import owed_to, record_step
from storefront.books.transfer_plan import NotTransferable
from storefront.crash_points import reach
from storefront.days import accounting_day, today
from storefront.errors import NotFound
from storefront.extensions import db, defer
from storefront.facilities.models import Facility
from storefront.ledger import passing_on
from storefront.ledger.closed import is_closed
from storefront.orders.models import Order
from storefront.payments.connect import BalanceShort, TransferRequest, connect, is_on
from storefront.payments.gateway import ProviderRefused
from storefront.payments.models import Payment

log = structlog.get_logger("storefront.books")
UNDER_WAY = ("planned", "failed")


def send_transfers(settlement_id: int) -> None:
    """Make every transfer of a settlement that waits; commits each. Ends the session's transaction first.

    While transfers are off, they wait. Raises GatewayUnavailable: nobody knows then, and it is done again.
    """
    waiting = db.session.scalars(
        select(FacilityTransfer.id)
        .where(FacilityTransfer.settlement_id == settlement_id, FacilityTransfer.state == "planned")
        .order_by(FacilityTransfer.id)
    ).all()
    db.session.rollback()
    for transfer_id in waiting if is_on() else ():
        _send(transfer_id)


def _send(transfer_id: int) -> None:
    request, provider = _request(transfer_id), connect()
    db.session.rollback()  # no transaction stays open while the provider thinks
    if request is None or provider is None:
        return
    try:
        made = provider.transfer(request)
    except (BalanceShort, ProviderRefused, LookupError) as refused:
        _note_no(transfer_id, _word(refused))
        return
    reach("transfer.after_provider")
    transfer_made(transfer_id, made.reference, made.at)
    db.session.commit()
    reach("transfer.after_commit")


def _request(transfer_id: int) -> TransferRequest | None:
    """What the provider is asked for; None when somebody else was quicker."""
    row = db.session.execute(
        select(
            FacilityTransfer, Settlement.id, ConnectedAccount.account, Payment, Order.number, Facility.code
        )
        .join(Settlement, Settlement.id == FacilityTransfer.settlement_id)
        .join(ConnectedAccount, ConnectedAccount.id == Settlement.connected_account_id)
        .join(Facility, Facility.id == Settlement.facility_id)
        .join(Payment, Payment.id == FacilityTransfer.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(FacilityTransfer.id == transfer_id, FacilityTransfer.state == "planned")
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None
    transfer, settlement_id, account, payment, number, facility = row
    assert payment.capture_reference is not None  # what has none is never a source
    return TransferRequest(
        key=transfer.key,
        attempt=transfer.attempt,
        capture_reference=payment.capture_reference,
        account=account,
        amount=transfer.amount,
        group=number,
        about={
            "payment": payment.id,
            "order": number,
            "facility": facility,
            "settlement": str(settlement_id),
        },
    )


def transfer_made(transfer_id: int, reference: str, at: datetime.datetime) -> bool:
    """The provider has made a transfer: book it; False when it was booked before. Never commits.

    It counts on the provider's day, or today when that month is closed.
    """
    settlement, transfer = _locked(transfer_id)
    if transfer.state == "made":
        return False
    on = accounting_day(at)
    on = today() if is_closed(on) else on
    transfer.state, transfer.reference, transfer.made_at, transfer.failure = "made", reference, at, ""
    db.session.flush()
    gateway = db.session.scalars(select(Payment.gateway).where(Payment.id == transfer.payment_id)).one()
    passing_on.book_facility_transfer(
        passing_on.transfer_source(settlement.id, transfer.id),
        owed_to(settlement.facility_id, settlement.fund_id),
        transfer.amount,
        gateway,
        on=on,
        person_id=settlement.approved_by,
    )
    record_step(settlement, "transferred", None, transfer=transfer.id, reference=reference)
    _finish(settlement)
    # Refunds that came while it was on its way.
    for reversal_id in db.session.scalars(
        select(TransferReversal.id).where(
            TransferReversal.transfer_id == transfer.id, TransferReversal.state == "planned"
        )
    ).all():
        defer("books.reverse_transfer", reversal_id=reversal_id)
    return True


def try_again(transfer_id: int, person_id: int) -> FacilityTransfer:
    """Ask once more for a transfer that was refused. Raises Decided, NotFound, NotTransferable."""
    settlement, transfer = _locked(transfer_id)
    if transfer.state != "failed":
        raise Decided()
    try:
        with db.session.begin_nested():
            transfer.state, transfer.failure = "planned", ""
            db.session.flush()
    except IntegrityError as refusal:
        if "more than the working capital" not in str(refusal.orig):
            raise
        raise NotTransferable(
            _(
                "Modal kerja pesanan ini sudah diambil kembali, jadi transfernya tidak dapat diulang. "
                "Batalkan transfer ini."
            )
        ) from None
    record_step(settlement, "transfer_tried_again", person_id, transfer=transfer.id)
    defer("books.send_transfers", settlement_id=settlement.id)
    return transfer


def drop(transfer_id: int, person_id: int) -> FacilityTransfer:
    """Leave a transfer that was refused: its money stays owed, and can be proposed anew. Raises Decided, NotFound."""
    settlement, transfer = _locked(transfer_id)
    if transfer.state != "failed":
        raise Decided()
    transfer.state = "dropped"
    for reversal in db.session.scalars(
        select(TransferReversal).where(TransferReversal.transfer_id == transfer.id).with_for_update()
    ):
        reversal.state = "dropped"
    db.session.flush()
    record_step(settlement, "transfer_dropped", person_id, transfer=transfer.id)
    _finish(settlement, person_id)
    return transfer


def _finish(settlement: Settlement, person_id: int | None = None) -> None:
    """Once none of its transfers is under way: paid with what was transferred, or turned down when nothing was."""
    rows = db.session.execute(
        select(FacilityTransfer.state, FacilityTransfer.amount, FacilityTransfer.made_at).where(
            FacilityTransfer.settlement_id == settlement.id
        )
    ).all()
    if any(row.state in UNDER_WAY for row in rows):
        return
    made = [row for row in rows if row.state == "made"]
    now = moment(None)
    if made:
        settlement.state = "paid"
        settlement.transferred, settlement.transferred_at = sum(row.amount for row in made), now
        settlement.paid_on = accounting_day(max(row.made_at for row in made))
    else:
        settlement.state, settlement.rejected_by, settlement.rejected_at = "rejected", person_id, now
    db.session.flush()
    record_step(
        settlement, settlement.state, person_id, was="approved", transferred=settlement.transferred or 0
    )


def _locked(transfer_id: int) -> tuple[Settlement, FacilityTransfer]:
    """The settlement, its facility's account, and the transfer, locked in this order. Raises NotFound."""
    settlement_id = db.session.scalar(
        select(FacilityTransfer.settlement_id).where(FacilityTransfer.id == transfer_id)
    )
    if settlement_id is None:
        raise NotFound()
    settlement = db.session.get_one(Settlement, settlement_id, with_for_update=True, populate_existing=True)
    passing_on.lock([owed_to(settlement.facility_id, settlement.fund_id)])
    transfer = db.session.get_one(FacilityTransfer, transfer_id, with_for_update=True, populate_existing=True)
    return settlement, transfer


def _note_no(transfer_id: int, failure: str) -> None:
    """The provider said no: it remembers that under our key, so the next try has another. Commits."""
    settlement, transfer = _locked(transfer_id)
    if transfer.state == "planned":
        log.error("transfer_refused", transfer=transfer_id, failure=failure)
        transfer.state, transfer.attempt, transfer.failure = "failed", transfer.attempt + 1, failure[:500]
        record_step(settlement, "transfer_refused", None, transfer=transfer.id, failure=failure[:500])
    db.session.commit()


def _word(refused: BalanceShort | ProviderRefused | LookupError) -> str:
    """Why not, in a word. Short is our own balance here: the money of an old charge went to our bank before."""
    if isinstance(refused, ProviderRefused):
        return refused.code
    return "own_balance_insufficient" if isinstance(refused, BalanceShort) else "unknown_payment"
