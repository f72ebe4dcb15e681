"""What buyers write about themselves, in the form that is kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.cart.request import read_request
from storefront.errors import Invalid
from storefront.shipping.addresses import Refused, email_address, one_line, phone_number, postal_code

ADDRESS = {
    "line1": "Jl. Veteran 1",
    "district": "Gambir",
    "city": "Jakarta Pusat",
    "province": "DKI Jakarta",
    "postal_code": "10110",
}
WISH: dict[str, Any] = {"name": "Sari", "email": "sari@contoh.id", "address": ADDRESS}


@pytest.mark.parametrize(
    "written",
    ["081234567890", "0812-3456-7890", "+62 812 3456 7890", "62812.3456.7890", "+62 (0) 812 34567890", "812 3456 7890"],
)
def test_one_phone_number_however_it_is_written(written: str) -> None:
    assert phone_number(written) == "+6281234567890"


@pytest.mark.parametrize("written", ["0812", "+1 212 555 0100", "abc", "08123456789012345", "0", "+62", "99"])
def test_what_is_no_indonesian_number_is_refused(written: str) -> None:
    with pytest.raises(Refused):
        phone_number(written)


def test_an_email_is_kept_in_small_letters() -> None:
    assert email_address("  Sari.Dewi@Contoh.ID ") == "sari.dewi@contoh.id"


@pytest.mark.parametrize(
    "written", ["sari", "sari@", "@contoh.id", "sari@contoh", "a b@contoh.id", "a@b@c.id", "a..b@c.id", "x" * 300]
)
def test_half_an_email_is_refused(written: str) -> None:
    with pytest.raises(Refused):
        email_address(written)


@pytest.mark.parametrize("written", ["1234", "123456", "0123a", "00000", 123])
def test_a_postal_code_has_five_digits(written: Any) -> None:
    with pytest.raises(Refused):
        postal_code(written)


def test_line_breaks_and_turning_marks_do_not_reach_a_label() -> None:
    assert one_line("Jl. Mawar\r\nBcc: x\u202e1", 60) == "Jl. Mawar Bcc: x1"


@pytest.mark.parametrize("written", ["a\x00b", "a\x1bb", "a\ud800b", 5, ["x"], True])
def test_what_is_no_text_is_refused(written: Any) -> None:
    with pytest.raises(Refused):
        one_line(written, 60)


@given(st.text(max_size=80))
def test_a_line_is_either_clean_or_refused(text: str) -> None:
    try:
        line = one_line(text, 60)
    except Refused:
        return
    assert len(line) <= 60
    assert line.isprintable()
    line.encode()


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        read_request({"email": "sari", "address": {"postal_code": "1"}, "expected_total": True, "shipping": [1]})
    assert set(refused.value.errors) == {
        "name", "email", "address.line1", "address.district", "address.city", "address.province",
        "address.postal_code", "expected_total", "shipping",
    }  # fmt: skip


def test_an_email_or_a_phone_number_is_needed() -> None:
    with pytest.raises(Invalid) as refused:
        read_request({**WISH, "email": " "})
    assert set(refused.value.errors) == {"email"}
    assert read_request({**WISH, "email": None, "phone": "0812 3456 7890"}).phone == "+6281234567890"


def test_the_same_wish_has_the_same_digest() -> None:
    again = {**WISH, "address": dict(reversed(ADDRESS.items())), "email": "SARI@contoh.id "}
    assert read_request(WISH).digest() == read_request(again).digest()
    assert read_request(WISH).digest() != read_request({**WISH, "name": "Dewi"}).digest()
