"""A product's page: each variant with its price, day and picture; facts and papers; being told; who may not sell."""

from __future__ import annotations

import datetime
import email
import email.policy
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storefront.catalogue.models import (
    Product,
    ProductFact,
    ProductFood,
    ProductPaper,
    SizeTable,
    StockAlert,
)
from storefront.days import today
from storefront.display import format_day
from storefront.facilities.models import Declaration, Workshop
from storefront.facilities.working_days import holidays_from, local_day, ready_on
from storefront.mail.transport import mail_folder
from tests.db.test_declarations import TEXTS
from tests.factories import make_photo, make_product, make_variant
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in
from tests.training import ENDED, make_training

ADDRESS = "/products/baju-koko"


@pytest.fixture
def shop(db_session: Session, run_jobs: Callable[[], None]) -> Shop:
    """Goods on sale, as pages show them once the jobs have run."""
    shop = open_shop()
    run_jobs()
    return shop


@pytest.fixture
def koko(db_session: Session, shop: Shop, run_jobs: Callable[[], None]) -> Product:
    """A shirt in three sizes: enough of S, two of M, none of L."""
    workshop = db_session.get_one(Workshop, _workshop_of(shop, db_session))
    product = make_product(workshop, slug="baju-koko", title="Baju koko", title_en="Koko")
    photos = [make_photo(product, position=place, alt=f"Baju koko, foto {place}") for place in range(2)]
    for size, stock, price in (("S", 9, 100_000), ("M", 2, 110_000), ("L", 0, 120_000)):
        make_variant(product, sku=f"KOKO-{size}", title=size, stock=stock, price=price, position="SML".index(size))
    db_session.flush()
    db_session.execute(text("UPDATE variants SET photo_id = :photo WHERE sku = 'KOKO-M'"), {"photo": photos[1].id})
    db_session.commit()
    run_jobs()
    return product


def _workshop_of(shop: Shop, session: Session) -> int:
    return session.get_one(Product, shop.batik.product_id).workshop_id


def shown(page: str) -> str:
    """The page without what is hidden on it."""
    return re.sub(r"<(\w+)[^>]* data-of=\"[^\"]+\" hidden>.*?</\1>", "", page, flags=re.S)


def test_a_variants_address_shows_its_own_price_money_and_picture(client: FlaskClient, koko: Product) -> None:
    first, second = client.get(ADDRESS).text, client.get(ADDRESS + "?sku=koko-m").text
    assert re.search(r'value="KOKO-S"[^>]*checked', first)
    assert re.search(r'value="KOKO-M" data-picture="foto-2"[^>]*checked', second)
    assert "Tinggal sedikit" in shown(second)
    for page, whole, premium in ((first, "100.000", "50.000"), (second, "110.000", "55.000")):
        assert f"<b class=\"nums\">Rp\u00a0{whole}</b>" in page
        assert f"Rp\u00a0{premium}" in page
        assert 'href="http://localhost/products/baju-koko"' in page  # one address for search engines
    assert first.index("foto 0") < first.index("foto 1")
    assert second.index("foto 1") < second.index("foto 0")
    assert "Rp\u00a055.000" in client.get("/fragments/money/baju-koko?sku=KOKO-M").text
    assert client.get(ADDRESS + "?sku=TIDAK-ADA").text.count(" checked required") == 1


def test_the_number_of_pieces_stands_in_no_kept_page(client: FlaskClient, koko: Product) -> None:
    page = client.get(ADDRESS).text
    assert not re.search(r"(sisa|stok) \d", page)
    live = client.get("/fragments/stock/baju-koko").text
    assert re.search(r"\[data-stock='KOKO-S'\]\">stok 9<", live)
    assert re.search(r"\[data-stock='KOKO-M'\]\">sisa 2<", live)


def test_it_says_about_when_it_leaves(client: FlaskClient, shop: Shop) -> None:
    here = local_day("Asia/Jakarta")
    holidays = holidays_from(here)
    for path, lead in (("/products/kain-batik", None), ("/products/kursi-teras", 14)):
        page = client.get(path).text
        assert f"Dikirim sekitar {format_day(ready_on(here, lead, holidays))}" in page
    assert "Leaves around" in client.get("/en/products/kursi-teras").text


