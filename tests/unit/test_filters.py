"""The listing's address: read with patience, written without noise."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.urls import iri_to_uri

from storefront.catalogue.filters import Filters, slug_of


def read(query: str) -> Filters:
    from urllib.parse import parse_qsl

    return Filters.from_args(MultiDict(parse_qsl(query, keep_blank_values=True)))


def test_an_address_is_read_and_written_the_same() -> None:
    query = "q=kursi+jati&category=mebel&facility=lapas-pkl&province=jawa-tengah&min=50000&max=300000"
    query += "&availability=ready&sort=price_low&page=3"
    assert read(query).query_string() == "?" + query


def test_what_says_nothing_is_left_out_of_the_address() -> None:
    assert read("q=&category=&min=&page=1&sort=").query_string() == ""


@pytest.mark.parametrize(
    ("query", "ignored"),
    [
        ("min=banyak", ("min",)),
        ("max=-5", ("max",)),
        ("min=1e9", ("min",)),
        ("sort=cheapest", ("sort",)),
        ("availability=maybe", ("availability",)),
        ("category=../etc/passwd", ("category",)),
        ("category=%00", ("category",)),
        ("page=abc", ("page",)),
        ("page=0", ()),
        ("min=99999999999999999999", ("min",)),
    ],
)
def test_what_cannot_be_understood_is_left_out_and_named(query: str, ignored: tuple[str, ...]) -> None:
    filters = read(query)
    assert filters == Filters()
    assert filters.ignored == ignored


def test_prices_may_be_written_as_people_write_them() -> None:
    assert read("min=Rp 50.000&max=1.250.000").min == 50_000
    assert read("min=Rp 50.000&max=1.250.000").max == 1_250_000


def test_prices_the_wrong_way_round_are_turned() -> None:
    filters = read("min=300000&max=50000")
    assert (filters.min, filters.max) == (50_000, 300_000)


def test_words_are_cut_to_what_a_search_needs() -> None:
    assert read("q=" + "a" * 500).words == ("a" * 40,)
    assert len(read("q=" + "+".join(f"kata{n}" for n in range(50))).words) <= 8
    assert read("q=%00kursi%0A%0Ajati").q == "kursi jati"
    assert read("q='kursi' %26 | ! <b>:*").words == ("kursi", "b")


def test_a_filter_toggles_and_starts_at_the_first_page() -> None:
    filters = read("category=mebel&page=4")
    assert filters.toggled("category", "kerajinan").query_string() == "?category=kerajinan&category=mebel"
    assert filters.toggled("category", "mebel").query_string() == ""


def test_relevance_is_the_order_of_a_search_and_newest_of_all_else() -> None:
    assert read("q=kursi").order == "relevance"
    assert read("").order == "newest"
    assert read("sort=relevance").order == "newest"
    assert read("q=kursi&sort=price_high").order == "price_high"


def test_provinces_have_an_address_of_plain_letters() -> None:
    assert slug_of("DI Yogyakarta") == "di-yogyakarta"
    assert iri_to_uri(slug_of("Kepulauan Bangka Belitung")) == "kepulauan-bangka-belitung"
