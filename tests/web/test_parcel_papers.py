"""What is printed and exported: a buyer stands on the address label alone, and every label that is printed is kept."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from werkzeug.test import TestResponse

from storefront.audit.models import AuditEvent
from storefront.exports import certificates, papers
from storefront.exports.certificate_pdf import certificate_pdf
from storefront.exports.certificates import Wish
from storefront.exports.receipt_pdf import receipt_pdf
from storefront.extensions import db
from storefront.orders import labels
from storefront.orders.label_models import LabelBatch, LabelPrint
from storefront.orders.models import Order, Parcel
from storefront.orders.parcel_sheet import parcel_sheet
from storefront.orders.place import Address, Contact, Notes
from storefront.orders.views import order_view
from tests.after_sale import key_in, make_problem
from tests.factories import make_paid_order, make_person
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in
from tests.threads import at_once

#: A name, a telephone, an address, and what the buyer wrote.
BUYER = (
    "Murniati", "8123456789", "Jl. Melati 1", "Pekalongan Barat", "51111", "rahasia@example.test",
    "Selamat ulang tahun", "Titip di satpam",
)  # fmt: skip


#: Arabic, a picture, a Chinese letter, Spanish ones, and a whole sentence in one letter.
LETTERS = "محمد 😀 王 Ñandú ﷺ"


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    return open_shop()


@pytest.fixture
def order(shop: Shop, db_session: DbSession) -> Order:
    contact = Contact("Murniati 山田 😀", "rahasia@example.test", "+628123456789")
    notes = Notes(gift_note="Selamat ulang tahun\n#eval(1) *", note="Titip di satpam")
    order = make_paid_order((shop.batik, 2), (shop.tempeh, 1), (shop.honey, 1), contact=contact, notes=notes)
    db_session.commit()
    return order


@pytest.fixture
def coordinator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(shop.pekalongan,)))


@pytest.fixture
def set_with(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All that was given to Typst: a paper says nothing else."""
    given: list[str] = []
    real = subprocess.run

    def noted(command: Any, **options: Any) -> Any:
        if "typeset.py" in str(command):
            given.append(options["input"].decode())
        return real(command, **options)

    monkeypatch.setattr("storefront.exports.typeset.subprocess.run", noted)
    return given


def own(order: Order, shop: Shop) -> Parcel:
    query = select(Parcel).where(Parcel.order_id == order.id, Parcel.facility_id == shop.pekalongan.id)
    return db.session.scalars(query).one()


def text_of(answer: TestResponse, set_with: list[str]) -> str:
    """All that an answer says: a page, a table, or a paper by the data that it was set with."""
    if answer.mimetype == "application/pdf":
        assert answer.data.startswith(b"%PDF")
        return set_with.pop()
    if answer.data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.data)) as file:
            return "".join(file.read(name).decode(errors="replace") for name in file.namelist())
    # What a sheet of paper shows of a page: sections for the screen alone are left out.
    return re.sub(r'<section class="[^"]*no-print.*?</section>', "", answer.text, flags=re.S)


def test_no_paper_and_no_file_of_a_facility_names_a_buyer_but_the_label(
    app: Flask, coordinator: FlaskClient, shop: Shop, order: Order, set_with: list[str], db_session: DbSession
) -> None:
    parcel = own(order, shop)
    problem, line = make_problem(parcel), order.lines[0]
    batch = labels.make_batch(shop.pekalongan.id, [parcel.id], "a6", make_person().id, "k" * 16)
    made = {
        "code": "PKL", "parcel_id": parcel.id, "sku": "PKL-BATIK", "problem_id": problem.id, "labels_id": batch.id,
        "period": f"{order.paid_at:%Y-%m}", "month": f"{order.paid_at:%Y-%m}", "fund": "premium",
        "workshop_id": line.workshop_id, "form": "pdf", "format": "xlsx", "rule_id": line.split_rule_id,
    }  # fmt: skip
    day = f"{order.paid_at:%Y-%m-%d}"
    db_session.commit()  # an export waits for open transactions
    seen: dict[str, str] = {}
    for route in app.url_map.iter_rules():
        if not route.endpoint.startswith("seller.") or "GET" not in (route.methods or ()):
            continue
        values = {name: made.get(name, 987_654_321) for name in route.arguments}
        for name, converter in route._converters.items():
            if type(converter).__name__ == "AnyConverter":
                values[name] = sorted(converter.items)[0]
        with app.test_request_context():
            address = app.url_map.bind("localhost").build(route.endpoint, values, method="GET")
        queries = [f"?format={form}&from={day}&to={day}" for form in ("csv", "xlsx")]
        for query in queries if route.endpoint == "seller.export" else [""]:
            answer = coordinator.get(address + query)
            if answer.status_code != 200:
                continue
            seen[route.endpoint] = answer.mimetype
            said = text_of(answer, set_with)
            assert [word for word in BUYER if word in said] == [], route.endpoint
    files = {endpoint for endpoint, kind in seen.items() if kind != "text/html"}
    assert {"seller.slips_pdf", "seller.slip_pdf", "seller.pick_list_pdf", "seller.export"} <= files
    assert {"seller.parcel", "seller.parcels", "seller.pick_list", "seller.label_batch", "seller.slip"} <= set(seen)


