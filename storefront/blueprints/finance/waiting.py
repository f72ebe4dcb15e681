"""What of the money waits for a person, for the first page of this face: each kind with its one link."""

from __future__ import annotations

from collections.abc import Iterator

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from storefront import days
from storefront.aftercare import lists as problems
from storefront.bank import lists as bank
from storefront.blueprints.finance import steps
from storefront.books import deposits
from storefront.books.standing import Standing, standing
from storefront.people.policy import Action
from storefront.people.queues import Queue, Queues
from storefront.reconciliation.lists import open_differences
from storefront.refunds import refund_list

QUEUES = Queues(steps.may_somewhere)


@QUEUES.queue(Action.DEPOSITS_READ)
def deposit_queues() -> Iterator[Queue]:
    """What is late, due, to approve and to pay at the treasury."""
    url, today = url_for("finance.deposit_list"), days.today()
    undeposited = deposits.waiting(steps.within(Action.DEPOSITS_READ))
    late, due = [row for row in undeposited if row.is_late], [row for row in undeposited if not row.is_late]
    proposed = _of("deposits_late")
    since = [day for day in (*(row.due_on for row in late), proposed.since) if day is not None]
    yield Queue(
        len(late) + proposed.count,
        _("setoran PNBP lewat batas waktu"),
        _("seharusnya sudah di kas negara"),
        url, sum(row.amount for row in late) + (proposed.amount or 0), min(since, default=None), is_late=True,
    )  # fmt: skip
    left = min(((row.due_on - today).days for row in due), default=0)
    yield Queue(
        len(due),
        _("UPT dengan PNBP yang belum disetor"),
        ngettext("batas terdekat %(num)d hari lagi", "batas terdekat %(num)d hari lagi", left),
        url, sum(row.amount for row in due), min((row.oldest for row in due), default=None),
    )  # fmt: skip
    yield _queue(_of("deposits_proposed"), _("setoran PNBP untuk disetujui"), _("usul orang lain"), url)
    yield _queue(
        _of("deposits_unpaid"), _("setoran PNBP untuk dibayar"), _("sudah disetujui"),
        url_for("finance.deposit_list", state="approved"),
    )  # fmt: skip


@QUEUES.queue(Action.SETTLEMENTS_READ)
def settlement_queues() -> Iterator[Queue]:
    """What facilities are to be paid, and what came back from their budget."""
    for kind, label, note in (
        ("proposed", _("penyaluran untuk disetujui"), _("usul orang lain")),
        ("approved", _("penyaluran untuk dibayar"), _("sudah disetujui")),
    ):
        url = url_for("finance.settlement_list", state=kind)
        yield _queue(_of(f"settlements_{kind}"), label, note, url)
    yield _queue(
        _of("transfers_refused"), _("penyaluran dengan transfer yang ditolak"), _("kirim ulang atau lepas"),
        url_for("finance.settlement_list"),
    )  # fmt: skip
    yield _queue(
        _of("budget_returns"), _("dana kembali untuk dibukukan"), _("usul orang lain"),
        url_for("finance.budget_list"),
    )  # fmt: skip


@QUEUES.queue(Action.REFUNDS_READ)
def refund_queues() -> Iterator[Queue]:
    """Money that shoppers wait for."""
    ids = steps.within(Action.REFUNDS_READ)
    yield _queue(
        refund_list.waiting(ids), _("pengembalian dana menunggu keputusan"),
        _("diminta, atau ditolak penyedia"), url_for("finance.refund_list_page"),
    )  # fmt: skip
    yield Queue(
        problems.waiting(ids).office, _("laporan pembeli untuk diputuskan"), _("UPT tidak menjawab tepat waktu"),
        url_for("finance.problem_list", state="handed_over"),
    )  # fmt: skip


