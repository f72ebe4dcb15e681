from __future__ import annotations

import time

import pytest

from storefront.errors import Invalid
from storefront.people import passwords


@pytest.mark.parametrize(
    "password",
    [
        "pendek",
        "123456789",
        "katasandi123",
        "KATASANDI123",
        "aaaaaaaaaaaa",
        "1234567890",
        "abcdefghij",
        "x" * 201,
    ],
)
def test_short_long_and_common_passwords_are_refused(password: str) -> None:
    with pytest.raises(Invalid) as refusal:
        passwords.check_new(password)
    assert "password" in refusal.value.errors


@pytest.mark.parametrize("password", ["siti.rahayu1", "sitirahayu99", "Siti.Rahayu@contoh.id"])
def test_ones_own_name_is_no_password(password: str) -> None:
    with pytest.raises(Invalid):
        passwords.check_new(password, email="siti.rahayu@contoh.id", name="Siti Rahayu")


@pytest.mark.parametrize("password", ["kursi jati empat kaki", "Xk2-vv91-Lq", "カタカナ文字列十文字超え"])
def test_ten_odd_characters_are_enough(password: str) -> None:
    passwords.check_new(password, email="siti.rahayu@contoh.id", name="Siti Rahayu")


def test_a_hash_is_argon2id_and_knows_its_password_only() -> None:
    kept = passwords.hash_password("kursi jati empat kaki")
    assert kept.startswith("$argon2id$")
    assert passwords.matches(kept, "kursi jati empat kaki")
    assert not passwords.matches(kept, "kursi jati empat kaki ")
    assert not passwords.matches("!", "anything")


def test_letters_composed_differently_are_the_same_password() -> None:
    assert passwords.matches(passwords.hash_password("caf\u00e9 empat meja"), "cafe\u0301 empat meja")


def test_no_account_takes_as_long_as_a_wrong_password() -> None:
    kept = passwords.hash_password("kursi jati empat kaki")
    passwords.matches(None, "warm up")

    def fastest(known: str | None) -> float:
        times = []
        for _ in range(5):
            began = time.process_time()
            assert not passwords.matches(known, "wrong password")
            times.append(time.process_time() - began)
        return min(times)

    assert fastest(None) > fastest(kept) / 2
