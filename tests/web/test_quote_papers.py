"""What each paper of a quote says, however long its names and its list; and numbers without a gap."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from storefront.days import today
from storefront.display import format_date
from storefront.extensions import db
from storefront.orders import ship
from storefront.quotes.accept import Accepted, accept
from storefront.quotes.papers import issue
from storefront.quotes.write import LineDraft
from tests.after_sale import parcels_of
from tests.db.test_quotes import pay
from tests.quotes import HOME, SARI, Shop, open_shop, sent
from tests.staff import make_account, sign_in
from tests.web.test_parcel_papers import set_with  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("db_session")
#: Both as long as their fields take them; one without a place to break it.
LONG_NAME = "Raden Ajeng Siti Nurhaliza Kusumaningrat binti Tengku Muhammad Syarifuddin Hadiningrat, S.H., M.Si."
LONG_WORK = "Meja rapat " + "jati" * 32
INSTITUTION = "Direktorat Jenderal Pemasyarakatan Republik Indonesia, Bagian Perlengkapan dan Rumah Tangga Gedung Utama"


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def seller(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(shop.facility,)))


def rupiah(amount: int) -> str:
    return f"Rp\u00a0{amount:,}".replace(",", ".")


def in_words(lines: int, shop: Shop) -> list[LineDraft]:
    """So many things made to measure, the first with a long name."""
    return [
        LineDraft(
            number, 10_000 + number, title=LONG_WORK if number == 1 else f"Papan nama ruang {number}",
            lead_time_days=30, workshop_id=shop.workshop.id, category_id=shop.category.id, material_cost=0,
            weight_g=500,
        )
        for number in range(1, lines + 1)
    ]  # fmt: skip


def test_each_paper_says_what_happened(seller: FlaskClient, shop: Shop, set_with: list[str]) -> None:  # noqa: F811
    shop.facility.name = "Lembaga Pemasyarakatan Khusus Perempuan dan Anak Kelas IIA Kota Tanggamus Provinsi Lampung"
    quote = sent(shop, lines=in_words(60, shop), deposit_bp=3_333, notes="Dikirim dengan truk lapas.")
    order = accept(quote.id, Accepted(LONG_NAME, "Kepala Bagian Umum", INSTITUTION, "sari@hotel.test", address=HOME))
    db.session.commit()
    first, rest = (part.amount for part in order.instalments)
    pay(order)
    pay(order)
    (parcel,) = parcels_of(order.id)
    ship.mark_packed(parcel.id, shop.coordinator.id)
    ship.mark_shipped(parcel.id, "Truk lapas", "H-12", shop.coordinator.id)
    ship.mark_received(parcel.id, None)
    for key in ("receipt-1", "receipt-2", "delivery_note-1", "handover-1"):
        issue(quote.id, key, shop.coordinator.id)
    db.session.commit()

    def said(key: str) -> dict[str, Any]:
        answer = seller.get(f"/seller/TGG/quotes/{quote.id}/papers/{key}")
        assert answer.data.startswith(b"%PDF"), key
        found: dict[str, Any] = json.loads(set_with.pop())
        return found

    signs = {
        "quote-0": ("PNW", "Surat penawaran"), "order_letter-0": ("SP", "Surat pesanan"),
        "invoice-2": ("INV", "Tagihan"),
        "receipt-1": ("KW", "Kuitansi"), "delivery_note-1": ("SJ", "Surat jalan"),
        "handover-1": ("BAST", "Berita acara serah terima"),
    }  # fmt: skip
    papers = {key: said(key) for key in signs}
    for key, (sign, title) in signs.items():
        number = "002" if key == "invoice-2" else "001"
        one = papers[key]
        assert (one["title"], one["number"]) == (title, f"{number}/{sign}/TGG/{today().year}")
        assert one["facility"] == shop.facility.name
        assert one["lang"] == "id"
        assert all(one["signers"]), key
        if key not in ("receipt-1",):
            assert len(one["rows"]) == 60
            assert one["rows"][0][0] == LONG_WORK
        texts = json.dumps(one, ensure_ascii=False)
        # What was sent before anybody accepted stays as it was.
        assert (INSTITUTION in texts) == (key != "quote-0"), key
        assert "Melati" not in texts  # where it goes stands on the label alone
    total = quote.total
    for key in ("quote-0", "order_letter-0", "invoice-2"):
        assert ["Jumlah seluruhnya", rupiah(total)] in papers[key]["totals"]
    terms = " ".join(papers["quote-0"]["closing"])
    for words in (rupiah(first), rupiah(rest), "Dikirim dengan truk lapas.", format_date(quote.valid_until)):
        assert words in terms
    assert ["Yang dibayar sekarang", rupiah(rest)] in papers["invoice-2"]["totals"]
    assert "angsuran 2 dari 2" in papers["invoice-2"]["opening"][0]
    facts = dict(papers["receipt-1"]["facts"])
    assert facts["Uang sejumlah"] == rupiah(first)
    assert facts["Terbilang"].endswith("rupiah")
    assert order.number in facts["Untuk pembayaran"]
    assert "Truk lapas H-12" in papers["delivery_note-1"]["opening"]
    assert "diserahkan oleh Lembaga" in papers["handover-1"]["opening"][0]
    for key in ("order_letter-0", "delivery_note-1", "handover-1"):
        assert any(LONG_NAME in signer["name"] for signer in papers[key]["signers"]), key


def test_what_is_paid_at_once_is_one_invoice_and_one_receipt(
    seller: FlaskClient, shop: Shop, set_with: list[str]  # noqa: F811
) -> None:
    quote = sent(shop, deposit_bp=10_000)
    order = accept(quote.id, SARI)
    db.session.commit()
    pay(order)
    issue(quote.id, "receipt-1", shop.coordinator.id)
    db.session.commit()
    page = f"/seller/TGG/quotes/{quote.id}"
    shown = seller.get(page).text
    assert "angsuran 1" not in shown
    assert "invoice-2" not in shown
    assert "Kuitansi" in shown
    for key, words in (("invoice-1", "Tagihan"), ("receipt-1", "pembayaran pesanan")):
        assert seller.get(f"{page}/papers/{key}").data.startswith(b"%PDF")
        texts = set_with.pop()
        assert "angsuran" not in texts
        assert words in texts
