"""Whose rows a list holds, as its query takes it."""

from __future__ import annotations

from collections.abc import Iterable


def as_list(facility_ids: Iterable[int] | None) -> list[int] | None:
    """Ids as a query takes them; None means all facilities."""
    return None if facility_ids is None else list(facility_ids)
