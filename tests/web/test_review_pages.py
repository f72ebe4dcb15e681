"""A coordinator asks, a curator looks and decides; papers with their files; what categories ask for."""

from __future__ import annotations

import datetime
import io
import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from storefront.catalogue.models import CategoryNeed, Product, Variant
from storefront.days import today
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.listings import drafts, review
from storefront.listings.models import ListingDraft
from storefront.mail.models import Message
from storefront.people.models import Membership
from tests.factories import PDF, make_product, make_rule, make_variant, make_workshop
from tests.listings import FOOD, asked_for, food_category, make_draft
from tests.staff import make_account, post, sign_in


@pytest.fixture
def place(db_session: Session) -> Workshop:
    make_rule()
    return make_workshop()


@pytest.fixture
def keeper(app: Flask, place: Workshop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("coordinator", facilities=(place.facility,)))


@pytest.fixture
def curator(app: Flask, db_session: Session) -> FlaskClient:
    return sign_in(app.test_client(), make_account("curator"))


def own(place: Workshop, draft: ListingDraft, rest: str = "review") -> str:
    return f"/seller/{place.facility.code}/listings/{draft.id}/{rest}"


def fresh(draft_id: int) -> ListingDraft:
    return db.session.get_one(ListingDraft, draft_id, populate_existing=True)


def test_asked_for_looked_at_sent_back_and_let_through(
    place: Workshop, keeper: FlaskClient, curator: FlaskClient, client: FlaskClient
) -> None:
    draft = make_draft(place, title="Keripik tempe", description="Gurih.")
    db.session.commit()
    draft_id = draft.id
    page = keeper.get(own(place, draft)).text
    assert "Minta tinjauan" in page
    assert "Tanpa terjemahan" in page  # a hint, no fault
    sent = post(keeper, own(place, draft, "submit"), {"version": "1"})
    assert sent.status_code == 303
    assert post(keeper, own(place, draft, "submit"), {"version": "1"}).status_code == 409  # pressed twice
    queue = curator.get("/admin/listings?why=new").text
    assert "Keripik tempe" in queue
    assert "Keripik tempe" not in curator.get("/admin/listings?why=faces").text
    assert "karya menunggu tinjauan" in curator.get("/admin/").text
    assert "Gurih." in curator.get(f"/admin/listings/{draft_id}").text
    preview = curator.get(f"/admin/listings/{draft_id}/preview?language=en")
    assert "Tempeh crisps" in preview.text
    assert db.session.scalar(select(func.count()).select_from(Product)) == 0  # looked at, and taken back
    version = str(fresh(draft_id).version)
    empty = post(curator, f"/admin/listings/{draft_id}/send-back", {"version": version})
    assert (empty.status_code, "Tulis apa yang perlu diubah" in empty.text) == (422, True)
    said = {"version": version, "reason:title": "Sebut rasanya.", "reason:bogus": "x", "note": "Hampir siap."}
    assert post(curator, f"/admin/listings/{draft_id}/send-back", said).status_code == 303
    assert fresh(draft_id).reasons == {"title": "Sebut rasanya."}
    assert db.session.scalar(select(Message.kind)) == "listing_sent_back"
    page = keeper.get(own(place, draft)).text
    assert "Sebut rasanya." in page
    assert "Hampir siap." in page
    with_word = {**fresh(draft_id).content, "title": "Keripik tempe pedas"}
    drafts.save(place.facility_id, draft_id, fresh(draft_id).version, with_word, person_id=draft.created_by or 0)
    db.session.commit()
    post(keeper, own(place, draft, "submit"), {"version": str(fresh(draft_id).version)})
    old = post(curator, f"/admin/listings/{draft_id}/approve", {"version": version})
    assert (old.status_code, "Orang lain baru saja" in old.text) == (409, True)
    done = post(curator, f"/admin/listings/{draft_id}/approve?why=new", {"version": str(fresh(draft_id).version)})
    assert (done.status_code, done.headers["Location"]) == (303, "/admin/listings?why=new")
    shown = client.get("/products/keripik-tempe-pedas")
    assert (shown.status_code, "Gurih." in shown.text) == (200, True)
    late = post(curator, f"/admin/listings/{draft_id}/approve", {"version": "9"})
    assert (late.status_code, late.headers["Location"]) == (303, "/admin/listings")
    db.session.execute(update(Message).values(sent_at=func.now()))
    db.session.commit()
    listed = curator.get("/admin/listings").text
    assert "suratnya terkirim" in listed
    decision = re.search(r"/admin/listings/decisions/(\d+)/undo", listed)
    assert decision is not None
    undone = post(curator, decision[0])
    assert undone.status_code == 303
    assert "Suratnya sudah terkirim sebelum itu." in curator.get(undone.headers["Location"]).text
    assert client.get("/products/keripik-tempe-pedas").status_code == 404
    assert "Keripik tempe pedas" in curator.get("/admin/listings").text


