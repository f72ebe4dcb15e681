"""What can be exported: each set of rows with its columns, the filters that it takes, and who may read it.

Page, command, job and API build the same `Table` from a `Wish`. Columns are named as in the reporting views.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from storefront.audit.trail import Asked
from storefront.books.span import Span
from storefront.days import begins
from storefront.errors import DomainError
from storefront.exports import audit_table, dataset_sql, sales, statement_table
from storefront.exports.columns import SALES, Column, amount, day, moment, number, text
from storefront.exports.sales import Selection
from storefront.exports.table import Table
from storefront.people.policy import Action
from storefront.reports.statement_lines import Lines, query

#: Narrow what is wanted beside days and facility, each an equality in SQL.
FILTERS = ("region", "category", "workshop", "channel", "exhibition", "state")
CHANNELS = ("online", "counter", "quote", "marketplace")
#: Of a parcel that was paid.
STATES = ("to_pack", "packed", "shipped", "ready", "received", "returned", "cancelled")


class UnknownColumn(DomainError):
    """A column that this set of rows has not, or none at all."""

    code, status = "unknown_column", 422
    message = _("Pilih paling sedikit satu kolom dari daftarnya.")


@dataclass(frozen=True)
class Wish:
    """What is wanted of a set of rows, within the reach of whoever asks."""

    dataset: str
    first: datetime.date
    last: datetime.date
    #: Ids of the only facilities wanted or allowed; None: all.
    facility_ids: tuple[int, ...] | None = None
    #: The code, where one facility was chosen.
    facility: str = ""
    #: Of FILTERS.
    filters: Mapping[str, str] = field(default_factory=dict)
    #: Names in their order; empty: all.
    columns: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """To be kept and read again by `from_json`."""
        return {
            "dataset": self.dataset,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "facility_ids": None if self.facility_ids is None else list(self.facility_ids),
            "facility": self.facility,
            "filters": dict(self.filters),
            "columns": list(self.columns),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Wish:
        """What `as_json` has written."""
        ids = kept["facility_ids"]
        return cls(
            kept["dataset"],
            datetime.date.fromisoformat(kept["first"]),
            datetime.date.fromisoformat(kept["last"]),
            None if ids is None else tuple(ids),
            kept["facility"],
            dict(kept["filters"]),
            tuple(kept["columns"]),
        )


Build = Callable[[psycopg.Connection[Any], Wish, datetime.datetime], tuple[str, str, dict[str, Any]]]


@dataclass(frozen=True)
class Dataset:
    """A set of rows: its SQL, order and parameters come from `build`."""

    name: str
    title: LazyString
    #: What one row is, and what its days are.
    note: LazyString
    action: Action
    columns: Sequence[Column]
    filters: tuple[str, ...]
    build: Build
    #: Begins the file's name.
    file: str


def table(connection: psycopg.Connection[Any], wish: Wish, as_of: datetime.datetime) -> Table:
    """The rows wished for as they were at `as_of`. Raises UnknownColumn."""
    dataset = DATASETS[wish.dataset]
    shown = chosen_columns(dataset, wish.columns)
    filters = {name: value for name, value in wish.filters.items() if value and name in dataset.filters}
    if dataset.name == "sales" and not filters:
        ids = wish.facility_ids
        codes = _codes(connection, ids)
        selection = Selection(wish.first, wish.last, codes, ids)
        return sales.table(selection, as_of, shown)
    sql, order, parameters = dataset.build(connection, wish, as_of)
    one = f"-{wish.facility}" if wish.facility else ""
    told: dict[str, Any] = {"from": wish.first.isoformat(), "to": wish.last.isoformat()}
    told["facility"] = wish.facility or None
    if wish.facility_ids is not None and not wish.facility:
        told["facilities"] = list(_codes(connection, wish.facility_ids) or ())
    return Table(
        export=dataset.name,
        name=f"{dataset.file}-{wish.first}-{wish.last}{one}",
        title=str(dataset.title),
        columns=shown,
        sql=sql,
        order=order,
        parameters=parameters,
        filters=told | filters,
        as_of=as_of,
        with_totals=True,
    )


def chosen_columns(dataset: Dataset, names: Sequence[str]) -> Sequence[Column]:
    """The columns by name, in that order; without names all. Raises UnknownColumn."""
    if not names:
        return dataset.columns
    known = {column.name: column for column in dataset.columns}
    if any(name not in known for name in names) or len(set(names)) != len(names):
        raise UnknownColumn()
    return tuple(known[name] for name in names)


def _codes(connection: psycopg.Connection[Any], ids: Sequence[int] | None) -> tuple[str, ...] | None:
    if ids is None:
        return None
    rows = connection.execute("SELECT code FROM facilities WHERE id = ANY (%s) ORDER BY code", (list(ids),))
    return tuple(code for (code,) in rows.fetchall())


def bound(wish: Wish, as_of: datetime.datetime) -> dict[str, Any]:
    """What every set's SQL binds."""
    return {
        "first": wish.first,
        "last": wish.last,
        "starts_at": begins(wish.first),
        "ends_at": begins(wish.last + datetime.timedelta(days=1)),
        "as_of": as_of,
        "facility_ids": None if wish.facility_ids is None else list(wish.facility_ids),
        **{name: wish.filters.get(name) or None for name in FILTERS},
    }


