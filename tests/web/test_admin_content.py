"""What curators keep: the front page, pages, and (administrators) who runs the shop. Seen as the public sees it."""

from __future__ import annotations

import datetime
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from storefront.content.home_page import home_page
from storefront.content.models import HomeBlock, HomeChange
from storefront.days import today
from storefront.facilities.models import Facility, Workshop
from tests.factories import make_facility, make_product, make_variant, make_workshop
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in

DAY = datetime.timedelta(days=1)


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def curator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("curator"))


def kinds(answer: TestResponse) -> list[str]:
    """The blocks of the arrangement, in their order."""
    return re.findall(r'<li class="panel blocks__one" id="blok-(\d+)"', answer.text)


def steps(curator: FlaskClient) -> dict[str, str]:
    page = curator.get("/admin/home").text
    order = re.search(r'name="order" value="([^"]+)"', page)
    assert order
    return {"order": order[1]}


def version(curator: FlaskClient, block_id: int) -> str:
    found = re.search(r'name="version" value="(\d+)"', curator.get(f"/admin/home/{block_id}").text)
    assert found
    return found[1]


def a_text(**fields: str) -> dict[str, str]:
    words = {"title": "Kabar bengkel", "title_en": "Workshop news", "body": "Tungku baru.", "body_en": "A new kiln."}
    return {**words, "is_published": "1", **fields}


def test_a_shop_without_curators_has_a_good_front_page(client: FlaskClient, shop: Shop) -> None:
    page, english = client.get("/").text, client.get("/en/").text
    assert "Karya tangan dari bengkel lapas" in page
    assert "Belanja dengan tenang" in page
    assert "Menurut provinsi" in page
    assert "/products?province=maluku" in page
    assert "Handmade in prison workshops" in english
    assert "/exhibitions/" not in page  # none runs
    assert page.index('class="lean"') < page.index('class="section')


def test_blocks_show_on_their_days_in_both_languages_and_their_text_is_safe(
    client: FlaskClient, curator: FlaskClient, db_session: Session
) -> None:
    first, last = today() + 3 * DAY, today() + 5 * DAY
    fields = a_text(
        body="Tungku **baru** <script>alert(1)</script> [x](javascript:alert(1)).",
        starts_on=first.isoformat(),
        ends_on=last.isoformat(),
    )
    assert post(curator, "/admin/home/new/text", fields).status_code == 303
    assert "Kabar bengkel" not in client.get("/").text
    for day, shown in ((first - DAY, False), (first, True), (last, True), (last + DAY, False)):
        preview = curator.get(f"/admin/home/preview?day={day}&language=id").text
        assert ("Kabar bengkel" in preview) == shown, day
        assert "DATA CONTOH" in preview
    page = curator.get(f"/admin/home/preview?day={first}&language=id").text
    assert "<strong>baru</strong>" in page
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    english = curator.get(f"/admin/home/preview?day={first}&language=en").text
    assert '<html lang="en">' in english
    assert "A new kiln." in english
    block = db_session.scalars(select(HomeBlock).where(HomeBlock.kind == "text")).one()
    fields = a_text(version=version(curator, block.id), starts_on="", ends_on="")
    assert post(curator, f"/admin/home/{block.id}", fields).status_code == 303
    assert "Kabar bengkel" in client.get("/").text


def test_a_preview_shows_what_was_typed_and_saves_nothing(
    client: FlaskClient, curator: FlaskClient, db_session: Session
) -> None:
    opening = db_session.scalars(select(HomeBlock).where(HomeBlock.kind == "opening")).one()
    words = a_text(kind="opening", block=str(opening.id), title="Dari tangan ke meja", language="id")
    shown = post(curator, "/admin/home/preview", words)
    assert "Dari tangan ke meja" in shown.text
    assert "Dari tangan ke meja" not in client.get("/").text
    second = post(curator, "/admin/home/preview", {**words, "block": "", "title": "Yang lain"})
    assert "Yang lain" in second.text
    drafted = post(curator, "/admin/home/preview", a_text(kind="text", block="", is_published="", language="en"))
    assert "A new kiln." in drafted.text
    db_session.expire_all()
    assert db_session.scalar(select(HomeChange.id)) is None
    assert db_session.scalars(select(HomeBlock.id).where(HomeBlock.kind == "text")).all() == []
    page = {"title": "Pribadi", "title_en": "Private", "body": "Isi **baru**.", "body_en": "New.", "language": "id"}
    assert "<strong>baru</strong>" in post(curator, "/admin/pages/privacy/preview", page).text
    assert "<h1>Pribadi</h1>" not in client.get("/pages/privacy").text


