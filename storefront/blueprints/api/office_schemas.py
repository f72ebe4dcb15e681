"""Shapes of what the office's other systems read and are told, with an example for each."""

from __future__ import annotations

from typing import Any

from storefront.blueprints.api.schemas import Schema, array, maybe, moment, record, ref, text, whole
from storefront.exports.columns import SALES, Kind

#: What a column of an export is in JSON.
KINDS: dict[Kind, Schema] = {
    Kind.TEXT: text(),
    Kind.NUMBER: whole(),
    Kind.AMOUNT: whole("Whole rupiah"),
    Kind.TIME: moment("UTC"),
    Kind.DAY: text(format="date"),
}
#: Columns that may be empty: not sold at a fair.
EMPTY = ("exhibition",)
AMOUNTS: Schema = {
    "type": "object",
    "additionalProperties": whole("Whole rupiah; what makes more be owed to the facility is above zero"),
    "description": "By fund: the codes of `funds`",
}
PERIOD = text("A month", pattern="^[0-9]{4}-[0-9]{2}$", examples=["2026-10"])


def event(data: Schema, kind: str) -> Schema:
    """The body of a webhook."""
    return record(
        {
            "id": text("The same in every attempt: what was seen is not handled again", pattern="^evt_"),
            "type": text(const=kind),
            "happened_at": moment("When it happened"),
            "data": data,
        }
    )


OFFICE_SCHEMAS: dict[str, Schema] = {
    "Sale": record(
        {
            column.name: maybe(KINDS[column.kind]) if column.name in EMPTY else KINDS[column.kind]
            for column in SALES
        },
        description="A line of a paid order, as sold; the columns of the export and of `reporting.sales`.",
    ),
    "SalesPage": record(
        {
            "items": array(ref("Sale")),
            "next": maybe(text("Send it as `after`; null on the last page")),
            "as_of": moment("The state that this page and those behind it speak of"),
        }
    ),
    "Statement": record(
        {
            "facility": ref("Facility"),
            "period": PERIOD,
            "first_day": text(format="date"),
            "last_day": text(format="date"),
            "closed": {"type": "boolean", "description": "Closed months do not change any more"},
            "closed_at": maybe(moment("When it was closed")),
            "hash": maybe(text("SHA-256 of the closed month, chained to the month before", pattern="^[0-9a-f]{64}$")),
            "funds": array(text("Code of a fund, or `shipping`")),
            "opening": AMOUNTS,
            "movements": array(
                record({"kind": text("Kind of journal entry"), "amounts": AMOUNTS, "total": whole("Whole rupiah")})
            ),
            "closing": AMOUNTS,
            "receivable": {**AMOUNTS, "description": "What of the closing must come back, by fund"},
            "distributions": array(
                record(
                    {"distributed_on": text(format="date"), "workshop": text(), "amount": whole("Whole rupiah")}
                )
            ),
            "distributed": whole("Premium that the facility says it passed on, whole rupiah"),
        }
    ),
    "FacilityList": record(
        {
            "items": array(
                record(
                    {
                        "code": text(),
                        "name": text(),
                        "kind": text(enum=["lapas", "rutan", "lpka", "lpp"]),
                        "class": text(),
                        "regional_office": text(),
                        "province": text(),
                        "city": text(),
                        "time_zone": text("IANA name"),
                        "status": text(enum=["active", "suspended"]),
                    }
                )
            )
        }
    ),
    "OrderPaid": event(
        record(
            {
                "order_number": text(),
                "total": whole("Goods and shipping, whole rupiah"),
                "channel": text(),
                "facilities": array(text("Code of a facility that sold")),
            }
        ),
        "order.paid",
    ),
    "ParcelShipped": event(
        record(
            {
                "order_number": text(),
                "parcel": whole("Its number within the order", minimum=1),
                "facility": text("Code"),
                "courier": text(),
            }
        ),
        "parcel.shipped",
    ),
    "PeriodClosed": event(
        record({"period": PERIOD, "entries": whole("Journal entries of the month"), "hash": text()}), "period.closed"
    ),
}

_PKL = {"code": "PKL", "name": "Lapas Kelas IIA Pekalongan"}
_HASH = "5f2a" * 16
_SUMS = {"premium": 140_000, "working_capital": 98_000, "state_revenue": 42_000, "shipping": 12_000}
_NOTHING = dict.fromkeys(_SUMS, 0)

OFFICE_EXAMPLES: dict[str, Any] = {
    "SalesPage": {
        "items": [
            {
                "line_id": 40_217,
                "order_number": "KB-7Q2M-4XPA",
                "paid_at": "2026-11-24T08:34:10.000000Z",
                "facility_code": "PKL",
                "facility_name": "Lapas Kelas IIA Pekalongan",
                "workshop": "Batik",
                "product": "Kain batik cap motif pesisir",
                "sku": "PKL-BATIK-01",
                "quantity": 2,
                "unit_price": 140_000,
                "net_amount": 280_000,
                "material_cost": 0,
                "premium": 140_000,
                "working_capital": 98_000,
                "state_revenue": 42_000,
                "other_shares": 0,
                "split_rule_id": 3,
                "gateway": "stripe",
                "payment_reference": "pi_3QxV7mJ2",
                "channel": "online",
                "exhibition": None,
            }
        ],
        "next": "WyIyMDI2LTExLTMwVDE3OjAwOjAwLjAwMDAwMFoiXQ.q3Zx0c1mJt8b2nK5pYwRfA",
        "as_of": "2026-11-30T17:00:00.000000Z",
    },
    "Statement": {
        "facility": _PKL,
        "period": "2026-10",
        "first_day": "2026-10-01",
        "last_day": "2026-10-31",
        "closed": True,
        "closed_at": "2026-11-05T03:12:44Z",
        "hash": _HASH,
        "funds": list(_SUMS),
        "opening": _NOTHING,
        "movements": [{"kind": "sale", "amounts": _SUMS, "total": 292_000}],
        "closing": _SUMS,
        "receivable": _NOTHING,
        "distributions": [{"distributed_on": "2026-10-28", "workshop": "Batik", "amount": 100_000}],
        "distributed": 100_000,
    },
    "FacilityList": {
        "items": [
            {
                **_PKL,
                "kind": "lapas",
                "class": "IIA",
                "regional_office": "Kanwil Jawa Tengah",
                "province": "Jawa Tengah",
                "city": "Pekalongan",
                "time_zone": "Asia/Jakarta",
                "status": "active",
            }
        ]
    },
    "OrderPaid": {
        "id": "evt_Zk3m0aQx7Lr4Tz9Wc1Vb6Ny3",
        "type": "order.paid",
        "happened_at": "2026-11-24T08:34:10Z",
        "data": {"order_number": "KB-7Q2M-4XPA", "total": 292_000, "channel": "online", "facilities": ["PKL"]},
    },
    "ParcelShipped": {
        "id": "evt_r8Hn2cLw5Ty1Vb7Qx4Jm6Kd9",
        "type": "parcel.shipped",
        "happened_at": "2026-11-25T03:00:00Z",
        "data": {"order_number": "KB-7Q2M-4XPA", "parcel": 1, "facility": "PKL", "courier": "Pos Indonesia"},
    },
    "PeriodClosed": {
        "id": "evt_b4Xs9fGp3Rz6Nw2Ka8Qe5Mt1",
        "type": "period.closed",
        "happened_at": "2026-11-05T03:12:44Z",
        "data": {"period": "2026-10", "entries": 214, "hash": _HASH},
    },
}
