"""The audit trail: found by who, what, subject, facility and day; before and after; each within their reach."""

from __future__ import annotations

import csv
import datetime
import io
import re

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.audit.record import record
from storefront.days import today
from storefront.extensions import db
from storefront.keyset import PAGE
from tests.selling import Shop, open_shop
from tests.staff import make_account, sign_in


@pytest.fixture
def shop(db_session: Session) -> Shop:
    """Acts of two people in two facilities."""
    shop = open_shop()
    rani, budi = (
        make_account("coordinator", name="Rani", facilities=(shop.pekalongan,)),
        make_account(name="Budi"),
    )
    change = {"before": {"price": 90_000}, "after": {"price": 100_000}, "sku": "PKL-BATIK"}
    record("offer.changed", "variant", 7, person_id=rani.id, facility_id=shop.pekalongan.id, details=change)
    record("offer.changed", "variant", 8, person_id=budi.id, facility_id=shop.ambon.id, details={"price": 5})
    record("correction.booked", "correction", 3, person_id=budi.id)
    record("person.changed", "person", rani.id, person_id=budi.id, details={"email": "baru@contoh.id"})
    db.session.commit()
    return shop


def rows(text: str) -> int:
    return text.count('<th scope="row">')


def test_acts_are_said_in_words_beside_their_code(app: Flask, shop: Shop) -> None:
    record("settlement.approved", "settlement", 7)
    record("variant.unheard_of", "variant", 8)
    db.session.commit()
    client = sign_in(app.test_client(), make_account("administrator"))
    page, english = client.get("/finance/audit").text, client.get("/en/finance/audit").text
    assert "Penyaluran: disetujui" in page
    assert "Settlement: approved" in english
    assert "settlement.approved" in page
    assert "Varian: unheard_of" in page  # no words yet: as it is written


def test_the_administrator_finds_acts(app: Flask, shop: Shop) -> None:
    client = sign_in(app.test_client(), make_account("administrator", name="Admin"))
    page = client.get("/finance/audit").text
    for words in (
        "Rani",
        "offer.changed",
        "correction.booked",
        "person.changed",
        "<del>90000</del>",
        "100000",
    ):
        assert words in page
    found = {
        "who=rani&action=offer": 1,
        "action=offer.changed": 2,
        "action=offer": 2,
        "subject=variant:7": 1,
        "subject=8&action=offer": 1,
        "facility=NML": 1,
        f"from={today()}&to={today()}&action=correction": 1,
        "to=2020-01-01": 0,
        "who=nobody-is-called-so": 0,
    }
    assert {query: rows(client.get(f"/finance/audit?{query}").text) for query in found} == found


def test_a_day_that_is_none_is_told_beside_its_field(app: Flask, shop: Shop) -> None:
    client = sign_in(app.test_client(), make_account("administrator"))
    answer = client.get("/finance/audit?from=kemarin&format=csv")
    assert answer.status_code == 422
    assert "Tulis tanggalnya" in answer.text


def test_finance_sees_no_acts_on_people(app: Flask, shop: Shop) -> None:
    client = sign_in(app.test_client(), make_account("finance"))
    page = client.get("/finance/audit").text
    assert "offer.changed" in page
    assert "person.changed" not in page
    assert "session.started" not in page
    assert "baru@contoh.id" not in client.get("/finance/audit?action=person.changed").text
    assert "baru@contoh.id" not in client.get("/finance/audit?format=csv").text


def test_whoever_is_bound_to_a_facility_sees_its_acts_alone(app: Flask, shop: Shop) -> None:
    for role in ("finance", "auditor"):
        client = sign_in(app.test_client(), make_account(role, facilities=(shop.pekalongan,)))
        page = client.get("/finance/audit").text
        assert rows(page) == 1
        assert "Varian 7" in page
        assert rows(client.get("/finance/audit?facility=NML").text) == 0
        assert "PKL-BATIK" in client.get("/finance/audit?format=csv").text
        assert "correction" not in client.get("/finance/audit?format=csv").text


def test_an_auditors_look_is_itself_recorded(app: Flask, shop: Shop) -> None:
    client = sign_in(app.test_client(), make_account("auditor"))
    client.get("/finance/audit?who=rani")
    seen = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "finance.viewed")).one()
    assert seen.details["query"] == "who=rani"


