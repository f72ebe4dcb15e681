"""A stock-take through its pages: begun, counted, shown to two people, finished, on paper and in files."""

from __future__ import annotations

import csv
import datetime
import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from storefront.facilities.models import Facility
from storefront.stock.models import StockCount, StockLevel, StockMovement
from tests.factories import make_order, make_paid_order
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in

TAKES = "/seller/PKL/stock-takes"
ONE = f"{TAKES}/1"
KEY = "kunci-dari-formulir-"


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    return open_shop()


def person(app: Flask, name: str, facility: Facility, role: str = "coordinator") -> FlaskClient:
    return sign_in(app.test_client(), make_account(role, name=name, facilities=(facility,)))


@pytest.fixture
def wayan(app: Flask, shop: Shop) -> FlaskClient:
    """A coordinator who has begun a stock-take of the whole store: row 1 is batik (5 pieces), row 2 tempeh (9)."""
    client = person(app, "Wayan", shop.pekalongan)
    assert post(client, TAKES, {"once": KEY + "0"}).headers["Location"] == ONE
    return client


def save(client: FlaskClient, counted: dict[str, str], **more: str) -> tuple[int, str]:
    answer = post(
        client, ONE, {"once": KEY + "1", **{f"c-{row}": text for row, text in counted.items()}, **more}
    )
    return answer.status_code, answer.text


def on_hand(session: DbSession, shop: Shop) -> list[int]:
    session.expire_all()
    ids = (shop.batik.id, shop.tempeh.id)
    return [
        session.scalars(select(StockLevel.on_hand).where(StockLevel.variant_id == id_)).one() for id_ in ids
    ]


def test_counted_on_a_list_and_finished(wayan: FlaskClient, shop: Shop, db_session: DbSession) -> None:
    page = wayan.get(ONE).text
    assert (page.index("PKL-BATIK") < page.index("PKL-TEMPE"), "PKL-KURSI" in page) == (True, False)
    assert (
        save(wayan, {"1": "4", "2": "sembilan"})[0] == 422
    )  # the good row is saved, the other said beside it
    assert save(wayan, {"1": "4", "2": ""}, **{"was-1": "4"})[0] == 303
    page = wayan.get(ONE).text
    assert 'name="c-1" value="4"' in page
    assert "1 dari 2" in page
    make_paid_order((shop.batik, 2))
    db_session.commit()
    told = wayan.get(f"{ONE}/differences").text
    assert "1 baris belum dihitung" in told
    assert "−Rp\u00a0100.000" in told
    assert "akan menjadi 2" in told
    assert post(wayan, f"{ONE}/finish").status_code == 303
    assert post(wayan, f"{ONE}/finish").status_code == 303  # an impatient thumb
    assert on_hand(db_session, shop) == [2, 9]
    assert "Hitung stok nomor 1, baris 1" in wayan.get("/seller/PKL/stock/PKL-BATIK").text
    assert save(wayan, {"2": "3"})[0] == 409
    assert "Selesai" in wayan.get(f"{TAKES}?state=finished").text


def test_what_is_written_wrong_is_kept(wayan: FlaskClient, db_session: DbSession) -> None:
    for wrong in ("-1", "1,5", "banyak", "1000000", "1e3"):
        status, text = save(wayan, {"2": wrong})
        assert status == 422
        assert f'value="{wrong}"' in text
        assert "Tulis dengan angka bulat" in text
    assert save(wayan, {"2": "1"}, once="kurang")[0] == 422
    assert save(wayan, {"9": "1"})[0] == 404
    assert db_session.scalars(select(StockCount.id)).all() == []


def test_one_piece_after_another(wayan: FlaskClient, shop: Shop) -> None:
    row = f"{ONE}/rows/1"
    page = wayan.get(row).text
    assert "Kain batik" in page
    assert re.search(r"\b5\b", page[page.index("<main") :]) is None  # blind
    assert post(wayan, row, {"once": KEY + "1", "c-1": ""}).status_code == 422
    assert post(wayan, row, {"once": KEY + "1", "c-1": "5"}).headers["Location"] == f"{ONE}/rows/2"
    assert post(wayan, f"{ONE}/rows/2", {"once": KEY + "2", "c-2": "0"}).headers["Location"] == ONE
    assert "Semua baris sudah dihitung" in wayan.get(ONE).text
    assert wayan.get(f"{ONE}/rows/3").status_code == 404


