"""A spreadsheet of listings from upload to end, as a coordinator sees it."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from storefront.catalogue.models import Variant
from storefront.listing_files.models import ListingImport
from storefront.listings.models import ListingDraft
from storefront.stock.models import StockLevel
from tests.listing_files import csv_of, new_rows
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in

IMPORT = "/seller/PKL/import"


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def coordinator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(
        app.test_client(), make_account("coordinator", name="Wayan", facilities=(shop.pekalongan,))
    )


def send(client: FlaskClient, content: bytes, name: str = "karya.csv", **more: Any) -> TestResponse:
    data = {"form_key": secrets.token_urlsafe(18), "file": (io.BytesIO(content), name), **more}
    return post(client, IMPORT, data, content_type="multipart/form-data")


def place(answer: TestResponse) -> str:
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_a_file_is_shown_first_then_stored_then_taken_back(
    coordinator: FlaskClient, shop: Shop, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    rows = [
        {"SKU": "PKL-BATIK", "Harga": "Rp 1.250.000,-", "Stok": "9"},
        *new_rows(60),
        {"SKU": "NML-MADU", "Harga": "1"},
    ]
    address = place(send(coordinator, csv_of(rows)))
    assert "sedang dibaca" in coordinator.get(address).text
    assert 'hx-trigger="every 1s"' in coordinator.get(f"{address}/progress").text
    run_jobs()
    assert coordinator.get(f"{address}/progress").headers["HX-Refresh"] == "true"
    seen = coordinator.get(address).text
    assert re.search(r"<del>100000</del>.*1250000", seen)
    assert "langsung" in seen
    assert "page=2" in seen
    faulty = coordinator.get(f"{address}?show=fault").text
    assert "NML-MADU tidak ada di karya UPT ini" in faulty
    assert "Taplak nomor" not in faulty
    assert post(coordinator, f"{address}/run", {"on_fault": "whatever"}).status_code == 409
    for _twice in range(2):
        assert post(coordinator, f"{address}/run", {"on_fault": "skip"}).status_code == 303
    run_jobs()
    done = coordinator.get(address).text
    assert "Selesai" in done
    assert db_session.scalar(select(func.count()).select_from(ListingDraft)) == 60
    errors = coordinator.get(f"{address}/errors")
    assert errors.headers["Content-Disposition"].endswith('.csv"')
    assert len(errors.text.splitlines()) == 2
    assert len(coordinator.get(f"{address}/errors?all=1").text.splitlines()) == 63
    assert "karya.csv" in coordinator.get(IMPORT).text
    assert coordinator.get(f"{address}/file").data == csv_of(rows)

    assert post(coordinator, f"{address}/undo").status_code == 303
    run_jobs()
    variant = db_session.get_one(Variant, shop.batik.id, populate_existing=True)
    assert variant.price == 100_000
    assert (
        db_session.scalars(select(StockLevel.on_hand).where(StockLevel.variant_id == variant.id)).one() == 5
    )
    assert "dikembalikan pada" in coordinator.get(address).text


def test_what_changed_since_is_not_taken_back(
    coordinator: FlaskClient, shop: Shop, db_session: Session, run_jobs: Callable[[], None]
) -> None:
    address = place(send(coordinator, csv_of([{"SKU": "PKL-BATIK", "Harga": "90000", "Stok": "9"}])))
    run_jobs()
    post(coordinator, f"{address}/run", {"on_fault": "skip"})
    run_jobs()
    assert post(coordinator, "/seller/PKL/stock/PKL-BATIK/offer", {"price": "91000"}).status_code == 303
    post(coordinator, f"{address}/undo")
    run_jobs()
    variant = db_session.get_one(Variant, shop.batik.id, populate_existing=True)
    assert variant.price == 91_000
    assert (
        db_session.scalars(select(StockLevel.on_hand).where(StockLevel.variant_id == variant.id)).one() == 5
    )


def test_a_form_without_a_file_or_with_another_kind_is_told_beside_its_field(
    coordinator: FlaskClient, shop: Shop, db_session: Session
) -> None:
    for content, name, said in (
        (b"", "", "Pilih berkas daftar karyanya dulu."),
        (b"%PDF-1.7", "karya.xlsx", "bukan XLSX, ODS, atau CSV"),
        (b"x" * (12 * 1024 * 1024 + 1), "karya.csv", "lebih besar dari 12 MB"),
    ):
        answer = send(coordinator, content, name)
        assert answer.status_code == 422
        assert re.search(rf'id="f-file-error">.*{said}', answer.text), said
    answer = send(coordinator, csv_of(new_rows(1)), photos=(io.BytesIO(b"no zip"), "foto.zip"))
    assert answer.status_code == 422
    assert 'id="f-photos-error"' in answer.text
    assert db_session.scalar(select(func.count()).select_from(ListingImport)) == 0
    key = secrets.token_urlsafe(18)
    twice = [place(send(coordinator, csv_of(new_rows(1)), form_key=key)) for _ in range(2)]
    assert twice[0] == twice[1]


def test_another_facility_sees_nothing_and_a_head_changes_nothing(
    app: Flask, coordinator: FlaskClient, shop: Shop, run_jobs: Callable[[], None]
) -> None:
    address = place(send(coordinator, csv_of(new_rows(1))))
    run_jobs()
    other = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.ambon,)))
    head = sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))
    number = address.rsplit("/", 1)[1]
    for path in ("", "/progress", "/errors", "/file"):
        assert other.get(f"/seller/NML/import/{number}{path}").status_code == 404
    for step in ("run", "stop", "undo", "discard", "photos"):
        assert post(other, f"/seller/NML/import/{number}/{step}", {"on_fault": "skip"}).status_code == 404
        assert post(head, f"{address}/{step}", {"on_fault": "skip"}).status_code == 403
        assert head.get(f"{address}/{step}").status_code == 302
    page = head.get(address).text
    assert "Jalankan</button>" not in page
    assert "Unggah dan periksa" not in head.get(IMPORT).text


def test_files_to_take_away(coordinator: FlaskClient, shop: Shop) -> None:
    for format in ("xlsx", "ods", "csv"):
        for path in ("/seller/PKL/import/template", "/seller/PKL/export/listings"):
            answer = coordinator.get(f"{path}?format={format}")
            assert answer.status_code == 200
            assert answer.headers["Content-Disposition"].endswith(f'.{format}"')
    comma = coordinator.get("/seller/PKL/export/listings?format=csv&delimiter=,").data.decode("utf-8-sig")
    assert comma.startswith("Kode karya,SKU,Nama karya,")
    assert "kain-batik,PKL-BATIK,Kain batik," in comma
    assert "NML-MADU" not in comma
    assert coordinator.get("/seller/PKL/import/template?format=exe").status_code == 422
