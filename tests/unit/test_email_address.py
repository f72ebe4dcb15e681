"""What counts as an e-mail address."""

from __future__ import annotations

import pytest

from storefront.mail.address import is_email


@pytest.mark.parametrize("address", ["nama@contoh.id", "N.A+toko@Surat.Contoh.co.id", "a@b.cd"])
def test_an_address_is_known(address: str) -> None:
    assert is_email(address)


@pytest.mark.parametrize(
    "address",
    [
        *("", "nama", "nama@contoh", "@contoh.id", ".a@contoh.id", "a..b@contoh.id", "a@b.id\n", "a@-b.id"),
        *("a b@contoh.id", "a@contoh.id, b@contoh.id", "x" * 65 + "@contoh.id", "a@" + "b." * 130 + "id"),
    ],
)
def test_what_no_mail_server_takes_is_refused(address: str) -> None:
    assert not is_email(address)
