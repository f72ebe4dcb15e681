"""Whether a total can be paid at all: said here, before anybody is sent to a provider's page."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from storefront.errors import DomainError
from storefront.money import format_rupiah
from storefront.payments.methods import Method, largest_amount, least_amount


class NotPayable(DomainError):
    """No way to pay takes a total as small or as large; `minimum` or `maximum` says what one takes."""

    code, status = "not_payable", 409


def not_payable(total: int, methods: Sequence[Method]) -> NotPayable | None:
    """Why `total` rupiah cannot be paid at once with any of `methods`, if so."""
    least, largest = least_amount(methods), largest_amount(methods)
    if total < least:
        sentence = _(
            "Pembayaran paling sedikit %(least)s. Tambahkan karya, atau pilih cara kirim yang lain.",
            least=format_rupiah(least),
        )
        return NotPayable(sentence, extra={"minimum": least})
    if largest is not None and total > largest:
        sentence = _(
            "Sekali bayar paling banyak %(largest)s. Pesan dalam beberapa bagian.",
            largest=format_rupiah(largest),
        )
        return NotPayable(sentence, extra={"maximum": largest})
    return None
