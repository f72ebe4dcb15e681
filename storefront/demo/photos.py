"""Pictures of the products, through the shop's own photo pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storefront.catalogue.models import Photo
from storefront.demo import files
from storefront.demo.bulk import insert_rows
from storefront.demo.catalogue import Item
from storefront.media.photos import store_picture
from storefront.media.pictures import Picture

#: Grounds behind the cut-out pictures.
TINTS = ("c1", "c2", "c3", "c4")


def store(items: Sequence[Item]) -> dict[str, Picture]:
    """Make and store the files of every picture that `items` need, once each; by name."""
    names = sorted({name for item in items for name in item.row.pictures})
    return {name: store_picture((files.PICTURES / f"{name}.webp").read_bytes()) for name in names}


def add(items: Sequence[Item], stored: dict[str, Picture]) -> None:
    """Write down which product shows which picture, with what is to be seen on it."""
    alts = files.toml("pictures.toml")
    rows: list[dict[str, Any]] = []
    for number, item in enumerate({item.product_id: item for item in items}.values()):
        for position, name in enumerate(item.row.pictures):
            picture = stored[name]
            rows.append(
                {
                    "product_id": item.product_id,
                    "position": position,
                    "key": picture.key,
                    "widths": list(picture.widths),
                    "width": picture.width,
                    "height": picture.height,
                    "tint": TINTS[(number + position) % len(TINTS)],
                    "alt": alts[name][0],
                    "alt_en": alts[name][1],
                }
            )
    insert_rows(Photo, rows)
