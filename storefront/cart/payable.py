"""Whether a total can be paid at all: said here, before anybody is sent to a provider's page."""

from __future__ import annotations

from flask_babel import gettext as _

from storefront.errors import DomainError
from storefront.money import format_rupiah
from storefront.payments.gateway import current_gateway
from storefront.payments.methods import largest_amount, least_amount


class NotPayable(DomainError):
    """No way to pay takes a total as small or as large; `minimum` or `maximum` says what one takes."""

    code, status = "not_payable", 409


def refuse_unpayable(total: int) -> None:
    """Return only if some way to pay takes `total` rupiah at once. Raises NotPayable."""
    reason = not_payable(total)
    if reason is not None:
        raise reason


def not_payable(total: int) -> NotPayable | None:
    """Why `total` rupiah cannot be paid, if so."""
    methods = current_gateway().methods
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
