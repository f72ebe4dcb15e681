"""Curators say which words mean the same; search acts on it at once, and nobody undoes another's work."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.catalogue import lost_searches, synonyms
from storefront.catalogue.filters import Filters
from storefront.catalogue.search import search
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db
from tests.factories import make_person, make_product, make_variant

pytestmark = pytest.mark.usefixtures("db_session")

Find = Callable[[str], list[str]]


@pytest.fixture
def find(db_session: Session) -> Find:
    """Titles that some words find, in a shop of three products."""
    for title, english in (("Selimut tenun", "Woven blanket"), ("Tas jinjing rotan", ""), ("Kaus polos", "")):
        make_variant(make_product(title=title, title_en=english), stock=5)
    db_session.commit()
    return lambda words: sorted(card.title for card in search(Filters(q=words), "id").items)


@pytest.fixture
def curator(db_session: Session) -> int:
    person = make_person().id
    db_session.commit()
    return person


def test_the_shop_is_born_with_common_words(find: Find) -> None:
    assert find("kaos") == find("t-shirt") == find("T SHIRT") == ["Kaus polos"]
    assert find("tote bag") == find("tas belanja rotan") == ["Tas jinjing rotan"]


def test_a_new_group_works_at_once_and_ends_at_once(find: Find, curator: int, db_session: Session) -> None:
    assert find("bedcover") == []
    group = synonyms.add("Selimut, bed-cover / BEDCOVER", curator)
    db_session.commit()
    assert find("bedcover") == find("bed cover") == ["Selimut tenun"]
    synonyms.change(group, "selimut, duvet", curator)
    db_session.commit()
    assert find("bedcover") == []
    assert find("duvet") == ["Selimut tenun"]
    assert synonyms.remove(group, curator) == ("selimut", "duvet")
    db_session.commit()
    assert find("duvet") == []


def test_a_mistyped_synonym_is_understood(find: Find, curator: int, db_session: Session) -> None:
    synonyms.add("selimut, bedcover", curator)
    db_session.commit()
    results = search(Filters(q="bedcovr"), "id")
    assert (results.corrected, results.total) == ("bedcover", 1)


def test_a_try_says_what_search_makes_of_each_word(find: Find, curator: int) -> None:
    found, together = synonyms.meanings("selimt kaos")
    assert [(m.asked, m.meant, m.count) for m in found] == [("selimt", "selimut", 1), ("kaos", "kaos", 1)]
    assert {"kaus", "t shirt"} <= set(found[1].others)
    assert together == 0


@pytest.mark.parametrize(
    "written",
    [
        "",
        "satu",
        "satu, SATU",
        "a, b",
        "kaos, apa saja",
        ",".join(f"kata{n}" for n in range(13)),
        "x" * 41 + ", y",
    ],
)
def test_what_cannot_be_a_group_is_refused_beside_its_field(written: str, curator: int) -> None:
    with pytest.raises(Invalid) as refusal:
        synonyms.add(written, curator)
    assert set(refusal.value.errors) == {"terms"}


def test_a_group_that_is_gone_is_not_found(curator: int) -> None:
    for act in (
        lambda: synonyms.change(10**9, "satu, dua", curator),
        lambda: synonyms.remove(10**9, curator),
    ):
        with pytest.raises(NotFound):
            act()


def test_of_two_curators_who_add_the_same_word_one_is_told(app: Flask, curator: int) -> None:
    together = threading.Barrier(2)

    def add(other: str) -> str:
        with app.app_context():
            together.wait()
            try:
                synonyms.add(f"selimut, {other}", curator)
                db.session.commit()
            except DomainError as refusal:
                db.session.rollback()
                return refusal.code
            return "added"

    with ThreadPoolExecutor(2) as people:
        assert sorted(people.map(add, ["duvet", "bedcover"])) == ["added", "invalid"]


def test_lost_words_become_a_synonym_with_one_press(find: Find, curator: int, db_session: Session) -> None:
    for words, other in (("quilt", "selimut"), ("tshirts", "kaos")):
        lost_searches.write(Counter({words: 3}))
        db_session.commit()
        assert [row.words for row in lost_searches.lost_words(50).rows] == [words]
        synonyms.join(words, other, curator)
        db_session.commit()
        assert lost_searches.waiting() == 0
    assert find("quilt") == ["Selimut tenun"]
    assert find("tshirts") == ["Kaus polos"]
    said = db_session.execute(text("SELECT action FROM audit_events ORDER BY id")).scalars().all()
    assert said == ["synonyms.added", "synonyms.changed"]


@pytest.mark.parametrize("other", ["", "quilt", "satu, dua", "x"])
def test_a_synonym_of_nothing_is_refused(other: str, curator: int) -> None:
    with pytest.raises(Invalid) as refusal:
        synonyms.join("quilt", other, curator)
    assert set(refusal.value.errors) == {"same_as"}