@QUEUES.queue(Action.BOOKS_READ)
def book_queues() -> Iterator[Queue]:
    """What does not fit, and months that are not closed: the whole programme's."""
    if steps.within(Action.BOOKS_READ) is not None:
        return
    yield _queue(
        open_differences(), _("selisih dengan penyedia pembayaran"), _("menunggu keputusan"),
        url_for("finance.difference_list"),
    )  # fmt: skip
    payments = url_for("finance.payments")
    yield _queue(
        _of("events"), _("kabar penyedia pembayaran"), _("perlu dilihat orang"), f"{payments}#kabar"
    )
    yield _queue(
        _of("held"), _("pembayaran yang ditahan"), _("jumlah atau mata uangnya lain"), f"{payments}#ditahan"
    )
    yield _queue(
        _of("disputes"), _("sengketa pembayaran terbuka"), _("bank pembeli menarik uangnya"),
        url_for("finance.dispute_list", state="open"),
    )  # fmt: skip
    yield _queue(
        _of("corrections"), _("koreksi buku untuk disetujui"), _("usul orang lain"),
        url_for("finance.correction_list", state="proposed"),
    )  # fmt: skip
    yield _queue(
        _of("periods"), _("bulan untuk ditutup"), _("yang tertua dahulu"), url_for("finance.periods")
    )


@QUEUES.queue(Action.BANK_READ)
def bank_queues() -> Iterator[Queue]:
    """Lines that belong to nothing yet, and transfers that are held."""
    if steps.within(Action.BANK_READ) is not None:
        return
    found = bank.standing()
    yield _queue(
        found["lines"], _("mutasi bank belum cocok"), _("masuk dikurangi keluar"),
        url_for("finance.bank_line_list", state="open"),
    )  # fmt: skip
    yield _queue(
        found["held"], _("transfer pembeli tertahan"), _("hitung untuk pesanan lain, atau kembalikan"),
        url_for("finance.held_list"),
    )  # fmt: skip
    if steps.may_somewhere(Action.RETURNS_READ):
        returns = url_for("finance.return_list")
        yield _queue(
            found["returns"], _("uang kembali lewat bank untuk diusulkan"), _("rekening sudah diberikan"), returns
        )
        yield _queue(found["batches"], _("kumpulan transfer untuk disetujui"), _("usul orang lain"), returns)


@QUEUES.queue(Action.PREMIUM_READ)
def premium_queue() -> Queue:
    """Records that premium was passed on."""
    url = url_for("finance.distribution_list", state="entered")
    return _queue(_of("distributions"), _("pembagian premi untuk disetujui"), _("dicatat UPT"), url)


@QUEUES.queue(Action.BANK_ACCOUNTS_READ)
def account_queue() -> Queue:
    """Bank accounts that somebody wants to begin or to end."""
    url = url_for("finance.bank_account_list")
    return _queue(_of("bank_accounts"), _("rekening bank untuk disetujui"), _("baru, atau berakhir"), url)


@QUEUES.queue(Action.RULES_READ)
def rule_queue() -> Queue:
    """Rules that somebody wants to begin or to end."""
    url = url_for("finance.rule_list_page", state="proposed")
    return _queue(_of("rules"), _("aturan pembagian hasil untuk disetujui"), _("oleh administrator"), url)


def _queue(of: Standing, label: str, note: str, url: str) -> Queue:
    return Queue(of.count, label, note, url, of.amount, of.since)


def _of(kind: str) -> Standing:
    """What waits of one kind in the books; all kinds are read once for each request."""
    if "standing" not in g:
        g.standing = standing(
            {
                "deposits": steps.within(Action.DEPOSITS_READ),
                "settlements": steps.within(Action.SETTLEMENTS_READ),
                "premium": steps.within(Action.PREMIUM_READ),
                "bank_accounts": steps.within(Action.BANK_ACCOUNTS_READ),
                "rules": steps.within(Action.RULES_READ),
            }
        )
    found: dict[str, Standing] = g.standing
    return found.get(kind, Standing())
