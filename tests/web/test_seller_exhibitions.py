"""Pieces for a fair as a coordinator plans and sends them, without JavaScript, and what Today says of it."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.exhibitions.models import Exhibition, ExhibitionPieces
from storefront.extensions import db
from storefront.orders.models import Order
from storefront.stock import adjust
from storefront.stock.levels import stand_location_id
from storefront.stock.models import MovementReason, StockLevel
from tests.fairs import make_fair, planned
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in

LIST = "/seller/PKL/exhibitions"


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def coordinator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", name="Wayan", facilities=(shop.pekalongan,)))


def key(client: FlaskClient, address: str) -> str:
    found = re.search(r'name="once" value="([^"]+)"', client.get(address).text)
    assert found
    return found[1]


def value(page: str, name: str) -> str:
    """What stands in a field."""
    found = re.search(rf'<input [^>]*name="{name}"[^>]*>', page)
    assert found, name
    written = re.search(r'value="([^"]*)"', found[0])
    return written[1] if written else ""


def plan_of(fair: Exhibition) -> dict[int, int]:
    db.session.expire_all()
    rows = db.session.scalars(select(ExhibitionPieces).where(ExhibitionPieces.exhibition_id == fair.id))
    return {row.variant_id: row.planned for row in rows}


def at_stand(fair: Exhibition, variant_id: int) -> int:
    db.session.expire_all()
    level = db.session.get(StockLevel, (variant_id, stand_location_id(fair.id)))
    return level.on_hand if level else 0


def waits(client: FlaskClient) -> list[str]:
    """What Today says of exhibitions: text and the address of its one button."""
    items = re.findall(r'<li class="task.*?</li>', client.get("/seller/PKL/").text, re.S)
    return [item for item in items if "/exhibitions/" in item]


def test_from_today_to_the_stand_and_back(coordinator: FlaskClient, shop: Shop) -> None:
    fair = make_fair(shop.pekalongan, opens=5, ends=9, slug="pameran-kota")
    page = f"{LIST}/pameran-kota"
    assert waits(coordinator) == []  # nothing is planned yet
    assert "Belum ada rencana" in coordinator.get(page).text
    form = {"p-PKL-BATIK": "6", "was-PKL-BATIK": "0", "p-PKL-TEMPE": "", "was-PKL-TEMPE": "0", "sort": "store"}
    saved = post(coordinator, f"{page}/plan", form)
    assert (saved.status_code, saved.location) == (303, f"{page}?sort=store#rencana")
    assert plan_of(fair) == {shop.batik.id: 6}
    (task,) = waits(coordinator)
    assert "<b>1</b> karya perlu dikirim ke" in task
    assert "1 dari rencana belum dikirim; pameran mulai" in task
    assert re.findall(r'<a [^>]*href="([^"]+)"', task) == ["/seller/PKL/exhibitions/pameran-kota"]
    # What is free is offered, and what lacks is said.
    shown = coordinator.get(page).text
    assert value(shown, "n-PKL-BATIK") == "5"
    assert "Di gudang kurang 1" in shown
    once = {"once": key(coordinator, page), "n-PKL-BATIK": "5"}
    assert [post(coordinator, f"{page}/send", once).status_code for _ in range(2)] == [303, 303]
    assert at_stand(fair, shop.batik.id) == 5
    shown = coordinator.get(page).text
    assert "Kain batik: 5" in shown
    assert shown.count("/undo") == 1
    assert "Wayan" in shown
    history = coordinator.get("/seller/PKL/stock/PKL-BATIK").text
    assert "Di stan: Pameran Kota" in history
    for said in ("dibatalkan: isinya kembali", "sudah dibatalkan sebelumnya"):
        undone = post(coordinator, f"{page}/sendings/1/undo", follow_redirects=True)
        assert said in undone.text
    assert at_stand(fair, shop.batik.id) == 0
    assert "Pembatalan" in coordinator.get("/seller/PKL/stock/PKL-BATIK").text
    listed = coordinator.get(LIST).text
    assert "Akan datang" in listed
    assert "1 karya" in listed
    assert page in listed


def test_what_sold_out_at_the_stand_is_said(coordinator: FlaskClient, shop: Shop) -> None:
    fair = make_fair(shop.pekalongan, slug="pameran-kota")
    planned(fair, shop.pekalongan, shop.batik.id, 2)
    page = f"{LIST}/pameran-kota"
    post(coordinator, f"{page}/send", {"once": key(coordinator, page), "n-PKL-BATIK": "2"})
    assert waits(coordinator) == []
    adjust.move(shop.batik.id, stand_location_id(fair.id), -2, MovementReason.SOLD, source="order_line:0:sold")
    db.session.commit()
    (task,) = waits(coordinator)
    assert "1 habis di stan, masih ada di UPT; pameran sampai" in task
    assert "1 karya habis di stan" in coordinator.get(page).text
    narrowed = coordinator.get(f"{page}?show=sold_out").text
    assert "PKL-BATIK" in narrowed
    assert "PKL-TEMPE" not in narrowed
    for asked in ("?show=missing", "?q=tidak-ada", "?workshop=987654321"):
        assert "Tidak ada karya yang cocok" in coordinator.get(page + asked).text
    assert "Sold out at the stand" in coordinator.get(f"/en{page}").text


def test_a_fair_far_away_or_another_facilitys_is_not_said(coordinator: FlaskClient, shop: Shop) -> None:
    far, theirs = make_fair(shop.pekalongan, opens=15, ends=20), make_fair(shop.ambon)
    planned(far, shop.pekalongan, shop.batik.id, 2)
    planned(theirs, shop.ambon, shop.honey.id, 2)
    assert waits(coordinator) == []
    assert coordinator.get(f"{LIST}/{theirs.slug}").status_code == 404
    for act, form in (("plan", {}), ("send", {}), ("sendings/1/undo", {})):
        assert post(coordinator, f"{LIST}/{theirs.slug}/{act}", form).status_code == 404
    # Nor may their works be named at one's own fair.
    once = key(coordinator, f"{LIST}/{far.slug}")
    assert post(coordinator, f"{LIST}/{far.slug}/send", {"once": once, "n-NML-MADU": "1"}).status_code == 404
    assert post(coordinator, f"{LIST}/{far.slug}/plan", {"p-NML-MADU": "1"}).status_code == 404
    assert plan_of(far) == {shop.batik.id: 2}


def test_what_is_wrong_is_said_beside_it_and_nothing_typed_is_lost(
    coordinator: FlaskClient, shop: Shop
) -> None:
    fair = make_fair(shop.pekalongan, slug="pameran-kota")
    for variant in (shop.batik, shop.tempeh):
        planned(fair, shop.pekalongan, variant.id, 8)
    page = f"{LIST}/pameran-kota"
    once = key(coordinator, page)
    form = {"once": once, "n-PKL-BATIK": "6", "n-PKL-TEMPE": "dua"}
    refused = post(coordinator, f"{page}/send?show=planned", form)
    assert refused.status_code == 422
    assert 'id="f-n-PKL-TEMPE-error"' in refused.text
    assert [value(refused.text, f"n-PKL-{name}") for name in ("BATIK", "TEMPE")] == ["6", "dua"]
    assert value(refused.text, "once") == once
    refused = post(coordinator, f"{page}/send", {**form, "n-PKL-TEMPE": "2"})
    assert refused.status_code == 409
    assert "Di gudang hanya 5 yang bebas. Kurangi jumlahnya." in refused.text
    assert at_stand(fair, shop.tempeh.id) == 0, "all or nothing"
    for wrong, said in (({"once": ""}, "terlalu lama terbuka"), ({"n-PKL-BATIK": " "}, "Tulis berapa buah")):
        refused = post(coordinator, f"{page}/send", {"once": once, "n-PKL-BATIK": "1", **wrong})
        assert (refused.status_code, said in refused.text) == (422, True)
    for written, said in (("10001", "Tulis angka dari 0 sampai 10000."), ("-1", "Tulis angka"), ("1,5", "Tulis")):
        form = {"p-PKL-BATIK": written, "was-PKL-BATIK": "8", "p-PKL-TEMPE": "9", "was-PKL-TEMPE": "8"}
        refused = post(coordinator, f"{page}/plan", form)
        assert (refused.status_code, said in refused.text) == (422, True)
        assert [value(refused.text, f"p-PKL-{name}") for name in ("BATIK", "TEMPE")] == [written, "9"]
    assert plan_of(fair) == {shop.batik.id: 8, shop.tempeh.id: 8}
    assert coordinator.get(f"{page}/plan").location == page
    # A colleague was faster: their number is said, and the next try stands on it.
    stale = {"p-PKL-BATIK": "9", "was-PKL-BATIK": "7"}
    refused = post(coordinator, f"{page}/plan", stale)
    assert "baru menulis 8 di sini" in refused.text
    assert value(refused.text, "was-PKL-BATIK") == "8"


def test_an_ended_fair_is_read_and_refuses_with_a_sentence(coordinator: FlaskClient, shop: Shop) -> None:
    fair = make_fair(shop.pekalongan, opens=-9, ends=-1, slug="pameran-lalu")
    planned(fair, shop.pekalongan, shop.batik.id, 3)
    page = f"{LIST}/pameran-lalu"
    assert waits(coordinator) == []
    shown = coordinator.get(page).text
    assert "tinggal dibaca" in shown
    assert 'name="p-PKL-BATIK"' not in shown
    sent = {"once": "kunci-yang-lama-sekali", "n-PKL-BATIK": "1"}
    for refused in (
        post(coordinator, f"{page}/send", sent),
        post(coordinator, f"{page}/plan", {"p-PKL-BATIK": "4", "was-PKL-BATIK": "3"}),
    ):
        assert refused.status_code == 409
        assert "Pameran ini sudah selesai pada" in refused.text
    assert at_stand(fair, shop.batik.id) == 0
    assert page in coordinator.get(f"{LIST}?when=past").text
    assert page not in coordinator.get(f"{LIST}?when=running").text


def test_a_head_reads_and_moves_nothing(app: Flask, shop: Shop) -> None:
    fair = make_fair(shop.pekalongan, slug="pameran-kota")
    planned(fair, shop.pekalongan, shop.batik.id, 3)
    head = sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))
    page = f"{LIST}/pameran-kota"
    shown = head.get(page)
    assert shown.status_code == 200
    assert 'name="p-PKL-BATIK"' not in shown.text
    assert "Catat: dikirim" not in shown.text
    for act in ("plan", "send", "sendings/1/undo"):
        assert post(head, f"{page}/{act}", {"n-PKL-BATIK": "1"}).status_code == 403
    assert db.session.scalars(select(Order)).all() == []
    assert at_stand(fair, shop.batik.id) == 0
