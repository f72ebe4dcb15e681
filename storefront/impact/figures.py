"""The public figures: what each means, how anybody recomputes it, and the rows that it sums.

Amounts are sums of postings, so they are the ledger's to the rupiah. A figure of a day counts what had been written by
the end of that day (`posted_at`), so it is the same for ever, whatever is booked later about an earlier day.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _

from storefront.impact.ledger_days import DayRow
from storefront.impact.passed_on import PassedOn
from storefront.impact.scope import Scope
from storefront.ledger.earnings import EARNING_KINDS
from storefront.ledger.totals import OLD_DAYS, PAYING_KINDS
from storefront.small_counts import Block, Released, figure
from storefront.training.published import BY_YEAR, PARTS, Counted, Trained

LEDGER, PASSED_ON, TRAINING = "ledger", "passed_on", "training"
EARNING = ", ".join(f"'{kind}'" for kind in EARNING_KINDS)
PAYING = ", ".join(f"'{kind}'" for kind in PAYING_KINDS)


@dataclass(frozen=True)
class Figure:
    """A figure that the public may ask for on any past day."""

    key: str
    title: Any
    #: What it counts and what not, in words.
    words: Any
    #: rupiah, orders, pieces, people.
    unit: str
    #: Where its rows come from: `LEDGER`, `PASSED_ON` or `TRAINING`.
    source: str
    #: SQL over the reporting views; `{where}` is what the scope adds.
    sql: str
    #: Of the ledger: whether a row belongs to it, and its sign.
    counts: Callable[[DayRow], int] = lambda row: 0
    #: Of training: the measure.
    measure: str = ""
    #: Whether it may be narrowed to a place (an order may hold goods of several), to a year, to a month.
    has_places: bool = True
    has_years: bool = True
    has_months: bool = True


@dataclass(frozen=True)
class Value:
    """A figure's value in a scope, with the rows that it sums: headings, then rows."""

    number: int
    headings: Sequence[str]
    rows: Sequence[Sequence[str | int]]
    #: Whether something belongs to it that may not be published (yet).
    is_whole: bool = True
    is_hidden: bool = False


def _earned(*funds: str) -> Callable[[DayRow], int]:
    """What became owed to some funds; none: to any."""
    return lambda row: int(row.kind in EARNING_KINDS and bool(row.fund) and (not funds or row.fund in funds))


def _step(kind: str) -> Callable[[DayRow], int]:
    return lambda row: int(row.kind == kind and bool(row.fund))


def _ledger(
    key: str, title: Any, words: Any, fund: str, kinds: str, counts: Callable[[DayRow], int], sign: str = "-"
) -> Figure:
    accounts = f"account_code ~ '^(owed|receivable):[A-Z0-9]+:{fund}$'"
    sql = f"SELECT {sign}sum(amount) FROM reporting.ledger_postings\n WHERE {accounts}{kinds}{{where}}"  # noqa: S608
    return Figure(key, title, words, "rupiah", LEDGER, sql, counts)


ANY = "(?!shipping$)[a-z_]+"
BECAME = f"\n   AND kind IN ({EARNING})"
OLD_WORDS = _(
    "Premi yang menjadi hak lebih dari 60 hari lalu dan belum disalurkan ke lapas. Yang lebih dulu menjadi hak "
    "dianggap lebih dulu disalurkan."
)

#: Youngest first: what came in the last 60 days makes up the balance as far as it goes, the rest is old.
OLD_SQL = """SELECT sum(GREATEST(0, open - young)) FROM (
  SELECT facility_code, sum(-amount) AS open, sum(young) AS young FROM (
    SELECT facility_code, entry_id, sum(amount) AS amount,
           CASE WHEN max(effective_date) >= '{since}' THEN GREATEST(0, -sum(amount)) ELSE 0 END AS young
      FROM reporting.ledger_postings
     WHERE account_code ~ '^(owed|receivable):[A-Z0-9]+:premium$'{where}
     GROUP BY facility_code, entry_id) entries
   GROUP BY facility_code) facilities"""

