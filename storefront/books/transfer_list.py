"""A settlement's transfers as pages show them, and those that finance must look at."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import text

from storefront.books.listed import as_list
from storefront.extensions import db

TRANSFERS = text(
    """
    SELECT t.id, o.number AS order_number, t.amount, t.reversed, t.state, t.failure, t.reference, t.made_at
      FROM facility_transfers t JOIN payments p ON p.id = t.payment_id JOIN orders o ON o.id = p.order_id
     WHERE t.settlement_id = :id ORDER BY t.id"""
)
REVERSALS = text(
    """
    SELECT r.transfer_id, r.id, r.amount, r.state, r.failure, r.source, r.reference
      FROM transfer_reversals r JOIN facility_transfers t ON t.id = r.transfer_id
     WHERE t.settlement_id = :id ORDER BY r.id"""
)
TROUBLED = text(
    """
    SELECT s.id, f.name AS facility_name, COALESCE(t.amount, 0)::bigint AS refused,
           COALESCE(r.amount, 0)::bigint AS short
      FROM settlements s
      JOIN facilities f ON f.id = s.facility_id
      LEFT JOIN LATERAL (SELECT sum(x.amount) AS amount FROM facility_transfers x
                          WHERE x.settlement_id = s.id AND x.state = 'failed') t ON true
      LEFT JOIN LATERAL (SELECT sum(y.amount) AS amount FROM transfer_reversals y
                           JOIN facility_transfers x ON x.id = y.transfer_id
                          WHERE x.settlement_id = s.id
                            AND (y.state = 'failed' OR (y.state = 'planned' AND y.failure <> ''))) r ON true
     WHERE s.connected_account_id IS NOT NULL AND (t.amount > 0 OR r.amount > 0)
       AND (CAST(:ids AS bigint[]) IS NULL OR s.facility_id = ANY (CAST(:ids AS bigint[])))
     ORDER BY s.id LIMIT 50"""
)


@dataclass(frozen=True)
class ReversalRow:
    """A part of a transfer that comes back, and why."""

    id: int
    amount: int
    state: str
    failure: str
    #: `refund:<id>:…` or `dispute:<id>`.
    source: str
    reference: str | None


@dataclass(frozen=True)
class TransferRow:
    """A transfer of a settlement, with the order that it is of."""

    id: int
    order_number: str
    amount: int
    reversed: int
    state: str
    failure: str
    reference: str | None
    made_at: datetime.datetime | None
    reversals: list[ReversalRow] = field(default_factory=list)


@dataclass(frozen=True)
class TroubledTransfer:
    """A settlement by transfer that finance must look at; rupiah."""

    id: int
    facility_name: str
    #: Refused by the provider.
    refused: int
    #: Not taken back, because the facility's account held too little or the provider refused.
    short: int


def of_settlement(settlement_id: int) -> list[TransferRow]:
    """The transfers of a settlement, each with what comes back of it."""
    values = {"id": settlement_id}
    back: dict[int, list[ReversalRow]] = {}
    for row in db.session.execute(REVERSALS, values).mappings():
        of = dict(row)
        back.setdefault(of.pop("transfer_id"), []).append(ReversalRow(**of))
    rows = db.session.execute(TRANSFERS, values).mappings()
    return [TransferRow(**row, reversals=back.get(row["id"], [])) for row in rows]


def troubled(facility_ids: Iterable[int] | None) -> list[TroubledTransfer]:
    """Settlements of which the provider refused a transfer, or to take a part of one back, the oldest first."""
    rows = db.session.execute(TROUBLED, {"ids": as_list(facility_ids)}).mappings()
    return [TroubledTransfer(**row) for row in rows]