def test_a_new_holiday_moves_the_day(client: FlaskClient, shop: Shop, owner_connection: object) -> None:
    before = re.search(r"Dikirim sekitar ([^<]+)<", client.get("/products/kain-batik").text)
    first = ready_on(local_day("Asia/Jakarta"), None, holidays_from(today()))
    connection = owner_connection
    connection.execute(  # type: ignore[attr-defined]
        "INSERT INTO holidays (day, name, name_en, source) VALUES (%s, 'Libur', 'Holiday', 'uji')", (first,)
    )
    connection.commit()  # type: ignore[attr-defined]
    after = re.search(r"Dikirim sekitar ([^<]+)<", client.get("/products/kain-batik").text)
    connection.execute("DELETE FROM holidays WHERE source = 'uji'")  # type: ignore[attr-defined]
    connection.commit()  # type: ignore[attr-defined]
    assert before is not None
    assert after is not None
    assert before[1] != after[1]


def test_facts_sizes_and_food_are_shown_in_both_languages(
    client: FlaskClient, koko: Product, db_session: Session
) -> None:
    db_session.add_all(
        [
            ProductFact(
                product_id=koko.id, position=1, kind="material", label="Bahan", label_en="Material", value="Katun",
                value_en="Cotton",
            ),
            SizeTable(
                category_id=koko.category_id, title="Ukuran umum", columns=["Dada", "Panjang"],
                rows=["S", "M"], cells=[["50", "69"], ["53", "72"]],
            ),
            ProductFood(
                product_id=koko.id, composition="Tepung <b>terigu</b>", composition_en="Flour", net_amount=200,
                net_unit="g", shelf_life_days=3, storage="Kulkas", storage_en="Fridge", allergens="Gandum",
                allergens_en="Wheat",
            ),
            ProductPaper(product_id=koko.id, kind="pirt", number="2063471010051-28"),
            ProductPaper(product_id=koko.id, kind="halal", number="ID31110000123450620",
                         valid_until=today() - datetime.timedelta(days=1)),
        ]
    )  # fmt: skip
    db_session.commit()
    page, english = client.get(ADDRESS).text, client.get("/en" + ADDRESS).text
    for word in ("Katun", "Ukuran umum", "Tepung &lt;b&gt;terigu", "200 g", "2063471010051-28", "Gandum"):
        assert word in page
    for word in ("Cotton", "Flour", "Fridge", "Wheat", "P-IRT number"):
        assert word in english
    assert "halal" not in page.lower().replace("tidak halal", "")  # its certificate has run out
    db_session.add(SizeTable(product_id=koko.id, title="Ukuran sendiri", columns=["Dada"], rows=["S"], cells=[["1"]]))
    db_session.commit()
    page = client.get(ADDRESS).text
    assert "Ukuran sendiri" in page
    assert "Ukuran umum" not in page


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("halal", ""), ("pirt", "ada"), ("bpom", "123"), ("svlk", ""), ("cosmetic", "NA1"),
        ("not_halal", "ID311100001234506"),
    ],
)
def test_no_claim_without_its_number(koko: Product, db_session: Session, kind: str, number: str) -> None:
    db_session.add(ProductPaper(product_id=koko.id, kind=kind, number=number))
    with pytest.raises(IntegrityError):
        db_session.flush()
    db_session.rollback()


def test_halal_and_not_halal_exclude_each_other(koko: Product, client: FlaskClient, db_session: Session) -> None:
    db_session.add(ProductPaper(product_id=koko.id, kind="not_halal"))
    db_session.commit()
    assert "Mengandung bahan yang tidak halal" in client.get(ADDRESS).text
    db_session.add(ProductPaper(product_id=koko.id, kind="halal", number="ID31110000123450620"))
    with pytest.raises(IntegrityError):
        db_session.flush()
    db_session.rollback()


def test_a_size_table_is_whole(koko: Product, db_session: Session) -> None:
    for cells in ([["1"]], [["1", "2"], ["3", "4"]], []):
        db_session.add(SizeTable(product_id=koko.id, title="Ukuran", columns=["A", "B"], rows=["S"], cells=cells))
        with pytest.raises(IntegrityError):
            db_session.flush()
        db_session.rollback()


def test_a_variant_shows_a_picture_of_its_own_product(koko: Product, shop: Shop, db_session: Session) -> None:
    foreign = make_photo(db_session.get_one(Product, shop.batik.product_id))
    with pytest.raises(IntegrityError):
        db_session.execute(text("UPDATE variants SET photo_id = :id WHERE sku = 'KOKO-M'"), {"id": foreign.id})
    db_session.rollback()