def _plain(sql: str, order: str) -> Build:
    return lambda _connection, wish, as_of: (sql, order, bound(wish, as_of))


def _statements(
    connection: psycopg.Connection[Any], wish: Wish, as_of: datetime.datetime
) -> tuple[str, str, dict[str, Any]]:
    ids = wish.facility_ids
    if ids is None:
        ids = tuple(id for (id,) in connection.execute("SELECT id FROM facilities ORDER BY id").fetchall())
    names = ("region", "category", "workshop", "channel")
    asked: dict[str, Any] = {name: wish.filters.get(name) or "" for name in names}
    found = query(connection, Lines(ids, Span(wish.first, wish.last), as_of=as_of, **asked))
    standard = [name for name in dataset_sql.STATEMENT_FUNDS if name not in found.names]
    others = [name for name in found.names if name not in (*dataset_sql.STATEMENT_FUNDS, "total")]
    missing = "".join(f", 0::bigint AS {name}" for name in standard)
    other = " + ".join(others) or "0::bigint"
    sql = f"SELECT r.*{missing}, {other} AS other_shares FROM ({found.rows()}) r"  # noqa: S608  (codes of our own)
    return sql, "ORDER BY effective_date, entry_id, facility_code, line_id NULLS FIRST", found.parameters


def _audit(with_people: bool) -> Build:
    def build(
        _connection: psycopg.Connection[Any], wish: Wish, as_of: datetime.datetime
    ) -> tuple[str, str, dict[str, Any]]:
        asked = Asked(facility=wish.facility or None, first=wish.first, last=wish.last)
        made = audit_table.audit_table(asked, wish.facility_ids, with_people=with_people, as_of=as_of)
        return made.sql, made.order, dict(made.parameters)

    return build


_WHERE_SOLD = ("region", "category", "workshop", "channel", "exhibition")

