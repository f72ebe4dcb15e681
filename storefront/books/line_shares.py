"""What taking money back from a line means for each of its shares: the same for refunds and lost disputes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from storefront.extensions import db
from storefront.money import take_back

#: A line's shares, and what refunds and lost disputes have taken of each.
SHARES = text(
    """
    SELECT s.position, s.fund_id, f.code AS fund_code, s.amount,
           (COALESCE((SELECT sum(t.amount) FROM refund_shares t
                       WHERE t.order_line_id = s.order_line_id AND t.position = s.position), 0)
          + COALESCE((SELECT sum(t.amount) FROM dispute_shares t
                       WHERE t.order_line_id = s.order_line_id AND t.position = s.position), 0))::bigint AS taken
      FROM order_line_shares s JOIN funds f ON f.id = s.fund_id
     WHERE s.order_line_id = :line_id ORDER BY s.position"""
)


@dataclass(frozen=True)
class TakenShare:
    """What one share of a line gives back, in rupiah, above zero."""

    position: int
    fund_id: int
    fund_code: str
    amount: int


def taken_shares(order_line_id: int, amount: int, *, is_capped: bool = False) -> list[TakenShare]:
    """Divide `amount` rupiah taken back from a line over its shares (`money.take_back`).

    Raises ValueError when less than that is left of them; capped, it divides what is left.
    """
    shares = db.session.execute(SHARES, {"line_id": order_line_id}).all()
    given, gone = [share.amount for share in shares], [share.taken for share in shares]
    if is_capped:
        amount = min(amount, sum(given) - sum(gone))
    parts = take_back(amount, given, gone)
    return [
        TakenShare(share.position, share.fund_id, share.fund_code, part)
        for share, part in zip(shares, parts, strict=True)
        if part
    ]
