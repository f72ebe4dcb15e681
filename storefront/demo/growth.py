"""More products than the file has, made by combining its own with motifs and colours."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Sequence
from itertools import count

from storefront.demo.files import ProductRow, VariantRow

#: History buys among so many variants at most: a larger catalogue has a long tail that nobody ordered.
SELLING = 600

MOTIFS = (
    ("motif kawung", "kawung motif"), ("motif parang", "parang motif"), ("motif mega mendung", "cloud motif"),
    ("motif truntum", "truntum motif"), ("motif daun", "leaf motif"), ("motif ombak", "wave motif"),
    ("motif bunga", "flower motif"), ("motif garis", "striped"), ("motif polos", "plain"),
    ("motif burung", "bird motif"), ("motif ikan", "fish motif"), ("motif bintang", "star motif"),
    ("motif anyaman", "woven motif"), ("motif sulur", "tendril motif"), ("motif gunung", "mountain motif"),
    ("motif bambu", "bamboo motif"),
)  # fmt: skip
COLOURS = (
    ("biru", "blue"), ("merah", "red"), ("hijau", "green"), ("kuning", "yellow"), ("cokelat", "brown"),
    ("hitam", "black"), ("putih", "white"), ("ungu", "purple"), ("jingga", "orange"), ("abu-abu", "grey"),
    ("merah muda", "pink"), ("nila", "indigo"), ("gading", "ivory"), ("tembaga", "copper"), ("perak", "silver"),
    ("zaitun", "olive"), ("marun", "maroon"), ("toska", "turquoise"), ("krem", "cream"), ("lembayung", "violet"),
)  # fmt: skip


def grown(rows: Sequence[ProductRow], number: int, rng: random.Random) -> list[ProductRow]:
    """`rows`, and further ones made from them until there are `number`."""
    result = list(rows)
    numbers = Counter(row.sku.rsplit("-", 1)[0] for row in rows)
    for round_ in count():
        for colour, colour_en in COLOURS:
            for motif, motif_en in MOTIFS:
                for row in rows:
                    if len(result) >= number:
                        return result
                    stem = row.sku.rsplit("-", 1)[0]
                    numbers[stem] += 1
                    edition = f" {round_ + 1}" if round_ else ""
                    result.append(
                        _variation(
                            row,
                            f"{stem}-{numbers[stem]:02}",
                            f", {motif} {colour}{edition}",
                            f", {motif_en}, {colour_en}{edition}",
                            rng,
                        )
                    )
    raise AssertionError("unreachable")


def _variation(row: ProductRow, sku: str, words: str, words_en: str, rng: random.Random) -> ProductRow:
    price = max(5_000, round(row.price * rng.uniform(0.8, 1.3) / 1000) * 1000)
    return dataclasses.replace(
        row,
        sku=sku,
        title=row.title + words,
        title_en=row.title_en + words_en,
        price=price,
        material_cost=min(row.material_cost, price) if row.material_cost is not None else None,
        stock=None,
        variants=(VariantRow(sku, "", "", 0),),
    )
