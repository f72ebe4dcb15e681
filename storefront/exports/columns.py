"""What the columns of an export are, and how each kind is written in a cell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

#: PostgreSQL's format for a time in UTC, to the microsecond.
RFC3339 = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
#: What makes a spreadsheet take a text for a formula: the code of its first character, one of `=+-@`, tab, CR. Asked
#: of every text of every row, so a comparison of numbers: a pattern costs three times as much.
FORMULA = ", ".join(str(ord(sign)) for sign in "=+-@\t\r")


class Kind(Enum):
    """How a value is written, summed and guarded."""

    TEXT = "text"
    #: Whole numbers that count or name something.
    NUMBER = "number"
    #: Whole rupiah; summed in the manifest.
    AMOUNT = "amount"
    #: RFC 3339 in UTC.
    TIME = "time"
    #: An accounting day, as `2026-11-30`.
    DAY = "day"


@dataclass(frozen=True)
class Column:
    """A column of an export, named as in its reporting view."""

    name: str
    kind: Kind

    @property
    def plain(self) -> str:
        """SQL for the value as programs read it: times as RFC 3339 in UTC, all else as it is."""
        if self.kind is Kind.TIME:
            return f"to_char({self.name} AT TIME ZONE 'UTC', '{RFC3339}') AS {self.name}"
        return self.name

    @property
    def cell(self) -> str:
        """SQL for the value as a spreadsheet cell: text that would be run as a formula gets a leading `'`.

        OWASP, "CSV Injection". Numbers stay numbers, so a negative amount keeps its sign alone.
        """
        if self.kind is Kind.TEXT:
            guarded = f"CASE WHEN ascii({self.name}) IN ({FORMULA}) THEN '''' || {self.name} ELSE {self.name} END"
            return f"{guarded} AS {self.name}"
        return self.plain


def text(name: str) -> Column:
    return Column(name, Kind.TEXT)


def number(name: str) -> Column:
    return Column(name, Kind.NUMBER)


def amount(name: str) -> Column:
    return Column(name, Kind.AMOUNT)


def moment(name: str) -> Column:
    return Column(name, Kind.TIME)


def day(name: str) -> Column:
    return Column(name, Kind.DAY)


#: `reporting.sales` as CONTRACT.md lists it, in that order.
SALES: tuple[Column, ...] = (
    number("line_id"),
    text("order_number"),
    moment("paid_at"),
    text("facility_code"),
    text("facility_name"),
    text("workshop"),
    text("product"),
    text("sku"),
    number("quantity"),
    amount("unit_price"),
    amount("net_amount"),
    amount("material_cost"),
    amount("premium"),
    amount("working_capital"),
    amount("state_revenue"),
    amount("other_shares"),
    number("split_rule_id"),
    text("gateway"),
    text("payment_reference"),
    text("channel"),
    text("exhibition"),
)
