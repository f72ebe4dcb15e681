"""What the books say of a bank account and no line of the bank tells of yet."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from storefront.extensions import db

#: Names by which a fact may stand in the bank's words, and where its page is.
NAMES = {
    "settlement": "SELECT id, ARRAY[bank_reference] FROM settlements WHERE id = ANY (:ids)",
    "deposit": "SELECT id, ARRAY[ntpn, ntb, billing_code] FROM deposits WHERE id = ANY (:ids)",
    "payout": "SELECT id, ARRAY[reference] FROM payouts WHERE id = ANY (:ids)",
    "budget_return": "SELECT id, ARRAY[reference] FROM budget_returns WHERE id = ANY (:ids)",
    "refund": "SELECT refund_id, ARRAY[bank_reference] FROM bank_returns WHERE refund_id = ANY (:ids)",
    "cash": "SELECT id, ARRAY[bank_reference] FROM till_settlements WHERE id = ANY (:ids)",
    "bank_return": "SELECT id, ARRAY[bank_reference] FROM bank_returns WHERE id = ANY (:ids)",
}
#: Shorter names stand in the bank's words by chance.
SHORTEST_NAME = 6
SOURCE = re.compile(r"([a-z_]+):([0-9]+)(?::|$)")

UNTIED = text(
    """
    SELECT p.id AS posting_id, p.amount, e.source, e.kind, e.effective_date AS day
      FROM postings p
      JOIN accounts a ON a.id = p.account_id AND a.bank_account_id = :account
      JOIN journal_entries e ON e.id = p.entry_id
     WHERE NOT EXISTS (SELECT FROM bank_match_postings m WHERE m.posting_id = p.id)
       AND (CAST(:amounts AS bigint[]) IS NULL OR p.amount = ANY (CAST(:amounts AS bigint[])))
     ORDER BY e.effective_date DESC, p.id DESC LIMIT :limit"""
)


@dataclass(frozen=True)
class Booked:
    """A posting on the bank account that no line is tied to; `amount` as the bank would write it."""

    posting_id: int
    amount: int
    source: str
    kind: str
    day: datetime.date
    #: By which its fact may be called in the bank's words.
    names: Sequence[str]

    @property
    def fact(self) -> tuple[str, int] | None:
        """What it tells of, such as `("settlement", 12)`."""
        found = SOURCE.match(self.source)
        return (found[1], int(found[2])) if found else None

    def is_named_in(self, words: str) -> bool:
        """Whether one of its names stands in the bank's words, however they are spaced."""
        plain = squeezed(words)
        return any(squeezed(name) in plain for name in self.names)


def untied(bank_account_id: int, amounts: Iterable[int] | None = None, *, limit: int = 500) -> list[Booked]:
    """Postings on the account that no line is tied to, the latest first; of these amounts, or (None) of any."""
    values = {
        "account": bank_account_id,
        "amounts": None if amounts is None else sorted(set(amounts)),
        "limit": limit,
    }
    rows = db.session.execute(UNTIED, values).mappings().all()
    facts: dict[str, set[int]] = {}
    for row in rows:
        if found := SOURCE.match(row["source"]):
            facts.setdefault(found[1], set()).add(int(found[2]))
    names = {kind: _names(kind, ids) for kind, ids in facts.items() if kind in NAMES}
    booked = []
    for row in rows:
        found = SOURCE.match(row["source"])
        own = names.get(found[1], {}).get(int(found[2]), ()) if found else ()
        booked.append(Booked(**row, names=own))
    return booked


def _names(kind: str, ids: set[int]) -> dict[int, list[str]]:
    rows = db.session.execute(text(NAMES[kind]), {"ids": sorted(ids)}).all()
    return {
        row[0]: [name for name in row[1] if name and len(squeezed(name)) >= SHORTEST_NAME] for row in rows
    }


def squeezed(words: str) -> str:
    """Capitals and figures alone."""
    return "".join(sign for sign in words.upper() if sign.isascii() and sign.isalnum())
