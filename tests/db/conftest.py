"""Fixtures for tests that need many connections at once, or a shop whose books have lived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

import storefront
from storefront.extensions import db
from tests.clones import Clone, TestServer, forget_kept, settings_for, worker_name
from tests.later_books import lived_books


@pytest.fixture(scope="session")
def wide_shared_app(make_app: Callable[..., Flask]) -> Flask:
    """An app with 20 connections; tests take `wide_app`."""
    narrow = storefront.engine_options
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            storefront, "engine_options", lambda settings: {**narrow(settings), "pool_size": 20, "pool_timeout": 30}
        )
        return make_app()


@pytest.fixture
def wide_app(wide_shared_app: Flask, database: Clone) -> Iterator[Flask]:
    """An app with 20 connections, for which the threads of a test may wait."""
    forget_kept(wide_shared_app)
    yield wide_shared_app
    with wide_shared_app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def lived_in(database_server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A shop in which every kind of entry was booked; whoever changes it must undo that."""
    clone = database_server.clone(f"storefront_lived_in_{worker_name()}")
    app = storefront.create_app(settings_for(clone.addresses, Path(tmp_path_factory.mktemp("lived_in"))))
    app.config["TESTING"] = True
    with app.app_context():
        lived_books()
        db.session.remove()
        db.engine.dispose()
    yield clone
    clone.close()
