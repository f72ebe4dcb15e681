"""`make bench`: measure the shop and print a table beside what it must beat.

`python -m bench [pages|purchase|rush|books|imports|exports|lists|growth|counter|steps|lighthouse …]`.
How to read the table: docs/bench.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import asdict
from typing import Any

from bench import books, counter, exports, growth, imports, lighthouse, lists, pages, purchase, steps
from bench.stage import open_shop, open_smallest
from tests.drills.running_shop import PROJECT, Shop, memory_of

RESULTS = PROJECT / "bench" / "results"
PARTS = (
    *("pages", "purchase", "rush", "books", "imports", "exports", "lists", "growth", "counter", "steps"),
    "lighthouse",
)
#: What the growth is measured up to unless told.
MANY = 100_000


class Table:
    """Rows of work: what it costs here, what we aim at, what it costs elsewhere."""

    HEAD = ("work", "here", "aim", "peers")

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []

    def add(self, work: str, here: str, aim: str = "", peers: str = "") -> None:
        self.rows.append((work, here, aim, peers))

    def __str__(self) -> str:
        rows = [self.HEAD, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows
        ]
        return "\n".join(
            [lines[0].rstrip(), "  ".join("-" * width for width in widths), *map(str.rstrip, lines[1:])]
        )


PEERS = {
    "home": "",
    "listing of 24": "Vendure 6.5 ms, Oscar 54–363 ms",
    "product page": "Vendure 20 ms, Oscar 25 ms",
}


def bench_pages(shop: Shop, table: Table) -> dict[str, Any]:
    idle = [memory_of(pid) for pid in shop.pids("web")]
    with open_smallest(shop) as smallest:
        costs = pages.measure(shop, smallest)
    for cost in costs:
        ratio = "" if cost is costs[0] else f" = ×{cost.cpu_ratio:.2f}; latency ×{cost.latency_ratio:.2f}"
        aim = "CPU ≤ ×1" if cost.page in PEERS else ""
        bad = f", {cost.bad} BAD ANSWERS" if cost.bad else ""
        here = f"{cost.cpu:.2f} ms CPU{ratio} ({cost.latency:.2f} ms), {cost.per_second:.0f}/s{bad}"
        table.add(cost.page, here, aim, PEERS.get(cost.page, ""))
    weight = pages.weight(shop)
    table.add(
        "weight of the listing, gzipped",
        f"{weight['total'] / 1000:.1f} kB (HTML {weight['html'] / 1000:.1f}, CSS {weight.get('css', 0) / 1000:.1f},"
        f" JS {weight.get('js', 0) / 1000:.1f})",
        "≤ 60 kB",
        "Oscar 106 kB",
    )
    busy = [memory_of(pid) for pid in shop.pids("web")]
    megabytes = [" + ".join(f"{size / 1e6:.0f}" for size in sizes) for sizes in (idle, busy)]
    table.add(
        "memory of the web processes",
        f"{megabytes[0]} MB idle, {megabytes[1]} MB after the load",
        "≤ 120 MB each",
        "Vendure 208–238 MB",
    )
    return {"costs": pages.as_json(costs), "weight": weight, "memory": {"idle": idle, "after_load": busy}}


def bench_purchase(shop: Shop, table: Table, purchases: int) -> dict[str, Any]:
    found = purchase.measure(shop, purchases)
    middle = found.middle()
    cost, bare = found.purchases[middle], found.bare[middle]
    ratios, inside = sorted(found.ratios), sorted(found.database_ratios)
    table.add(
        "whole guest purchase, jobs included",
        f"{cost.total:.1f} ms CPU (web {cost.web:.1f}, worker {cost.worker:.1f}, database {cost.database:.1f}),"
        f" {cost.per_second:.1f}/s, {cost.latency:.0f} ms",
        "≤ 20 ms CPU",
        "Vendure 200–250 ms, Oscar 165 ms",
    )
    table.add(
        f"the same facts in one bare transaction ({bare.rows} rows, {bare.statements} statements)",
        f"{bare.total:.1f} ms CPU (client {bare.client:.1f}, database {bare.database:.1f})",
    )
    table.add(
        "a purchase beside the bare transaction",
        f"×{found.ratios[middle]:.0f} (×{ratios[0]:.0f}–×{ratios[-1]:.0f}); the database alone"
        f" ×{found.database_ratios[middle]:.1f} (×{inside[0]:.1f}–×{inside[-1]:.1f})",
    )
    return {
        **asdict(cost),
        "total": cost.total,
        "bare": {**asdict(bare), "total": bare.total},
        "ratio": found.ratios[middle],
        "database_ratio": found.database_ratios[middle],
        "rounds": {"ratios": found.ratios, "database_ratios": found.database_ratios},
    }


def bench_rush(shop: Shop, table: Table, runs: int = 5) -> dict[str, Any]:
    found = [purchase.rush(shop) for _ in range(runs)]
    orders = "/".join(str(each.orders) for each in found)
    told = "/".join(str(each.told) for each in found)
    other = sum(each.others for each in found)
    slowest = max(each.seconds for each in found)
    wrong = [each for each in found if each.orders != purchase.PIECES or each.left_in_stock or each.others]
    table.add(
        f"{purchase.SHOPPERS} shoppers at once, {purchase.PIECES} pieces",
        f"{orders} orders, {told} told so, {other} other answers; all within {slowest:.1f} s"
        + (" WRONG" if wrong else ""),
        "5, the others told at once",
        "Vendure 34–40 paid, Oscar 8–12",
    )
    return {
        "runs": [asdict(each) for each in found],
        "median_seconds": statistics.median(e.seconds for e in found),
    }


def bench_growth(table: Table, many: int) -> dict[str, Any]:
    rows = growth.measure(many)
    for row in rows[1:]:
        kept = row.page.endswith("kept")
        beside = f"; ×{row.beside_smallest:.2f} of the smallest page ({rows[0].small:.2f} ms)" if kept else ""
        table.add(
            f"{row.page}, {growth.SMALL:,} → {many:,} products",
            f"{row.small:.2f} → {row.large:.2f} ms CPU = ×{row.ratio:.2f}{beside}",
            "≤ ×1 of the smallest, ×1.1" if kept else "×1.1",
            {"listing, rendered": "Vendure ×4, Oscar ×11"}.get(row.page, ""),
        )
    return {"products": [growth.SMALL, many], "rows": growth.as_json(rows)}


def bench_books(table: Table, *, fresh: bool) -> dict[str, Any]:
    with books.open_books(fresh=fresh) as shop:
        many, few = books.stretches(shop)
        screens = books.screens(shop, books.statement_paths(many, few))
        written = {"many": books.files(shop, many), "few": books.files(shop, few)}
        verified, closed = books.run(shop, "verify"), books.closing(shop)
    lines = f"{few.lines:,} → {many.lines:,} lines"
    for name in ("statement", *(f"by {by}" for by in books.GROUPINGS)):
        small, large = screens[f"{name}, few"], screens[f"{name}, many"]
        title = "statement on screen" if name == "statement" else f"report of sales {name}"
        slow = " SLOW" if name == "statement" and large.milliseconds >= 1000 else ""
        table.add(
            f"{title}, {lines}",
            f"{small.milliseconds:.0f} → {large.milliseconds:.0f} ms, {small.queries} → {large.queries} queries{slow}",
            "< 1 s" if name == "statement" else "",
        )
    for name in ("balances", "ageing"):
        table.add(
            f"{name} of all facilities",
            f"{screens[name].milliseconds:.0f} ms, {screens[name].queries} queries",
        )
    for form in books.FORMS:
        one, other = written["few"][form], written["many"][form]
        table.add(
            f"statement as {form.upper()}, {lines}",
            f"{one.seconds:.1f} → {other.seconds:.1f} s, at most {one.peak / 1e6:.0f} → {other.peak / 1e6:.0f} MB"
            f" = ×{other.peak / one.peak:.2f}",
            "memory ×1.2",
        )
    table.add("verify, all of it", f"{verified.seconds:.1f} s, at most {verified.peak / 1e6:.0f} MB")
    table.add(
        "closing a month",
        f"{closed.close:.2f} s; proving one of {closed.entries:,} entries {closed.prove:.2f} s",
    )
    return {
        "lines": {"many": asdict(many), "few": asdict(few)},
        "screens": {name: asdict(screen) for name, screen in screens.items()},
        "files": {size: {form: asdict(one) for form, one in each.items()} for size, each in written.items()},
        "verify": asdict(verified),
        "closing": asdict(closed),
    }


def bench_imports(table: Table, *, fresh: bool) -> dict[str, Any]:
    found = imports.measure(fresh=fresh)
    table.add(
        f"import of {found.rows:,} rows of listings, half of them new",
        f"{found.rate:.0f} rows/s (dry run {found.read_seconds:.1f} s, run {found.run_seconds:.1f} s;"
        f" {1000 * found.cpu_seconds / found.rows:.1f} ms CPU for each, the database's apart),"
        f" at most {found.peak:.0f} MB (before: {found.idle:.0f})" + ("" if found.stored == found.rows else " WRONG"),
    )
    return {**asdict(found), "rate": found.rate}


def bench_lists(table: Table, *, fresh: bool) -> dict[str, Any]:
    found, totals = lists.run(fresh=fresh)
    for page in found:
        table.add(
            f"{lists.ROWS:,} bank lines, {page.sort}, {page.place} page",
            f"{page.by_key:.1f} ms by key, {page.by_offset:.1f} ms by OFFSET",
            "flat",
        )
    table.add("their number and sum", f"{totals:.1f} ms")
    return {"pages": [asdict(page) for page in found], "totals": totals}


def bench_exports(table: Table, lines: int, *, fresh: bool) -> dict[str, Any]:
    found = exports.measure(lines, fresh=fresh)
    wrong = f" WRONG: {'; '.join(found.wrong)}" if found.wrong else ""
    slow = f" SLOW: {'; '.join(found.too_much)}" if found.too_much else ""
    ratios = {}
    for form, rival, its, aim in (
        ("csv", "COPY alone", found.copy, exports.CSV_AIM),
        ("xlsx", "XlsxWriter", found.xlsxwriter, exports.XLSX_AIM),
    ):
        ratios[form] = {of: found.ratio(form, of) for of in ("seconds", "cpu")}
        table.add(
            f"export of {found.lines:,} lines as {form.upper()}",
            f"{found.spent[form].seconds:.1f} s, {found.start.seconds:.1f} of them to start; {rival}"
            f" {its.seconds:.1f} s = ×{ratios[form]['seconds']:.2f}, ×{ratios[form]['cpu']:.2f} of its CPU;"
            f" at most {found.written[form].peak / 1e6:.0f} MB" + (wrong + slow if form == "csv" else ""),
            f"×{aim}, {exports.MEMORY_AIM / 1e6:.0f} MB",
        )
    for form in ("jsonl", "parquet"):
        one = found.written[form]
        table.add(f"the same as {form.upper()}", f"{one.seconds:.1f} s, at most {one.peak / 1e6:.0f} MB")
    return {**asdict(found), "ratios": ratios, "missed": found.too_much}


def bench_lighthouse(shop: Shop, table: Table) -> dict[str, Any]:
    judged = lighthouse.measure(shop)
    for one in judged:
        scores = ", ".join(f"{name} {score}" for name, score in one.scores.items())
        said = f"LCP {one.metrics['LCP'] / 1000:.1f} s, TBT {one.metrics['TBT']:.0f} ms, CLS {one.metrics['CLS']:.3f}"
        table.add(
            f"Lighthouse mobile, {one.page}",
            f"{scores} ({said})" + ("" if one.is_good else " SLOW"),
            f"≥ {lighthouse.LEAST} each",
        )
        for name, what in one.failing.items():
            print(f"  {one.page}: {name}: {what}")
    return {"package": lighthouse.PACKAGE, "pages": [asdict(one) for one in judged]}


def bench_counter(shop: Shop, table: Table) -> dict[str, Any]:
    found = {"with a line": counter.measure(shop), "without": counter.measure(shop, online=False)}
    for name, fifty in found.items():
        slow = " SLOW" if fifty.slowest >= counter.MOST else ""
        table.add(
            f"{counter.SALES} sales in a row at the counter, {name}",
            f"{fifty.middle:.2f} s each in the middle, the slowest {fifty.slowest:.2f} s, {fifty.taps} taps{slow}",
            f"< {counter.MOST:.0f} s each",
        )
    return {name: {**asdict(fifty), "middle": fifty.middle, "slowest": fifty.slowest} for name, fifty in found.items()}


def write(part: str, found: dict[str, Any]) -> None:
    """Keep what was measured, with the moment and how busy the machine was."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    about = {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "load_average": os.getloadavg(),
    }
    (RESULTS / f"{part}.json").write_text(json.dumps({**about, **found}, indent=2, default=str) + "\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], help="which; all but the last three and exports unless named"
    )
    parser.add_argument(
        "--growth", type=int, metavar="PRODUCTS", help=f"measure the growth up to so many, {MANY} unless told"
    )
    parser.add_argument("--purchases", type=int, default=300)
    parser.add_argument("--lines", type=int, default=1_000_000, help="of the export that is measured")
    parser.add_argument("--profile", action="store_true", help="with steps: the functions that cost most")
    parser.add_argument("--fresh", action="store_true", help="load the demo anew")
    return parser.parse_args()