FIGURES: dict[str, Figure] = {
    one.key: one
    for one in (
        _ledger(
            "sales", _("Penjualan yang menjadi hak"),
            _("Jumlah semua bagian dari penjualan, setelah dikurangi pengembalian dana, sengketa yang kalah, biaya "
              "yang ditanggung suatu bagian, dan koreksi. Ongkos kirim tidak termasuk."),
            ANY, BECAME, _earned(),
        ),
        _ledger(
            "sold", _("Terjual"), _("Harga semua karya yang dibayar, sebelum apa pun dikembalikan."),
            ANY, "\n   AND kind = 'sale'", _step("sale"),
        ),
        _ledger(
            "given_back", _("Dikembalikan kepada pembeli"),
            _("Pengembalian dana atas karya; tertulis dengan tanda minus. Yang gagal di bank dan kembali lagi dihitung "
              "balik."),
            ANY, "\n   AND kind = 'refund'", _step("refund"),
        ),
        _ledger(
            "disputes_lost", _("Hilang karena sengketa"),
            _("Pembayaran yang ditarik kembali oleh bank pembeli dan tidak dapat dipertahankan; sengketa yang masih "
              "terbuka belum dihitung."),
            ANY, "\n   AND kind = 'dispute'", _step("dispute"),
        ),
        _ledger(
            "premium_owed", _("Premi: menjadi hak"),
            _("Upah pembuat yang menjadi hak dari penjualan, termasuk yang kembali sebagai anggaran setelah disetor."),
            "premium", f"\n   AND kind NOT IN ({PAYING})",
            lambda row: int(row.fund == "premium" and row.kind not in PAYING_KINDS),
        ),
        _ledger(
            "premium_paid", _("Premi: disalurkan ke lapas"),
            _("Yang sudah dibayarkan ke rekening lapas; pembayaran yang dibatalkan bank tidak dihitung."),
            "premium", f"\n   AND kind IN ({PAYING})",
            lambda row: -int(row.fund == "premium" and row.kind in PAYING_KINDS), sign="",
        ),
        Figure(
            "premium_passed_on", _("Premi: dibagikan kepada pembuat"),
            _("Menurut catatan lapas yang disetujui orang kedua. Jumlah yang menyangkut kurang dari lima orang hanya "
              "ditampilkan bersama catatan lain, setelah yang lain itu ada."),
            "rupiah", PASSED_ON, has_years=False, has_months=False, sql=
            "SELECT sum(amount) FROM reporting.premium_distributions{where}\n"
            "-- approved by the end of the day; records taken back since are no longer in this view",
        ),
        _ledger(
            "premium_open", _("Premi: belum disalurkan"),
            _("Yang menjadi hak dikurangi yang sudah disalurkan ke lapas."),
            "premium", "", lambda row: int(row.fund == "premium"),
        ),
        Figure(
            "premium_old", _("Premi: belum disalurkan lebih dari 60 hari"), OLD_WORDS, "rupiah", LEDGER, "",
            has_years=False, has_months=False,
        ),
        _ledger(
            "premium", _("Upah pembuat (premi) dari penjualan"),
            _("Bagian premi dari penjualan, tanpa yang kembali sebagai anggaran."),
            "premium", BECAME, _earned("premium"),
        ),
        _ledger(
            "working_capital", _("Modal kerja bengkel"), _("Yang menjadi hak modal kerja dari penjualan."),
            "working_capital", BECAME, _earned("working_capital"),
        ),
        _ledger(
            "state_revenue", _("Kas negara (PNBP)"), _("Yang menjadi hak kas negara dari penjualan."),
            "state_revenue", BECAME, _earned("state_revenue"),
        ),
        Figure(
            "orders", _("Pesanan dibayar"),
            _("Pesanan yang pembayarannya dibukukan, juga bila dananya kemudian dikembalikan."), "orders", LEDGER,
            "SELECT count(DISTINCT order_number) FROM reporting.ledger_postings\n WHERE kind = 'sale'{where}",
            lambda row: int(row.kind == "orders"), has_places=False,
        ),
        Figure(
            "pieces", _("Karya terjual"),
            _("Banyaknya karya dalam pesanan itu, juga bila dananya kemudian dikembalikan."), "pieces", LEDGER,
            "SELECT sum(s.quantity) FROM reporting.sales s\n WHERE s.order_number IN (\n"
            "   SELECT order_number FROM reporting.ledger_postings\n    WHERE kind = 'sale'{where})",
            lambda row: int(row.kind == "pieces"),
        ),
        *(
            Figure(
                f"training_{measure}", title,
                _("Dari program pelatihan yang sudah selesai dan diperiksa kantor pusat. Hitungan di bawah lima orang "
                  "hanya ditampilkan bersama hitungan lain, setelah yang lain itu ada."),
                "people", TRAINING, f"SELECT sum({measure}) FROM reporting.training{{where}}", measure=measure,  # noqa: S608
                has_places=measure not in BY_YEAR, has_months=False,
            )
            for measure, title in (
                ("participants", _("Peserta pelatihan")), ("women", _("Peserta perempuan")), ("passed", _("Lulus")),
                ("certified", _("Bersertifikat")),
            )
        ),
    )
}  # fmt: skip


