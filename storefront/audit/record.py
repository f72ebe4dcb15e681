"""Write to the audit trail."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask import g, has_request_context
from sqlalchemy import insert

from storefront.audit.models import AuditEvent
from storefront.extensions import db

_at: ContextVar[datetime.datetime | None] = ContextVar("at", default=None)


def record(
    action: str,
    subject_kind: str,
    subject_id: int | str,
    *,
    person_id: int | None = None,
    facility_id: int | None = None,
    details: dict[str, Any] | None = None,
    nameless: bool = False,
) -> None:
    """Add one act to the trail, in the transaction of the change it describes.

    `action` is `noun.verb`; `details` say what was before and after, never a secret or a buyer's data. With `nameless`
    nothing is kept that leads to who did it, not even the request's id, which other logs know too.
    """
    at = _at.get()
    db.session.execute(
        insert(AuditEvent).values(
            **({"at": at} if at else {}),
            action=action,
            subject_kind=subject_kind,
            subject_id=str(subject_id),
            person_id=person_id,
            facility_id=facility_id,
            details=details or {},
            request_id=g.get("request_id") if has_request_context() and not nameless else None,
            # Set at the door for staff alone: a shopper's address is not kept.
            network=g.get("staff_network") if has_request_context() and not nameless else None,
        )
    )


def record_several(
    action: str,
    subject_kind: str,
    subjects: Sequence[tuple[int | str, dict[str, Any]]],
    *,
    person_id: int | None = None,
    facility_id: int | None = None,
) -> None:
    """Add the same act on several subjects, each with its details, in one statement; for jobs, not for requests."""
    at = _at.get()
    rows = [
        {
            **({"at": at} if at else {}), "action": action, "subject_kind": subject_kind, "subject_id": str(id_),
            "person_id": person_id, "facility_id": facility_id, "details": details,
        }
        for id_, details in subjects
    ]  # fmt: skip
    if rows:
        db.session.execute(insert(AuditEvent), rows)


def dated_at() -> datetime.datetime | None:
    """The moment that `dated` names; None in everyday life, where the clock counts."""
    return _at.get()


@contextmanager
def dated(at: datetime.datetime) -> Iterator[None]:
    """What is recorded, decided and booked within happened `at`: for history that is written down later."""
    token = _at.set(at)
    try:
        yield
    finally:
        _at.reset(token)