def main() -> int:
    """Measure, print, keep."""
    given = arguments()
    parts = list(given.parts) or ["pages", "purchase", "rush", "books", "imports", "lists", "growth"]
    if given.growth and "growth" not in parts:
        parts.append("growth")
    table, begun, busy = Table(), time.monotonic(), os.getloadavg()[0]
    if {"pages", "purchase", "rush", "counter", "steps", "lighthouse"} & set(parts):
        with open_shop(fresh=given.fresh) as shop:
            if "pages" in parts:
                write("pages", bench_pages(shop, table))
            if "purchase" in parts:
                write("purchase", bench_purchase(shop, table, given.purchases))
            if "rush" in parts:
                write("rush", bench_rush(shop, table))
            if "counter" in parts:
                write("counter", bench_counter(shop, table))
            if "lighthouse" in parts:
                write("lighthouse", bench_lighthouse(shop, table))
            if "steps" in parts:
                found = steps.measure(shop, profile=given.profile)
                write("steps", {name: asdict(step) for name, step in found.items()})
                print(f"\n{steps.table(found)}")
    if "books" in parts:
        write("books", bench_books(table, fresh=given.fresh))
    if "imports" in parts:
        write("imports", bench_imports(table, fresh=given.fresh))
    if "lists" in parts:
        write("lists", bench_lists(table, fresh=given.fresh))
    if "exports" in parts:
        write("exports", bench_exports(table, given.lines, fresh=given.fresh))
    if "growth" in parts:
        write("growth", bench_growth(table, given.growth or MANY))
    if table.rows:
        print(f"\n{table}\n")
    print(f"{os.cpu_count()} cores, {time.monotonic() - begun:.0f} s, load of the machine before: {busy:.1f}"
          + (" (busy: read the ratios only)" if busy > 0.5 else ""))  # fmt: skip
    return 1 if any(word in str(table) for word in ("WRONG", "BAD ANSWERS", "SLOW")) else 0


if __name__ == "__main__":
    sys.exit(main())
