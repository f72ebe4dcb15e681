"""What several machines share: files in a bucket, counters in Redis, one place that hears of faults."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakeredis import TcpFakeServer

from config import ConfigError
from storefront import sentry, start_checks
from storefront.media.storage import PRIVATE, Store, open_store
from tests.bucket import bucket
from tests.clones import Clone, settings_for

ASK = """
import sys
from storefront import create_app
client = create_app().test_client()
print(*[client.get("/certificates/AAAA-AAAA-AAAA", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code
        for _ in range(20)])
"""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[Store, dict[str, bytes]]]:
    with bucket() as (address, objects):
        for name, value in {
            "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": address, "AWS_ALLOW_HTTP": "true",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        settings = settings_for(_ADDRESSES, tmp_path, MEDIA_URL="s3://karya/files")
        yield open_store(settings, PRIVATE), objects


_ADDRESSES = {"storefront_web": "postgresql://x", "storefront_owner": "postgresql://x"}


def test_files_lie_in_the_bucket_and_come_back(store: tuple[Store, dict[str, bytes]], tmp_path: Path) -> None:
    files, objects = store
    assert not files.is_local
    files.write("exports/a.csv", b"one")
    assert objects == {"karya/files/private/exports/a.csv": b"one"}
    assert files.exists("exports/a.csv")
    assert files.read("exports/a.csv") == b"one"
    big = tmp_path / "big"
    big.write_bytes(os.urandom(12_000_000))
    files.put_file("exports/big.bin", big)
    with files.open("exports/big.bin") as opened:
        assert opened.read() == big.read_bytes()
    assert sorted(files.below("exports")) == ["exports/a.csv", "exports/big.bin"]
    files.delete("exports/a.csv")
    files.delete("exports/a.csv")
    assert not files.exists("exports/a.csv")
    assert files.below("nothing") == []
    with pytest.raises(FileNotFoundError):
        files.read("exports/a.csv")


def test_two_processes_count_together_in_redis(database: Clone, tmp_path: Path) -> None:
    server = TcpFakeServer(("127.0.0.1", 0))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = settings_for(database.addresses, tmp_path)
    env = os.environ | {
        "DEMO": "on", "VAR_DIR": str(tmp_path), "DATABASE_URL": settings.database_url or "", "RATE_LIMITS": "on",
        "REDIS_URL": f"redis://127.0.0.1:{server.server_address[1]}", "BASE_URL": "http://localhost",
    }  # fmt: skip
    try:
        answers = []
        for _process in range(2):
            done = subprocess.run([sys.executable, "-c", ASK], env=env, capture_output=True, text=True, check=True)
            answers += [int(word) for word in done.stdout.split()]
    finally:
        server.shutdown()
        server.server_close()
    assert len(answers) == 40
    assert set(answers[:30]) == {404}
    assert set(answers[30:]) == {429}


@pytest.mark.parametrize(
    ("setting", "value"),
    [("REDIS_URL", "redis://x"), ("MEDIA_URL", "s3://x/y"), ("SENTRY_DSN", "https://x@faults.example/1")],
)
def test_a_setting_without_its_package_is_refused(
    setting: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(start_checks, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=rf"{setting} needs .* requirements-scale\.txt"):
        start_checks.refuse_missing_packages(settings_for(_ADDRESSES, tmp_path, **{setting: value}))


def test_a_fault_is_told_without_the_person() -> None:
    event = {
        "request": {
            "method": "GET", "url": "https://shop.example/orders/KB-7Q2M-4XPA?token=geheim", "cookies": "session=1",
            "headers": {"Cookie": "session=1"}, "data": {"email": "sari@example.com"},
        },
        "user": {"ip_address": "203.0.113.9"},
        "exception": {"values": [
            {"module": "sqlalchemy.exc", "type": "IntegrityError", "value": "Key (email)=(sari@example.com)"},
            {"module": None, "type": "ValueError", "value": "https://x/?token=geheim is odd"},
        ]},
    }  # fmt: skip
    told = json.dumps(sentry.without_people(event))
    assert not [word for word in ("sari@", "geheim", "session=1", "203.0") if word in told]
    assert not [word for word in ("IntegrityError", "/orders/KB-7Q2M-4XPA", "is odd") if word not in told]
