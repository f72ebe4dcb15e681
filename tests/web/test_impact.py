"""Impact, figures with permanent addresses, and facilities as the public sees them."""

from __future__ import annotations

import csv
import datetime
import html
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.audit.record import dated
from storefront.books import distribute, settle_paid
from storefront.books.disputes import record_dispute
from storefront.catalogue.facility_list import FacilityFilters
from storefront.catalogue.province_map import LABELS, WITHIN, classes_of, province_map
from storefront.days import today
from storefront.display import format_month
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.impact.figures import FIGURES
from storefront.ledger.book import Leg, book, clearing
from storefront.ledger.take_back import Taken, legs_of
from storefront.payments.models import Payment
from storefront.training import record
from tests.factories import make_facility, make_paid_order, make_person, make_workshop
from tests.later_books import WORDS
from tests.money_out import Books, give_back, open_books, settled
from tests.selling import open_shop
from tests.training import make_training

pytestmark = pytest.mark.usefixtures("db_session")



def yesterday() -> datetime.date:
    return today() - datetime.timedelta(days=1)


def at(days_ago: int) -> datetime.datetime:
    """Noon of a day, by the accounting clock."""
    day = today() - datetime.timedelta(days=days_ago)
    return datetime.datetime(day.year, day.month, day.day, 5, tzinfo=datetime.UTC)


