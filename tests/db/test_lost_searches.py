"""What found nothing is counted by word and day, within bounds, and never says who looked."""

from __future__ import annotations

import datetime
import threading
from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.catalogue import lost_searches
from storefront.days import today
from tests.factories import make_person

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Gantungan  KUNCI", "gantungan kunci"),
        ("tas 2 in 1", "tas 2 in 1"),
        ("sari@contoh.id", None),
        ("0812-3456-7890", None),
        ("kirim ke 3.3.7.5.0.1", None),
        ("pesanan KB 12345", None),
        ("https://contoh.id/x", None),
        ("www.contoh.id", None),
        ("a", None),
        ("???", None),
        ("42", None),
        ("kata " * 7, None),
        ("x" * 61, None),
    ],
)
def test_words_are_kept_and_what_concerns_a_person_is_not(typed: str, kept: str | None) -> None:
    assert lost_searches.keepable(typed) == kept


def test_counts_of_several_processes_add_up(app: Flask, db_session: Session) -> None:
    for _ in range(2):
        counted = lost_searches.Tally(app, by_clock=False)
        for words in ("payung", "payung", "helm"):
            counted.note(words)
        counted.write()
        counted.write()  # the clock may come while somebody else has written
    found = lost_searches.lost_words(50)
    rows, total = found.rows, found.total
    assert [(row.words, row.times, row.days) for row in rows] == [("payung", 4, 1), ("helm", 2, 1)]
    assert total == lost_searches.waiting() == 2


def test_nobody_fills_the_list(app: Flask, db_session: Session) -> None:
    counted = lost_searches.Tally(app, by_clock=False)
    for number in range(lost_searches.MOST_AT_ONCE + 50):
        counted.note(f"kata {number}")
    for _ in range(lost_searches.MOST_TIMES + 50):
        counted.note("kata 0")
    counted.write()
    found = lost_searches.lost_words(1)
    rows, total = found.rows, found.total
    assert (total, rows[0].words, rows[0].times) == (
        lost_searches.MOST_AT_ONCE,
        "kata 0",
        lost_searches.MOST_TIMES,
    )
    db_session.execute(
        text("INSERT INTO lost_searches SELECT :day, 'lagi ' || n, 1 FROM generate_series(1, :most) n"),
        {"day": today(), "most": lost_searches.MOST_A_DAY},
    )
    lost_searches.write(Counter({"baru": 1, "kata 0": 1}))
    assert lost_searches.lost_words(1).rows[0].times == lost_searches.MOST_TIMES + 1, (
        "what is known still counts"
    )
    assert db_session.scalar(text("SELECT count(*) FROM lost_searches WHERE words = 'baru'")) == 0


def test_old_words_fade_and_are_forgotten(db_session: Session) -> None:
    for age in (1, lost_searches.SHOWN_DAYS + 1, lost_searches.KEPT_DAYS + 1):
        lost_searches.write(Counter({f"kata {age}": 1}), today() - datetime.timedelta(days=age))
    assert [row.words for row in lost_searches.lost_words(50).rows] == ["kata 1"]
    assert lost_searches.forget_old() == 1


def test_what_is_set_aside_is_not_shown_again(db_session: Session) -> None:
    person = make_person().id
    lost_searches.write(Counter({"zzzz": 1, "payung": 1}))
    lost_searches.set_aside("zzzz", person)
    lost_searches.set_aside("zzzz", person)
    lost_searches.set_aside("never asked", person)
    lost_searches.write(Counter({"zzzz": 5}))
    assert [row.words for row in lost_searches.lost_words(50).rows] == ["payung"]
    assert db_session.scalar(text("SELECT count(*) FROM lost_searches_done")) == 1


def test_a_running_shop_writes_by_itself(
    app: Flask, db_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = threading.Event()
    monkeypatch.setattr(lost_searches, "LATER", 0.01)
    counted = lost_searches.Tally(app)
    monkeypatch.setattr(
        lost_searches, "write", lambda counts: written.set() if counts == {"payung": 1} else None
    )
    counted.note("payung")
    assert written.wait(30)