def test_a_script_saves_single_rows_and_says_when_they_were_counted(
    wayan: FlaskClient, app: Flask, shop: Shop, db_session: DbSession
) -> None:
    made = person(app, "Made", shop.pekalongan)

    def sent(client: FlaskClient, **form: str) -> dict[str, object]:
        answer = post(client, ONE, {"once": KEY + "1", **form}, headers={"Accept": "application/json"})
        assert answer.is_json, answer.text
        return {**(answer.json or {}), "status": answer.status_code}

    told = sent(wayan, **{"c-1": "4"})
    assert (told["status"], told["rows"], told["progress"]) == (
        200, {"1": {"counted": 4, "own": 4, "note": ""}}, "1 dari 2 baris sudah dihitung",
    )  # fmt: skip
    told = sent(made, **{"c-1": "3", "age-1": "3600"})  # the line was away for an hour
    assert "Wayan menghitung 4" in told["rows"]["1"]["note"]  # type: ignore[index]
    first, second = db_session.scalars(select(StockCount).order_by(StockCount.id)).all()
    assert first.counted_at > second.counted_at  # not before the list was begun
    assert sent(made, **{"c-2": "x"})["errors"] == {
        "c-2": "Tulis dengan angka bulat, misalnya 12; 0 bila tidak ada."
    }
    for client, other in ((wayan, "Made menghitung 3"), (made, "Wayan menghitung 4")):
        assert other in client.get(ONE).text
    page = wayan.get(f"{ONE}/rows/1").text
    assert "Pakai 4" in page
    chosen = re.search(r'name="count" value="(\d+)"', page)
    assert chosen
    assert post(made, f"{ONE}/rows/1/choose", {"once": KEY + "9", "count": chosen[1]}).status_code == 303
    assert "Wayan menghitung" not in made.get(ONE).text
    assert post(made, f"{ONE}/rows/1/choose", {"once": KEY + "9", "count": "987654"}).status_code == 404


