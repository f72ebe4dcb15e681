"""What a refund takes from each fund: what it took, or what it will take as the books stand now.

What was settled or deposited already becomes a receivable from the next settlement or deposit, and finance is
told so before and after.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text

from storefront.books.line_shares import taken_shares
from storefront.books.listed import as_list
from storefront.extensions import db
from storefront.languages import locale
from storefront.ledger.balance import balance

TOOK = text(
    """
    SELECT f.code AS facility_code, COALESCE(u.code, 'shipping') AS fund_code,
           CASE WHEN :english THEN u.finance_name_en ELSE u.finance_name END AS fund_label,
           sum(p.amount)::bigint AS amount, COALESCE(sum(p.amount) FILTER (WHERE a.kind = 'asset'), 0)::bigint
           AS receivable
      FROM journal_entries e
      JOIN postings p ON p.entry_id = e.id
      JOIN accounts a ON a.id = p.account_id
      JOIN facilities f ON f.id = a.facility_id
      LEFT JOIN funds u ON u.id = a.fund_id
     WHERE e.source = 'refund:' || CAST(:id AS bigint) || '\\:succeeded'
       AND (CAST(:ids AS bigint[]) IS NULL OR f.id = ANY (CAST(:ids AS bigint[])))
     GROUP BY f.code, u.code, u.position, u.id, fund_label ORDER BY f.code, u.position NULLS LAST, u.id"""
)
LINES = text(
    """
    SELECT x.order_line_id, x.amount, l.facility_code FROM refund_lines x
      JOIN order_lines l ON l.id = x.order_line_id
     WHERE x.refund_id = :id AND (CAST(:ids AS bigint[]) IS NULL OR l.facility_id = ANY (CAST(:ids AS bigint[])))
     ORDER BY l.position"""
)
SHIPPING = text(
    """
    SELECT f.code AS facility_code, x.amount FROM refund_parcels x
      JOIN parcels p ON p.id = x.parcel_id JOIN facilities f ON f.id = p.facility_id
     WHERE x.refund_id = :id AND (CAST(:ids AS bigint[]) IS NULL OR f.id = ANY (CAST(:ids AS bigint[])))
     ORDER BY p.position"""
)
FUNDS = text(
    """
    SELECT code, CASE WHEN :english THEN finance_name_en ELSE finance_name END AS label
      FROM funds ORDER BY position, id"""
)


@dataclass(frozen=True)
class FundTaken:
    """What a fund (or `shipping`) of a facility gives back, in rupiah."""

    facility_code: str
    fund_code: str
    #: None: shipping.
    fund_label: str | None
    amount: int
    #: The part of it that was passed on already and comes off the next settlement or deposit.
    receivable: int


def took(refund_id: int, facility_ids: Iterable[int] | None) -> list[FundTaken]:
    """What a refund that succeeded has taken, by the books; nothing for one that has not."""
    values = {"id": refund_id, "ids": as_list(facility_ids), "english": locale() == "en"}
    return [FundTaken(**row) for row in db.session.execute(TOOK, values).mappings()]


def would_take(refund_id: int, facility_ids: Iterable[int] | None) -> list[FundTaken]:
    """What a refund that is under way takes if it succeeds now. Reads only, and locks nothing."""
    values = {"id": refund_id, "ids": as_list(facility_ids)}
    amounts: dict[tuple[str, str], int] = {}
    for line in db.session.execute(LINES, values):
        # Of one that was refused, others may have taken the place since.
        for share in taken_shares(line.order_line_id, line.amount, is_capped=True):
            key = (line.facility_code, share.fund_code)
            amounts[key] = amounts.get(key, 0) + share.amount
    for parcel in db.session.execute(SHIPPING, values):
        key = (parcel.facility_code, "shipping")
        amounts[key] = amounts.get(key, 0) + parcel.amount
    labels = {row.code: row.label for row in db.session.execute(FUNDS, {"english": locale() == "en"})}
    order = {code: place for place, code in enumerate([*labels, "shipping"])}
    return [
        FundTaken(facility, fund, labels.get(fund), amount, max(0, amount - _owed(facility, fund)))
        for (facility, fund), amount in sorted(
            amounts.items(), key=lambda item: (item[0][0], order[item[0][1]])
        )
        if amount
    ]


def _owed(facility_code: str, fund_code: str) -> int:
    return max(0, -balance(f"owed:{facility_code}:{fund_code}"))
