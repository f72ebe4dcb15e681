"""Fixtures for tests that need many connections at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

import storefront
from storefront.extensions import db
from tests.clones import Clone


@pytest.fixture
def wide_app(
    make_app: Callable[..., Flask], database: Clone, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """An app with 20 connections, for which the threads of a test may wait."""
    narrow = storefront.engine_options
    monkeypatch.setattr(
        storefront, "engine_options", lambda settings: {**narrow(settings), "pool_size": 20, "pool_timeout": 30}
    )
    app = make_app()
    yield app
    with app.app_context():
        db.engine.dispose()
