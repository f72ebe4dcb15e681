"""What the head of a facility must approve, and premium whose passing on nobody has written down."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import text

from storefront.books.awaiting import awaiting
from storefront.extensions import db
from storefront.money import format_rupiah
from storefront.notices.waiting import Asked, Urgency, Waits, source
from storefront.people.policy import Action

#: Of one facility, by its own settlements alone: `distributions.sums` adds up the whole ledger.
LEFT = text(
    """
    SELECT COALESCE((SELECT sum(s.amount) FROM settlements s JOIN funds u ON u.id = s.fund_id AND u.code = 'premium'
                      WHERE s.facility_id = :facility AND s.state = 'paid'), 0)::bigint
         - COALESCE((SELECT sum(amount) FROM premium_distributions
                      WHERE facility_id = :facility AND state <> 'rejected'), 0)::bigint"""
)


@source(Action.SETTLEMENTS_APPROVE)
def approvals(asked: Asked) -> Iterable[Waits]:
    """What somebody else has proposed, each kind with its list."""
    found = awaiting(asked.facility_id, asked.person_id)
    note, button = _("menunggu persetujuan Anda sebagai kepala UPT"), _("Periksa")
    for kind, count, label, page in (
        (
            "settlement", found.settlements,
            ngettext("penyaluran ke UPT", "penyaluran ke UPT", found.settlements), "money?state=proposed",
        ),
        ("deposit", found.deposits, ngettext("setoran PNBP", "setoran PNBP", found.deposits), "money"),
        (
            "distribution", found.distributions,
            ngettext("catatan pembagian premi", "catatan pembagian premi", found.distributions),
            "distributions?state=entered",
        ),
        (
            "account", found.accounts,
            ngettext("perubahan rekening bank", "perubahan rekening bank", found.accounts), "bank-accounts",
        ),
    ):  # fmt: skip
        yield Waits(kind, Urgency.SOON, count, label, note, button, page, "check")


@source(Action.PREMIUM_ENTER)
def premium(asked: Asked) -> Iterable[Waits]:
    """Premium that was paid to the facility and not yet written down as passed on."""
    left = int(db.session.execute(LEFT, {"facility": asked.facility_id}).scalar_one())
    if left > 0:
        label, note = _("premi belum dicatat dibagikan"), _("sudah dibayar ke UPT untuk para pembuatnya")
        figure = format_rupiah(left)
        yield Waits(
            "premium", Urgency.KNOW, 1, label, note, _("Catat"), "distributions", "coins", figure=figure
        )
