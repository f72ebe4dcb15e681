"""What was sold at a fair: pieces and money by facility and by fund, as booked, less what went back.

Sums of the lines' own shares and of the refunds that succeeded, so they are the ledger's to the rupiah. No person and
no count of people is in them. What facilities for children sold stands in one sum without a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import text

from storefront.extensions import db
from storefront.ledger.earnings import EarnedPart
from storefront.ledger.shares import STANDARD_FUNDS
from storefront.money import split

SHARES = text(
    """
    SELECT CASE WHEN f.kind <> 'lpka' THEN f.id END AS facility_id, u.code, u.name, u.name_en, u.position,
           sum(x.amount)::bigint AS amount
      FROM (SELECT s.order_line_id, s.fund_id, s.amount FROM order_line_shares s
            UNION ALL
            SELECT s.order_line_id, s.fund_id, -s.amount FROM refund_shares s
              JOIN refunds r ON r.id = s.refund_id AND r.state = 'succeeded') x
      JOIN order_lines l ON l.id = x.order_line_id
      JOIN orders o ON o.id = l.order_id AND o.state = 'paid' AND o.exhibition_id = :fair
      JOIN facilities f ON f.id = l.facility_id
      JOIN funds u ON u.id = x.fund_id
     GROUP BY 1, u.id ORDER BY 1, u.position, u.id"""
)
PIECES = text(
    """
    SELECT CASE WHEN f.kind <> 'lpka' THEN f.id END AS facility_id,
           CASE WHEN f.kind <> 'lpka' THEN f.name ELSE '' END AS name,
           CASE WHEN f.kind <> 'lpka' AND f.status = 'active' THEN f.slug ELSE '' END AS slug,
           sum(l.quantity - COALESCE(b.quantity, 0))::bigint AS pieces
      FROM order_lines l
      JOIN orders o ON o.id = l.order_id AND o.state = 'paid' AND o.exhibition_id = :fair
      JOIN facilities f ON f.id = l.facility_id
      LEFT JOIN (SELECT x.order_line_id, sum(x.quantity) AS quantity FROM refund_lines x
                   JOIN refunds r ON r.id = x.refund_id AND r.state = 'succeeded'
                  GROUP BY 1) b ON b.order_line_id = l.id
     GROUP BY 1, 2, 3"""
)


@dataclass(frozen=True)
class SoldBy:
    """What a facility sold; `name` is empty for those that are not named."""

    name: str
    slug: str
    pieces: int
    parts: Sequence[EarnedPart]

    @property
    def total(self) -> int:
        """Rupiah."""
        return sum(part.amount for part in self.parts)


@dataclass(frozen=True)
class Sold:
    """All of a fair; `by` begins with the largest sum."""

    by: Sequence[SoldBy] = ()
    parts: Sequence[EarnedPart] = field(default=())

    @property
    def pieces(self) -> int:
        return sum(one.pieces for one in self.by)

    @property
    def total(self) -> int:
        """Rupiah."""
        return sum(part.amount for part in self.parts)


def sold(exhibition_id: int, language: str) -> Sold:
    """What was sold at the fair until now; its sums over facilities and over funds are the same."""
    shares = db.session.execute(SHARES, {"fair": exhibition_id}).all()
    of: dict[int | None, dict[str, int]] = {}
    names: dict[str, tuple[int, str]] = {}
    for row in shares:
        amounts = of.setdefault(row.facility_id, {})
        amounts[row.code] = amounts.get(row.code, 0) + row.amount
        names[row.code] = (row.position, row.name_en if language == "en" else row.name)
    counts = db.session.execute(PIECES, {"fair": exhibition_id}).all()
    all_of_them = [SoldBy(row.name, row.slug, row.pieces, _parts(of.get(row.facility_id, {}), names)) for row in counts]
    by = [one for one in all_of_them if one.pieces or one.total]  # of the rest everything went back
    whole: dict[str, int] = {}
    for amounts in of.values():
        for code, amount in amounts.items():
            whole[code] = whole.get(code, 0) + amount
    return Sold(sorted(by, key=lambda one: (-one.total, one.name)), _parts(whole, names))


def _parts(amounts: dict[str, int], names: dict[str, tuple[int, str]]) -> list[EarnedPart]:
    found = sorted((code for code, amount in amounts.items() if amount), key=lambda code: names[code][0])
    weights = [max(amounts[code], 0) for code in found]
    points = split(10_000, weights) if any(weights) else [0] * len(found)
    return [
        EarnedPart(code, code if code in STANDARD_FUNDS else "other", names[code][1], amounts[code], share)
        for code, share in zip(found, points, strict=True)
    ]
