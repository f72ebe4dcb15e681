"""Bank transfer: for everyone without card or e-wallet. No provider is called; the bank's file is its word.

A payment's page is the shop's own: the account, the exact total, and a short code for the transfer's note.
When a line of the bank's file carries that code and that amount (`bank.transfers`), `announce` puts an event into
the inbox, signed and unique by the line, and it is handled like any provider's.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront.days import accounting_day, begins
from storefront.extensions import db
from storefront.payments.gateway import (
    EventKind,
    PaymentRequest,
    ProviderEvent,
    ProviderRefused,
    ProviderStatus,
    RawEvent,
    RefundStatus,
    SignedEvent,
    StartedPayment,
    SupportsGet,
)
from storefront.payments.inbox import receive
from storefront.payments.methods import Method
from storefront.payments.provider_books import BalanceLine, LineKind, ProviderPayout
from storefront.payments.signed import check_stamp, event_of, stamp
from storefront.payments.transfer_models import Transfer

NAME = "transfer"
SIGNATURE_HEADER = "Transfer-Signature"
SUCCEEDED = "payment.succeeded"
#: Signs that nobody takes for another, on paper, aloud or in capitals: no B, G, I, L, O, S, U, Z, 0, 1, 2, 5, 8.
ALPHABET = "ACDEFHJKMNPQRTVWXY34679"
PREFIX, LENGTH = "KB", 6
#: Banks ask at least this much, in rupiah, of a transfer to another bank.
LEAST = 10_000
DAY = datetime.timedelta(days=1)


class TransferGateway:
    """See `storefront.payments.gateway.Gateway`."""

    name = NAME
    extension = datetime.timedelta(days=1)
    pages_follow = True
    shortest_page = datetime.timedelta(0)
    settles_within = datetime.timedelta(0)
    methods: Sequence[Method] = (
        Method(
            "bank_transfer",
            _("Transfer bank"),
            fee=_("bank Anda mungkin memungut biaya transfer"),
            minimum=LEAST,
            can_refund=False,
        ),
    )

    def __init__(self, base_url: str, secret_key: str, hold: datetime.timedelta) -> None:
        self.base_url = base_url.rstrip("/")
        self.hold = hold
        # The events are our own: a key of their own is derived, so that there is no further secret to keep.
        self._secret = hmac.new(
            secret_key.encode(), b"storefront bank transfer events", hashlib.sha256
        ).digest()

    def start(self, request: PaymentRequest) -> StartedPayment:
        with db.engine.begin() as connection:
            code = None
            while code is None:
                # Another payment may have the code, or this one be here already: both leave all as it is.
                connection.execute(
                    upsert(Transfer)
                    .values(
                        id=request.id,
                        code=new_code(),
                        amount=request.amount,
                        description=request.description,
                        locale=request.locale,
                        expires_at=request.expires_at,
                    )
                    .on_conflict_do_nothing()
                )
                code = connection.scalar(select(Transfer.code).where(Transfer.id == request.id))
        language = "/en" if request.locale == "en" else ""
        return StartedPayment(code, f"{self.base_url}{language}/transfer/{request.id}")

    def look_up(self, reference: str, *, since: datetime.datetime | None = None) -> ProviderStatus:
        return _status(_transfer(reference))

    def expire(self, reference: str, *, since: datetime.datetime | None = None) -> ProviderStatus:
        transfer = _transfer(reference)
        with db.engine.begin() as connection:
            connection.execute(
                update(Transfer)
                .where(Transfer.id == transfer["id"], Transfer.state == "open")
                .values(state="expired")
            )
        return _status(_transfer(reference))

    def refund(self, reference: str, amount: int, idempotency_key: str) -> str:
        _transfer(reference)
        raise ProviderRefused("cannot_refund", "bank transfers are given back by bank")

    def look_up_refund(self, reference: str, idempotency_key: str) -> RefundStatus:
        raise LookupError(idempotency_key)

    def events(self, since: datetime.datetime) -> Iterable[RawEvent]:
        return [
            RawEvent(row["event_id"], SUCCEEDED, _body(row), row["succeeded_at"])
            for row in _succeeded(Transfer.succeeded_at >= since)
        ]

    def balance_lines(self, first: datetime.date, last: datetime.date) -> Iterable[BalanceLine]:
        """Each transfer lay on our account when it counted: what came in went out at the same moment."""
        rows = _succeeded(Transfer.succeeded_at >= begins(first), Transfer.succeeded_at < begins(last + DAY))
        return [line for row in rows for line in _lines(row)]

    def payouts(self, since: datetime.date) -> Iterable[ProviderPayout]:
        return [
            ProviderPayout(
                reference=reference_of(row),
                amount=row["amount"],
                state="paid",
                arrives_on=accounting_day(row["succeeded_at"]),
                created_at=row["succeeded_at"],
                is_explained=True,
            )
            for row in _succeeded(Transfer.succeeded_at >= begins(since))
        ]

    def payout_lines(self, payout_reference: str) -> Iterable[BalanceLine]:
        return [next(iter(_lines(_transfer(payout_reference, state="succeeded"))))]

    def verify(self, headers: SupportsGet, body: bytes) -> SignedEvent:
        check_stamp(self._secret, headers.get(SIGNATURE_HEADER) or "", body)
        return event_of(body)

    def read(self, body: bytes) -> ProviderEvent:
        event = json.loads(body)
        if event["type"] != SUCCEEDED:
            return ProviderEvent(kind=EventKind.UNKNOWN, payment_id="", reference="", amount=0)
        payment: dict[str, Any] = event["payment"]
        return ProviderEvent(
            kind=EventKind.PAYMENT_SUCCEEDED,
            payment_id=payment["id"],
            reference=payment["reference"],
            amount=payment["amount"],
            # The bank keeps nothing of what arrives.
            fee=0,
            capture_reference=event["id"],
        )

    def signed_headers(self, body: bytes) -> dict[str, str]:
        """The headers of an event with this body, signed now."""
        return {SIGNATURE_HEADER: stamp(self._secret, body)}


def new_code() -> str:
    """A code for a transfer's note: `KB` and six signs, such as `KBT4KQ7M`."""
    return PREFIX + "".join(secrets.choice(ALPHABET) for _sign in range(LENGTH))


