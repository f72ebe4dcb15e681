"""Which lines of a file the bank has told us before: the same file, or one that overlaps, adds nothing twice.

A line is known by its account's day, amount, words and reference, and by how many such lines stood before it on
that day: two people may really send the same amount with the same words.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from storefront.bank.models import BankLine
from storefront.bank.statement import ReadLine
from storefront.extensions import db


@dataclass(frozen=True)
class Compared:
    """The lines of a file beside those that were taken in before."""

    #: With their fingerprints.
    new: Sequence[tuple[ReadLine, bytes]]
    known: Sequence[ReadLine]
    #: Same day and amount as a line that this file no longer has, but in other words: most likely that line,
    #: as another file writes it. Someone must say so.
    alike: Sequence[tuple[ReadLine, bytes]]


def fingerprints(lines: Sequence[ReadLine]) -> list[bytes]:
    """A fingerprint for each line."""
    seen: Counter[tuple[object, ...]] = Counter()
    found = []
    for line in lines:
        key = (line.day.isoformat(), line.amount, _plain(line.text), _plain(line.reference))
        seen[key] += 1
        found.append(hashlib.sha256("\x1f".join(map(str, (*key, seen[key]))).encode()).digest())
    return found


def compare(bank_account_id: int, lines: Sequence[ReadLine]) -> Compared:
    """Tell new lines from known ones. Reads only; whoever takes lines in has locked the account first."""
    days = [line.day for line in lines]
    if not days:
        return Compared((), (), ())
    rows = db.session.execute(
        select(BankLine.fingerprint, BankLine.booked_on, BankLine.amount, BankLine.hundredths).where(
            BankLine.bank_account_id == bank_account_id, BankLine.booked_on.between(min(days), max(days))
        )
    ).all()
    before = {row.fingerprint: (row.booked_on, row.amount * 100 + row.hundredths) for row in rows}
    marked = list(zip(lines, fingerprints(lines), strict=True))
    known = [line for line, mark in marked if mark in before]
    here = {mark for _line, mark in marked}
    #: Day and amount of lines that an earlier file had and this one does not.
    gone = Counter(what for mark, what in before.items() if mark not in here)
    new, alike = [], []
    for line, mark in marked:
        if mark in before:
            continue
        what = (line.day, line.amount)
        if gone[what] > 0:
            gone[what] -= 1
            alike.append((line, mark))
        else:
            new.append((line, mark))
    return Compared(new, known, alike)


def _plain(text: str) -> str:
    return " ".join(text.upper().split())