def test_blocks_are_moved_removed_and_each_change_taken_back(
    client: FlaskClient, curator: FlaskClient, db_session: Session
) -> None:
    before = kinds(curator.get("/admin/home"))
    second = before[1]
    assert post(curator, f"/admin/home/{second}/up", steps(curator)).status_code == 303
    assert kinds(curator.get("/admin/home")) == [before[1], before[0], *before[2:]]
    stale = {"order": ",".join(before)}
    post(curator, f"/admin/home/{before[3]}/top", stale)
    page = curator.get("/admin/home")
    assert "Susunannya sudah diubah orang lain" in page.text
    assert kinds(page)[0] == before[1]
    promises = db_session.scalars(select(HomeBlock.id).where(HomeBlock.kind == "promises")).one()
    post(curator, f"/admin/home/{promises}/remove", {**steps(curator), "version": "1"})
    assert "Belanja dengan tenang" not in client.get("/").text
    removal, moving = db_session.scalars(select(HomeChange.id).order_by(HomeChange.id.desc())).all()
    assert post(curator, f"/admin/home/changes/{moving}/undo").status_code == 303
    assert "Sesudah itu susunannya berubah lagi" in curator.get("/admin/home").text
    post(curator, f"/admin/home/changes/{removal}/undo")
    assert "Belanja dengan tenang" in client.get("/").text
    post(curator, f"/admin/home/changes/{moving}/undo")
    assert kinds(curator.get("/admin/home")) == before
    post(curator, f"/admin/home/changes/{moving}/undo")
    assert "sudah dibatalkan" in curator.get("/admin/home").text


def test_of_two_who_edit_a_block_the_second_is_told_and_loses_nothing(
    curator: FlaskClient, db_session: Session
) -> None:
    post(curator, "/admin/home/new/text", a_text())
    block = db_session.scalars(select(HomeBlock).where(HomeBlock.kind == "text")).one()
    opened = version(curator, block.id)
    assert post(curator, f"/admin/home/{block.id}", a_text(version=opened, title="Pertama")).status_code == 303
    second = post(curator, f"/admin/home/{block.id}", a_text(version=opened, title="Kedua"))
    assert second.status_code == 409
    assert 'value="Kedua"' in second.text
    again = re.search(r'name="version" value="(\d+)"', second.text)
    assert again
    assert post(curator, f"/admin/home/{block.id}", a_text(version=again[1], title="Kedua")).status_code == 303
    wrong = post(curator, f"/admin/home/{block.id}", a_text(version="9", title_en="", ends_on="2026-99-99"))
    assert wrong.status_code == 422
    assert 'value="2026-99-99"' in wrong.text


def test_a_facility_for_children_is_never_featured(
    curator: FlaskClient, client: FlaskClient, shop: Shop, db_session: Session
) -> None:
    person, other = make_account("administrator"), make_account("administrator")
    lpka = make_facility(
        "LPA", kind="lpka", name="LPKA Kelas I Contoh", legal_basis="SK", admitted_by=person.id, approved_by=other.id
    )
    workshop = make_workshop(lpka, "Sablon anak")
    workshop.about = workshop.about_en = "Kaus bergambar."
    product = make_product(workshop, slug="kaus-anak", title="Kaus anak", title_en="Shirt")
    make_variant(product, stock=50)
    db_session.execute(text("UPDATE stock_levels SET shown_state = 'ready'"))
    settings = {"workshop": workshop.id, "facility": "LPA", "chosen": [product.id]}
    for kind, value in settings.items():
        name = "products" if kind == "chosen" else kind
        db_session.add(
            HomeBlock(position=50, kind=kind, settings={name: value}, is_published=True)
        )
    db_session.commit()
    page = client.get("/").text
    assert "kaus-anak" not in page
    assert "LPKA" not in page
    assert "kaus-anak" in client.get("/products").text
    assert "LPKA" not in curator.get("/admin/home/new/facility").text
    refused = post(curator, "/admin/home/new/facility", {"facility": "LPA"})
    assert refused.status_code == 422
    refused = post(curator, "/admin/home/new/chosen", {"products": "/products/kaus-anak"})
    assert refused.status_code == 422
    assert "kaus-anak" in refused.text


