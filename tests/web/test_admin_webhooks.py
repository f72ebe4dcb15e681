"""Administrators add, try, pause and remove webhooks, and see what was sent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session as DbSession

from storefront.audit.models import AuditEvent
from storefront.integrations.models import WebhookDelivery, WebhookEndpoint
from tests.factories import make_paid_order
from tests.receiver import Receiver, receiver
from tests.selling import open_shop
from tests.staff import make_account, post, sign_in

pytestmark = pytest.mark.usefixtures("db_session")
SECRET = re.compile(r"whsec_[A-Za-z0-9_-]{43}")


@pytest.fixture
def admin(client: FlaskClient) -> FlaskClient:
    return sign_in(client, make_account("administrator", name="Ani Pusat"))


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver() as other:
        yield other


def test_a_webhook_from_its_secret_to_its_end(
    app: Flask, admin: FlaskClient, other: Receiver, db_session: DbSession, run_jobs: Callable[[], None]
) -> None:
    form = {"name": "Gudang data", "url": other.url, "events": ["order.paid"]}
    made = post(admin, "/admin/webhooks", form)
    assert made.status_code == 201
    first = SECRET.search(made.text)
    assert first
    path = f"/admin/webhooks/{db_session.scalars(select(WebhookEndpoint.id)).one()}"
    assert not SECRET.search(admin.get(path).text)
    assert post(admin, f"{path}/test").status_code == 303
    other.answers = [500]
    run_jobs()
    assert json.loads(other.taken[0][2])["type"] == "test"
    assert "menunggu" in admin.get(f"{path}?state=waiting&kind=test").text
    assert "Tidak ada yang cocok" in admin.get(f"{path}?state=delivered").text
    delivery = db_session.scalars(select(WebhookDelivery)).one()
    assert post(admin, f"{path}/deliveries/{delivery.id}/again").status_code == 303
    run_jobs()
    assert len(other.taken) == 2
    assert post(admin, f"{path}/pause").status_code == 303
    assert post(admin, f"{path}/pause").status_code == 409
    shop = open_shop()
    make_paid_order((shop.batik, 1))
    db_session.commit()
    run_jobs()
    assert len(other.taken) == 2
    assert "dijeda" in admin.get("/admin/webhooks").text
    assert post(admin, f"{path}/resume").status_code == 303
    run_jobs()
    assert json.loads(other.taken[2][2])["type"] == "order.paid"
    renewed = post(admin, f"{path}/secret")
    second = SECRET.search(renewed.text)
    assert second
    assert (renewed.status_code, second[0] != first[0]) == (201, True)
    assert admin.get(f"/en{path}").status_code == 200
    assert post(admin, f"{path}/remove").status_code == 303
    assert admin.get(path).status_code == 404
    assert "Belum ada webhook" in admin.get("/admin/webhooks").text
    acts = db_session.scalars(
        select(AuditEvent).where(AuditEvent.subject_kind == "webhook").order_by(AuditEvent.id)
    ).all()
    assert [act.action for act in acts] == [
        f"webhook.{verb}" for verb in ("added", "tested", "sent_again", "paused", "resumed", "renewed", "removed")
    ]
    assert not SECRET.search(str([act.details for act in acts]))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Beri nama 2 sampai 80 huruf"),
        ({"events": []}, "Pilih setidaknya satu kejadian"),
        ({"events": ["order.deleted"]}, "Pilih setidaknya satu kejadian"),
        ({"url": "http://data.example.go.id/"}, "Tulis alamat https://"),
        ({"url": "https://10.0.0.1/"}, "Tulis alamat https://"),
        ({"url": "https://169.254.169.254/latest"}, "Tulis alamat https://"),
        ({"url": "javascript:alert(1)"}, "Tulis alamat https://"),
    ],
)
def test_what_is_wrong_is_said_and_kept(admin: FlaskClient, changes: dict[str, object], sentence: str) -> None:
    form = {"name": "Gudang <data>", "url": "https://data.example.go.id/hook", "events": ["order.paid"], **changes}
    refused = post(admin, "/admin/webhooks", form)
    assert (refused.status_code, sentence in refused.text) == (422, True)
    assert not SECRET.search(refused.text)


def test_what_was_given_up_waits_on_the_first_page(admin: FlaskClient, db_session: DbSession, other: Receiver) -> None:
    post(admin, "/admin/webhooks", {"name": "Gudang data", "url": other.url, "events": ["order.paid"]})
    path = f"/admin/webhooks/{db_session.scalars(select(WebhookEndpoint.id)).one()}"
    post(admin, f"{path}/test")
    assert "kabar yang tidak sampai" in admin.get("/admin/").text
    gone = "UPDATE webhook_deliveries SET state = 'failed', finished_at = now(), attempts = 10, error = 'timeout'"
    db_session.execute(text(gone))
    db_session.commit()
    assert 'href="/admin/webhooks"' in admin.get("/admin/").text
    assert "Tidak menjawab dalam 10 detik" in admin.get(f"{path}?state=failed").text
    auditor = sign_in(admin.application.test_client(), make_account("auditor"))
    assert "Kirim lagi" not in auditor.get(path).text
    assert sign_in(admin.application.test_client(), make_account("curator")).get(path).status_code == 403
