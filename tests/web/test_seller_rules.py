"""The split rules that a facility reads: its own and the general ones, never another's."""

from __future__ import annotations

import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.books import proof
from storefront.catalogue.models import CommodityGroup, Product
from storefront.days import today
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.facilities.models import Workshop
from storefront.ledger.models import SplitRule
from storefront.rules import facility_rules
from tests.factories import PDF, make_rule
from tests.selling import Shop, open_shop
from tests.staff import make_account, sign_in

DAY = datetime.timedelta(days=1)
HALVES = {"premium": 5000, "state_revenue": 5000}


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def head(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("head", facilities=(shop.pekalongan,)))


def read(client: FlaskClient, path: str = "/seller/PKL/rules") -> str:
    """The page, once what the test has made is in the books."""
    db.session.commit()
    return client.get(path).text


def default_rule() -> SplitRule:
    """The shop's first rule."""
    return db.session.scalars(select(SplitRule).order_by(SplitRule.id).limit(1)).one()


def workshop(name: str) -> Workshop:
    return db.session.scalars(select(Workshop).where(Workshop.name == name)).one()


def numbers(shop: Shop) -> list[int]:
    return [row.id for row in facility_rules.rules(shop.pekalongan.id).rows]


@pytest.mark.parametrize("role", ["coordinator", "head"])
def test_both_roles_find_their_rules_in_the_menu(app: Flask, shop: Shop, role: str) -> None:
    client = sign_in(app.test_client(), make_account(role, facilities=(shop.pekalongan,)))
    assert 'href="/seller/PKL/rules"' in client.get("/seller/PKL/").text
    page = client.get("/seller/PKL/rules").text
    assert "Semua UPT" in page
    assert "semua karya yang dijual" in page
    assert "Keputusan Menteri Kehakiman M.01-PP.02.01 Tahun 1990" in page
    assert "sejak 1 Januari 2016" in page


def test_the_page_is_whole_in_english(head: FlaskClient, shop: Shop) -> None:
    make_rule(HALVES, facility=shop.pekalongan, legal_basis_en="Decision 12 of the head")
    page = read(head, "/en/seller/PKL/rules")
    assert "Dividing today's sales" in page
    assert "all goods on sale" in page
    assert "Decision 12 of the head" in page
    assert "not used today" in page


def test_history_stands_below_what_is_in_force(head: FlaskClient, shop: Shop) -> None:
    old = make_rule(HALVES, facility=shop.pekalongan, valid_to=today() - DAY)
    own = make_rule(facility=shop.pekalongan, valid_from=today(), valid_to=today() + DAY, basis="profit")
    coming = make_rule(facility=shop.pekalongan, valid_from=today() + 2 * DAY)
    assert numbers(shop) == [own.id, default_rule().id, coming.id, old.id]
    page = read(head)
    assert page.count('aria-labelledby="aturan-') == 1
    assert f'id="aturan-{own.id}"' in page
    assert "dari laba, sesudah bahan kembali" in page
    table = page[page.index("<tbody>") :]
    assert "hari ini tidak dipakai" in table  # the default rule
    assert table.index("Berlaku") < table.index("Belum berlaku") < table.index("Berakhir")


def test_nothing_of_another_facility_and_no_proposal(head: FlaskClient, shop: Shop) -> None:
    other = make_rule(HALVES, facility=shop.ambon)
    wish = make_rule(HALVES, facility=shop.pekalongan, approved=False)
    assert numbers(shop) == [default_rule().id]
    page = read(head)
    assert "Namlea" not in page
    assert f"#{other.id}<" not in page
    assert f"#{wish.id}<" not in page


def test_a_group_of_goods_that_is_not_made_here_does_not_concern_it(shop: Shop) -> None:
    fashion, metal = db.session.scalars(select(CommodityGroup).order_by(CommodityGroup.id).limit(2)).all()
    product = db.session.scalars(select(Product).where(Product.slug == "kain-batik")).one()
    product.commodity_group_id = fashion.id
    ours = make_rule(HALVES, commodity_group_id=fashion.id)
    make_rule(HALVES, commodity_group_id=metal.id)
    assert numbers(shop) == [ours.id, default_rule().id]
    divided = facility_rules.dividing(shop.pekalongan.id)
    assert [(g.workshop, g.commodity_group) for g in divided.by(ours.id)] == [("Batik", fashion.name)]
    assert len(divided.by(default_rule().id)) == 2
    assert not divided.is_all(default_rule().id)


def test_the_narrowest_rule_is_named_for_each_workshop(head: FlaskClient, shop: Shop) -> None:
    whole = make_rule(HALVES, facility=shop.pekalongan)
    kitchen = make_rule(facility=shop.pekalongan, workshop_id=workshop("Dapur").id)
    divided = facility_rules.dividing(shop.pekalongan.id)
    assert [goods.workshop for goods in divided.by(kitchen.id)] == ["Dapur"]
    assert [goods.workshop for goods in divided.by(whole.id)] == ["Batik"]
    assert divided.by(default_rule().id) == ()
    page = read(head)
    assert page.count('aria-labelledby="aturan-') == 2


def test_a_fairs_rule_divides_beside_the_stores(shop: Shop) -> None:
    fair = Exhibition(slug="pameran-uji", name="Pameran Uji", starts_on=today(), ends_on=today())
    db.session.add(fair)
    db.session.flush()
    at_the_fair = make_rule(HALVES, exhibition_id=fair.id)
    divided = facility_rules.dividing(shop.pekalongan.id)
    assert divided.is_all(at_the_fair.id)
    assert divided.is_all(default_rule().id)


def test_a_facility_without_goods_still_reads_its_rules(head: FlaskClient, shop: Shop) -> None:
    for product in db.session.scalars(select(Product).where(Product.facility_id == shop.pekalongan.id)):
        product.status = "archived"
    page = read(head)
    assert "UPT ini belum menjual karya" in page
    assert "Semua UPT" in page


def test_the_decree_can_be_kept_unless_it_is_anothers(head: FlaskClient, shop: Shop) -> None:
    key = proof.keep("rules", PDF)
    own, other = (make_rule(facility=place, document_key=key) for place in (shop.pekalongan, shop.ambon))
    db.session.commit()
    address = f"/seller/PKL/rules/{own.id}/document"
    assert address in read(head)
    answer = head.get(address)
    assert (answer.status_code, answer.data, answer.mimetype) == (200, PDF, "application/pdf")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="aturan-{own.id}.pdf"'
    assert head.get(f"/seller/PKL/rules/{other.id}/document").status_code == 404
    assert head.get(f"/seller/PKL/rules/{default_rule().id}/document").status_code == 404