def test_acts_of_staff_say_where_they_came_from(app: Flask, shop: Shop) -> None:
    staff, shopper = make_account("finance"), make_account()
    sign_in(app.test_client(), staff)
    sign_in(app.test_client(), shopper)
    known = {
        row.person_id: row.network is not None
        for row in db.session.scalars(select(AuditEvent).where(AuditEvent.action == "session.started"))
    }
    assert known == {staff.id: True, shopper.id: False}


def test_long_trails_have_pages_without_gaps(app: Flask, shop: Shop) -> None:
    for number in range(PAGE + 10):
        record("stock.moved", "variant", number)
    db.session.commit()
    client = sign_in(app.test_client(), make_account("administrator"))
    first = client.get("/finance/audit?action=stock").text
    assert rows(first) == PAGE
    assert 'rel="prev"' not in first
    following = turned(first, "next")
    assert "action=stock" in following
    second = client.get(following).text
    assert rows(second) == 10
    assert 'rel="next"' not in second
    back = turned(second, "prev")
    assert "action=stock" in back
    assert subjects(client.get(back).text) == subjects(first)
    office = sign_in(app.test_client(), make_account("administrator", name="Admin"))
    assert turned(office.get("/admin/audit?action=stock").text, "next").startswith("/admin/audit?action=stock&older=")


def turned(page: str, which: str) -> str:
    """Where the link to the `next` or `prev` page leads."""
    return page.split(f'rel="{which}"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")


def subjects(page: str) -> list[str]:
    return re.findall(r"subject=variant:(\d+)", page)


def test_the_export_is_the_page_as_it_is_filtered(app: Flask, shop: Shop) -> None:
    record("offer.changed", "variant", 9, details={"note": "x"}, facility_id=shop.ambon.id)
    record("offer.changed", "variant", "=cmd()", facility_id=shop.ambon.id)
    db.session.commit()
    client = sign_in(app.test_client(), make_account("administrator"))
    answer = client.get("/finance/audit?action=offer&facility=NML&format=csv")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    found = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["subject_id"] for row in found] == ["8", "9", "'=cmd()"]
    assert {row["facility_code"] for row in found} == {"NML"}
    assert datetime.datetime.fromisoformat(found[0]["at"]).tzinfo is not None
    manifest = client.get("/finance/audit?action=offer&facility=NML&format=csv&part=manifest").get_json(
        force=True
    )
    assert manifest["row_count"] == 3
    assert manifest["filters"]["facility"] == "NML"
    assert client.get("/finance/audit?format=xlsx").data[:2] == b"PK"
    assert client.get("/finance/audit?format=exe").status_code == 422
    assert db.session.scalar(select(func.count()).where(AuditEvent.action == "audit.exported")) == 3


def test_the_office_finds_any_word_and_each_row_leads_to_its_thing(app: Flask, shop: Shop) -> None:
    record("facility.changed", "facility", "PKL", facility_id=shop.pekalongan.id, details={"after": {"city": "Kajen"}})
    record("settlement.approved", "settlement", 7)
    db.session.commit()
    client = sign_in(app.test_client(), make_account("administrator", name="Admin"))
    page = client.get("/admin/audit?words=kajen").text
    assert rows(page) == 1
    assert 'href="/admin/facilities/PKL"' in page
    assert 'href="/admin/audit?subject=facility:PKL"' in page
    assert rows(client.get("/admin/audit?words=tidak-ada").text) == 0
    people = client.get("/admin/audit?action=person").text
    assert f'href="/admin/people/{staff_id(people)}"' in people
    assert "/finance/settlements/7" not in client.get("/admin/audit?action=settlement").text  # not theirs to open
    assert client.get("/admin/audit?from=2026-02-01&to=2026-01-01").status_code == 422
    assert client.get("/admin/audit?endpoint=x&_external=1&subject=%3A").status_code == 200
    bound = sign_in(app.test_client(), make_account("auditor", facilities=(shop.ambon,)))
    assert "/finance/settlements/7" not in bound.get("/admin/audit").text
    assert "PKL-BATIK" not in bound.get("/admin/audit").text
    seen = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "admin.viewed")).all()
    assert [row.details["path"] for row in seen] == ["/admin/audit"] * 2
    auditor = sign_in(app.test_client(), make_account("auditor"))
    assert 'href="/finance/settlements/7"' in auditor.get("/admin/audit?action=settlement").text


def staff_id(page: str) -> str:
    return page.split('subject=person:')[1].split('"')[0]
