"""Indonesian at the plain address, English at /en + the same; the rest of the web stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, request, url_for
from flask.testing import FlaskClient
from flask_babel import get_locale

from storefront.languages import alternate_url, compile_translations


@pytest.fixture(scope="module")
def speaking_app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app()

    @app.get("/where/")
    def where() -> dict[str, str]:
        return {
            "locale": str(get_locale()),
            "path": request.path,
            "url": url_for("where", q="a b"),
            "en": alternate_url("en"),
            "id": alternate_url("id"),
        }

    @app.get("/api/v1/where")
    def api() -> str:
        return str(get_locale())

    return app


@pytest.fixture
def reader(speaking_app: Flask, database: object) -> FlaskClient:
    return speaking_app.test_client()


def test_plain_address_is_indonesian(reader: FlaskClient) -> None:
    found = reader.get("/where/?q=kursi", headers={"Accept-Language": "en"}).json
    assert found["locale"] == "id"
    assert found["url"] == "/where/?q=a+b"
    assert (found["en"], found["id"]) == ("/en/where/?q=kursi", "/where/?q=kursi")


def test_en_prefix_is_english_and_links_keep_it(reader: FlaskClient) -> None:
    found = reader.get("/en/where/?q=kursi").json
    assert (found["locale"], found["path"]) == ("en", "/where/")
    assert found["url"] == "/en/where/?q=a+b"
    assert (found["en"], found["id"]) == ("/en/where/?q=kursi", "/where/?q=kursi")


def test_redirects_stay_in_their_language(reader: FlaskClient) -> None:
    assert reader.get("/en/where").headers["Location"].endswith("/en/where/")


@pytest.mark.parametrize(
    "path",
    [
        "/en/api/v1/where",
        "/en/healthz",
        "/en/readyz",
        "/en/metrics",
        "/en/static/x.css",
        "/en/en/where/",
        "/english",
    ],
)
def test_addresses_that_speak_no_language(reader: FlaskClient, path: str) -> None:
    assert reader.get(path).status_code == 404


def test_bare_prefix_is_the_english_home(reader: FlaskClient) -> None:
    assert reader.get("/en").request.path == "/en"
    assert reader.get("/en").status_code == reader.get("/en/").status_code == reader.get("/").status_code


def test_session_cookie_serves_both_languages(reader: FlaskClient, speaking_app: Flask) -> None:
    with speaking_app.test_request_context("/where/"):
        assert speaking_app.session_interface.get_cookie_path(speaking_app) == "/"


def test_catalogue_is_compiled_when_it_is_newer(tmp_path: Path) -> None:
    folder = tmp_path / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    source, target = folder / "messages.po", folder / "messages.mo"
    source.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Kursi"\nmsgstr "Chair"\n'
    )
    compile_translations(tmp_path)
    assert b"Chair" in target.read_bytes()
    written = target.stat().st_mtime_ns
    compile_translations(tmp_path)
    assert target.stat().st_mtime_ns == written
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
