"""The counter's page and what a phone keeps of it: the catalogue with its prices, codes to scan, the worker."""

from __future__ import annotations

import datetime
import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from storefront import days
from storefront.catalogue.short_codes import short_code
from storefront.exhibitions.models import ExhibitionPrice
from storefront.extensions import db
from storefront.money import format_rupiah
from tests.fairs import make_fair
from tests.staff import sign_in
from tests.stand import Stand, make_cashier, make_stand


@pytest.fixture
def stand(app: Flask, db_session: Session) -> Stand:
    return make_stand(app)


def catalogue(stand: Stand) -> dict[str, dict]:
    answer = stand.client.get("/counter/pameran-kota/catalogue.json")
    assert answer.status_code == 200
    return {one["sku"]: one for one in answer.json["items"]}


def test_catalogue_tells_what_the_stand_has_and_what_it_costs_on_which_day(stand: Stand) -> None:
    today = days.today()
    batik, honey = stand.shop.batik, stand.shop.honey
    tomorrow = today + datetime.timedelta(days=1)
    for variant, price, first, last in ((batik, 90_000, today, today), (honey, 40_000, tomorrow, tomorrow)):
        db.session.add(
            ExhibitionPrice(
                exhibition_id=stand.fair.id, variant_id=variant.id, price=price, from_day=first, to_day=last,
                set_by=stand.cashier.id,
            )
        )  # fmt: skip
    db.session.commit()
    found = catalogue(stand)
    assert found[batik.sku]["available"] == 4
    assert (found[batik.sku]["price"], found[batik.sku]["until"]) == (90_000, today.isoformat())
    assert found[batik.sku]["ordinary"] == batik.price
    # A closing day's price is known the evening before, for a phone that has no line by then.
    told = {"from": tomorrow.isoformat(), "to": tomorrow.isoformat(), "price": 40_000}
    assert (found[honey.sku]["price"], found[honey.sku]["coming"]) == (honey.price, [told])
    assert found[honey.sku]["code"] == short_code("variant", honey.id)


def test_catalogue_is_sent_again_only_when_something_changed(stand: Stand) -> None:
    first = stand.client.get("/counter/pameran-kota/catalogue.json")
    same = {"If-None-Match": first.headers["ETag"]}
    assert stand.client.get("/counter/pameran-kota/catalogue.json", headers=same).status_code == 304
    stand.open_till()
    assert stand.sell((stand.shop.batik.sku, 1)).status_code == 201
    again = stand.client.get("/counter/pameran-kota/catalogue.json", headers=same)
    assert again.status_code == 200
    assert catalogue(stand)[stand.shop.batik.sku]["available"] == 3


def test_codes_are_drawn_for_orders_of_this_stand_alone(app: Flask, stand: Stand) -> None:
    stand.open_till()
    number = stand.sell((stand.shop.batik.sku, 1)).json["order"]["number"]
    drawn = stand.client.get(f"/counter/pameran-kota/qr/{number}-receipt.svg")
    assert drawn.mimetype == "image/svg+xml"
    # Cash has no page to pay on, and another fair's cashier finds neither.
    assert stand.client.get(f"/counter/pameran-kota/qr/{number}-payment.svg").status_code == 404
    other = make_fair(stand.shop.ambon)
    stranger = sign_in(app.test_client(), make_cashier(other))
    for slug in (other.slug, "pameran-kota"):
        assert stranger.get(f"/counter/{slug}/qr/{number}-receipt.svg").status_code == 404


def test_page_and_worker_name_the_files_that_the_phone_keeps(stand: Stand) -> None:
    page = stand.client.get("/counter/pameran-kota").text
    worker = stand.client.get("/counter/sw.js")
    assert worker.mimetype == "text/javascript"
    assert "/*FILES*/" not in worker.text
    assert 'name="csrf-token"' in page
    for part in ("js/counter/main.", "css/counter.", "js/counter/decode."):
        address = page[page.index(f"/static/{part}") :].partition('"')[0]
        assert address in worker.text
    token = stand.client.get("/counter/pameran-kota/token").json
    assert token["person"] == {"id": stand.cashier.id, "name": "Kirana"}


def test_a_walk_in_opens_the_receipt_by_its_link_and_nobody_else_does(app: Flask, stand: Stand) -> None:
    """Pieces by facility, total, tendered and change, fair and date, and where the money goes; no name anywhere."""
    stand.open_till()
    sold = stand.sell((stand.shop.batik.sku, 2), (stand.shop.honey.sku, 1), tendered=500_000).json
    number, total = sold["order"]["number"], sold["order"]["total"]
    buyer = app.test_client()
    assert buyer.get(f"/orders/{number}/receipt").status_code == 404
    assert buyer.get(f"/orders/{number}/receipt?token=nonsense").status_code == 404
    opened = buyer.get(f"/en/orders/{number}/receipt?token={sold['order']['token']}")
    assert opened.status_code == 303
    assert opened.location.endswith(f"/en/orders/{number}/receipt")
    pages = [buyer.get(f"/orders/{number}/receipt"), stand.client.get(f"/counter/pameran-kota/receipts/{number}")]
    for page in pages:
        assert page.status_code == 200
        said = " ".join(re.sub(r"<[^>]+>", " ", page.text).replace("\u00a0", " ").split())
        for words in (
            stand.fair.name, number, stand.shop.pekalongan.name, stand.shop.ambon.name, "2 × Rp 100.000",
            f"Jumlah {format_rupiah(total)}".replace("\u00a0", " "), "Tunai Rp 500.000",
            f"Kembalian {format_rupiah(500_000 - total)}".replace("\u00a0", " "),
            "Ke mana uang Anda", "Kas negara (PNBP)",
        ):  # fmt: skip
            assert words in said, words
        assert "css/receipt." in page.text
    assert "Kirana" not in pages[0].text
    assert buyer.get(f"/orders/{number}/receipt.pdf").mimetype == "application/pdf"
    assert "Buka struk" in buyer.get(f"/orders/{number}").text
