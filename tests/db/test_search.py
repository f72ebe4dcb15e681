"""Search finds what people mean, and each filter counts what it would show."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from urllib.parse import parse_qsl, quote

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from storefront.catalogue.facets import Choice
from storefront.catalogue.filters import Filters
from storefront.catalogue.models import Product
from storefront.catalogue.search import Results, search
from storefront.catalogue.search_words import refresh_search_words
from storefront.catalogue.shown_state import refresh_shown_state
from tests.factories import NOW, make_category, make_facility, make_product, make_variant, make_workshop

pytestmark = pytest.mark.usefixtures("db_session")

Find = Callable[[str], Results]


def titles(results: Results) -> list[str]:
    return [card.title for card in results.items]


def counts(choices: list[Choice]) -> dict[str, int]:
    return {choice.value: choice.count for choice in choices}


@pytest.fixture
def find(db_session: Session) -> Find:
    """A shop of two provinces and two categories, and the listing by the arguments of its address."""
    java = make_facility("PKL", name="Lapas Kelas IIA Pekalongan")
    maluku = make_facility("NML", name="Lapas Kelas III Namlea", city="Buru", province="Maluku")
    furniture = make_category("mebel", "Mebel", "Furniture")
    wood, kitchen = make_workshop(java, "Kayu"), make_workshop(maluku, "Dapur")

    def add(workshop: object, title: str, english: str, age: int, **variant: object) -> Product:
        product = make_product(
            workshop,  # type: ignore[arg-type]
            title=title,
            title_en=english,
            category_id=furniture.id if workshop is wood else None,
            published_at=NOW - datetime.timedelta(days=age),
        )
        make_variant(product, **variant)  # type: ignore[arg-type]
        return product

    add(
        wood,
        "Kursi teras kayu jati",
        "Teak porch chair",
        1,
        price=485_000,
        made_to_order=True,
        lead_time_days=14,
    )
    add(wood, "Meja lipat", "Folding table", 2, price=250_000, stock=9)
    add(wood, "Rak buku", "Book shelf", 3, price=150_000, stock=2)
    add(kitchen, "Keripik pisang manis", "Sweet banana chips", 4, price=15_000, stock=40)
    add(kitchen, "Sambal kenari", "Kenari relish", 5, price=25_000, stock=0)
    refresh_shown_state(None)
    refresh_search_words()
    db_session.commit()

    def ask(query: str = "") -> Results:
        return search(Filters.from_args(MultiDict(parse_qsl(query, keep_blank_values=True))), "id")

    return ask


def test_newest_first_and_what_is_sold_out_last(find: Find) -> None:
    results = find("")
    assert titles(results) == [
        "Kursi teras kayu jati", "Meja lipat", "Rak buku", "Keripik pisang manis", "Sambal kenari",
    ]  # fmt: skip
    assert (results.total, results.page, results.pages) == (5, 1, 1)


def test_a_card_says_ready_few_left_made_or_sold_out(find: Find) -> None:
    chair, table, shelf, _, relish = find("").items
    assert chair.is_made_to_order
    assert chair.lead_time_days == 14
    assert (table.available, table.few_left) == (None, False)
    assert (shelf.available, shelf.few_left) == (None, True)
    assert relish.available == 0


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("kursi", "Kursi teras kayu jati"),
        ("kursinya", "Kursi teras kayu jati"),  # Indonesian stemming
        ("kur", "Kursi teras kayu jati"),  # a beginning
        ("chairs", "Kursi teras kayu jati"),  # English stemming
        ("KURSI, teras!", "Kursi teras kayu jati"),
        ("kayu pekalongan jati", "Kursi teras kayu jati"),  # place and workshop count too
        ("pisang", "Keripik pisang manis"),
    ],
)
def test_words_find_what_is_meant(find: Find, words: str, found: str) -> None:
    assert titles(find(f"q={words}"))[0] == found


@pytest.mark.parametrize(
    ("typed", "meant", "found"),
    [
        ("kursy", None, "Kursi teras kayu jati"),  # the English stemmer reads it right already
        ("kurssi", "kursi", "Kursi teras kayu jati"),
        ("keripk", "keripik", "Keripik pisang manis"),
        ("kripik", None, "Keripik pisang manis"),  # a synonym that came with the shop
        ("keripik pisank", "keripik pisang", "Keripik pisang manis"),
        ("mejja lipat", "meja lipat", "Meja lipat"),
    ],
)
def test_typing_errors_are_put_right_and_told(find: Find, typed: str, meant: str | None, found: str) -> None:
    results = find(f"q={typed}")
    assert results.corrected == meant
    assert titles(results) == [found]


@pytest.mark.parametrize(
    "asked",
    ["anyaman", "menganyam", "dianyam", "anyam", "anyamannya", "mengukir", "ukiran", "berukir", "diukir"],
)
def test_all_forms_of_a_word_meet(find: Find, db_session: Session, asked: str) -> None:
    for description in ("Anyaman bambu, ukiran pada tepinya.", "Dianyam dan diukir oleh tangan."):
        db_session.execute(
            text("UPDATE products SET description = :text WHERE title = 'Rak buku'"), {"text": description}
        )
        db_session.commit()
        assert titles(find(f"q={asked}")) == ["Rak buku"]


@pytest.mark.parametrize("typed", ["kerpik", "kripikk", "keripikks", "kreipik", "keipik"])
def test_two_errors_in_a_longer_word_are_put_right(find: Find, typed: str) -> None:
    assert titles(find(f"q={typed}")) == ["Keripik pisang manis"]


def test_words_that_say_nothing_do_not_narrow(find: Find) -> None:
    assert titles(find("q=kursi untuk teras dan the")) == ["Kursi teras kayu jati"]
    assert find("q=dan").total == 0


def test_what_a_title_says_comes_before_what_is_only_described(find: Find, db_session: Session) -> None:
    """Whole words in a title, then words begun there, then the rest; each the newest first, sold out last of all."""
    db_session.execute(
        text("UPDATE products SET description = 'Cocok untuk meja makan.' WHERE title LIKE 'Kursi%'")
    )
    db_session.execute(text("UPDATE products SET title = 'Mejaan rias' WHERE title = 'Keripik pisang manis'"))
    db_session.execute(text("UPDATE products SET title = 'Meja saji' WHERE title = 'Sambal kenari'"))
    db_session.commit()
    assert titles(find("q=meja")) == ["Meja lipat", "Mejaan rias", "Kursi teras kayu jati", "Meja saji"]
    assert titles(find("q=meja&sort=newest"))[0] == "Kursi teras kayu jati"


def test_a_new_word_can_be_mistyped_at_once_and_counts_are_put_right_later(
    find: Find, db_session: Session
) -> None:
    db_session.execute(text("UPDATE products SET title = 'Blangkon halus' WHERE title = 'Rak buku'"))
    db_session.commit()
    assert find("q=blangkn").corrected == "blangkon"
    refresh_search_words()
    db_session.commit()
    words = dict(db_session.execute(text("SELECT word, frequency FROM search_words")).all())  # type: ignore[arg-type]
    assert (words["blangkon"], words.get("buku", 0)) == (1, 0)
    assert words["kaus"] == 0, "a synonym that no product has"


def test_all_words_must_occur(find: Find) -> None:
    assert find("q=kursi pisang").total == 0


@pytest.mark.parametrize("words", ["???", "&|!:*", "zzzzqqq", "'; DROP TABLE products; --", "%", "<->", "\\"])
def test_nothing_found_is_no_error(find: Find, words: str) -> None:
    assert find("q=" + quote(words)).items == []


def test_a_search_for_nothing_visible_is_the_whole_listing(find: Find) -> None:
    assert find("q=" + quote("\u202e\u0000 \n")).total == 5


def test_each_filter_narrows(find: Find) -> None:
    assert titles(find("category=kerajinan")) == ["Keripik pisang manis", "Sambal kenari"]
    assert titles(find("province=maluku")) == ["Keripik pisang manis", "Sambal kenari"]
    assert titles(find("facility=lapas-pkl&availability=ready")) == ["Meja lipat", "Rak buku"]
    assert titles(find("facility=pkl&availability=made_to_order")) == ["Kursi teras kayu jati"]
    assert titles(find("min=100000&max=260000")) == ["Meja lipat", "Rak buku"]
    assert titles(find("q=meja&category=kerajinan")) == []


def test_several_values_of_one_filter_add_up(find: Find) -> None:
    assert find("category=mebel&category=kerajinan").total == 5


def test_each_filter_is_counted_as_if_it_were_not_set_itself(find: Find) -> None:
    facets = find("category=mebel&availability=ready").facets
    assert counts(facets.category) == {"mebel": 2, "kerajinan": 1}
    assert counts(facets.availability) == {"ready": 2, "made_to_order": 1}
    assert counts(facets.province) == {"jawa-tengah": 2}
    assert counts(facets.facility) == {"lapas-pkl": 2}
    assert [choice.value for choice in facets.category if choice.selected] == ["mebel"]


def test_every_count_is_what_its_link_shows(find: Find) -> None:
    for query in ("", "q=kayu", "category=mebel", "min=20000&availability=ready"):
        filters = Filters.from_args(MultiDict(parse_qsl(query)))
        facets = find(query).facets
        for name in ("category", "facility", "province", "availability"):
            for choice in getattr(facets, name):
                only = filters.but(**{name: (choice.value,)})
                assert search(only, "id").total == choice.count, (query, name, choice)


def test_prices_sort_both_ways(find: Find) -> None:
    assert titles(find("sort=price_low"))[:2] == ["Keripik pisang manis", "Rak buku"]
    assert titles(find("sort=price_high"))[:2] == ["Kursi teras kayu jati", "Meja lipat"]


def test_a_parents_category_holds_its_children(find: Find, db_session: Session) -> None:
    parent = make_category("rumah", "Rumah", "Home")
    make_category("mebel").parent_id = parent.id
    db_session.commit()
    results = find("category=rumah")
    assert results.total == 3
    assert counts(results.facets.category)["rumah"] == 3


def test_a_page_past_the_end_is_the_last_one(find: Find) -> None:
    assert find("page=99").page == 1
    assert find("page=99").total == 5


def test_only_published_products_of_active_facilities_are_listed(find: Find, db_session: Session) -> None:
    db_session.execute(text("UPDATE products SET status = 'archived' WHERE title = 'Meja lipat'"))
    db_session.execute(text("UPDATE facilities SET status = 'suspended' WHERE code = 'NML'"))
    db_session.commit()
    assert titles(find("")) == ["Kursi teras kayu jati", "Rak buku"]


def test_english_pages_show_english_titles(find: Find) -> None:
    results = search(Filters(q="chair"), "en")
    assert titles(results) == ["Teak porch chair"]
    assert {choice.name for choice in results.facets.category} == {"Furniture"}


def test_a_page_costs_one_statement_and_new_words_one_more(
    find: Find, statements: Callable[[], list[str]]
) -> None:
    version = find("").question.index.version
    search(Filters(), "id", version)
    statements()
    search(Filters(category=("mebel",), sort="price_low"), "id", version)
    assert len(statements()) == 1
    search(Filters(q="kursy teras"), "id", version)
    assert len(statements()) == 2
    search(Filters(q="teras kursy", sort="price_low"), "id", version)
    assert len(statements()) == 1
