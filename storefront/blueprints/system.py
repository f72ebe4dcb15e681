"""For machines that watch the shop: is the process alive, may it get requests, its figures."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from storefront import metrics as figures
from storefront import replica
from storefront.extensions import db
from storefront.schema import newest_revision

bp = Blueprint("system", __name__)
log = structlog.get_logger("storefront.system")


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """200 while the process answers at all."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 when the database answers and has all migrations, else 503 with what is missing.

    A replica is named and takes nothing from being ready: without it the primary answers everything.
    """
    checks = {"database": "ok", "migrations": "ok"}
    try:
        found = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except SQLAlchemyError as error:
        log.warning("not ready", error=type(error).__name__)
        db.session.rollback()
        checks = {"database": "unavailable or empty", "migrations": "unknown"}
    else:
        if found != newest_revision():
            checks["migrations"] = "not at the newest revision"
    ready = all(state == "ok" for state in checks.values())
    if watched := replica.watch():
        checks["replica"] = watched.condition().word
    return jsonify(status="ok" if ready else "unavailable", checks=checks), 200 if ready else 503


@bp.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Prometheus figures of all web workers."""
    return Response(figures.render(), content_type=CONTENT_TYPE_LATEST)
