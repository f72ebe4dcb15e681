"""The mark of tests that break a running shop."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "drill: breaks a running shop on purpose; `make drill` has the long forms"
    )