def test_slips_of_the_filter_are_one_paper_with_order_parcel_and_pieces(
    coordinator: FlaskClient, shop: Shop, order: Order, set_with: list[str]
) -> None:
    second = make_paid_order((shop.batik, 1))
    db.session.commit()
    for paper in ("a6", "80", "58"):
        answer = coordinator.get(f"/seller/PKL/slips.pdf?state=to_pack&sort=oldest&paper={paper}")
        assert answer.status_code == 200, paper
        said = text_of(answer, set_with)
        assert said.index(f"{order.number}/1") < said.index(f"{second.number}/1")
        assert "PKL-BATIK" in said
        assert "Madu" not in said
    picks = text_of(coordinator.get("/seller/PKL/pick-list.pdf"), set_with)
    assert f"{order.number}/1 ×2, {second.number}/1" in picks
    assert coordinator.get("/seller/PKL/slips.pdf?state=received").status_code == 302
    assert "/p/" not in picks


def test_the_code_on_a_slip_leads_staff_to_the_parcel_and_nobody_else(
    app: Flask, coordinator: FlaskClient, shop: Shop, order: Order, set_with: list[str]
) -> None:
    parcel = own(order, shop)
    said = text_of(coordinator.get(f"/seller/PKL/parcels/{parcel.id}/slip.pdf?size=58"), set_with)
    code = re.search(r'"code": "([0-9A-Z]{8})"', said)
    assert code
    assert coordinator.get(f"/p/{code[1]}").headers["Location"].endswith(f"/seller/PKL/parcels/{parcel.id}")
    assert app.test_client().get(f"/p/{code[1]}").status_code == 404
    stranger = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.ambon,)))
    assert stranger.get(f"/p/{code[1]}").status_code == 404
    again = text_of(coordinator.get(f"/seller/PKL/parcels/{parcel.id}/slip.pdf"), set_with)
    assert code[0] in again


def test_every_paper_comes_out_whatever_letters_there_are(
    app: Flask, coordinator: FlaskClient, shop: Shop, set_with: list[str], db_session: DbSession
) -> None:
    shop.pekalongan.name, shop.batik.product.title = f"Lapas {LETTERS}", f"Kain {LETTERS}"
    db_session.flush()
    order = make_paid_order(
        (shop.batik, 1),
        contact=Contact(LETTERS, "sari@example.test", "+628123456789"),
        address=Address(LETTERS, LETTERS, LETTERS, "Jawa Tengah", "51111"),
        notes=Notes(gift_note=f"{LETTERS}\n{LETTERS}", note=LETTERS),
    )
    db_session.commit()
    wish = Wish(order.paid_at.date(), order.paid_at.date(), order.number)
    certificate = certificates.issue(shop.pekalongan, wish, person_id=make_person().id, request_key="c" * 20)
    with app.test_request_context():
        sheet = parcel_sheet(shop.pekalongan.id, own(order, shop).id, with_buyer=True)
        assert sheet is not None
        made = [papers.labels_pdf(shop.pekalongan, [sheet], size) for size in papers.SIZES]
        made += [receipt_pdf(order_view(order, locale="id")), certificate_pdf(certificate)]
    assert all('"by_hand": true' in paper for paper in set_with[:3])
    day = f"{order.paid_at:%Y-%m}"
    db_session.commit()  # what is printed now waits for open transactions
    for path in [*(f"slips.pdf?paper={size}" for size in papers.SIZES), "pick-list.pdf", f"statements/{day}.pdf"]:
        made.append(coordinator.get(f"/seller/PKL/{path}").data)
    assert [pdf[:5] for pdf in made] == [b"%PDF-"] * 10
    # What there is a font for is said as written, another way of writing as the letters it stands for.
    assert len(set_with) == 10
    assert [paper for paper in set_with if "محمد ? ? Ñandú صلى الله عليه وسلم" not in paper] == []


