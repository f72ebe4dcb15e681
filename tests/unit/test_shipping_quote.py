"""What a parcel costs, where it goes, and which names of places are the same place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.shipping.places import city_key, province_key
from storefront.shipping.quote import (
    REACHES,
    Destination,
    Option,
    Origin,
    Piece,
    Rate,
    amount_for,
    quote_parcel,
    reach_to,
    within_scope,
)

JATENG, JATIM, MALUKU = 1, 2, 3
JAWA, TIMUR = 10, 20
PEKALONGAN = Origin(facility_id=7, province_id=JATENG, zone_id=JAWA, city="Pekalongan")
PICKUP = Option(9, "pickup", "Ambil di galeri", "Collect at the gallery", True, 0, 0, 0)


def to(province: int = JATENG, city: str = "Semarang", zone: int = JAWA) -> Destination:
    return Destination(province, "", zone, city)


def rate(code: str, reach: str, first: int, following: int, minimum: int = 1, **more: object) -> Rate:
    values = {
        "method_id": {"regular": 1, "cargo": 2}[code], "code": code, "name": code, "name_en": code,
        "position": {"regular": 1, "cargo": 2}[code], "max_weight_g": 30_000 if code == "regular" else None,
        "origin_zone_id": JAWA, "destination_zone_id": JAWA, "reach": reach, "first_kg": first,
        "next_kg": following, "minimum_kg": minimum, "days_min": 1, "days_max": 3,
    }  # fmt: skip
    return Rate(**{**values, **more})  # type: ignore[arg-type]


RATES = [
    rate("regular", "same_city", 9_000, 7_000),
    rate("regular", "province", 12_000, 10_000),
    rate("regular", "nationwide", 18_000, 6_000),
    rate("cargo", "province", 60_000, 5_000, 10),
    rate("cargo", "nationwide", 80_000, 8_000, 10),
    rate("regular", "nationwide", 72_000, 16_500, destination_zone_id=TIMUR),
]


def parcel(weight_g: int = 800, scope: str = "nationwide", quantity: int = 1) -> list[Piece]:
    return [Piece("BATIK-1", scope, weight_g, quantity)]


@pytest.mark.parametrize(
    "written",
    ["Pekalongan", "PEKALONGAN", "Kota Pekalongan", "kab. pekalongan", "Kabupaten  Pekalongan", "Kota. Pekalongan,"],
)
def test_a_city_is_the_same_however_it_is_written(written: str) -> None:
    assert reach_to(PEKALONGAN, to(city=written)) == "same_city"


def test_spaces_within_a_name_do_not_matter() -> None:
    assert city_key("Gunung Kidul") == city_key("Kab. GUNUNGKIDUL")


def test_the_municipalities_of_the_capital_are_one_city() -> None:
    assert city_key("Kota Adm. Jakarta Timur") == city_key("Jakarta Pusat") == city_key("jakarta")


def test_a_city_that_only_begins_with_kota_keeps_its_name() -> None:
    assert city_key("Kotabaru") == "kotabaru"
    assert city_key("Kota") == "kota"


@pytest.mark.parametrize("written", ["", "  ", "Kota Entah", "???"])
def test_an_unknown_city_counts_as_another_one_of_its_province(written: str) -> None:
    assert reach_to(PEKALONGAN, to(city=written)) == "province"


def test_a_city_of_the_same_name_in_another_province_is_not_the_same() -> None:
    assert reach_to(PEKALONGAN, to(JATIM, "Pekalongan")) == "nationwide"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("D.I. Yogyakarta", "DI Yogyakarta"),
        ("Daerah Istimewa Yogyakarta", "DI Yogyakarta"),
        ("yogyakarta", "DI Yogyakarta"),
        ("Jakarta", "DKI Jakarta"),
        ("Provinsi  DKI-Jakarta", "DKI Jakarta"),
        ("jawa  TENGAH", "Jawa Tengah"),
        ("Central Java", "Jawa Tengah"),
        ("Kep. Riau", "Kepulauan Riau"),
        ("NTB", "Nusa Tenggara Barat"),
        ("West Nusa Tenggara", "Nusa Tenggara Barat"),
        ("Southwest Papua", "Papua Barat Daya"),
        ("North Sumatra", "Sumatera Utara"),
    ],
)
def test_a_province_is_known_by_its_usual_names(written: str, meant: str) -> None:
    assert province_key(written) == province_key(meant)


def test_the_cheapest_delivery_comes_first_and_pickup_last() -> None:
    quote = quote_parcel(PEKALONGAN, to(), parcel(25_000), RATES, PICKUP)
    assert [(o.code, o.amount) for o in quote.options] == [("cargo", 135_000), ("regular", 252_000), ("pickup", 0)]
    assert quote.cheapest is not None
    assert quote.cheapest.code == "cargo"


def test_the_narrowest_rate_that_fits_counts() -> None:
    quote = quote_parcel(PEKALONGAN, to(city="Pekalongan"), parcel(), RATES, PICKUP)
    assert [(o.code, o.amount) for o in quote.deliveries] == [("regular", 9_000), ("cargo", 60_000)]


def test_a_kilogram_begun_counts_whole() -> None:
    assert amount_for(RATES[1], 1_000) == 12_000
    assert amount_for(RATES[1], 1_001) == 22_000


def test_too_heavy_for_a_method_leaves_the_others() -> None:
    quote = quote_parcel(PEKALONGAN, to(), parcel(30_001), RATES, PICKUP)
    assert [o.code for o in quote.deliveries] == ["cargo"]


def test_tempeh_does_not_go_to_maluku() -> None:
    pieces = [Piece("TEMPE-1", "same_city", 500, 2), Piece("BATIK-1", "nationwide", 500, 1)]
    quote = quote_parcel(PEKALONGAN, to(MALUKU, "Ambon", TIMUR), pieces, RATES, PICKUP)
    assert quote.refused == ("TEMPE-1",)
    assert quote.options == (PICKUP,)


def test_where_no_courier_goes_every_line_is_named() -> None:
    quote = quote_parcel(PEKALONGAN, to(MALUKU, "Ambon", 99), parcel(), RATES, PICKUP)
    assert quote.refused == ("BATIK-1",)
    assert quote.cheapest is None


weights = st.integers(min_value=1, max_value=5_000_000)
cities = st.sampled_from(["Pekalongan", "Kota Semarang", ""])
scopes = st.sampled_from(["pickup", *REACHES])


@given(weights, weights)
def test_a_heavier_parcel_never_costs_less(one: int, other: int) -> None:
    lighter, heavier = sorted((one, other))
    for each in RATES:
        assert each.first_kg <= amount_for(each, lighter) <= amount_for(each, heavier)


@given(weights, cities, scopes)
def test_deliveries_are_offered_exactly_when_all_goods_may_go_there(weight: int, city: str, scope: str) -> None:
    quote = quote_parcel(PEKALONGAN, to(city=city), parcel(weight, scope), RATES, PICKUP)
    reach = reach_to(PEKALONGAN, to(city=city))
    assert bool(quote.deliveries) is within_scope(scope, reach)
    assert bool(quote.refused) is not bool(quote.deliveries)
    assert quote.pickup is PICKUP
    amounts = [option.amount for option in quote.deliveries]
    assert amounts == sorted(amounts)
    assert all(type(amount) is int and amount >= 0 for amount in amounts)


@given(st.text(max_size=40))
def test_any_text_may_be_a_city_or_a_province(text: str) -> None:
    assert city_key(text) == city_key(f"  {text}. ")
    assert province_key(text) == province_key(f"  {text}, ")
    assert reach_to(PEKALONGAN, to(city=text)) in ("same_city", "province")


@given(st.integers(min_value=1, max_value=100), st.integers(min_value=1, max_value=20_000))
def test_many_pieces_weigh_what_they_weigh_together(quantity: int, weight: int) -> None:
    quote = quote_parcel(PEKALONGAN, to(), parcel(weight, quantity=quantity), RATES, PICKUP)
    assert quote.weight_g == quantity * weight
