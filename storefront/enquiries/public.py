"""Questions that were answered in public, as everybody reads them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: On a product's page; the rest has a page of its own.
FIRST = 4
PAGE = 20

_ANSWERED = """e.product_id = :product AND e.is_public
           AND (SELECT count(DISTINCT m.author) FROM enquiry_messages m WHERE m.enquiry_id = e.id AND m.is_shown) = 2"""
#: One JSON value; needs `:product`, `:questions_limit`, `:questions_skip`.
QUESTIONS = f"""
    (SELECT json_agg(q) FROM (
        SELECT e.id, e.city, e.is_buyer,
               (SELECT json_agg(json_build_object('by', m.author, 'body', m.body, 'at', m.created_at) ORDER BY m.id)
                  FROM enquiry_messages m WHERE m.enquiry_id = e.id AND m.is_shown) AS lines
          FROM enquiries e WHERE {_ANSWERED}
         ORDER BY e.id DESC LIMIT :questions_limit OFFSET :questions_skip) q)"""  # noqa: S608
QUESTIONS_TOTAL = f"(SELECT count(*) FROM enquiries e WHERE {_ANSWERED})"  # noqa: S608


@dataclass(frozen=True)
class PublicLine:
    #: `asker` or `facility`.
    by: str
    body: str
    at: datetime.datetime


@dataclass(frozen=True)
class PublicQuestion:
    id: int
    city: str
    is_buyer: bool
    lines: tuple[PublicLine, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> PublicQuestion:
        lines = tuple(
            PublicLine(line["by"], line["body"], datetime.datetime.fromisoformat(line["at"]))
            for line in row["lines"]
        )
        return cls(row["id"], row["city"], row["is_buyer"], lines)
