"""Money that left, as tables: settlements, deposits, what a deposit carries, premium passed on.

Each row stands as it did at the moment of the export (`as_of`): what was decided or booked later is not in it, and
what was renamed later has its former name.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import gettext as _

from storefront.books.simponi import BillingForm
from storefront.exports.columns import RFC3339, Column, amount, day, number, text
from storefront.exports.table import Table


def _written(moment: str) -> str:
    """SQL for a moment that may be missing, as a text cell."""
    return f"to_char({moment} AT TIME ZONE 'UTC', '{RFC3339}')"


def _steps(table: str, kind: str, paid: str = "p.id IS NOT NULL") -> str:
    """SQL: rows of `table` with their state at the moment of the export; `paid` says when a row was."""
    return f"""
        SELECT t.*, CASE WHEN b.id IS NOT NULL THEN 'reversed' WHEN {paid} THEN 'paid'
                         WHEN t.rejected_at <= %(as_of)s THEN 'rejected'
                         WHEN t.approved_at <= %(as_of)s THEN 'approved' ELSE 'proposed' END AS state_then,
               {paid} AS was_paid, b.id IS NOT NULL AS was_reversed
          FROM {table} t
          LEFT JOIN journal_entries p ON p.source = '{kind}:' || t.id || ':paid' AND p.posted_at <= %(as_of)s
          LEFT JOIN journal_entries b ON b.source = '{kind}:' || t.id || ':reversed' AND b.posted_at <= %(as_of)s
         WHERE t.proposed_at <= %(as_of)s"""  # noqa: S608  (names of our own)


#: Transfers have an entry each, and are paid with the last of them.
PAID_OR_TRANSFERRED = "(p.id IS NOT NULL OR COALESCE(t.transferred_at <= %(as_of)s, false))"
REACH = """(CAST(%(ids)s AS bigint[]) IS NULL OR f.id = ANY (CAST(%(ids)s AS bigint[])))
       AND (CAST(%(facility)s AS text) IS NULL OR f.code = CAST(%(facility)s AS text))
       AND (CAST(%(state)s AS text) IS NULL OR s.state_then = CAST(%(state)s AS text))"""
SETTLEMENTS = f"""
    SELECT s.id AS settlement_id, f.code AS facility_code, f.name AS facility_name,
           COALESCE(u.code, 'shipping') AS fund,
           CASE WHEN s.was_paid THEN COALESCE(s.transferred, s.amount) ELSE s.amount END AS amount,
           s.state_then AS state,
           {_written("s.proposed_at")} AS proposed_at,
           CASE WHEN s.approved_at <= %(as_of)s THEN {_written("s.approved_at")} END AS approved_at,
           CASE WHEN s.was_paid THEN s.paid_on END AS paid_on,
           CASE WHEN s.was_paid THEN s.bank_reference END AS bank_reference,
           CASE WHEN s.was_reversed THEN s.reversed_on END AS reversed_on
      FROM ({_steps("settlements", "settlement", PAID_OR_TRANSFERRED)}) s
      JOIN facilities_at(%(as_of)s) f ON f.id = s.facility_id
      LEFT JOIN funds u ON u.id = s.fund_id
     WHERE {REACH} AND (CAST(%(fund)s AS text) IS NULL OR COALESCE(u.code, 'shipping') = CAST(%(fund)s AS text))
     ORDER BY s.id"""  # noqa: S608
DEPOSITS = f"""
    SELECT s.id AS deposit_id, f.code AS facility_code, f.name AS facility_name,
           k.ministry_code || '.' || k.unit_code || '.' || k.office_code AS satker, s.amount, s.due_on,
           s.state_then AS state, {_written("s.proposed_at")} AS proposed_at,
           CASE WHEN s.approved_at <= %(as_of)s THEN {_written("s.approved_at")} END AS approved_at,
           CASE WHEN s.was_paid THEN s.billing_code END AS billing_code, CASE WHEN s.was_paid THEN s.ntb END AS ntb,
           CASE WHEN s.was_paid THEN s.ntpn END AS ntpn, CASE WHEN s.was_paid THEN s.paid_on END AS paid_on,
           CASE WHEN s.was_reversed THEN s.reversed_on END AS reversed_on
      FROM ({_steps("deposits", "deposit")}) s
      JOIN facilities_at(%(as_of)s) f ON f.id = s.facility_id
      JOIN satkers k ON k.id = s.satker_id
     WHERE {REACH}
     ORDER BY s.id"""  # noqa: S608
LINES = """
    SELECT l.deposit_id, l.posting_id, p.order_line_id AS line_id, e.effective_date, e.source,
           o.number AS order_number, x.title AS product, x.sku, l.amount
      FROM deposit_lines l
      JOIN postings p ON p.id = l.posting_id
      JOIN journal_entries e ON e.id = p.entry_id
      LEFT JOIN orders o ON o.id = e.order_id
      LEFT JOIN order_lines x ON x.id = p.order_line_id
     WHERE l.deposit_id = %(deposit)s
     ORDER BY l.posting_id"""
DISTRIBUTIONS = f"""
    SELECT s.id AS distribution_id, f.code AS facility_code, f.name AS facility_name, w.name AS workshop,
           s.distributed_on, s.people, s.amount, s.state_then AS state
      FROM (SELECT d.*, CASE WHEN d.rejected_at <= %(as_of)s THEN 'rejected'
                             WHEN d.approved_at <= %(as_of)s THEN 'approved' ELSE 'entered' END AS state_then
              FROM premium_distributions d WHERE d.entered_at <= %(as_of)s) s
      JOIN facilities_at(%(as_of)s) f ON f.id = s.facility_id
      JOIN workshops_at(%(as_of)s) w ON w.id = s.workshop_id
     WHERE {REACH}
     ORDER BY s.id"""  # noqa: S608
NAMED: tuple[Column, ...] = (text("facility_code"), text("facility_name"))


def settlements_table(
    facility_ids: Iterable[int] | None,
    as_of: datetime.datetime,
    *,
    state: str | None = None,
    facility: str | None = None,
    fund: str | None = None,
) -> Table:
    """Settlements as a page lists them, all of them; `facility` and `fund` are codes."""
    return _table(
        "settlements",
        "penyaluran",
        _("Penyaluran"),
        (
            number("settlement_id"), *NAMED, text("fund"), amount("amount"), text("state"), text("proposed_at"),
            text("approved_at"), day("paid_on"), text("bank_reference"), day("reversed_on"),
        ),
        SETTLEMENTS,
        facility_ids,
        as_of,
        {"state": state, "facility": facility, "fund": fund},
    )  # fmt: skip


def deposits_table(
    facility_ids: Iterable[int] | None,
    as_of: datetime.datetime,
    *,
    state: str | None = None,
    facility: str | None = None,
) -> Table:
    """Deposits as a page lists them, all of them; `facility` is a code."""
    return _table(
        "deposits",
        "setoran",
        _("Setoran"),
        (
            number("deposit_id"), *NAMED, text("satker"), amount("amount"), day("due_on"), text("state"),
            text("proposed_at"), text("approved_at"), text("billing_code"), text("ntb"), text("ntpn"),
            day("paid_on"), day("reversed_on"),
        ),
        DEPOSITS,
        facility_ids,
        as_of,
        {"state": state, "facility": facility},
    )  # fmt: skip


def deposit_lines_table(deposit_id: int, as_of: datetime.datetime) -> Table:
    """Every posting that a deposit carries: from the slip back to the piece of work."""
    return Table(
        export="deposit_lines",
        name=f"setoran-{deposit_id}-baris",
        title=_("Setoran %(number)s", number=deposit_id),
        columns=(
            number("deposit_id"), number("posting_id"), number("line_id"), day("effective_date"), text("source"),
            text("order_number"), text("product"), text("sku"), amount("amount"),
        ),
        sql=LINES,
        parameters={"deposit": deposit_id},
        filters={"deposit": deposit_id},
        as_of=as_of,
    )  # fmt: skip


def simponi_table(forms: Sequence[BillingForm], as_of: datetime.datetime) -> Table:
    """The fields of SIMPONI's billing form as a table; codes are texts, so that no leading zero is lost."""
    rows = [
        {
            "deposit_id": form.id, "facility_code": form.facility_code, "payer": form.payer,
            "tax_number": form.tax_number, "ministry": form.ministry_code, "unit": form.unit_code,
            "satker": form.office_code, "account": form.revenue_account, "amount": form.amount, "currency": "IDR",
            "in_words": form.words, "period_from": form.first.isoformat(), "period_to": form.last.isoformat(),
            "remark": form.remark, "due_on": form.due_on.isoformat(), "billing_code": form.billing_code,
        }
        for form in forms
    ]  # fmt: skip
    return Table(
        export="simponi",
        name=f"isian-simponi-{as_of:%Y-%m-%d}",
        title="SIMPONI",
        columns=(
            number("deposit_id"), text("facility_code"), text("payer"), text("tax_number"), text("ministry"),
            text("unit"), text("satker"), text("account"), amount("amount"), text("currency"), text("in_words"),
            day("period_from"), day("period_to"), text("remark"), day("due_on"), text("billing_code"),
        ),
        sql="""SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
                  deposit_id bigint, facility_code text, payer text, tax_number text, ministry text, unit text,
                  satker text, account text, amount bigint, currency text, in_words text, period_from date,
                  period_to date, remark text, due_on date, billing_code text)""",
        parameters={"rows": json.dumps(rows)},
        filters={},
        as_of=as_of,
    )  # fmt: skip


def distributions_table(
    facility_ids: Iterable[int] | None,
    as_of: datetime.datetime,
    *,
    state: str | None = None,
    facility: str | None = None,
) -> Table:
    """Premium passed on, as a page lists it; counted, never named."""
    return _table(
        "premium_distributions",
        "pembagian-premi",
        _("Pembagian premi"),
        (
            number("distribution_id"), *NAMED, text("workshop"), day("distributed_on"), number("people"),
            amount("amount"), text("state"),
        ),
        DISTRIBUTIONS,
        facility_ids,
        as_of,
        {"state": state, "facility": facility},
    )  # fmt: skip


def _table(
    export: str,
    name: str,
    title: str,
    columns: tuple[Column, ...],
    sql: str,
    facility_ids: Iterable[int] | None,
    as_of: datetime.datetime,
    filters: dict[str, Any],
) -> Table:
    ids = None if facility_ids is None else list(facility_ids)
    return Table(
        export=export,
        name=f"{name}-{as_of:%Y-%m-%d}",
        title=title,
        columns=columns,
        sql=sql,
        parameters={**filters, "ids": ids, "as_of": as_of},
        filters=filters,
        as_of=as_of,
    )
