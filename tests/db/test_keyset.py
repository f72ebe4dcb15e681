"""Lists paged by key: every row once, in its order, forth and back; and no list of the office counts rows to skip."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from storefront.books import owed
from storefront.keyset import FIRST, Order, Paged, Turn, fetch
from storefront.ledger.book import AccountKey, Leg, book, books_difference

PROJECT = Path(__file__).parents[2]
#: Rooms whose lists the office's pages show, and where the pages are. The shop's and a facility's own lie elsewhere.
OFFICE = (
    "admission", "aftercare/lists.py", "audit", "bank", "blueprints/admin", "blueprints/finance", "books", "cases",
    "catalogue/lost_searches.py", "closing", "counter/settle.py", "exports", "facilities", "integrations",
    "listings/queue.py", "moderation", "people", "reconciliation", "refunds", "reports", "rules", "shop_settings",
    "verify",
)  # fmt: skip
#: What skips rows there, and why it may.
SHORT = {"exhibitions.html", "exhibition_prices.html", "marketplace_file.html"}
SKIPS = {
    # a facility's own certificates, at most a few hundred
    "exports/certificates.py",
    # fairs, and what stands at one of them: some dozens a year
    "blueprints/admin/exhibition_stand.py", "blueprints/admin/exhibitions.py",
    # the orders of one file, which are all judged together
    "blueprints/finance/marketplaces.py",
}  # fmt: skip
MOMENT = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
ROW = st.tuples(
    st.booleans(),
    st.dates(datetime.date(2020, 1, 1), datetime.date(2020, 1, 3)),
    st.timedeltas(datetime.timedelta(0), datetime.timedelta(seconds=1)).map(lambda passed: MOMENT + passed),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
    st.integers(-(10**17), 10**17),
)
BY = (("v.a", "boolean"), ("v.b", "date"), ("v.c", "timestamptz"), ("v.d", "text"), ("v.e", "bigint"))
COLUMNS = """SELECT v.a, v.b, v.c, v.d, v.e, {keys}
    FROM unnest(CAST(:a AS boolean[]), CAST(:b AS date[]), CAST(:c AS timestamptz[]), CAST(:d AS text[]),
                CAST(:e AS bigint[])) v (a, b, c, d, e)"""


# On a busy machine the first draw alone may take half a minute.
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(rows=st.lists(ROW, max_size=12, unique=True), size=st.integers(1, 5), descending=st.booleans())
def test_turning_pages_shows_every_row_once_and_back_again(
    db_session: Session, rows: list[tuple[object, ...]], size: int, descending: bool
) -> None:
    order = Order(BY, descending=descending)
    values = {name: [row[n] for row in rows] for n, name in enumerate("abcde")}
    whole = [tuple(row.values()) for row in fetch(COLUMNS, "true", values, order, FIRST, size=100)[0]]
    assert len(whole) == len(rows)
    assert set(whole) == set(rows)
    pages, turn = [], FIRST
    while True:
        found, older, newer = fetch(COLUMNS, "true", values, order, turn, size=size)
        pages.append([tuple(row.values()) for row in found])
        assert (newer is None) == (len(pages) == 1)
        if older is None:
            break
        turn = Turn(older=older)
    assert [row for page in pages for row in page] == whole
    for page in reversed(pages[:-1]):
        found, older, newer = fetch(COLUMNS, "true", values, order, Turn(newer=newer), size=size)
        assert [tuple(row.values()) for row in found] == page, "the same pages on the way back"
        assert older is not None
    assert newer is None


def test_a_key_that_makes_no_sense_is_the_first_page(db_session: Session) -> None:
    numbers = Paged(
        dict,
        "SELECT v.e, {keys} FROM generate_series(1, 120) v (e)",
        "SELECT count(*), sum(v.e)::bigint FROM generate_series(1, 120) v (e)",
        {"": Order((("v.e", "bigint"),)), "up": Order((("v.e", "bigint"),), descending=False)},
        {"most": "v.e <= :most"},
    )
    first = numbers.page({"most": None})
    assert (first.total, first.amount, first.rows[0]["e"], first.older, first.newer) == (120, 7260, 120, "71", None)
    for key in ("", "x", "1_2", "9" * 30, "\0", "'", "%27", "999999999999999999999", "_"):
        for turn in (Turn(older=key), Turn(newer=key)):
            assert numbers.page({}, turn).rows == first.rows, key
    assert numbers.page({}, Turn(older="1")).rows == first.rows, "behind the last row stands nothing"
    assert numbers.page({"most": 60}, sort="up").rows[0] == {"e": 1}
    assert numbers.page({"most": 60}, sort="; DROP TABLE").total == 60
    assert numbers.one({"most": 3}) == {"e": 3}
    assert numbers.one({"most": 0}) is None


def test_what_an_account_holds_turns_both_ways_within_its_days(db_session: Session) -> None:
    days = [datetime.date(2026, 9, 1) + datetime.timedelta(days=n // 40) for n in range(130)]
    for n, on in enumerate(days, 1):
        legs = [Leg(AccountKey("receivable:office", "asset"), n), Leg(books_difference(), -n)]
        book(f"test:{n}", "correction", on, legs)
    whole = owed.account_page("receivable:office")
    assert whole is not None
    assert (whole.balance, whole.found.total, whole.found.rows[0].amount) == (130 * 131 // 2, 130, 130)
    assert owed.account_page("owed:of:nobody") is None
    asked = {"first": days[10], "last": days[119]}
    turn, seen = FIRST, []
    while True:
        page = owed.account_page("receivable:office", **asked, turn=turn)
        assert page is not None
        assert (page.balance, page.found.total, page.found.amount) == (whole.balance, 120, 120 * 121 // 2)
        seen.append([row.amount for row in page.found.rows])
        if page.found.older is None:
            break
        turn = Turn(older=page.found.older)
    assert [amount for rows in seen for amount in rows] == list(range(120, 0, -1))
    back = owed.account_page("receivable:office", **asked, turn=Turn(newer=page.found.newer))
    assert back is not None
    assert [row.amount for row in back.found.rows] == seen[1]


def test_no_list_of_the_office_counts_rows_to_skip() -> None:
    skipping = set()
    for name in OFFICE:
        place = PROJECT / "storefront" / name
        assert place.exists(), name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            if re.search(r"\bOFFSET [:%{]|\.offset\(|\bpage_number\(|\bPAGE : page", path.read_text()):
                skipping.add(str(path.relative_to(PROJECT / "storefront")))
            assert not re.search(r"args\.get\(\"before\", type=int\)", path.read_text()), f"{path}: pages one way only"
    assert skipping == SKIPS
    numbered = [
        path.name
        for face in ("finance", "admin")
        for path in sorted((PROJECT / "templates" / face).rglob("*.html"))
        if re.search(r"\bpagination\b|\bpage=page\b", path.read_text())
    ]
    assert set(numbered) == SHORT
