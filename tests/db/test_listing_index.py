"""What a process keeps of the listings is what the database holds, whatever changes; and it reads little for that."""

from __future__ import annotations

import datetime
import json
import random
import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from storefront.catalogue import facility_pages, index_keeper, version
from storefront.catalogue.filters import AVAILABILITY, Filters
from storefront.catalogue.index_keeper import IndexKeeper
from storefront.catalogue.models import CommodityGroup
from storefront.catalogue.search import CARDS, Question, ask, search
from storefront.catalogue.shown_state import refresh_shown_state
from storefront.catalogue.warm_up import warm_up
from storefront.content import home_page as front
from storefront.embedded import SUPERUSER
from storefront.extensions import db
from tests.clones import Clone
from tests.factories import NOW, make_category, make_facility, make_product, make_variant, make_workshop

pytestmark = pytest.mark.usefixtures("db_session", "web_may_rate")

NOUNS, KINDS = ("kursi", "lemari", "batik", "sabun"), ("jati", "merah", "polos")
QUESTIONS = (
    Filters(),
    Filters(q="kursi", sort="price_low"),
    Filters(q="lemari merah"),
    Filters(availability=("ready",), sort="price_high"),
    Filters(rating=("4",), sort="rating"),
    Filters(province=("maluku",), max=90_000),
)


@pytest.fixture
def shop(db_session: Session) -> list[dict[str, Any]]:
    """A catalogue by dice, committed; its products as plain rows, the newest first."""
    rng = random.Random(6)
    workshops = [
        make_workshop(make_facility("PKL")),
        make_workshop(make_facility("NML", province="Maluku", city="Buru")),
        make_workshop(make_facility("TGR", province="Banten", city="Tangerang")),
    ]
    root = make_category("rumah", "Rumah", "Home")
    below = make_category("mebel", "Mebel", "Furniture")
    below.parent_id = root.id
    categories = [root, below, make_category("busana", "Busana", "Clothing")]
    groups = list(db_session.query(CommodityGroup).order_by(CommodityGroup.position).limit(3))
    for number in range(70):
        product = make_product(
            rng.choice(workshops),
            title=f"{rng.choice(NOUNS)} {rng.choice(KINDS)} {number}",
            title_en="",
            category_id=rng.choice(categories).id,
            commodity_group_id=rng.choice([None, *(group.id for group in groups)]),
            published_at=NOW - datetime.timedelta(minutes=rng.choice([number, 7])),
        )
        made = rng.random() < 0.2
        for _ in range(rng.choice([1, 1, 2])):
            make_variant(
                product, price=rng.randrange(1, 40) * 5_000, made_to_order=made, stock=rng.choice([0, 2, 9])
            )
        if rng.random() < 0.5:
            reviews = rng.randrange(1, 5)
            rate(product.id, rng.randrange(reviews, 5 * reviews + 1), reviews)
    refresh_shown_state(None)
    db_session.commit()
    return rows()


def rate(product_id: int, stars: int, reviews: int) -> None:
    db.session.execute(
        text(
            """INSERT INTO product_ratings VALUES (:id, :stars, :reviews)
               ON CONFLICT (product_id) DO UPDATE SET stars = excluded.stars, reviews = excluded.reviews"""
        ),
        {"id": product_id, "stars": stars, "reviews": reviews},
    )


def rows() -> list[dict[str, Any]]:
    query = """SELECT l.*, p.title, p.slug, c.slug AS category, root.slug AS root, f.slug AS facility,
                      r.name AS province, g.code AS "group"
                 FROM listings l JOIN products p ON p.id = l.product_id JOIN categories c ON c.id = l.category_id
                 LEFT JOIN categories root ON root.id = c.parent_id JOIN facilities f ON f.id = l.facility_id
                 JOIN provinces r ON r.id = f.province_id LEFT JOIN commodity_groups g ON g.id = l.commodity_group_id
                ORDER BY l.published_at DESC, l.product_id DESC"""
    return [dict(row) for row in db.session.execute(text(query)).mappings()]


def answers(row: dict[str, Any], filters: Filters, but: str = "") -> bool:
    """Whether a product answers, said the slow and plain way; as if the filter `but` were not set."""
    states = [state for name in filters.availability for state in AVAILABILITY[name]]
    tests = {
        "q": all(word in row["title"].split() for word in filters.words),
        "category": not filters.category or bool({row["category"], row["root"]} & set(filters.category)),
        "group": not filters.group or row["group"] in filters.group,
        "facility": not filters.facility or row["facility"] in filters.facility,
        "province": not filters.province or row["province"].lower().replace(" ", "-") in filters.province,
        "availability": not states or row["state"] in states,
        "rating": not filters.rating or row["stars"] >= int(filters.rating[0]) * max(row["reviews"], 1),
        "price": row["price_to"] >= (filters.min or 0) and row["price_from"] <= (filters.max or 10**9),
    }
    return all(test for name, test in tests.items() if name != but)