def test_it_can_be_handed_on(client: FlaskClient, koko: Product) -> None:
    page = client.get("/en" + ADDRESS).text
    assert "https://wa.me/?text=Koko%20%C2%B7%20Lapas" in page
    assert "http%3A//localhost/en/products/baju-koko" in page
    code = client.get("/en/products/baju-koko/qr.svg")
    assert code.mimetype == "image/svg+xml"
    assert code.data != client.get("/products/baju-koko/qr.svg").data
    assert b"style" not in code.data
    assert client.get("/products/tidak-ada/qr.svg").status_code == 404


def test_who_asks_is_asked_back_and_told(
    client: FlaskClient, koko: Product, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    page = client.get(ADDRESS + "?sku=KOKO-L").text
    assert 'action="/products/baju-koko/notify"' in shown(page)
    wrong = client.post(ADDRESS + "/notify", data={"sku": "KOKO-L", "email": "sari@"})
    assert wrong.status_code == 422
    assert 'value="sari@"' in wrong.text
    assert 'aria-invalid="true"' in wrong.text
    answers = {
        client.post(ADDRESS + "/notify", data={"sku": "KOKO-L", "email": "sari@example.test"}).text for _ in range(2)
    }
    assert len(answers) == 1
    there = client.post(ADDRESS + "/notify", data={"sku": "KOKO-S", "email": "sari@example.test"})
    assert "sudah ada lagi" in there.text
    assert client.post(ADDRESS + "/notify", data={"sku": "PKL-BATIK", "email": "a@b.id"}).status_code == 404
    run_jobs()
    alert = db_session.query(StockAlert).one()
    file = mail_folder() / f"alert.{alert.id}.ask.eml"
    letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    link = re.search(r"http://localhost(/notify/\S+)", str(letter.get_content()))  # type: ignore[attr-defined]
    assert link is not None
    opened = client.get(link[1])
    assert opened.headers["Cache-Control"] == "no-store"
    assert db_session.query(StockAlert).one().confirmed_at is None  # opening a link does nothing
    assert "Begitu" in client.post(link[1], data={"step": "confirm"}).text
    assert db_session.query(StockAlert).one().confirmed_at is not None
    assert client.post(link[1], data={"step": "confirm"}, headers={"Origin": "https://evil.test"}).status_code == 403
    assert "hapus" in client.post(link[1], data={"step": "stop"}).text
    assert db_session.query(StockAlert).count() == 0
    assert client.get(link[1]).status_code == 404


def test_a_workshop_without_a_declaration_shows_its_page_and_sells_nothing(
    client: FlaskClient, shop: Shop, db_session: Session
) -> None:
    client.post("/cart/add", data={"sku": "PKL-BATIK", "quantity": "1"})
    db_session.execute(text("UPDATE workshops SET sells_undeclared_until = NULL WHERE name = 'Batik'"))
    db_session.commit()
    page = client.get("/products/kain-batik").text
    assert "Sedang tidak dijual" in page
    assert "Masukkan ke keranjang" not in page
    assert "Kain batik" not in client.get("/products").text
    assert "kain-batik" not in client.get("/sitemap.xml").text
    assert "PKL-BATIK" not in client.get("/feeds/products.xml").text
    assert client.get("/api/v1/products?q=batik").json["total"] == 0  # type: ignore[index]
    assert "sedang tidak dijual" in client.get("/cart").text
    ordered = client.post("/cart/add", data={"sku": "PKL-BATIK", "quantity": "1"})
    assert ordered.status_code == 404
    cart = client.post("/api/v1/carts").json["id"]  # type: ignore[index]
    assert client.post(f"/api/v1/carts/{cart}/lines", json={"sku": "PKL-BATIK", "quantity": 1}).status_code == 404


def test_a_declaration_from_proposal_to_the_public_page(client: FlaskClient, shop: Shop, db_session: Session) -> None:
    db_session.execute(text("UPDATE workshops SET sells_undeclared_until = NULL WHERE name = 'Batik'"))
    workshop = db_session.query(Workshop).filter_by(name="Batik").one()
    coordinator = make_account("coordinator", facilities=(shop.pekalongan,))
    curator = make_account("curator")
    sign_in(client, coordinator)
    address = f"/seller/PKL/declarations/{workshop.id}"
    assert "tidak sekarang" in client.get("/seller/PKL/declarations").text
    until = today() + datetime.timedelta(days=300)
    form = {
        "valid_from": str(today()), "valid_until": str(until), "is_voluntary": "yes", "hours_per_day": "7",
        "days_per_week": "5", **TEXTS, "premium_en": "Half of the profit.",
    }  # fmt: skip
    refused = post(client, address, {**form, "is_voluntary": "", "premium": "x"})
    assert refused.status_code == 422
    assert TEXTS["complaints"] in refused.text  # nothing typed is lost
    assert "sukarela, bengkel ini tidak" in refused.text
    assert post(client, address, form).status_code == 303
    assert "Menunggu kantor pusat" in client.get("/seller/PKL/declarations").text
    assert post(client, address, form).status_code == 422  # one waits already

    client.delete_cookie("session")
    sign_in(client, curator)
    row = db_session.query(Declaration).one()
    assert "<b>1</b>" in client.get("/admin/").text
    assert TEXTS["safety_gear"] in client.get(f"/admin/declarations/{row.id}").text
    assert post(client, f"/admin/declarations/{row.id}/reject", {"reason": "x"}).status_code == 422
    assert post(client, f"/admin/declarations/{row.id}/approve").status_code == 303
    assert post(client, f"/admin/declarations/{row.id}/approve").status_code == 409

    assert "Masukkan ke keranjang" in client.get("/products/kain-batik").text
    public, english = (client.get(f"{root}/facilities/lapas-pkl/declarations").text for root in ("", "/en"))
    assert TEXTS["complaints"] in public
    assert "Half of the profit." in english
    assert TEXTS["premium"] not in english
    assert "Baca pernyataannya" in client.get("/products/kain-batik").text

    assert post(client, f"/admin/declarations/{row.id}/end", {"reason": "Jaminannya berakhir."}).status_code == 303
    assert "Sedang tidak dijual" in client.get("/products/kain-batik").text
    assert TEXTS["complaints"] not in client.get("/facilities/lapas-pkl/declarations").text


def test_text_of_a_workshop_is_safe(client: FlaskClient, shop: Shop, db_session: Session) -> None:
    about = "**Batik** <script>alert(1)</script> [sini](javascript:alert(1)) [luar](https://contoh.id)"
    db_session.execute(text("UPDATE workshops SET about = :about"), {"about": about})
    db_session.commit()
    page = client.get("/products/kain-batik").text
    assert "<strong>Batik</strong>" in page
    assert "<script>alert" not in page
    assert "javascript:" not in re.sub(r"\[sini\]\(javascript[^)]*\)", "", page)
    assert 'href="https://contoh.id" rel="nofollow' in page


def test_more_of_the_workshop_comes_first(client: FlaskClient, shop: Shop) -> None:
    page = client.get("/products/kain-batik").text
    more = page[page.index("lainnya"):]
    assert more.index("kursi-teras") < more.index("/products/tempe")


def test_who_sees_the_address_is_said_beside_the_button(client: FlaskClient, shop: Shop) -> None:
    for path, promise in (
        ("/products/kain-batik", "Alamat dan nomor Anda hanya dilihat petugas pengiriman."),
        ("/en/products/kain-batik", "Only delivery staff see your address and phone number."),
    ):
        bar = client.get(path).text.partition('<div class="buybar">')[2].partition("</form>")[0]
        assert promise in bar
        assert '<button class="btn btn--main" type="submit">' in bar


def test_it_says_what_its_workshop_teaches(client: FlaskClient, shop: Shop, db_session: Session) -> None:
    workshop = shop.batik.product.workshop
    latest = ENDED + datetime.timedelta(days=40)
    make_training(shop.pekalongan, workshop_id=workshop.id, skill="Membatik tulis", skill_en="Hand-drawn batik")
    make_training(
        shop.pekalongan, workshop_id=workshop.id, skill="Menjahit", started_on=ENDED, ended_on=latest,
    )  # fmt: skip
    db_session.commit()
    page = client.get("/products/kain-batik").text
    taught = page[page.index("Yang dilatih di sini"):]
    assert taught.index("Menjahit") < taught.index("Membatik tulis")
    assert "Hand-drawn batik" in client.get("/en/products/kain-batik").text
    assert "Yang dilatih di sini" not in client.get("/products/tempe").text