def formula(one: Figure, scope: Scope) -> str:
    """The figure as SQL over the reporting views, for an auditor with a connection of their own."""
    if one.key == "premium_old":
        since = (scope.on - datetime.timedelta(days=OLD_DAYS)).isoformat()
        return OLD_SQL.format(since=since, where=where_of(scope, LEDGER).replace("\n", "\n    "))
    return one.sql.format(where=where_of(scope, one.source, one.unit))


def where_of(scope: Scope, source: str, unit: str = "rupiah") -> str:
    """What the scope adds to a formula."""
    names = ", ".join(f"'{code}'" for code in scope.facilities)
    places = [f"facility_code IN ({names})"] if names else []
    days = f"BETWEEN '{scope.period.first}' AND '{scope.period.last}'" if scope.period else ""
    if source == LEDGER:
        parts = [f"posted_at < '{scope.moment.isoformat()}'", *([f"effective_date {days}"] if days else [])]
        if unit == "pieces":
            tail = f") AND s.facility_code IN ({names}" if names else ""
            return "".join(f"\n      AND {part}" for part in parts) + tail
        return "".join(f"\n   AND {part}" for part in parts + places)
    parts = places + ([f"ended_on {days}"] if days and source == TRAINING else [])
    return "\n WHERE " + "\n   AND ".join(parts) if parts else ""


def of_ledger(one: Figure, scope: Scope, rows: Iterable[DayRow]) -> Value:
    """The value by the ledger's day sums, which hold nothing known after the scope's day."""
    headings = ("known_on", "effective_date", "facility_code", "fund", "kind", one.unit.replace("rupiah", "amount"))
    if one.key == "premium_old":
        return _old(scope, rows, headings)
    found = [
        (row.known_on.isoformat(), row.effective_date.isoformat(), row.facility, row.fund, row.kind, sign * row.amount)
        for row in rows
        if (sign := one.counts(row)) and scope.covers(row.facility, row.effective_date)
    ]
    return Value(sum(row[-1] for row in found), headings, found)


def _old(scope: Scope, rows: Iterable[DayRow], headings: Sequence[str]) -> Value:
    """First in, first out: what is left of each facility's balance when the young entries have had their part."""
    since = scope.on - datetime.timedelta(days=OLD_DAYS)
    found = []
    open_, young = dict[str, int](), dict[str, int]()
    for row in rows:
        if row.fund != "premium" or not scope.covers(row.facility, row.effective_date):
            continue
        open_[row.facility] = open_.get(row.facility, 0) + row.amount
        born = row.born if row.effective_date >= since else 0
        young[row.facility] = young.get(row.facility, 0) + born
        found.append(
            (
                *(row.known_on.isoformat(), row.effective_date.isoformat()),
                *(row.facility, row.fund, row.kind, row.amount, born),
            )
        )
    number = sum(max(0, amount - young[facility]) for facility, amount in open_.items())
    return Value(number, (*headings, "brought_in_60_days"), found)


def of_passed_on(scope: Scope, released: Released) -> Value:
    """The value by the blocks of records; the caller has read them as they were known at the scope's moment."""

    def belongs(row: PassedOn) -> bool:
        return not scope.facilities or row.facility in scope.facilities

    found = figure(released, belongs)
    rows = [_block_row(block, block.value) for block in released.blocks if all(map(belongs, block.rows))]
    return Value(found.value, ("released_on", "facility_codes", "amount"), rows, found.is_whole, False)


def of_training(one: Figure, scope: Scope, trained: Trained) -> Value:
    """The value by the blocks of counts; the caller has read them as they were known at the scope's moment."""

    def belongs(row: Counted) -> bool:
        return scope.covers(row.facility, datetime.date(row.year, 1, 1))

    found = trained.figure(one.measure, belongs)
    if scope.facilities and one.measure in PARTS:
        found = found.if_whole()
    rows = [
        _block_row(block, " ".join(sorted({str(row.year) for row in block.rows})), block.value)
        for block in trained.measures[one.measure].blocks
        if all(map(belongs, block.rows))
    ]
    headings = ("released_on", "facility_codes", "years", one.measure)
    return Value(found.value, headings, [] if found.is_hidden else rows, found.is_whole, found.is_hidden)


def _block_row(block: Block, *rest: str | int) -> tuple[str | int, ...]:
    """When a block became public, and the facilities whose numbers it joins."""
    return (block.released_at.date().isoformat(), " ".join(sorted({row.facility for row in block.rows})), *rest)
