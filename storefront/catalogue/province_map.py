"""The map of the provinces: how many products each has, in classes that show without colour, and where labels stand.

The outlines lie in static/map/provinces.svg (CC BY 4.0, see the licence beside it); a page draws them by reference.
They are of 34 provinces: what was divided in 2022 is shown within the province it came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from storefront.catalogue.filters import slug_of

WIDTH, HEIGHT = 7930, 2880
#: Provinces younger than the outlines, and the one whose outline holds them.
WITHIN = {
    "papua-barat-daya": "papua-barat",
    "papua-tengah": "papua",
    "papua-pegunungan": "papua",
    "papua-selatan": "papua",
}
#: Where each outline's number stands; small provinces have theirs in the sea, with a line to the second point.
LABELS: dict[str, tuple[int, int, int, int]] = {
    "aceh": (330, 260, 0, 0), "sumatera-utara": (700, 590, 0, 0), "sumatera-barat": (790, 1290, 960, 1110),
    "riau": (1134, 904, 0, 0), "kepulauan-riau": (1760, 700, 1640, 850), "jambi": (1300, 1273, 0, 0),
    "bengkulu": (1010, 1700, 1230, 1590), "sumatera-selatan": (1560, 1520, 0, 0),
    "kepulauan-bangka-belitung": (2040, 1290, 1880, 1370), "lampung": (1690, 1820, 0, 0),
    "banten": (1700, 2290, 1880, 2110), "dki-jakarta": (2050, 1860, 2011, 2050), "jawa-barat": (2120, 2440, 2160, 2220),
    "jawa-tengah": (2560, 2000, 2590, 2210), "di-yogyakarta": (2560, 2590, 2637, 2350),
    "jawa-timur": (3000, 2320, 0, 0), "bali": (3340, 2660, 3440, 2430), "nusa-tenggara-barat": (3880, 2200, 3880, 2460),
    "nusa-tenggara-timur": (4480, 2720, 4480, 2480), "kalimantan-barat": (2700, 1010, 0, 0),
    "kalimantan-tengah": (3120, 1270, 0, 0), "kalimantan-selatan": (3640, 1720, 3490, 1500),
    "kalimantan-timur": (3700, 900, 0, 0), "kalimantan-utara": (3640, 470, 0, 0),
    "sulawesi-utara": (5280, 620, 5050, 830), "gorontalo": (4700, 640, 4700, 860),
    "sulawesi-tengah": (4390, 1180, 0, 0), "sulawesi-barat": (3960, 1500, 4170, 1410),
    "sulawesi-selatan": (4330, 1640, 0, 0), "sulawesi-tenggara": (4900, 1540, 4640, 1600),
    "maluku": (5880, 1840, 5940, 1560), "maluku-utara": (5930, 700, 5690, 830), "papua": (7400, 1680, 0, 0),
    "papua-barat": (6480, 1270, 0, 0),
}  # fmt: skip
#: Classes of a province with products, the fullest last.
CLASSES = 3


@dataclass(frozen=True)
class Region:
    """An outline of the map, with all provinces shown within it."""

    #: Id of the outline.
    id: str
    #: Names of the provinces that have facilities here.
    names: tuple[str, ...]
    facilities: int
    products: int
    #: 0: facilities without products on sale; up to `CLASSES`.
    level: int
    x: int
    y: int
    #: Where a line from the label ends; None when the label stands on the province.
    to: tuple[int, int] | None

    @property
    def slugs(self) -> tuple[str, ...]:
        """The provinces as they stand in an address."""
        return tuple(slug_of(name) for name in self.names)


@dataclass(frozen=True)
class ProvinceMap:
    """The regions with facilities, those without, and the classes in words."""

    regions: tuple[Region, ...]
    #: Ids of all other outlines.
    empty: tuple[str, ...]
    #: First and last number of products of each class, the smallest first.
    classes: tuple[tuple[int, int], ...]
    #: Provinces younger than the map that have facilities, each with the name of the one it is shown in.
    within: tuple[tuple[str, str], ...]


def province_map(counts: Mapping[str, tuple[int, int]], names: Iterable[str] = ()) -> ProvinceMap:
    """Draw the provinces of `counts`: facilities and products on sale of each, by name.

    `names` are the known provinces, for the words of those that lie within an older outline.
    """
    by_slug = {slug_of(name): name for name in (*names, *counts)}
    grouped: dict[str, list[str]] = {}
    for name in sorted(counts):
        slug = slug_of(name)
        grouped.setdefault(WITHIN.get(slug, slug), []).append(name)
    sums = {
        outline: (sum(counts[name][0] for name in group), sum(counts[name][1] for name in group))
        for outline, group in grouped.items()
        if outline in LABELS
    }
    classes = classes_of([products for _, products in sums.values()])
    regions = []
    for outline, (facilities, products) in sorted(sums.items()):
        x, y, to_x, to_y = LABELS[outline]
        level = next((n for n, (low, high) in enumerate(classes, start=1) if low <= products <= high), 0)
        to = (to_x, to_y) if to_x else None
        regions.append(Region(outline, tuple(grouped[outline]), facilities, products, level, x, y, to))
    within = tuple(
        (name, by_slug.get(WITHIN[slug_of(name)], WITHIN[slug_of(name)].replace("-", " ").title()))
        for name in sorted(counts)
        if slug_of(name) in WITHIN
    )
    return ProvinceMap(tuple(regions), tuple(sorted(set(LABELS) - set(sums))), classes, within)


def classes_of(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Classes, each of about as many provinces; equal numbers are in one class. None for a map without products.

    >>> classes_of([1, 2, 2, 3, 4, 9])
    ((1, 1), (2, 3), (4, 9))
    """
    found = sorted(number for number in numbers if number > 0)
    if not found:
        return ()
    edges: list[int] = []
    for part in range(1, CLASSES):
        edge = found[min(len(found) - 1, len(found) * part // CLASSES)]
        if edge > (edges[-1] if edges else found[0]):
            edges.append(edge)
    lows = [found[0], *edges]
    highs = [max(number for number in found if number < edge) for edge in edges] + [found[-1]]
    return tuple(zip(lows, highs, strict=True))