def rows_of(client: FlaskClient, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.status_code == 200, path
    assert answer.mimetype == "text/csv"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def shown_number(page: str) -> int:
    """The figure at the top of its page."""
    value = re.search(r'permanent__value nums">([^<]+)', page)
    assert value is not None
    digits = re.sub(r"[^\d−-]", "", value[1]).replace("−", "-")
    return int(digits or 0)


def formula_of(page: str) -> str:
    found = re.search(r"<code>(.*?)</code>", page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def pass_on(books: Books, people: int, amount: int) -> None:
    """Pekalongan passes premium on, and a second person agrees, at the moment that is dated."""
    workshop = db.session.scalars(select(Workshop.id).where(Workshop.facility_id == books.pekalongan)).first()
    assert workshop is not None
    one = distribute.enter(
        books.pekalongan, workshop_id=workshop, distributed_on=at(2).date(), people=people, amount=amount,
        person_id=books.first,
    )  # fmt: skip
    distribute.approve(one.id, books.second)
    db.session.commit()


@pytest.fixture
def past(db_session: Session) -> Books:
    """A shop whose whole life lies some days back."""
    with dated(at(70)):
        books = open_books()
        make_paid_order((books.shop.batik, 1), paid_at=at(70), placed_at=at(70))
    with dated(at(3)):
        disputed = make_paid_order((books.shop.tempeh, 3), shipping=0, paid_at=at(3), placed_at=at(3))
        payment = db_session.scalars(select(Payment.id).where(Payment.order_id == disputed.id)).one()
        for said in ("opened", "lost"):
            record_dispute(payment, "dp_1", 45_000, said)
        settled(books, "premium", 30_000, "TRF-1")
        wrong = settled(books, "premium", 4_000, "TRF-2")
        settle_paid.reverse(wrong.id, on=today(), reason=WORDS, person_id=books.second)
        give_back(books, "working_capital", 1_500, "refund:1:succeeded")
        pass_on(books, 7, 20_000)
    with dated(at(2)):
        make_training(books.shop.pekalongan, on=at(2).date(), certified=12)
        make_training(books.shop.ambon, on=at(2).date(), participants=9, women=9, passed=9)
    db_session.commit()
    return books


@pytest.mark.parametrize(
    "narrow",
    ["", "&facility=PKL", f"&period={today().year}", f"&period={at(3):%Y-%m}", "&province=jawa-tengah"],
)
def test_every_figure_is_what_its_own_formula_gives_and_what_its_rows_add_up_to(
    client: FlaskClient, past: Books, db_session: Session, narrow: str
) -> None:
    moved = 0
    for key, figure in FIGURES.items():
        refused = (
            (not figure.has_places and ("facility" in narrow or "province" in narrow))
            or (not figure.has_years and re.search(r"period=\d{4}$", narrow))
            or (not figure.has_months and re.search(r"period=\d{4}-", narrow))
        )
        if refused:
            assert client.get(f"/impact/figures/{key}?on={yesterday()}{narrow}").status_code == 404
            continue
        page = client.get(f"/impact/figures/{key}?on={yesterday()}{narrow}").text
        number = shown_number(page)
        assert number == (db_session.execute(text(formula_of(page).replace(":", r"\:"))).scalar_one() or 0), key
        rows = rows_of(client, f"/impact/figures/{key}.csv?on={yesterday()}{narrow}")
        if key != "premium_old":
            assert sum(int(list(row.values())[-1]) for row in rows) == number, key
        assert all("order" not in name or name == "orders" for row in rows for name in row)
        assert figure.unit in ("rupiah", "orders", "pieces", "people")
        moved += number != 0
    assert moved >= 8


def test_a_figure_of_a_day_stays_whatever_happens_later(
    client: FlaskClient, past: Books, db_session: Session, app: Flask
) -> None:
    path = "/impact/figures/{}{}?on=" + (today() - datetime.timedelta(days=2)).isoformat()
    pages = [path.format(key, ending) for key in FIGURES for ending in ("", ".csv")]
    before = {page: client.get(page).data for page in pages}
    # Written today about a day long before, as late news is.
    legs = legs_of([Taken(past.pekalongan, "PKL", 700, past.funds["premium"], "premium")])
    book("refund:2:succeeded", "refund", at(40).date(), [*legs, Leg(clearing("sandbox"), -700)])
    with dated(at(1)):
        settled(past, "premium", 500, "TRF-9")
        make_training(past.shop.ambon, on=at(1).date(), women=3)
    db_session.commit()
    for cache in ("pages", "totals", "public_counts"):
        app.extensions.pop(cache, None)
    assert {page: client.get(page).data for page in pages} == before
    app.extensions.pop("ledger_days")
    app.extensions.pop("pages")
    assert {page: client.get(page).data for page in pages} == before
    one_later = client.get(f"/impact/figures/premium_paid?on={yesterday()}").text
    assert shown_number(one_later) == shown_number(client.get(path.format("premium_paid", "")).text) + 500


def test_the_page_says_what_the_reports_say_to_the_rupiah(
    client: FlaskClient, past: Books, db_session: Session
) -> None:
    page = client.get("/impact").text

    def rupiah(query: str) -> str:
        number = int(db_session.execute(text(query)).scalar_one() or 0)
        return ("−" if number < 0 else "") + f"Rp\u00a0{abs(number):,}".replace(",", ".")

    for query in (
        "SELECT sum(amount) FROM reporting.settlements WHERE fund = 'premium'",
        "SELECT sum(owed) FROM reporting.fund_balances WHERE fund = 'premium'",
        "SELECT sum(amount) FROM reporting.premium_distributions",
        "SELECT sum(net_amount) FROM reporting.sales"
        f" WHERE extract(year FROM accounting_date(paid_at)) = {today().year}",
        """SELECT -sum(amount) FROM reporting.ledger_postings
            WHERE kind = 'dispute' AND account_code ~ '^(owed|receivable)' AND account_code !~ 'shipping'""",
    ):
        assert rupiah(query) in page, query
    [premium] = rows_of(client, "/impact/tables/premium.csv")
    assert int(premium["owed"]) - int(premium["paid_to_facilities"]) == int(premium["not_yet_paid"])
    months = rows_of(client, "/impact/tables/months.csv")
    regions = rows_of(client, "/impact/tables/regions.csv")
    steps = rows_of(client, "/impact/tables/steps.csv")
    for table in (months, regions):
        for row in table:
            assert int(row["owed"]) == sum(int(row[fund]) for fund in row if fund not in ("month", "province", "owed"))
    assert (
        sum(int(row["owed"]) for row in months)
        == sum(int(row["owed"]) for row in regions)
        == sum(int(row["amount"]) for row in steps)
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/impact/figures/sales", 302),
        ("/impact/figures/nothing", 404),
        ("/impact/figures/nothing.csv", 404),
        ("/impact/figures/sales?on=tomorrow", 422),
        ("/impact/figures/sales?on=1900-01-01", 422),
        ("/impact/figures/sales?on={today}", 422),
        ("/impact/figures/sales.csv?on={later}", 422),
        ("/impact/figures/sales?on={yesterday}&facility=ZZZ", 404),
        ("/impact/figures/sales?on={yesterday}&facility=%27%3B", 404),
        ("/impact/figures/sales?on={yesterday}&province=atlantis", 404),
        ("/impact/figures/sales?on={yesterday}&period=99999", 422),
        ("/impact/tables/secrets.csv", 404),
        ("/impact/figures", 200),
    ],
)
def test_odd_addresses_of_figures_are_answered(client: FlaskClient, path: str, status: int) -> None:
    make_facility("PKL")
    later = today() + datetime.timedelta(days=400)
    answer = client.get(path.format(today=today(), yesterday=yesterday(), later=later))
    assert answer.status_code == status
    if status == 302:
        assert answer.location.endswith(f"/impact/figures/sales?on={yesterday()}")


def test_small_counts_are_hidden_and_cannot_be_subtracted(client: FlaskClient, db_session: Session) -> None:
    """Three people at one place, others elsewhere: no page and no file gives the three away."""
    small, large = make_facility("AAA", province="Bali"), make_facility("BBB", province="Maluku")
    for facility in (small, large):
        make_workshop(facility)
    make_training(large, on=at(9).date(), participants=88, women=11, passed=88)
    make_training(small, on=at(8).date(), participants=3, women=1, passed=2)
    db_session.commit()
    page = client.get("/facilities/lapas-aaa").text
    assert "kurang dari 5" in page
    assert page.count(">disembunyikan<") == 1  # no certificates were to be had
    for address in ("/impact", "/impact/tables/training-years.csv", "/impact/tables/training-regions.csv"):
        words = re.sub(r"<[^>]+>", " ", client.get(address).text)
        assert not re.search(r"(?<![\d.])91(?![\d.])", words), address
        assert "88" in words
    [row] = [row for row in rows_of(client, "/impact/tables/training-regions.csv") if row["region"] == "Bali"]
    assert row["participants"] == row["certified"] == ""
    # The next of the same place is its company: both together, and none of them alone.
    make_training(small, on=at(7).date(), participants=8, women=6, passed=8)
    db_session.commit()
    [row] = [row for row in rows_of(client, "/impact/tables/training-regions.csv") if row["region"] == "Bali"]
    assert row["participants"] == "11"
    assert ">11<" in client.get("/facilities/lapas-aaa").text.replace("<span>", "").replace("</span>", "")


def test_an_amount_of_fewer_than_five_people_is_passed_on_in_silence(client: FlaskClient, db_session: Session) -> None:
    with dated(at(5)):
        books = open_books()
        settled(books, "premium", 90_000, "TRF-1")
    with dated(at(4)):
        pass_on(books, 3, 7_411)
    permanent = f"/impact/figures/premium_passed_on?on={yesterday()}"
    addresses = ("/impact", "/facilities/" + books.shop.pekalongan.slug, permanent)
    assert not any("7.411" in client.get(address).text for address in addresses)
    assert not any(re.search(r"(?<!\d)7411(?!\d)", client.get(f"/impact/{file}").text) for file in (
        "tables/premium.csv", f"figures/premium_passed_on.csv?on={yesterday()}",
    ))  # fmt: skip
    with dated(at(3)):
        pass_on(books, 9, 20_002)
    assert all("Rp\u00a027.413" in client.get(address).text for address in addresses)
    assert not any("20.002" in client.get(address).text for address in addresses)


def test_training_stands_beside_its_targets_and_withdrawn_records_are_gone(
    client: FlaskClient, db_session: Session
) -> None:
    facility = make_facility("AAA", province="Bali")
    make_workshop(facility)
    year = today().year
    ended = datetime.date(year, 1, 1)
    make_training(facility, started_on=ended, ended_on=ended, on=ended, participants=30, women=0, passed=30)
    gone = make_training(facility, started_on=ended, ended_on=ended, on=ended, participants=17, women=0, passed=17)
    db_session.execute(
        text(
            "INSERT INTO training_targets (year, measure, people, is_cumulative) VALUES"
            " (:y, 'participants', 120, false), (2017, 'new_entrepreneurs', 5000, false)"
        ),
        {"y": year},
    )
    db_session.commit()
    assert "(39%)" in client.get("/impact").text
    record.withdraw(gone.id, make_person().id, WORDS)
    db_session.commit()
    page = client.get("/impact").text
    assert "(25%)" in page
    assert "5.000" in page
    targets = rows_of(client, "/impact/tables/targets.csv")
    assert [(row["year"], row["target"], row["reached"]) for row in targets] == [
        ("2017", "5000", ""),
        (str(year), "120", "30"),
    ]


def test_a_facility_tells_since_when_what_it_teaches_and_what_purchases_did(client: FlaskClient, past: Books) -> None:
    page = client.get("/facilities/lapas-pkl").text
    assert f"menjual di sini sejak {format_month(at(70).date())}" in page
    for part in ("bengkel", "pelatihan", "hak"):
        assert f'aria-labelledby="{part}"' in page
    for amount in ("30.000", "20.000"):  # premium paid to it, and passed on
        assert f"Rp\u00a0{amount}" in page
    linked = re.findall(r'href="(/impact/figures/[^"]+)"', page)
    assert linked
    assert all(client.get(html.unescape(path)).status_code == 200 for path in linked)


def test_a_facility_without_sales_or_training_says_what_comes(client: FlaskClient, db_session: Session) -> None:
    make_facility("NEW")
    db_session.commit()
    page = client.get("/facilities/lapas-new").text
    assert "Belum ada penjualan yang dibayar" in page
    assert "Belum ada program pelatihan" in page
    assert client.get("/en/facilities/lapas-new").status_code == 200


@pytest.fixture
def places(db_session: Session, run_jobs: Callable[[], None]) -> Any:
    """Goods of Jawa Tengah and Maluku, and facilities without goods in Bali and the youngest provinces."""
    shop = open_shop()
    make_workshop(make_facility("BGL", name="Lapas Bangli", province="Bali", city="Bangli"), "Anyaman")
    make_facility("SRG", name="Lapas Sorong", province="Papua Barat Daya", city="Sorong")
    db_session.commit()
    run_jobs()
    db_session.commit()
    return shop


@pytest.mark.parametrize(
    ("query", "there", "absent"),
    [
        ("", ["Lapas Bangli", "Lapas Sorong", "Jawa Tengah"], []),
        ("?province=bali", ["Lapas Bangli"], ["Lapas Sorong"]),
        ("?q=anyaman", ["Lapas Bangli"], ["Lapas Sorong"]),
        ("?q=LEMBAGA+pemasyarakatan+bangli", ["Lapas Bangli"], ["Lapas Sorong"]),
        ("?goods=kerajinan", ["Jawa Tengah"], ["Lapas Bangli"]),
        ("?q=zzzz", ["Tidak ada yang cocok"], ["Lapas Bangli"]),
        ("?q=%3Cscript%3E&province=%00&goods=%27", ["Tidak ada yang cocok"], ["<script>alert"]),
    ],
)
def test_facilities_are_found_by_words_province_and_goods(
    client: FlaskClient, places: Any, query: str, there: list[str], absent: list[str]
) -> None:
    page = client.get("/facilities" + query).text
    listed = page[page.index('id="daftar"') :]
    cards = "".join(re.findall(r'(?s)<h3 class="find__group">.*?</ul>|<div class="empty">.*?</h3>', listed))
    for words in there:
        assert words in cards
    for words in absent:
        assert words not in cards


def test_a_chosen_province_without_an_answer_can_be_dropped(client: FlaskClient, places: Any) -> None:
    page = client.get("/facilities?q=zzzz&province=riau").text
    assert '<option value="riau" selected>Riau (0)</option>' in page
    assert 'href="/facilities?q=zzzz#daftar"' in page


def test_the_map_says_the_same_as_the_list_and_leads_to_it(client: FlaskClient, places: Any) -> None:
    page = client.get("/facilities").text
    assert 'aria-label="Bali: 1 lapas atau rutan, 0 karya"' in page
    assert "Papua Barat Daya digambar di dalam Papua Barat" in page
    assert 'href="/facilities?province=bali#daftar"' in page
    [address] = set(re.findall(r'/static/map/provinces\.[0-9a-f]+\.svg', page))
    shapes = client.get(address)
    assert shapes.status_code == 200
    ids = set(re.findall(r'id="([a-z-]+)"', shapes.text))
    assert ids == set(LABELS)


def test_every_province_of_the_country_has_its_place_on_the_map(db_session: Session) -> None:
    from storefront.catalogue.filters import slug_of

    names = list(db_session.execute(text("SELECT name FROM provinces")).scalars())
    assert len(names) == 38
    assert {slug_of(name) for name in names} == set(LABELS) | set(WITHIN)
    drawn = province_map({name: (1, number) for number, name in enumerate(names)})
    assert sum(region.products for region in drawn.regions) == sum(range(38))
    assert len(drawn.within) == 4


@pytest.mark.parametrize(
    ("numbers", "classes"),
    [([], ()), ([0, 0], ()), ([3], ((3, 3),)), ([2, 2, 2], ((2, 2),)), ([1, 2, 2, 3, 4, 9], ((1, 1), (2, 3), (4, 9)))],
)  # fmt: skip
def test_classes_of_the_map_hold_every_number_once(numbers: list[int], classes: tuple[Any, ...]) -> None:
    assert classes_of(numbers) == classes
    for number in numbers:
        assert sum(low <= number <= high for low, high in classes) == (number > 0)


def test_an_address_of_the_list_is_its_question() -> None:
    asked = FacilityFilters("batik", ("bali", "maluku"), "mebel")
    assert asked.query_string() == "?q=batik&province=bali&province=maluku&goods=mebel"
    assert asked.but(q="", province=(), goods="").query_string() == ""
