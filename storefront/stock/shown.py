"""Tell the catalogue that what its cached pages say of a variant's stock is no longer so."""

from __future__ import annotations

from collections.abc import Sequence

from storefront.extensions import defer


def tell_catalogue(variant_ids: Sequence[int]) -> None:
    """Queue the look at these variants, to run after this transaction commits.

    Never within it: the catalogue's version is one row, and a purchase must not wait for it.
    """
    if variant_ids:
        defer("catalogue.refresh_shown_state", variant_ids=sorted(variant_ids))
