"""Administrators make tokens, see their use, and revoke them."""

from __future__ import annotations

import datetime
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from storefront import days
from storefront.audit.models import AuditEvent
from storefront.integrations.models import ApiToken
from tests.factories import make_facility
from tests.staff import make_account, post, sign_in
from tests.tokens import bearer

pytestmark = pytest.mark.usefixtures("db_session")
SOON = (days.today() + datetime.timedelta(days=30)).isoformat()


@pytest.fixture
def admin(client: FlaskClient) -> FlaskClient:
    return sign_in(client, make_account("administrator", name="Ani Pusat"))


def test_a_token_is_shown_once_used_and_revoked(app: Flask, admin: FlaskClient, db_session: DbSession) -> None:
    place = make_facility("PKL")
    make_facility("NML")
    form = {"name": "Gudang data", "scopes": ["facilities:read"], "facilities": [place.code], "expires": SOON}
    db_session.commit()
    made = post(admin, "/admin/tokens", form)
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    found = re.search(r"kb_[A-Za-z0-9_-]{43}", made.text)
    assert found
    assert found[0] not in admin.get("/admin/tokens").text
    assert "belum pernah" in admin.get("/admin/tokens").text
    program = app.test_client()
    listed = program.get("/api/v1/facilities", headers=bearer(found[0])).json
    assert [one["code"] for one in listed["items"]] == ["PKL"]
    assert "belum pernah" not in admin.get("/en/admin/tokens").text
    token = db_session.scalars(select(ApiToken)).one()
    assert post(admin, f"/admin/tokens/{token.id}/revoke").status_code == 303
    assert program.get("/api/v1/facilities", headers=bearer(found[0])).status_code == 401
    assert post(admin, f"/admin/tokens/{token.id}/revoke").status_code == 409
    assert post(admin, "/admin/tokens/999/revoke").status_code == 404
    assert "Belum ada token" in admin.get("/admin/tokens?living=1").text
    acts = db_session.scalars(select(AuditEvent).where(AuditEvent.subject_kind == "api_token")).all()
    assert sorted(act.action for act in acts) == ["api_token.made", "api_token.revoked"]
    assert found[0] not in str([act.details for act in acts])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": " "}, "Beri nama 2 sampai 80 huruf"),
        ({"scopes": []}, "Pilih setidaknya satu bagian"),
        ({"scopes": ["sales:write"]}, "Pilih setidaknya satu bagian"),
        ({"facilities": ["ZZZ"]}, "Ada UPT yang tidak dikenal"),
        ({"expires": ""}, "Tulis tanggalnya seperti"),
        ({"expires": "2020-01-01"}, "antara hari ini dan setahun lagi"),
        ({"expires": "2999-01-01"}, "antara hari ini dan setahun lagi"),
    ],
)
def test_what_is_wrong_is_said_and_kept(admin: FlaskClient, changes: dict[str, object], sentence: str) -> None:
    form = {"name": "Gudang <data>", "scopes": ["sales:read"], "facilities": [], "expires": SOON, **changes}
    refused = post(admin, "/admin/tokens", form)
    assert refused.status_code == 422
    assert sentence in refused.text
    assert "kb_" not in refused.text
    if "name" not in changes:
        assert 'value="Gudang &lt;data&gt;"' in refused.text


def test_auditors_see_tokens_and_make_none(app: Flask) -> None:
    auditor = sign_in(app.test_client(), make_account("auditor"))
    page = auditor.get("/admin/tokens")
    assert (page.status_code, "Buat token" in page.text) == (200, False)
    assert sign_in(app.test_client(), make_account("curator")).get("/admin/tokens").status_code == 403
