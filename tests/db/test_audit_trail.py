"""The audit trail answers by its indexes, however long it has grown."""

from __future__ import annotations

import datetime

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.audit import trail
from storefront.audit.trail import Asked
from storefront.days import today
from storefront.keyset import PAGE
from tests.factories import make_facility, make_person

LONG = """
    INSERT INTO audit_events (at, person_id, action, subject_kind, subject_id, facility_id, details)
    SELECT now() - (200000 - n) * interval '1 minute', CASE WHEN n %% 2000 = 0 THEN %(rare)s ELSE %(busy)s END,
           CASE WHEN n %% 4000 = 0 THEN 'refund.approved' ELSE 'parcel.packed' END,
           CASE WHEN n %% 4000 = 0 THEN 'refund' ELSE 'parcel' END, (n / 3)::text,
           CASE WHEN n %% 5000 = 0 THEN %(facility)s END, jsonb_build_object('code', 'P-' || n)
      FROM generate_series(1, 200000) n"""


@pytest.fixture
def long(db_session: Session, owner_connection: psycopg.Connection) -> None:
    """200,000 acts; one person, one act and one facility are rare among them."""
    rare, busy, facility = make_person(name="Rini Jarang"), make_person(name="Budi"), make_facility("ZZZ")
    db_session.commit()
    owner_connection.execute(LONG, {"rare": rare.id, "busy": busy.id, "facility": facility.id})
    owner_connection.commit()
    owner_connection.execute("ANALYZE audit_events")
    owner_connection.commit()


def test_of_a_long_trail_every_filter_is_answered_by_an_index(app: Flask, long: None, db_session: Session) -> None:
    day = today() - datetime.timedelta(days=60)
    asked = {
        "all": Asked(),
        "on": Asked(),
        "back": Asked(),
        "who": Asked(who="jarang"),
        "noun": Asked(action="refund"),
        "act": Asked(action="refund.approved"),
        "thing": Asked(subject="refund:28000"),
        "id": Asked(subject="28000"),
        "facility": Asked(facility="ZZZ"),
        "days": Asked(first=day, last=day),
        "all at once": Asked(who="rini", action="refund", facility="ZZZ", first=day - datetime.timedelta(days=80)),
    }
    for name, one in asked.items():
        selection, values = trail.narrow(one, None, with_people=True)
        columns = trail.COLUMNS.replace("{keys}", trail.LATEST.keys)
        key, way = "", trail.LATEST.sql(backwards=name == "back")
        if name in ("on", "back"):
            key, values = f"AND {trail.LATEST.beyond(backwards=name == 'back')}", {**values, "key_0": 150_000}
        statement = f"{columns} WHERE {selection} {key} ORDER BY {way} LIMIT {PAGE + 1}"
        plan = "\n".join(db_session.scalars(text("EXPLAIN (ANALYZE, BUFFERS) " + statement), values))
        assert "Seq Scan on audit_events" not in plan, f"{name}\n{plan}"
        took = float(plan.rpartition("Execution Time: ")[2].split()[0])
        assert took < 100, f"{name}\n{plan}"
        assert trail.acts(one, None, with_people=True).rows, name
    found = trail.acts(Asked(words="p-199998"), None, with_people=True)
    assert [row.details for row in found.rows] == [{"code": "P-199998"}]