DATASETS: dict[str, Dataset] = {
    one.name: one
    for one in (
        Dataset(
            "sales", _("Penjualan"),
            _("Satu baris untuk setiap karya yang sudah dibayar, seperti saat dijual; menurut tanggal bayar."),
            Action.REVENUE_READ, SALES, _WHERE_SOLD,
            _plain(dataset_sql.SALES, "ORDER BY paid_at, line_id"), "penjualan",
        ),
        Dataset(
            "postings", _("Jurnal"),
            _("Satu baris untuk setiap jumlah yang dibukukan; menurut tanggal buku."),
            Action.BOOKS_READ,
            (number("posting_id"), number("entry_id"), moment("posted_at"), day("effective_date"), text("kind"),
             text("source"), text("account_code"), text("facility_code"), text("order_number"), amount("amount"),
             day("happened_on")),
            ("region", "channel"),
            _plain(dataset_sql.POSTINGS, "ORDER BY effective_date, entry_id, posting_id"), "jurnal",
        ),
        Dataset(
            "statements", _("Baris laporan UPT"),
            _("Satu baris untuk setiap karya atau pembayaran di laporan UPT; menurut tanggal buku."),
            Action.REVENUE_READ,
            (text("facility_code"), *statement_table.DESCRIBED,
             *(amount(name) for name in (*dataset_sql.STATEMENT_FUNDS, "other_shares", "total"))),
            ("region", "category", "workshop", "channel"), _statements, "baris-laporan",
        ),
        Dataset(
            "refunds", _("Pengembalian dana"),
            _("Satu baris untuk setiap karya yang uangnya sudah dikembalikan; menurut tanggal pengembalian."),
            Action.REFUNDS_READ,
            (number("refund_id"), number("line_id"), day("effective_date"), text("order_number"),
             text("facility_code"), text("facility_name"), text("workshop"), text("product"), text("sku"),
             number("quantity"), amount("amount"), text("reason"), text("channel"), text("exhibition")),
            _WHERE_SOLD,
            _plain(dataset_sql.REFUNDS, "ORDER BY effective_date, refund_id, line_id"), "pengembalian",
        ),
        Dataset(
            "parcels", _("Kiriman"),
            _("Satu baris untuk setiap kiriman yang sudah dibayar, tanpa data pembeli; menurut tanggal bayar."),
            Action.PARCELS_READ,
            (number("parcel_id"), text("order_number"), number("position"), moment("paid_at"), text("facility_code"),
             text("facility_name"), text("state"), text("method"), text("courier"), number("quantity"),
             amount("net_amount"), amount("shipping_amount"), day("ready_by"), moment("packed_at"),
             moment("shipped_at"), moment("received_at"), text("channel"), text("exhibition")),
            ("region", "channel", "exhibition", "state"),
            _plain(dataset_sql.PARCELS, "ORDER BY paid_at, parcel_id"), "kiriman",
        ),
        Dataset(
            "balances", _("Saldo"),
            _("Satu baris untuk setiap dana setiap UPT: yang terutang pada akhir tanggal terakhir."),
            Action.REVENUE_READ,
            (*(text(name) for name in ("facility_code", "facility_name", "region", "fund")),
             *(amount(name) for name in ("owed", "receivable", "balance"))),
            ("region",), _plain(dataset_sql.BALANCES, dataset_sql.BALANCES_ORDER),
            "saldo",
        ),
        Dataset(
            "training", _("Pelatihan"),
            _("Satu baris untuk setiap program yang sudah diperiksa, dengan jumlah orang; menurut hari terakhirnya. "
              "Hitungan kecil tidak disembunyikan di sini: jangan diteruskan ke luar kantor."),
            Action.TRAINING_READ,
            (*(text(name) for name in ("facility_code", "workshop", "kind", "skill")), day("started_on"),
             day("ended_on"), *(number(name) for name in ("participants", "women", "passed", "certified"))),
            ("region", "workshop"), _plain(dataset_sql.TRAINING, dataset_sql.TRAINING_ORDER), "pelatihan",
        ),
        Dataset(
            "audit", _("Jejak audit"),
            _("Satu baris untuk setiap perbuatan, tanpa yang menyangkut akun orang."),
            Action.AUDIT_READ, audit_table.COLUMNS, (), _audit(False), "jejak-audit",
        ),
        Dataset(
            "audit_people", _("Jejak audit dengan akun orang"),
            _("Satu baris untuk setiap perbuatan, termasuk yang menyangkut akun orang."),
            Action.PEOPLE_READ, audit_table.COLUMNS, (), _audit(True), "jejak-audit",
        ),
    )
}  # fmt: skip