def test_kinds_show_what_they_are_about_and_nothing_when_there_is_nothing(
    curator: FlaskClient, client: FlaskClient, shop: Shop, db_session: Session
) -> None:
    batik = db_session.scalars(select(Workshop).where(Workshop.name == "Batik")).one()
    told = {"title": "Dari canting", "title_en": "From the wax pen", "body": "Malam panas.", "body_en": "Hot wax."}
    post(curator, "/admin/home/new/workshop", {"workshop": str(batik.id), **told, "is_published": "1"})
    chosen = {"products": "http://localhost/products/madu\n/en/products/tempe", "is_published": "1"}
    assert post(curator, "/admin/home/new/chosen", chosen).status_code == 303
    post(curator, "/admin/home/new/category", {"category": "kerajinan", "is_published": "1"})
    page = home_page(today(), "id")
    by_kind = {block.kind: block for block in page.blocks if block.id > 11}
    assert [card.slug for card in by_kind["chosen"].items] == ["madu", "tempe"]
    assert by_kind["workshop"].about.facility_name == "Lapas Kelas IIA Pekalongan"
    assert "season" not in {block.kind for block in page.blocks}  # nothing of the season is on sale
    assert "Hot wax." in client.get("/en/").text
    db_session.execute(text("UPDATE facilities SET status = 'suspended' WHERE code = 'PKL'"))
    db_session.commit()
    assert "Malam panas." not in client.get("/").text
    db_session.execute(text("UPDATE products SET status = 'archived'"))
    db_session.commit()
    empty = client.get("/")
    assert empty.status_code == 200
    assert 'class="lean"' not in empty.text
    assert db_session.scalars(select(Facility.id)).all()


def test_a_page_is_edited_kept_and_put_back(client: FlaskClient, curator: FlaskClient) -> None:
    page = client.get("/pages/returns").text
    for known in ("0853-1111-1010", "pengaduan.konsumen@kemendag.go.id", "simpktn.kemendag.go.id"):
        assert known in page
    privacy = client.get("/pages/privacy").text
    for told in ("UU 27/2022", "Kabari saya bila ada lagi", "Laporan masalah dengan fotonya", "180 hari"):
        assert told in privacy
    assert "Apakah mereka dipaksa?" in client.get("/pages/how-it-works").text
    assert "What about the victims?" in client.get("/en/pages/how-it-works").text
    assert "localhost" in client.get("/pages/contact").text
    assert "{operator}" not in client.get("/pages/terms").text
    form = curator.get("/admin/pages/returns").text
    assert 'name="based_on" value="0"' in form
    words = {"title": "Retur", "title_en": "Returns", "body": "Satu.\n\n# Dua\n\n{email}", "body_en": "One."}
    assert post(curator, "/admin/pages/returns", {**words, "based_on": "0"}).status_code == 303
    page = client.get("/pages/returns").text
    assert '<h2 id="s-dua">Dua</h2>' in page
    assert "bantuan@karyabinaan.example" in page
    assert "Satu." in client.get("/help").text
    second = post(curator, "/admin/pages/returns", {**words, "body": "Milik orang kedua.", "based_on": "0"})
    assert second.status_code == 409
    assert "Milik orang kedua." in second.text
    assert post(curator, "/admin/pages/returns", {**words, "title": "", "based_on": "1"}).status_code == 422
    assert "0853-1111-1010" in curator.get("/admin/pages/returns/revisions/0").text
    post(curator, "/admin/pages/returns/restore", {"number": "0", "based_on": "1"})
    assert "0853-1111-1010" in client.get("/pages/returns").text
    assert "sama dengan teks bawaan" in curator.get("/admin/pages/returns").text
    assert client.get("/pages/tidak-ada").status_code == 404


def test_help_keeps_its_anchors(client: FlaskClient, shop: Shop) -> None:
    for page in (client.get("/help").text, client.get("/en/help").text):
        for anchor in ("cara", "uang", "alamat", "kerja", "penipuan", "laporkan"):
            assert f'id="{anchor}"' in page
        assert "/pages/terms" in page


def test_the_operator_is_a_dated_setting(app: Flask, client: FlaskClient, shop: Shop) -> None:
    office = sign_in(app.test_client(), make_account("administrator"))
    page = office.get("/admin/operator").text
    assert "Kementerian Hukum dan Hak Asasi Manusia" in page
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen
    fields = {
        "name": "Badan Karya Binaan", "address": "Jalan Contoh 1, Jakarta", "email": "tanya@karya.go.id",
        "valid_from": today().isoformat(), "seen": seen[1],
    }  # fmt: skip
    later = {**fields, "name": "Badan Nanti", "valid_from": (today() + DAY).isoformat()}
    assert post(office, "/admin/operator", {**fields, "valid_from": (today() - DAY).isoformat()}).status_code == 422
    assert post(office, "/admin/operator", fields).status_code == 303
    stale = post(office, "/admin/operator", later)
    assert stale.status_code == 409
    assert "Badan Nanti" in stale.text
    again = re.search(r'name="seen" value="(\d+)"', stale.text)
    assert again
    assert post(office, "/admin/operator", {**later, "seen": again[1]}).status_code == 303
    for path in ("/", "/cart", "/pages/privacy", "/tidak-ada"):
        page = client.get(path).text
        assert "Badan Karya Binaan" in page, path
        assert "Badan Nanti" not in page
    assert "tanya@karya.go.id" in client.get("/pages/contact").text
    assert sign_in(app.test_client(), make_account("curator")).get("/admin/operator").status_code == 403