def test_a_sheet_is_typed_in_at_the_hour_on_it(wayan: FlaskClient, db_session: DbSession) -> None:
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=7)
    late = (now + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    for wrong in (late, "2020-01-01T08:00", "kemarin"):
        status, text = save(wayan, {"1": "5"}, counted_at=wrong)
        assert (status, 'value="5"' in text) == (422, False) or (status, wrong in text) == (422, True)
    assert db_session.scalars(select(StockCount.id)).all() == []


def test_the_sheet_is_blind_and_names_no_buyer(wayan: FlaskClient, shop: Shop, db_session: DbSession) -> None:
    order = make_paid_order((shop.batik, 2))
    number = order.number
    db_session.commit()
    page = wayan.get(f"{ONE}/sheet").text
    paper = page[page.index("<main") :]
    assert "jangan hitung 2" in paper
    assert "Menurut catatan" not in paper
    assert number not in paper
    assert "Sari" not in paper
    assert "Menurut catatan" in wayan.get(f"{ONE}/sheet?expected=1").text
    pdf = wayan.get(f"{ONE}/sheet.pdf?expected=1")
    assert (pdf.mimetype, pdf.data[:5]) == ("application/pdf", b"%PDF-")


def test_a_row_below_what_is_held_stays_open(wayan: FlaskClient, shop: Shop, db_session: DbSession) -> None:
    make_order((shop.batik, 4))
    db_session.commit()
    save(wayan, {"1": "2", "2": "8"})
    answer = post(wayan, f"{ONE}/finish")
    assert answer.headers["Location"].endswith("?show=open")
    assert "sedang dipegang pesanan" in wayan.get(answer.headers["Location"]).text
    assert on_hand(db_session, shop) == [5, 8]
    assert post(wayan, f"{ONE}/call-off").status_code == 303
    assert "Sebagian hasilnya sudah dicatat" in wayan.get(ONE).text
    post(wayan, f"{ONE}/finish", {"leave": "1"})
    assert "Selesai" in wayan.get(ONE).text
    assert on_hand(db_session, shop) == [5, 8]


def test_the_differences_as_files(wayan: FlaskClient, shop: Shop) -> None:
    save(wayan, {"1": "4"})
    told = wayan.get(f"{ONE}/differences/file?format=csv")
    rows = list(csv.DictReader(io.StringIO(told.data.decode("utf-8-sig"))))
    assert [
        (row["position"], row["sku"], row["difference"], row["value_at_price"], row["state"]) for row in rows
    ] == [
        ("1", "PKL-BATIK", "-1", "-100000", "counted"),
        ("2", "PKL-TEMPE", "", "", "not_counted"),
    ]
    book = CalamineWorkbook.from_filelike(io.BytesIO(wayan.get(f"{ONE}/differences/file?format=xlsx").data))
    assert book.get_sheet_by_index(0).to_python()[1][:2] == [1, "PKL-BATIK"]
    assert wayan.get(f"{ONE}/differences/file?format=pdf").status_code == 422


def test_a_head_reads_and_another_facility_sees_nothing(wayan: FlaskClient, app: Flask, shop: Shop) -> None:
    head, other = person(app, "Kepala", shop.pekalongan, "head"), person(app, "Ambon", shop.ambon)
    for path in ("", "/rows/1", "/sheet", "/differences"):
        assert head.get(f"{ONE}{path}").status_code == 200
        assert other.get(f"{ONE}{path}").status_code == 404
        assert other.get(f"/seller/NML/stock-takes/1{path}").status_code == 404
    assert post(head, ONE, {"c-1": "1", "once": KEY + "1"}).status_code == 403
    assert post(head, f"{ONE}/finish").status_code == 403
    assert post(other, "/seller/NML/stock-takes/1/finish").status_code == 404


def test_one_is_called_off_and_taken_up(wayan: FlaskClient, shop: Shop, db_session: DbSession) -> None:
    save(wayan, {"1": "1"})
    post(wayan, f"{ONE}/call-off")
    assert "Dibatalkan" in wayan.get(ONE).text
    assert post(wayan, TAKES, {"once": KEY + "5"}).headers["Location"] == f"{TAKES}/2"
    again = post(wayan, TAKES, {"once": KEY + "6"})
    assert (again.status_code, "nomor 2" in again.text) == (409, True)
    post(wayan, f"{ONE}/take-up")
    assert "belum selesai" in wayan.get(ONE).text
    assert on_hand(db_session, shop) == [5, 9]


def test_what_was_made_today_is_written_at_once_and_undone_at_once(
    wayan: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    form = {
        "reason": "made",
        "note": "sif pagi",
        "once": KEY + "m",
        "n-PKL-BATIK": "3",
        "n-PKL-TEMPE": "1.000",
    }
    assert post(wayan, "/seller/PKL/made", {**form, "n-PKL-BATIK": "tiga"}).status_code == 422
    assert 'value="1.000"' in post(wayan, "/seller/PKL/made", {**form, "n-PKL-BATIK": "tiga"}).text
    for _twice in range(2):
        assert post(wayan, "/seller/PKL/made", form).status_code == 303
    assert on_hand(db_session, shop) == [8, 1009]
    page = wayan.get(f"/seller/PKL/made?done={KEY}m").text
    assert "+1.003" in page
    assert post(wayan, "/seller/PKL/made/undo", {"done": KEY + "m"}).status_code == 303
    assert post(wayan, "/seller/PKL/made/undo", {"done": KEY + "m"}).status_code == 303
    assert on_hand(db_session, shop) == [5, 9]
    told = wayan.get("/seller/PKL/stock/PKL-BATIK").text
    assert "Pembatalan: Baru dibuat" in told
    gone = {"reason": "damaged", "once": KEY + "d", "n-PKL-TEMPE": "1", "n-PKL-BATIK": "6"}
    refused = post(wayan, "/seller/PKL/made", gone)
    assert (refused.status_code, "Stok yang bebas hanya 5" in refused.text) == (409, True)
    assert on_hand(db_session, shop) == [5, 9]  # all or nothing
    assert (
        post(wayan, "/seller/PKL/made", {"reason": "made", "once": KEY + "e", "n-NML-MADU": "3"}).status_code
        == 422
    )


def test_several_rows_of_the_list_are_changed_and_its_filters_kept(
    wayan: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    bulk = "/seller/PKL/products/bulk"
    kept = {"stock": "ready", "sort": "-price"}
    form = {
        "once": KEY + "b",
        "act": "made",
        "number": "2",
        "sku": ["PKL-BATIK", "PKL-TEMPE", "NML-MADU"],
        **kept,
    }
    answer = post(wayan, bulk, form)
    assert answer.headers["Location"] == f"/seller/PKL/products?stock=ready&sort=-price&done={KEY}b"
    assert "Batalkan semuanya" in wayan.get(answer.headers["Location"]).text
    assert on_hand(db_session, shop) == [7, 11]
    mark = {"once": KEY + "c", "act": "mark", "number": "8", "sku": "PKL-BATIK"}
    assert post(wayan, bulk, mark).status_code == 303
    listed = set(
        re.findall(r'/seller/PKL/stock/([A-Z-]+)"', wayan.get("/seller/PKL/products?stock=few_left").text)
    )
    assert listed == {"PKL-BATIK"}
    assert "PKL-BATIK" in wayan.get("/seller/PKL/").text  # running out
    assert post(wayan, bulk, {**mark, "sku": [], "all": "1", "number": "0"}).status_code == 303
    assert "PKL-BATIK" not in wayan.get("/seller/PKL/products?stock=few_left").text
    for wrong in ({"sku": []}, {"number": "x"}, {"act": ""}, {"number": "0"}):
        refused = post(wayan, bulk, {**form, **wrong, "once": KEY + "w"})
        assert refused.status_code == 422
        assert 'value="ready" selected' in refused.text
    answer = post(wayan, "/seller/PKL/stock/PKL-BATIK/mark", {"mark": "12"})
    assert answer.status_code == 303
    assert post(wayan, "/seller/PKL/stock/PKL-BATIK/mark", {"mark": "-3"}).status_code == 422


def test_the_shelf_is_sorted_and_filtered_by_workshop_and_category(wayan: FlaskClient, shop: Shop) -> None:
    def listed(query: str) -> list[str]:
        page = wayan.get(f"/seller/PKL/products?{query}").text
        return re.findall(r'/seller/PKL/stock/([A-Z-]+)(?:\?[^"]*)?">', page)

    assert listed("sort=price") == ["PKL-TEMPE", "PKL-BATIK", "PKL-KURSI"]
    assert listed("sort=-available")[0] == "PKL-TEMPE"
    kitchen = next(w.id for w in shop.pekalongan.workshops if w.name == "Dapur")
    assert listed(f"workshop={kitchen}") == ["PKL-TEMPE"]
    assert len(listed("category=1")) in (0, 3)
    assert listed("category=987654") == []
    assert len(listed("workshop=x&sort=nothing&page=0")) == 3


def test_the_history_is_filtered_and_leads_to_the_order(
    wayan: FlaskClient, shop: Shop, db_session: DbSession
) -> None:
    order = make_paid_order((shop.batik, 2))
    number = order.number
    db_session.commit()
    batik = "/seller/PKL/stock/PKL-BATIK"
    page = wayan.get(f"{batik}?reason=sold").text
    assert f"Pesanan {number}" in page
    assert re.search(r'href="/seller/PKL/parcels/\d+"', page)
    form = {"reason": "damaged", "quantity": "1", "once": KEY + "h"}
    post(wayan, batik, form)
    who = re.search(r'<option value="(\d+)">Wayan', wayan.get(batik).text)
    assert who
    rows = {query: wayan.get(f"{batik}?{query}").text.count("<th scope=\"row\">") for query in (
        "", f"person={who[1]}", "person=0", "reason=made", "from=2999-01-01", "to=2999-01-01", "place=store", "place=x",
    )}  # fmt: skip
    assert rows == {
        "": 3, f"person={who[1]}": 1, "person=0": 2, "reason=made": 1, "from=2999-01-01": 0, "to=2999-01-01": 3,
        "place=store": 3, "place=x": 0,
    }  # fmt: skip
    moved = db_session.scalars(select(StockMovement.id).where(StockMovement.reason == "damaged")).one()
    back = post(wayan, f"{batik}/undo?person={who[1]}", {"movement": str(moved)})
    assert back.headers["Location"] == f"{batik}?person={who[1]}#gerak"
    assert on_hand(db_session, shop)[0] == 3
    assert post(wayan, "/seller/PKL/stock/PKL-TEMPE/undo", {"movement": str(moved)}).status_code == 404
