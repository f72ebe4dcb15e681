"""A coordinator writes a listing: by one form, whole or not, and nothing typed is lost."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from storefront.catalogue.models import Product
from storefront.listings.models import DraftPhoto, ListingDraft
from tests.factories import make_category, make_photo
from tests.selling import Shop, open_shop
from tests.staff import csrf_token, make_account, sign_in

PKL = "/seller/PKL/listings"


def jpeg(colour: tuple[int, int, int] = (150, 90, 40), size: tuple[int, int] = (640, 480), **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


class Desk:
    """A coordinator at one browser."""

    def __init__(self, app: Flask, shop: Shop, role: str = "coordinator") -> None:
        self.client: FlaskClient = sign_in(app.test_client(), make_account(role, facilities=(shop.pekalongan,)))
        self.token = csrf_token(self.client)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.client.get(path, **kwargs)

    def send(self, path: str, fields: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token, **(fields or {})}, **kwargs)

    def form(self, path: str) -> dict[str, str]:
        """The fields of the page's form as a browser would send them."""
        return fields_of(self.get(path).text)


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send of the form in `page`, without buttons and files."""
    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.fields: dict[str, str] = {}
            self.inside, self.choosing, self.area = False, "", ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            a = dict(attrs)
            name, value = a.get("name") or "", a.get("value") or ""
            self.inside = self.inside or (tag == "form" and a.get("id") == "karya")
            if not self.inside:
                return
            if tag == "input" and a.get("type") not in ("file", "checkbox", "radio") and name:
                self.fields[name] = value
            elif tag == "input" and a.get("type") in ("checkbox", "radio") and "checked" in a:
                self.fields[name] = value or "on"
            elif tag == "select":
                self.choosing = name
                self.fields[name] = ""
            elif tag == "option" and self.choosing and "selected" in a:
                self.fields[self.choosing] = value
            elif tag == "textarea":
                self.area = name
                self.fields[name] = ""

        def handle_data(self, data: str) -> None:
            if self.inside and self.area:
                self.fields[self.area] += data

        def handle_endtag(self, tag: str) -> None:
            self.inside = self.inside and tag != "form"
            self.choosing = "" if tag == "select" else self.choosing
            self.area = "" if tag == "textarea" else self.area

    reader = Reader()
    reader.feed(page)
    return reader.fields


@pytest.fixture
def desk(app: Flask, shop: Shop) -> Desk:
    return Desk(app, shop)


@pytest.fixture
def begin(desk: Desk, shop: Shop, db_session: Session) -> Callable[..., int]:
    """Begins a draft by the page and gives its id."""

    def begin(**typed: str) -> int:
        fields = {**desk.form(f"{PKL}/new"), **typed}
        answer = desk.send(f"{PKL}/new", {"do": "save", **fields})
        assert answer.status_code == 303, answer.text
        return int(re.search(r"/listings/(\d+)", answer.location)[1])  # type: ignore[index]

    return begin


def test_a_listing_is_written_without_javascript(
    desk: Desk, shop: Shop, begin: Callable[..., int], db_session: Session, run_jobs: Callable[[], None]
) -> None:
    category = make_category()
    db_session.commit()
    form = desk.form(f"{PKL}/new")
    typed = {
        **form, "title": "Kursi jati", "category": str(category.id), "workshop": form.get("workshop", ""),
        "variants.0.price": "Rp 1.250.000,-", "variants.0.stock": "3", "variants.0.weight": "8.000",
    }  # fmt: skip
    photos = [(io.BytesIO(jpeg()), "kursi.jpg"), (io.BytesIO(b"<svg/>"), "lain.jpg")]
    answer = desk.send(f"{PKL}/new", {**typed, "do": "save", "photos": photos}, content_type="multipart/form-data")
    # One file was no photo: it is named, the other and all that was typed is there.
    assert answer.status_code == 422
    assert "lain.jpg: Berkas ini bukan foto" in answer.text
    assert 'value="Rp 1.250.000,-"' in answer.text
    draft = db_session.execute(select(ListingDraft)).scalar_one()
    assert (draft.content["title"], draft.facility_id) == ("Kursi jati", shop.pekalongan.id)
    # The same form again, as after a lost answer, begins no second one.
    again = desk.send(f"{PKL}/new", {**typed, "do": "save"})
    assert again.status_code == 303
    here = f"{PKL}/{draft.id}"
    assert "Sedang disiapkan" in desk.get(here).text
    run_jobs()
    page = desk.get(f"{here}?check=1").text
    assert "/media/photos/" in page
    assert 'id="f-photos.0.alt-error"' in page
    form = desk.form(here)
    photo = db_session.execute(select(DraftPhoto)).scalar_one()
    workshop = db_session.scalar(select(Product.workshop_id).where(Product.slug == "kursi-teras"))
    form |= {f"photo.{photo.id}.alt": "Kursi jati", "workshop": str(workshop)}
    assert desk.send(here, {**form, "do": "save"}).status_code == 303
    assert "sama dengan nama karya" in desk.get(f"{here}?check=1").text
    form = {**desk.form(here), f"photo.{photo.id}.alt": "Kursi cokelat, sandaran lurus"}
    answer = desk.send(here, {**form, "do": "preview"})
    preview = desk.get(answer.location)
    assert preview.headers["Cache-Control"] == "no-store"
    assert "noindex" in preview.headers["X-Robots-Tag"]
    assert "1.250.000" in preview.text
    assert "Pratinjau: belum dapat dibeli" in preview.text
    assert "/cart" not in re.sub(r'href="[^"]*/cart"', "", preview.text)
    asked = desk.send(here, {**desk.form(here), "do": "ask"})
    assert asked.location == f"{here}/review"
    # Nothing of the preview stays.
    assert db_session.scalar(select(Product.id).where(Product.title == "Kursi jati")) is None
    actions = db_session.scalars(text("SELECT action FROM audit_events WHERE subject_kind = 'listing_draft'")).all()
    assert actions == ["listing_draft.begun"]


def test_what_saves_itself_survives_a_lost_answer_and_tells_of_another_hand(
    app: Flask, shop: Shop, desk: Desk, begin: Callable[..., int], db_session: Session
) -> None:
    here = f"{PKL}/{begin(title='Satu')}"
    other = Desk(app, shop)
    json_please = {"Accept": "application/json"}
    mine, theirs = desk.form(here), other.form(here)
    first = desk.send(here, {**mine, "title": "Dua", "do": "autosave"}, headers=json_please)
    assert first.json["version"] == 2
    assert first.json["address"] == here
    # Its answer was lost: the same page sends on with the version that it knows.
    again = desk.send(here, {**mine, "title": "Dua lagi", "do": "autosave"}, headers=json_please)
    assert (again.status_code, again.json["version"]) == (200, 3)
    theirs |= {"title": "Tiga", "description": "Cerita kami"}
    assert other.send(here, {**theirs, "do": "autosave"}, headers=json_please).status_code == 409
    shown = other.send(here, {**theirs, "do": "save"})
    assert shown.status_code == 409
    assert "Dua lagi" in shown.text
    assert "Tiga" in shown.text
    hidden = dict(re.findall(r'name="(version|mine|base)" value="([^"]*)"', shown.text))
    hidden = {name: html.unescape(value) for name, value in hidden.items()}
    # The story, which only the second wrote, is chosen already; the title is asked.
    assert re.search(r'name="choose.description" value="mine" checked', shown.text)
    assert not re.search(r'name="choose.title" value="\w+"( required)? checked', shown.text)
    unsaid = other.send(f"{here}/merge", {**hidden, "choose.description": "mine"})
    assert unsaid.status_code == 409
    done = other.send(
        f"{here}/merge",
        {**hidden, "choose.description": "mine", "choose.title": "merge", "merge.title": "Dua dan tiga"},
    )
    assert done.status_code == 303
    draft = db_session.execute(select(ListingDraft)).scalar_one()
    assert (draft.content["title"], draft.content["description"]) == ("Dua dan tiga", "Cerita kami")


def test_sizes_and_colours_become_rows_filled_at_once(
    desk: Desk, begin: Callable[..., int], db_session: Session
) -> None:
    here = f"{PKL}/{begin(title='Kemeja', **{'variants.0.price': '150000', 'variants.0.weight': '300'})}"
    form = {**desk.form(here), "options.0": "Ukuran", "values.0": "S, M, m"}
    form |= {"options.1": "Warna", "values.1": "merah, biru"}
    assert desk.send(here, {**form, "do": "combine"}).status_code == 303
    form = desk.form(here)
    rows = [(form[f"variants.{n}.options.0"], form[f"variants.{n}.options.1"]) for n in range(4)]
    assert rows == [("S", "merah"), ("S", "biru"), ("M", "merah"), ("M", "biru")]
    assert {form[f"variants.{n}.price"] for n in range(4)} == {"150000"}
    answer = desk.send(here, {**form, "do": "bulk", "bulk_name": "stock", "bulk_value": "7", "pick": ["1", "2"]})
    assert answer.status_code == 303
    form = desk.form(here)
    assert [form[f"variants.{n}.stock"] for n in range(4)] == ["", "7", "7", ""]
    form |= {"values.0": "S, M, L", "values_en.0": "S, M, L", "values_en.1": "red, blue"}
    desk.send(here, {**form, "do": "combine"})
    form = desk.form(here)
    assert [form[f"variants.{n}.stock"] for n in range(6)] == ["", "7", "7", "", "", ""]
    desk.send(here, {**form, "do": "drop-variant:5"})
    draft = db_session.execute(select(ListingDraft)).scalar_one()
    assert len(draft.content["variants"]) == 5
    assert draft.content["variants"][0]["options_en"] == ["S", "red"]
    refused = desk.send(here, {**desk.form(here), "do": "combine", "values.0": "", "title": "Kemeja biru"})
    assert refused.status_code == 422
    assert 'id="f-options-error"' in refused.text
    db_session.expire_all()
    assert draft.content["title"] == "Kemeja biru"


def test_price_and_stock_of_a_published_product_change_at_once_the_rest_waits(
    desk: Desk, shop: Shop, db_session: Session
) -> None:
    product = shop.batik.product
    make_photo(product)
    db_session.commit()
    answer = desk.send(f"{PKL}/products/{product.id}/edit")
    here = answer.location
    form = desk.form(here)
    assert (form["variants.0.price"], form["variants.0.stock"]) == ("100000", "5")
    typed = {**form, "title": "Kain batik tulis", "variants.0.price": "120.000", "variants.0.stock": "9"}
    desk.send(here, {**typed, "do": "autosave"}, headers={"Accept": "application/json"})
    assert shop.batik.price == 100_000  # only a button brings it to the shop
    typed["version"] = desk.form(here)["version"]
    assert desk.send(here, {**typed, "do": "save"}).status_code == 303
    db_session.expire_all()
    assert (shop.batik.price, product.title) == (120_000, "Kain batik")
    on_hand = "SELECT on_hand FROM stock_levels WHERE variant_id = :id"
    assert db_session.scalar(text(on_hand), {"id": shop.batik.id}) == 9
    # On the shelf it becomes 110,000 meanwhile: an old page does not bring the old one back.
    old = desk.form(here)
    db_session.execute(text("UPDATE variants SET price = 110000 WHERE id = :id"), {"id": shop.batik.id})
    db_session.commit()
    refused = desk.send(here, {**old, "variants.0.price": "130.000", "do": "save"})
    assert refused.status_code == 422
    assert "sudah diubah menjadi 110000" in refused.text
    assert desk.form(here)["variants.0.price"] == "110000"
    wrong = desk.send(here, {**desk.form(here), "variants.0.price": "1,5", "do": "save"})
    assert (wrong.status_code, 'id="f-variants.0.price-error"' in wrong.text) == (422, True)
    db_session.expire_all()
    assert shop.batik.price == 110_000
    trail = db_session.scalars(text("SELECT action FROM audit_events WHERE subject_kind = 'variant' ORDER BY id")).all()
    assert trail == ["variant.offered", "stock.moved"]


def test_a_listing_is_copied_taken_off_archived_and_thrown_away_and_each_is_undone(
    desk: Desk, shop: Shop, db_session: Session
) -> None:
    product = shop.batik.product
    make_photo(product)
    db_session.commit()
    key = re.search(r'name="form_key" value="([^"]+)"', desk.get(PKL).text)[1]  # type: ignore[index]
    for _twice in range(2):
        copied = desk.send(f"{PKL}/products/{product.id}/copy", {"form_key": key})
    copy = db_session.execute(select(ListingDraft)).scalar_one()
    assert copied.location.endswith(f"/{copy.id}")
    assert (copy.content["title"], copy.content["variants"][0]["sku"]) == ("Kain batik (salinan)", "")
    assert [photo.alt for photo in copy.photos] == ["Kursi kayu cokelat"]
    gone = desk.send(f"{PKL}/{copy.id}/discard")
    assert db_session.scalar(select(ListingDraft.id)) is None
    undo = re.search(r'action="([^"]*/discarded/\d+)"', desk.get(gone.location).text)[1]  # type: ignore[index]
    back = [desk.send(undo).location for _twice in range(2)]
    assert back[0] == back[1]
    draft = db_session.execute(select(ListingDraft)).scalar_one()
    assert (draft.content["title"], len(draft.photos)) == ("Kain batik (salinan)", 1)
    back_on = ("bring-back", "published")
    for act, status in (("unpublish", "draft"), back_on, ("archive", "archived"), back_on):
        assert desk.send(f"{PKL}/products/{product.id}/{act}", {"state": "", "q": "batik"}).status_code == 303
        db_session.expire_all()
        assert product.status == status
    assert desk.send(f"{PKL}/products/{product.id}/bring-back").status_code == 409
    for path in (f"{PKL}/products/{shop.honey.product_id}/edit", f"{PKL}/products/{shop.honey.product_id}/archive"):
        assert desk.send(path).status_code == 404
    listed = desk.get(f"{PKL}?q=batik&sort=title").text
    assert "Kain batik (salinan)" in listed
    assert "Tempe" not in listed
    assert "Kain batik (salinan)" not in desk.get(f"{PKL}?state=published").text


def test_what_may_not_go_back_on_sale_opens_its_own_page_with_the_reason(
    desk: Desk, shop: Shop, db_session: Session
) -> None:
    product = shop.batik.product
    make_photo(product)
    db_session.commit()
    here, needs = f"{PKL}/products/{product.id}", "INSERT INTO category_needs VALUES (:id, 'halal')"
    asked = "Kategori ini meminta sertifikat halal"
    for act in ("unpublish", "archive"):
        desk.send(f"{here}/{act}")
        # Meanwhile its category asks for something that it does not have.
        db_session.execute(text(needs), {"id": product.category_id})
        db_session.commit()
        refused = desk.send(f"{here}/bring-back")
        draft = db_session.execute(select(ListingDraft)).scalar_one()
        assert (refused.status_code, refused.location) == (303, f"{PKL}/{draft.id}/review")
        page = html.unescape(desk.get(refused.location).text)
        assert f"Kain batik: Karya ini belum boleh tampil lagi di toko. {asked}" in page
        assert page.count(asked) == 2  # in the message, and on the list below it
        assert f'action="{PKL}/{draft.id}/papers"' in page
        db_session.expire_all()
        assert product.status == "draft"
        db_session.execute(text("DELETE FROM category_needs"))
        db_session.execute(text("UPDATE products SET status = 'published'"))
        db_session.commit()


def test_photos_are_ordered_turned_cut_taken_out_and_back(
    desk: Desk, begin: Callable[..., int], db_session: Session, run_jobs: Callable[[], None]
) -> None:
    here = f"{PKL}/{begin(title='Meja')}"
    for colour in ((200, 30, 30), (30, 200, 30)):
        sent = desk.client.post(
            f"{here}/photos",
            data={"csrf_token": desk.token, "photos": (io.BytesIO(jpeg(colour)), "meja.jpg")},
            content_type="multipart/form-data",
        )
        assert sent.status_code == 200
    again = desk.client.post(
        f"{here}/photos",
        data={"csrf_token": desk.token, "photos": (io.BytesIO(jpeg((200, 30, 30))), "lagi.jpg")},
        content_type="multipart/form-data",
    )
    assert again.text.count("data-shot=") == 2  # the same photo, as after a lost answer
    run_jobs()
    red, green = db_session.scalars(select(DraftPhoto.id).order_by(DraftPhoto.position)).all()

    def do(act: str) -> TestResponse:
        return desk.send(here, {**desk.form(here), "do": act})

    do(f"photo-down:{red}")
    assert db_session.scalars(select(DraftPhoto.id).order_by(DraftPhoto.position)).all() == [green, red]
    do(f"photo-order:{red},{green}")
    do(f"photo-turn:{red}")
    run_jobs()
    photo = db_session.get_one(DraftPhoto, red, populate_existing=True)
    assert (photo.turned, photo.width, photo.height) == (90, 480, 640)
    crop = f"{here}/photos/{red}/crop"
    assert desk.get(crop).status_code == 200
    assert desk.get(f"{here}/photos/{red}/original").mimetype == "image/jpeg"
    assert desk.send(crop, {"shape": "square", "side": "start"}).status_code == 303
    run_jobs()
    photo = db_session.get_one(DraftPhoto, red, populate_existing=True)
    assert (photo.crop, photo.width, photo.height) == ([0, 0, 1000, 750], 480, 480)
    edges = {"left": "0", "top": "0", "right": "1000", "bottom": "1000"}
    for wrong in ({**edges, "left": "1000"}, {"left": "x"}, {**edges, "right": "20", "bottom": "20"}):
        refused = desk.send(crop, wrong)
        assert (refused.status_code, 'id="f-crop-error"' in refused.text) == (422, True)
    dropped = do(f"photo-drop:{red}")
    assert f'value="photo-back:{red}"' in desk.get(dropped.location).text
    assert [p.id for p in db_session.execute(select(ListingDraft)).scalar_one().photos] == [green]
    do(f"photo-back:{red}")
    db_session.expire_all()
    assert [p.id for p in db_session.execute(select(ListingDraft)).scalar_one().photos] == [green, red]


def test_what_is_far_too_large_is_refused_by_its_length(
    desk: Desk, begin: Callable[..., int], db_session: Session
) -> None:
    here = f"{PKL}/{begin(title='Meja')}"

    class Endless(io.RawIOBase):
        def readinto(self, buffer: Any) -> int:
            raise AssertionError("read")

    kind = "multipart/form-data; boundary=x"
    sent = {"wsgi.input": Endless(), "CONTENT_LENGTH": str(200 * 1024 * 1024), "HTTP_X_CSRFTOKEN": desk.token}
    answer = desk.client.post(f"{here}/photos", content_type=kind, environ_overrides=sent)
    assert answer.status_code == 413
    assert "tulisan Anda masih ada" in answer.text
    big = io.BytesIO(jpeg() + b"\0" * (25 * 1024 * 1024))
    data = {"csrf_token": desk.token, "photos": (big, "besar.jpg")}
    answer = desk.client.post(f"{here}/photos", data=data, content_type="multipart/form-data")
    assert (answer.status_code, "lebih besar dari 24 MB" in answer.text) == (422, True)
    assert db_session.execute(select(ListingDraft)).scalar_one().content["title"] == "Meja"


def test_a_head_reads_and_a_waiting_draft_is_not_written_on(
    app: Flask, shop: Shop, desk: Desk, begin: Callable[..., int], db_session: Session
) -> None:
    here = f"{PKL}/{begin(title='Meja')}"
    head = Desk(app, shop, "head")
    assert 'class="write__all" disabled' in head.get(here).text
    assert head.send(here, {"title": "Lain"}).status_code == 403
    who = make_account("coordinator", facilities=(shop.pekalongan,)).id
    db_session.execute(
        text("UPDATE listing_drafts SET state = 'in_review', submitted_at = now(), submitted_by = :who"), {"who": who}
    )
    db_session.commit()
    form = desk.form(here)
    assert desk.send(here, {**form, "title": "Lain", "do": "save"}).status_code == 409
    assert db_session.execute(select(ListingDraft)).scalar_one().content["title"] == "Meja"


def test_the_list_asks_a_fixed_number_of_questions(
    desk: Desk, begin: Callable[..., int], statements: Callable[[], list[str]]
) -> None:
    begin(title="Satu")
    statements()
    desk.get(PKL)
    few = len(statements())
    for n in range(4):
        begin(title=f"Karya {n}")
    statements()
    desk.get(PKL)
    assert len(statements()) == few
