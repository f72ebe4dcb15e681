"""Curators keep the tree of categories; nothing is lost when one goes into another, and no address dies."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.catalogue import tree
from storefront.catalogue.models import Category, CategoryNeed, Product
from storefront.embedded import SUPERUSER
from storefront.extensions import db
from storefront.listings import merge_categories
from storefront.listings.findings import Known
from storefront.listings.models import ListingDraft
from tests.clones import Clone
from tests.factories import make_person
from tests.selling import Shop, open_shop
from tests.staff import make_account, post, sign_in
from tests.threads import while_held


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def curator(app: Flask, shop: Shop) -> FlaskClient:
    return sign_in(app.test_client(), make_account("curator"))


def a_category(slug: str, parent: Category | None = None) -> Category:
    found = Category(slug=slug, name=slug.title(), name_en=f"{slug.title()} (en)", parent_id=parent and parent.id)
    db.session.add(found)
    db.session.commit()
    return found


def slugs() -> list[str]:
    return [branch.category.slug for branch in tree.tree()]


def test_a_category_is_added_renamed_ordered_and_moved(curator: FlaskClient, client: FlaskClient) -> None:
    assert post(curator, "/admin/categories", {"name": "Gerabah Halus", "name_en": "Fine pottery"}).status_code == 303
    refused = post(curator, "/admin/categories", {"name": "gerabah halus", "name_en": "X"})
    assert refused.status_code == 422
    assert "Sudah ada kategori dengan nama ini." in refused.text
    assert 'value="gerabah halus"' in refused.text
    found = db.session.scalars(select(Category).where(Category.slug == "gerabah-halus")).one()
    url = f"/admin/categories/{found.id}"
    named = {"name": "Keramik", "name_en": "Ceramics", "seen": "Gerabah Halus"}
    assert post(curator, f"{url}/rename", named).status_code == 303
    stale = post(curator, f"{url}/rename", {**named, "name": "Lain sekali"})
    assert stale.status_code == 409
    assert "baru saja diubah orang lain" in stale.text
    assert slugs()[-1] == "gerabah-halus"
    post(curator, f"{url}/up", {})
    assert slugs()[-2] == "gerabah-halus"
    other = db.session.scalars(select(Category).where(Category.slug != "gerabah-halus")).one()
    assert post(curator, f"{url}/move", {"parent": str(found.id), "seen": ""}).status_code == 422
    assert post(curator, f"{url}/move", {"parent": str(other.id), "seen": ""}).status_code == 303
    too_deep = post(curator, f"/admin/categories/{other.id}/move", {"parent": str(found.id), "seen": ""})
    assert too_deep.status_code == 422
    assert "hanya dua tingkat" in too_deep.text
    acts = set(db.session.scalars(select(AuditEvent.action).where(AuditEvent.subject_kind == "category")))
    assert acts == {"category.added", "category.renamed", "category.ordered", "category.moved"}


def test_an_empty_category_is_archived_and_brought_back_a_full_one_is_not(curator: FlaskClient, shop: Shop) -> None:
    empty, full = a_category("kosong"), db.session.get_one(Category, shop.batik.product.category_id)
    assert post(curator, f"/admin/categories/{full.id}/archive", {}).status_code == 409
    assert post(curator, f"/admin/categories/{empty.id}/archive", {}).status_code == 303
    assert "kosong" not in slugs()
    assert Known(1).category(str(empty.id)) is None
    with pytest.raises(IntegrityError, match="is archived"):
        db.session.execute(text("UPDATE products SET category_id = :id"), {"id": empty.id})
    db.session.rollback()
    assert post(curator, f"/admin/categories/{empty.id}/restore", {}).status_code == 303
    assert "kosong" in slugs()


def test_a_merge_takes_all_along_and_leads_on_every_address(
    curator: FlaskClient, client: FlaskClient, shop: Shop, db_session: Session
) -> None:
    product = shop.batik.product
    old, new, between = product.category, a_category("tujuan"), a_category("antara")
    below = a_category("cabang", old)
    db.session.add(CategoryNeed(category_id=old.id, need="halal"))
    db.session.add(CategoryNeed(category_id=new.id, need="care"))
    draft = ListingDraft(facility_id=product.facility_id, content={"category": str(old.id), "sizes": None})
    db.session.add(draft)
    db.session.commit()
    old_id, old_slug, new_id, held = old.id, old.slug, new.id, draft.id
    seen = curator.get(f"/admin/categories/{old_id}?target={new_id}")
    assert "Kategori tujuan ikut meminta" in seen.text
    assert post(curator, f"/admin/categories/{old_id}/merge", {"target": str(below.id)}).status_code == 422
    assert post(curator, f"/admin/categories/{old_id}/merge", {"target": str(between.id)}).status_code == 303
    assert post(curator, f"/admin/categories/{between.id}/merge", {"target": str(new_id)}).status_code == 303
    db_session.expire_all()
    assert db.session.get_one(Product, product.id).category_id == new_id
    assert db.session.get_one(ListingDraft, held).content["category"] == str(new_id)
    assert db.session.get_one(Category, below.id).parent_id == new_id
    needs = select(CategoryNeed.need).where(CategoryNeed.category_id == new_id)
    assert set(db.session.scalars(needs)) == {"halal", "care"}
    assert db.session.get_one(Product, product.id).status == "published"
    assert Known(product.facility_id).category(str(old_id)) == new_id
    moved = client.get(f"/en/products?q=&category={old_slug}&sort=newest")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/en/products?q=&category=tujuan&sort=newest")
    assert client.get(f"/facilities?goods={old_slug}").headers["Location"] == "/facilities?goods=tujuan"
    api = client.get(f"/api/v1/products?category={old_slug}", follow_redirects=True)
    assert product.slug in [item["slug"] for item in api.json["items"]]
    assert product.title in client.get("/products?category=tujuan").text
    assert f"category={old_slug}" not in client.get("/sitemap/pages.xml").text
    trail = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "category.merged")).first()
    assert trail
    assert product.id in trail.details["product_ids"]


def test_what_is_saved_into_a_category_while_it_is_merged_arrives(
    app: Flask, shop: Shop, database: Clone
) -> None:
    product, new = shop.batik.product, a_category("tujuan")
    other = a_category("lain")
    person, old_id, ids = make_person().id, product.category_id, (new.id, other.id)
    fields = (product.facility_id, product.id)
    db.session.commit()

    def merged() -> None:
        with app.app_context():
            merge_categories.merge(old_id, ids[0], person_id=person)
            db.session.commit()

    def saved() -> None:
        with app.app_context():
            db.session.add(ListingDraft(facility_id=fields[0], content={"category": str(old_id)}))
            db.session.execute(
                text("UPDATE products SET category_id = :old WHERE id = :id"), {"old": old_id, "id": fields[1]}
            )
            db.session.commit()

    hold = f"SELECT FROM categories WHERE id = {old_id} FOR UPDATE"
    assert while_held(database.addresses[SUPERUSER], hold, [merged, saved]) == [None, None]
    db.session.expire_all()
    assert db.session.get_one(Product, fields[1]).category_id == ids[0]
    assert {d.content["category"] for d in db.session.scalars(select(ListingDraft))} == {str(ids[0])}
    assert db.session.execute(text("SELECT * FROM category_faults()")).all() == []


def test_two_who_move_at_once_never_make_a_circle(app: Flask, shop: Shop, database: Clone) -> None:
    first, second, person = a_category("satu").id, a_category("dua").id, make_person().id
    db.session.commit()

    def moved(category_id: int, below: int) -> None:
        with app.app_context():
            tree.move(category_id, below, None, person_id=person)
            db.session.commit()

    hold = "SELECT pg_advisory_xact_lock(hashtext('categories'))"
    calls = [lambda: moved(first, second), lambda: moved(second, first)]
    answers = while_held(database.addresses[SUPERUSER], hold, calls)
    assert [answer for answer in answers if answer is None] == [None]
    assert db.session.execute(text("SELECT * FROM category_faults()")).all() == []
    # And what no page offers: the database refuses it.
    db.session.execute(
        text("UPDATE categories SET parent_id = CASE id WHEN :a THEN :b ELSE :a END WHERE id IN (:a, :b)"),
        {"a": first, "b": second},
    )
    with pytest.raises(IntegrityError, match="too deep"):
        db.session.commit()
    db.session.rollback()


def test_only_curators_and_administrators_come_here(app: Flask, shop: Shop) -> None:
    auditor = sign_in(app.test_client(), make_account("auditor"))
    assert auditor.get("/admin/categories").status_code == 403
    administrator = sign_in(app.test_client(), make_account("administrator"))
    assert "Tambah kategori" in administrator.get("/admin/categories").text