def batch_of(client: FlaskClient, *parcels: Parcel, **fields: Any) -> TestResponse:
    form = {"request_key": key_in(client.get("/seller/PKL/parcels").text), "label_size": "80"}
    return post(client, "/seller/PKL/labels", {**form, "parcel": [parcel.id for parcel in parcels], **fields})


def test_labels_are_printed_one_batch_at_a_time_and_each_print_is_kept(
    app: Flask, coordinator: FlaskClient, shop: Shop, order: Order, set_with: list[str], db_session: DbSession
) -> None:
    parcel = own(order, shop)
    second = own(make_paid_order((shop.batik, 1)), shop)
    db_session.commit()
    place = batch_of(coordinator, parcel).headers["Location"]
    assert batch_of(coordinator, second).headers["Location"] == place  # the first one waits
    page = coordinator.get(place).text
    assert [word for word in BUYER if word in page] == []
    key = key_in(page)
    first = post(coordinator, f"{place}/print", {"request_key": key})
    assert first.mimetype == "application/pdf"
    said = set_with.pop()
    assert [word for word in BUYER if word not in said and "@" not in word] == []
    assert "rahasia@" not in said
    assert "Murniati ?? ?" in said  # what the font does not have is completed by pen
    assert '"by_hand": true' in said
    # A retry on a bad line is one print; once more needs a reason.
    assert post(coordinator, f"{place}/print", {"request_key": key}).mimetype == "application/pdf"
    refused = post(coordinator, f"{place}/print", {"request_key": key_in(coordinator.get(place).text)})
    assert refused.status_code == 422
    assert 'id="f-reason-error"' in refused.text
    form = {"request_key": key_in(coordinator.get(place).text), "reason": "jammed"}
    assert post(coordinator, f"{place}/print", form).mimetype == "application/pdf"
    assert [row.reason for row in db_session.scalars(select(LabelPrint).order_by(LabelPrint.id))] == [None, "jammed"]
    assert "kertas macet" in coordinator.get(place).text
    trail = select(AuditEvent.action).where(AuditEvent.subject_kind == "label_batch").order_by(AuditEvent.id)
    assert list(db_session.scalars(trail)) == ["labels.gathered", "labels.printed", "labels.printed"]
    # What has a label is named; whoever means it ticks it.
    asked = batch_of(coordinator, parcel, second)
    assert asked.status_code == 409
    assert f"{order.number}/1" in asked.text
    assert 'name="again"' in asked.text
    another = batch_of(coordinator, parcel, second, again="1").headers["Location"]
    assert post(coordinator, f"{another}/give-up").status_code == 303
    assert post(coordinator, f"{another}/print", {"request_key": "n" * 20}).status_code == 422
    assert another.rpartition("/")[2] in coordinator.get("/seller/PKL/labels").text
    # Neither a head nor another facility's coordinator.
    head = sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))
    stranger = sign_in(app.test_client(), make_account("coordinator", facilities=(shop.ambon,)))
    assert head.get(place).status_code == 403
    assert stranger.get(place).status_code == 404
    assert stranger.get(place.replace("PKL", "NML")).status_code == 404
    assert post(stranger, f"{place.replace('PKL', 'NML')}/print", {"request_key": "q" * 20}).status_code == 404


def test_two_people_gather_one_batch(app: Flask, shop: Shop, order: Order) -> None:
    parcel, facility, person = own(order, shop).id, shop.pekalongan.id, make_person().id
    db.session.commit()

    def gather(key: str) -> Any:
        def call() -> int:
            with app.app_context():
                batch = labels.make_batch(facility, [parcel], "a6", person, key)
                db.session.commit()
                return batch.id

        return call

    results = at_once([gather(letter * 20) for letter in "abc"])
    assert sorted(type(result).__name__ for result in results) == ["BatchWaits", "BatchWaits", "int"]
    assert len(db.session.scalars(select(LabelBatch)).all()) == 1
