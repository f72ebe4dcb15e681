"""Works that ran out, or soon will."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import ngettext

from storefront.notices.waiting import Asked, Urgency, Waits, source
from storefront.people.policy import Action
from storefront.stock.shelf import stock_counts


@source(Action.STOCK_READ)
def shelf(asked: Asked) -> Iterable[Waits]:
    """What is listed and has no piece left, or few."""
    counts = stock_counts(asked.facility_id)
    button, page = _("Isi stok"), "products?status=published&stock={}"
    if count := counts["sold_out"]:
        label = ngettext("karya habis", "karya habis", count)
        note = _("tayang, tetapi tidak dapat dipesan")
        yield Waits("sold_out", Urgency.KNOW, count, label, note, button, page.format("sold_out"), "boxes")
    if count := counts["few_left"]:
        label = ngettext("karya hampir habis", "karya hampir habis", count)
        note = _("tinggal sedikit di tempat stok")
        yield Waits("few_left", Urgency.KNOW, count, label, note, button, page.format("few_left"), "boxes")
