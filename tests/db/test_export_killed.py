"""An export that is killed leaves no half file under its name, and runs again as if nothing had been."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from storefront import crash_points
from storefront.extensions import db
from tests.clones import SECRETS, Clone
from tests.factories import make_paid_order, make_rule, make_variant

PROJECT = Path(__file__).resolve().parents[2]
Export = Callable[..., tuple[int, str]]


@pytest.fixture
def export(app: Flask, db_session: Session, database: Clone, tmp_path: Path) -> Export:
    """`flask export sales` in a process of its own, which dies at `crash_at`.

    A fork of this one: what is imported already need not be imported six times.
    """
    make_rule()
    make_paid_order((make_variant(stock=5), 1))
    db_session.commit()
    said = tmp_path / "said"
    said.mkdir()

    def run(crash_at: str = "") -> tuple[int, str]:
        out = said / "out.txt"
        child = os.fork()
        if child == 0:
            crash_points.chosen = crash_at
            os._exit(in_child(app, tmp_path / "sales.csv", out))
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), out.read_text() if out.exists() else ""

    return run


def in_child(app: Flask, target: Path, out: Path) -> int:
    """Run the command on connections of this process's own; its exit status."""
    with app.app_context():
        db.engine.dispose(close=False)  # the parent's connections stay the parent's
    days = ["--from", "2020-01-01", "--to", "2100-01-01", "--out", str(target)]
    result = app.test_cli_runner().invoke(args=["export", "sales", *days])
    out.write_text(result.output)
    return result.exit_code


def named(folder: Path) -> dict[str, bytes]:
    """What stands under names that people look for."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")}


def test_a_killed_export_leaves_no_half_file(export: Export, db_session: Session, tmp_path: Path) -> None:
    assert export("export.half_written")[0] == -signal.SIGKILL
    assert named(tmp_path) == {}

    status, told = export()
    assert status == 0, told
    assert "1 baris" in told
    before = named(tmp_path)

    make_paid_order((make_variant(stock=5), 1))
    db_session.commit()
    assert export("export.half_written")[0] == -signal.SIGKILL
    assert named(tmp_path) == before

    # Between the two names the new file may stand alone, never beside the old one's manifest.
    assert export("export.between_files")[0] == -signal.SIGKILL
    assert list(named(tmp_path)) == ["sales.csv"]
    assert named(tmp_path)["sales.csv"] != before["sales.csv"]

    assert export()[0] == 0
    after = named(tmp_path)
    manifest = json.loads(after["sales.csv.manifest.json"])
    assert manifest["sha256"] == hashlib.sha256(after["sales.csv"]).hexdigest()
    assert manifest["row_count"] == 2


def test_without_a_database_a_command_says_so() -> None:
    gone = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    for arguments in (
        ["verify"],
        ["export", "sales", "--from", "2026-01-01", "--to", "2026-01-02", "--out", "x.csv"],
    ):
        told = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=PROJECT,
            env={**os.environ, **SECRETS, **gone, "DEMO": "on"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert told.returncode == 2
        assert "Traceback" not in told.stderr
        assert "database" in told.stderr