def codes_in(text: str) -> list[str]:
    """What could be codes in a bank's words, which may be cut by spaces, points or a line's end."""
    plain = "".join(sign for sign in text.upper() if sign.isascii() and sign.isalnum())
    size = len(PREFIX) + LENGTH
    windows = [plain[at : at + size] for at in range(len(plain) - size + 1) if plain.startswith(PREFIX, at)]
    return [window for window in dict.fromkeys(windows) if set(window[len(PREFIX) :]) <= set(ALPHABET)]


def announce(gateway: TransferGateway, payment_id: str, bank_account_id: int, event_id: str) -> bool:
    """Say that a payment's money lies on one of our accounts; False when that was said before.

    In the caller's transaction: the transfer is marked and its event put into the inbox, both or neither.
    Raises LookupError for a payment without a transfer.
    """
    transfer = db.session.get(Transfer, payment_id, with_for_update=True, populate_existing=True)
    if transfer is None:
        raise LookupError(payment_id)
    if transfer.state == "succeeded":
        return False
    now = db.session.execute(select(func.now())).scalar_one()
    transfer.state, transfer.event_id, transfer.bank_account_id = "succeeded", event_id, bank_account_id
    transfer.succeeded_at = now
    db.session.flush()
    body = body_of(event_id, transfer.id, transfer.amount, transfer.code)
    return receive(NAME, gateway.signed_headers(body), body)


def body_of(event_id: str, payment_id: str, amount: int, code: str | None = None) -> bytes:
    """An event that says that a payment has succeeded."""
    payment = {"id": payment_id, "reference": code or payment_id, "amount": amount}
    return json.dumps({"id": event_id, "type": SUCCEEDED, "payment": payment}).encode()


def _body(row: RowMapping) -> bytes:
    return body_of(row["event_id"], row["id"], row["amount"], row["code"])


def reference_of(transfer: RowMapping | Transfer) -> str:
    """What the transfer is known by: its code, or its payment's id where it has none."""
    if isinstance(transfer, Transfer):
        return transfer.code or transfer.id
    return str(transfer["code"] or transfer["id"])


def _transfer(reference: str, state: str | None = None) -> RowMapping:
    """A transfer by its code, its payment's id or the bank's line that paid it. Raises LookupError."""
    table = Transfer.__table__
    query = select(table).where(
        (table.c.code == reference) | (table.c.id == reference) | (table.c.event_id == reference)
    )
    with db.engine.begin() as connection:
        row = connection.execute(query).mappings().one_or_none()
    if row is None or (state is not None and row["state"] != state):
        raise LookupError(reference)
    return row


def _succeeded(*conditions: Any) -> Sequence[RowMapping]:
    table = Transfer.__table__
    with db.engine.begin() as connection:
        return (
            connection.execute(
                select(table)
                .where(table.c.state == "succeeded", *conditions)
                .order_by(table.c.succeeded_at, table.c.id)
            )
            .mappings()
            .all()
        )


def _status(row: RowMapping) -> ProviderStatus:
    is_paid = row["state"] == "succeeded"
    return ProviderStatus(
        state=row["state"],
        reference=reference_of(row),
        amount=row["amount"],
        fee=0 if is_paid else None,
        succeeded_at=row["succeeded_at"],
        capture_reference=row["event_id"],
        payment_id=row["id"],
        method="bank_transfer" if is_paid else None,
        can_refund=False,
    )


def _lines(row: RowMapping) -> Iterator[BalanceLine]:
    """Money in, then the same money to our bank."""
    for kind, amount in ((LineKind.PAYMENT, row["amount"]), (LineKind.PAYOUT, -row["amount"])):
        yield BalanceLine(
            reference=f"{row['event_id']}:{kind.value}",
            kind=kind,
            amount=amount,
            fee=0,
            at=row["succeeded_at"],
            payment_id=row["id"],
            capture_reference=row["event_id"] if kind is LineKind.PAYMENT else None,
            payout_reference=reference_of(row),
        )
