"""The machine as administrators and auditors see it; a failed job runs again once, however often one presses."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.audit.models import AuditEvent
from storefront.extensions import db
from storefront.verify import system
from tests.staff import make_account, post, sign_in

pytestmark = pytest.mark.usefixtures("db_session")


def a_failed_job(lock: str | None = None) -> int:
    statement = text(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, queueing_lock)"
        """ VALUES ('default', 'orders.send_message', '{"message_id": 7, "email": "x@y.id"}', 'failed', :lock)"""
        " RETURNING id"
    )
    found: int = db.session.execute(statement, {"lock": lock}).scalar_one()
    db.session.commit()
    return found


def status(job_id: int) -> str:
    query = text("SELECT status::text FROM procrastinate_jobs WHERE id = :id")
    return str(db.session.execute(query, {"id": job_id}).scalar_one())


def test_a_failed_job_is_tried_again_once_and_by_administrators_alone(app: Flask, db_session: Session) -> None:
    job_id = a_failed_job()
    administrator = sign_in(app.test_client(), make_account("administrator"))
    auditor = sign_in(app.test_client(), make_account("auditor"))
    page = administrator.get("/admin/system")
    assert "orders.send_message" in page.text
    assert "message_id 7" in page.text
    assert "x@y.id" not in page.text
    assert "belum tercatat" in page.text
    assert "Tidak ada pekerja yang hidup" in page.text
    url = f"/admin/system/jobs/{job_id}/retry"
    assert "/retry" not in auditor.get("/admin/system").text
    assert post(auditor, url, {}).status_code == 403
    assert status(job_id) == "failed"
    assert post(administrator, url, {}).status_code == 303
    assert status(job_id) == "todo"
    assert "sudah dicoba lagi" in post(administrator, url, {}, follow_redirects=True).text
    query = select(AuditEvent).where(AuditEvent.action == "job.retried")
    assert [event.subject_id for event in db.session.scalars(query)] == [str(job_id)]
    assert sign_in(app.test_client(), make_account("curator")).get("/admin/system").status_code == 403


def test_a_job_is_not_retried_beside_another_for_the_same_thing(app: Flask, db_session: Session) -> None:
    job_id = a_failed_job(lock="one")
    db.session.execute(
        text("INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock) VALUES ('default', 'x', 'one')")
    )
    db.session.commit()
    with pytest.raises(system.NotFailed):
        system.retry(job_id, person_id=make_account("administrator").id)
    db.session.rollback()
    assert status(job_id) == "failed"


def test_what_was_written_down_of_backups_and_proofs_is_shown(app: Flask, db_session: Session) -> None:
    system.note("verify", is_good=False, said="books_balance")
    db.session.execute(text("INSERT INTO upkeep (kind, ended_at) VALUES ('backup', now() - interval '3 days')"))
    db.session.commit()
    assert [(fact.kind, fact.last is None, fact.is_stale) for fact in system.facts()] == [
        ("backup", False, True), ("base_backup", True, True), ("verify", False, False),
    ]  # fmt: skip
    page = sign_in(app.test_client(), make_account("auditor")).get("/admin/system").text
    assert "books_balance" in page
    assert "ada yang tidak benar" in page
    assert "sudah lama" in page
    assert abs(system.clock_apart()) < 5