def test_a_proposal_stands_beside_what_is_public(place: Workshop, curator: FlaskClient, client: FlaskClient) -> None:
    product = make_product(place, title="Kursi kayu jati", slug="kursi")
    make_variant(product, stock=1)
    draft = drafts.draft_of(product, person_id=None)
    who = make_account("coordinator", facilities=(place.facility,))
    draft.photos.append(make_draft(place).photos[0])
    drafts.save(place.facility_id, draft.id, 1, {**draft.content, "title": "Kursi kayu mahoni"}, person_id=who.id)
    db.session.expire(draft, ["photos"])
    review.submit(place.facility_id, draft.id, draft.version, person_id=who.id)
    db.session.commit()
    page = curator.get(f"/admin/listings/{draft.id}").text
    assert "<del>jati</del><ins>mahoni</ins>" in page
    assert "Kursi kayu jati" in client.get("/products/kursi").text
    post(curator, f"/admin/listings/{draft.id}/approve", {"version": str(draft.version)})
    assert "Kursi kayu mahoni" in client.get("/products/kursi").text


def test_papers_are_written_in_one_place_and_an_old_page_of_the_editor_leaves_them(
    place: Workshop, keeper: FlaskClient
) -> None:
    draft = make_draft(place)
    db.session.commit()
    here = own(place, draft, "").rstrip("/")
    old = keeper.get(here).text
    base = re.search(r'name="base" value="([^"]+)"', old)[1]  # type: ignore[index]
    assert re.findall(r'name="papers[^"]*"', old) == []
    paper = {"kind": "pirt", "number": "1234567890123-31", "valid_until": str(today())}
    assert post(keeper, f"{here}/papers", {"version": "1", **paper}).status_code == 303
    typed = {"version": "1", "base": base, "page": "halaman-lama", "title": "Tempe renyah", "description": "Gurih."}
    sent = {"do": "papers", "papers": "1", "papers.pirt.number": "000", **typed}
    assert post(keeper, here, sent).headers["Location"].endswith("/review#surat")
    kept = fresh(draft.id).content
    assert (kept["title"], [row["number"] for row in kept["papers"]]) == ("Tempe renyah", ["1234567890123-31"])
    # Somebody's other version of the whole listing does not bring its old papers along either.
    mine = json.dumps({**kept, "title": "Tempe lain", "papers": []})
    chosen = {"version": str(fresh(draft.id).version), "mine": mine, "choose.title": "mine"}
    assert post(keeper, f"{here}/merge", chosen).status_code == 303
    kept = fresh(draft.id).content
    assert (kept["title"], [row["number"] for row in kept["papers"]]) == ("Tempe lain", ["1234567890123-31"])
    page = keeper.get(here).text
    assert "1234567890123-31" in page
    assert "Simpan, lalu buka bagian Surat" in page


