"""One example for each shape in the OpenAPI document; a test holds them to their schemas."""

from __future__ import annotations

from typing import Any

_CART_ID = "Vq3Zx0c1mJt8b2nK5pYwRfHs7uLdEaGo"
_PAYMENT = {
    "id": "pay_8Jm2Qx7Lr4Tz9Wc1Vb6Ny3Kd",
    "url": "https://pay.example/p/pay_8Jm2Qx7Lr4Tz9Wc1Vb6Ny3Kd",
    "expires_at": "2026-11-24T09:30:00Z",
}
_PARCEL = {
    "facility": "PKL",
    "status": "waiting",
    "shipping": {"method": "regular", "amount": 12_000, "days_min": 2, "days_max": 3},
    "lines": [
        {
            "sku": "PKL-BATIK-01",
            "title": "Kain batik cap motif pesisir",
            "quantity": 2,
            "unit_price": 140_000,
            "amount": 280_000,
        }
    ],
}
_TOTALS = {"total": 292_000, "items_total": 280_000, "shipping_total": 12_000}

EXAMPLES: dict[str, Any] = {
    "ProductPage": {
        "items": [
            {
                "slug": "kain-batik-cap-motif-pesisir",
                "title": "Kain batik cap motif pesisir",
                "title_en": "Stamped batik cloth, coastal motif",
                "facility": {"code": "PKL", "name": "Lapas Kelas IIA Pekalongan"},
                "delivery_scope": "nationwide",
                "paused_until": None,
                "variants": [
                    {
                        "sku": "PKL-BATIK-01",
                        "title": "",
                        "title_en": "",
                        "price": 140_000,
                        "available": 12,
                        "made_to_order": False,
                        "lead_time_days": None,
                        "weight_g": 450,
                    }
                ],
            }
        ],
        "total": 1,
        "page": 1,
        "pages": 1,
    },
    "NewLine": {"sku": "PKL-BATIK-01", "quantity": 2},
    "Quantity": {"quantity": 3},
    "Cart": {
        "id": _CART_ID,
        "lines": [
            {
                "sku": "PKL-BATIK-01",
                "title": "Kain batik cap motif pesisir",
                "title_en": "Stamped batik cloth, coastal motif",
                "variant_title": "",
                "facility": {"code": "PKL", "name": "Lapas Kelas IIA Pekalongan"},
                "quantity": 2,
                "unit_price": 140_000,
                "shown_price": 140_000,
                "amount": 280_000,
                "available": 12,
                "problems": [],
            }
        ],
        "total": 280_000,
    },
    "ShippingOptions": {
        "parcels": [
            {
                "facility": "PKL",
                "weight_g": 900,
                "options": [
                    {
                        "method": "regular",
                        "name": "Reguler",
                        "pickup": False,
                        "amount": 12_000,
                        "days_min": 2,
                        "days_max": 3,
                        "courier": "Pos Indonesia",
                        "waived": 0,
                    },
                    {
                        "method": "pickup",
                        "name": "Ambil di galeri",
                        "pickup": True,
                        "amount": 0,
                        "days_min": 0,
                        "days_max": 0,
                        "courier": None,
                        "waived": 0,
                    },
                ],
                "not_delivered": [],
                "free_from": 250_000,
            }
        ]
    },
    "Checkout": {
        "name": "Sari",
        "email": "sari@contoh.id",
        "phone": "+6281234567890",
        "address": {
            "line1": "Jl. Melati 1",
            "district": "Banyumanik",
            "city": "Semarang",
            "province": "Jawa Tengah",
            "postal_code": "50264",
        },
        "shipping": {"PKL": "regular"},
        "expected_total": 292_000,
        "payment_method": "sandbox",
    },
    "PaymentWish": {"payment_method": "transfer"},
    "PlacedOrder": {
        "order": {
            "number": "KB-7Q2M-4XPA",
            "token": "mC0nQ4b1Jt8Zx2K5pYwRfHs7uLdEaGoVq3Nv6Ti9XeU",
            "status": "awaiting_payment",
            **_TOTALS,
            "expires_at": "2026-11-24T09:30:00Z",
            "parcels": [_PARCEL],
        },
        "payment": _PAYMENT,
    },
    "Order": {
        "number": "KB-7Q2M-4XPA",
        "status": "shipped",
        **_TOTALS,
        "refunded": 0,
        "placed_at": "2026-11-24T08:30:00Z",
        "expires_at": "2026-11-24T09:30:00Z",
        "paid_at": "2026-11-24T08:34:10Z",
        "parcels": [
            {
                **_PARCEL,
                "status": "shipped",
                "courier": "Pos Indonesia",
                "tracking": "P2411240012345",
                "shipped_at": "2026-11-25T03:00:00Z",
                "received_at": None,
            }
        ],
    },
    "NewPayment": {**_PAYMENT, "payment": _PAYMENT},
    "Error": {
        "type": "about:blank",
        "title": "Tidak ditemukan",
        "status": 404,
        "code": "not_found",
        "detail": "Halaman ini tidak ada atau sudah pindah.",
        "request_id": "7c1f0a9d52e3b846",
    },
}