def ordered(found: list[dict[str, Any]], filters: Filters) -> list[str]:
    """Slugs in the order asked for; `found` come newest first, and sorting keeps that among equals."""
    keys: dict[str, Callable[[dict[str, Any]], Any]] = {
        "price_low": lambda row: row["price_from"],
        "price_high": lambda row: -row["price_from"],
        "rating": lambda row: (
            -((row["stars"] * 2 + 35) * 500 // (row["reviews"] + 5)) if row["reviews"] else 0
        ),
    }
    in_order = sorted(found, key=keys.get(filters.order, lambda row: 0))
    return [row["slug"] for row in sorted(in_order, key=lambda row: row["state"] == "sold_out")]


def of(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(lambda found: tuple(sorted(found)))


ASKED = st.builds(
    Filters,
    q=st.sampled_from(["", "kursi", "merah", "lemari jati", "batik polos", "sabun kursi"]),
    category=of("rumah", "mebel", "busana"),
    group=of("food", "drinks", "fashion"),
    facility=of("lapas-pkl", "lapas-nml"),
    province=of("maluku", "banten"),
    availability=of("ready", "made_to_order", "sold_out"),
    rating=st.sampled_from([(), (), ("3",), ("4",)]),
    min=st.sampled_from([None, None, 20_000, 95_000]),
    max=st.sampled_from([None, None, 50_000, 120_000]),
    sort=st.sampled_from(["newest", "price_low", "price_high", "rating"]),
    page=st.integers(1, 4),
)


def test_pages_and_counts_are_those_of_a_plain_count(shop: list[dict[str, Any]]) -> None:
    now = version.read()

    @given(ASKED)
    @settings(max_examples=120, deadline=None)
    def check(filters: Filters) -> None:
        results = search(filters, "id", now)
        found = ordered([row for row in shop if answers(row, filters)], filters)
        assert results.total == len(found)
        first = (results.page - 1) * 24
        assert [card.slug for card in results.items] == found[first : first + 24]
        for name in ("category", "group", "facility", "province", "availability", "rating"):
            others = [row for row in shop if answers(row, filters, but=name)]
            for choice in getattr(results.facets, name):
                only = Filters(**{name: (choice.value,)})
                assert choice.count == sum(answers(row, only) for row in others), (name, choice)
        for band in results.facets.price:
            only = Filters(min=band.min, max=band.max)
            assert band.count == sum(answers(row, only) for row in shop if answers(row, filters, but="price"))

    check()


def test_what_is_kept_follows_every_change(shop: list[dict[str, Any]], db_session: Session) -> None:
    """A walk of edits; after each, what was brought up to date equals what is read anew."""
    kept, rng = IndexKeeper(), random.Random(11)
    kept.get(version.read())
    followed = 0
    for step in range(40):
        edit(rng, step, db_session)
        db_session.commit()
        now = version.read()
        before = kept._kept[0].ids[:20] if kept._kept else None
        index, words = kept.get(now)
        followed += before == index.ids[:20]
        fresh, fresh_words = IndexKeeper().get(now)
        for filters in QUESTIONS:
            mine, anew = ask(filters, index, words), ask(filters, fresh, fresh_words)
            assert said(mine) == said(anew), (step, filters)
    assert followed > 25, "most changes are followed, not read anew"


def said(question: Question) -> tuple[Any, ...]:
    index, members = question.index, question.without()
    by_facility = {key: count for key, count in index.tally("facility", members).items() if count}
    bands = [(band & members).bit_count() for band in index.price_bands.values()]
    return members.bit_count(), question.page(members), by_facility, bands, index.alive.bit_count()


def edit(rng: random.Random, step: int, session: Session) -> None:
    """One thing that people do to a catalogue."""
    any_product = "(SELECT id FROM products WHERE status = 'published' ORDER BY md5(id || :dice) LIMIT 1)"
    edits = [
        f"UPDATE variants SET price = 5000 + (:n * 7000) WHERE product_id = {any_product}",
        f"UPDATE products SET status = 'archived' WHERE id = {any_product}",
        f"UPDATE products SET title = 'Lemari merah ' || :n WHERE id = {any_product}",
        "UPDATE products SET status = 'published', published_at = clock_timestamp() WHERE status = 'archived'",
        """UPDATE facilities SET status = CASE status WHEN 'active' THEN 'suspended' ELSE 'active' END
            WHERE code = 'TGR'""",
        f"""UPDATE stock_levels SET shown_state = 'sold_out'
             WHERE variant_id IN (SELECT id FROM variants WHERE product_id = {any_product})""",
        f"""INSERT INTO product_ratings SELECT {any_product}, 5, 1
                ON CONFLICT (product_id) DO UPDATE SET stars = 2, reviews = 2""",
        f"UPDATE products SET commodity_group_id = NULL WHERE id = {any_product}",
        "DELETE FROM synonyms WHERE term = (SELECT term FROM synonyms WHERE term LIKE 'l%' ORDER BY 1 LIMIT 1)",
    ]
    if step % 5 == 4:
        make_variant(
            make_product(title=f"Kursi baru {step}", published_at=datetime.datetime.now(datetime.UTC)),
            stock=4,
        )
        return
    chosen = rng.choice(edits)
    values = {"dice": str(step), "n": step}
    session.execute(text(chosen), {name: value for name, value in values.items() if f":{name}" in chosen})


def test_what_a_transaction_alone_sees_is_never_kept(
    shop: list[dict[str, Any]], app: Flask, db_session: Session
) -> None:
    before = search(Filters(), "id").total
    db_session.execute(text("UPDATE products SET status = 'archived' WHERE title LIKE 'kursi%'"))
    assert search(Filters(), "id").total < before
    db_session.rollback()
    assert search(Filters(), "id").total == before


def test_a_page_and_a_change_read_a_bounded_number_of_rows(db_session: Session, database: Clone) -> None:
    many(8_000, database)
    now = version.read()
    results = search(Filters(q="kursi", page=300), "id", now)
    assert (results.total, len(results.items)) == (8_000, 24)
    ids = results.question.page(results.question.without())
    assert rows_read(str(CARDS.text), {"ids": ids}) <= 24 * 12
    # Nor does the front page, or a facility's, read all that there is; PostgreSQL would count 8,000 rows in each.
    index, words = index_keeper.current(now)
    june = datetime.date(2026, 6, 20)
    db_session.execute(text("UPDATE workshops SET about = 'Dari jati.', about_en = 'Of teak.'"))
    assert front.home_page(june, "id").products_count == 8_000
    assert rows_read(front.HOME, front.asked_of(june, (), index, words)) < 1_500
    slug = db_session.scalar(text("SELECT slug FROM facilities"))
    question = ask(Filters(facility=(slug,), page=300), index, words)
    asked = facility_pages.asked_of(question)
    assert (asked["counts"], asked["ids"]) == ([8_000], ids)
    assert rows_read(facility_pages.FACILITY, {"slug": slug, **asked}) <= 24 * 13
    db_session.execute(text("UPDATE variants SET price = 77000 WHERE product_id = :id"), {"id": ids[0]})
    # As far as a process has read that looked a moment before; another test's open transaction may hold it back.
    reached = db_session.scalar(text("SELECT pg_current_xact_id()::text"))
    db_session.commit()
    assert rows_read(index_keeper.CHANGES[False], {"since": reached}) < 250


def many(number: int, database: Clone) -> None:
    """`number` products in few statements, past the triggers that would take their time with each."""
    first = make_product(title="Kursi jati", published_at=NOW)
    make_variant(first, made_to_order=True, lead_time_days=3)
    db.session.commit()
    with psycopg.connect(database.addresses[SUPERUSER]) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            """INSERT INTO products (facility_id, workshop_id, category_id, slug, title, status, published_at, search)
               SELECT facility_id, workshop_id, category_id, 'kursi-' || n, 'Kursi jati ' || n, 'published',
                      published_at - n * interval '1 minute', search
                 FROM products, generate_series(2, %s) n WHERE id = %s""",
            (number, first.id),
        )
        connection.execute(
            """INSERT INTO variants (product_id, sku, price, weight_g, made_to_order, lead_time_days)
               SELECT id, 'MANY-' || id, 50000, 500, true, 3 FROM products WHERE id <> %s""",
            (first.id,),
        )
        connection.execute(
            # Written long ago: another database's transaction that still runs does not make them read again.
            """INSERT INTO listings (product_id, facility_id, category_id, published_at, price_from, price_to, state,
                                     workshop_id, changed_in)
               SELECT id, facility_id, category_id, published_at, 50000, 50000, 'made_to_order', workshop_id, '3'
                 FROM products WHERE id <> %s""",
            (first.id,),
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE products, variants, listings, photos")


def rows_read(statement: str, parameters: dict[str, Any]) -> int:
    """Rows that all parts of the plan took from tables and indexes, as PostgreSQL counts them when it runs."""
    explained = db.session.execute(
        text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"), parameters
    ).scalar_one()
    plan = explained if isinstance(explained, list) else json.loads(explained)

    def rows(node: dict[str, Any]) -> float:
        own = (
            node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            if re.search("Scan", node["Node Type"])
            else 0
        )
        return float(own * node["Actual Loops"]) + sum(rows(child) for child in node.get("Plans", ()))

    return round(rows(plan[0]["Plan"]))


def test_a_process_reads_ahead_what_many_products_hold(
    shop: list[dict[str, Any]], app: Flask, db_session: Session, statements: Callable[[], list[str]]
) -> None:
    db_session.execute(text("SELECT refresh_search_words()"))
    db_session.commit()
    holding = {word: sum(word in row["title"].split() for row in shop) for word in (*NOUNS, *KINDS)}
    assert warm_up(app, many=10) >= sum(count >= 10 for count in holding.values()) > 0
    index, words = index_keeper.current()
    statements()
    words.hits([word for word, count in holding.items() if count >= 10], index)
    assert statements() == []


def test_arguments_that_name_nothing_find_nothing(shop: list[dict[str, Any]]) -> None:
    for query in ("category=x", "group=x", "facility=x", "province=x"):
        key, value = query.split("=")
        assert search(Filters.from_args(MultiDict([(key, value)])), "id").total == 0