def test_a_paper_is_kept_with_its_file_and_asked_for(
    app: Flask, place: Workshop, keeper: FlaskClient, curator: FlaskClient
) -> None:
    draft = make_draft(place, category=str(food_category("registration")), food=FOOD)
    db.session.commit()
    refused = post(keeper, own(place, draft, "submit"), {"version": "1"})
    assert (refused.status_code, "P-IRT atau BPOM" in refused.text) == (422, True)
    paper = {"version": "1", "kind": "pirt", "number": "12", "valid_until": "", "issued_by": "Dinas"}
    wrong = post(keeper, own(place, draft, "papers"), paper)
    assert wrong.status_code == 422
    assert "Nomor ini belum lengkap" in wrong.text
    assert "Tulis sampai kapan" in wrong.text
    assert 'value="Dinas"' in wrong.text
    whole = {**paper, "number": "1234567890123-31", "valid_until": str(today())}
    odd = post(keeper, own(place, draft, "papers"), {**whole, "file": (io.BytesIO(b"GIF89a"), "x.pdf")})
    assert (odd.status_code, "bukan PDF" in odd.text) == (422, True)
    kept = post(keeper, own(place, draft, "papers"), {**whole, "file": (io.BytesIO(PDF), "surat.pdf")})
    assert kept.status_code == 303
    assert keeper.get(own(place, draft, "papers/pirt")).data == PDF
    assert keeper.get(own(place, draft, "papers/bpom")).status_code == 404
    stranger = sign_in(app.test_client(), make_account("coordinator", facilities=(make_workshop().facility,)))
    assert stranger.get(own(place, draft, "papers/pirt")).status_code == 404
    assert curator.get(f"/admin/listings/{draft.id}/papers/pirt").status_code == 404  # nobody asked yet
    assert post(keeper, own(place, draft, "submit"), {"version": "2"}).status_code == 303
    assert curator.get(f"/admin/listings/{draft.id}/papers/pirt").data == PDF
    waits = post(keeper, own(place, draft, "papers"), {**whole, "version": "3"})
    assert (waits.status_code, "menunggu kurator" in waits.text) == (409, True)
    post(curator, f"/admin/listings/{draft.id}/approve", {"version": str(fresh(draft.id).version)})
    product_id = db.session.scalar(select(Product.id))
    assert "1234567890123-31" in keeper.get(f"/seller/{place.facility.code}/papers").text
    renewed = post(keeper, f"/seller/{place.facility.code}/papers/{product_id}/renew")
    assert "/review#surat" in renewed.headers["Location"]


def test_it_is_public_on_the_day_that_was_chosen(place: Workshop, keeper: FlaskClient, curator: FlaskClient) -> None:
    place.facility.time_zone = "Asia/Jayapura"
    draft = make_draft(place)
    db.session.commit()
    past = {"version": "1", "publish_day": "2026-01-01", "publish_time": "08:00"}
    refused = post(keeper, own(place, draft, "submit"), past)
    assert (refused.status_code, "Pilih waktu yang akan datang" in refused.text) == (422, True)
    assert "Tulis jamnya" in post(keeper, own(place, draft, "submit"), {**past, "publish_time": "malam"}).text
    day = str(today().replace(year=today().year + 1).replace(day=1))
    assert post(keeper, own(place, draft, "submit"), {**past, "publish_day": day}).status_code == 303
    planned = fresh(draft.id).publish_at
    assert planned is not None
    assert planned.astimezone(datetime.UTC).isoformat()[10:16] == "T23:00"  # 08.00 WIT
    post(curator, f"/admin/listings/{draft.id}/approve", {"version": str(fresh(draft.id).version)})
    assert "tayang sendiri" in keeper.get(own(place, draft)).text
    assert db.session.scalar(select(func.count()).select_from(Variant)) == 0
    assert post(keeper, own(place, draft, "withdraw"), {"version": str(fresh(draft.id).version)}).status_code == 303
    assert fresh(draft.id).state == "editing"


def test_curators_say_what_a_category_asks_for(place: Workshop, keeper: FlaskClient, curator: FlaskClient) -> None:
    category_id = food_category("halal")
    db.session.commit()
    page = curator.get("/admin/categories/needs").text
    assert page.count("checked") == 1
    post(curator, f"/admin/categories/{category_id}/needs", {"need": ["food", "care"]})
    asked = db.session.scalars(select(CategoryNeed.need).where(CategoryNeed.category_id == category_id)).all()
    assert sorted(asked) == ["care", "food"]
    assert keeper.get("/admin/categories/needs").status_code == 404


def test_nobody_lets_through_what_they_asked_for(app: Flask, place: Workshop) -> None:
    both = make_account("coordinator", facilities=(place.facility,))
    draft = asked_for(place, both)
    db.session.add(Membership(person_id=both.id, role="curator"))
    db.session.commit()
    client = sign_in(app.test_client(), both)
    refused = post(client, f"/admin/listings/{draft.id}/approve", {"version": str(draft.version)})
    assert (refused.status_code, "Anda sendiri" in refused.text) == (409, True)
