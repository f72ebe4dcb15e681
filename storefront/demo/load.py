"""The demo from beginning to end, in one transaction: killed half-way, nothing of it is there. What a bank and a
provider say of it follows in transactions of its own (`banked.py`), as it does in a shop.

With copies it takes two, one before finance begins to work: until rows are committed and vacuumed, each sum over an
account's postings goes to the table for every one of them.
"""

from __future__ import annotations

import datetime
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text

from storefront.days import today as accounting_today
from storefront.demo import (
    bringing,
    catalogue,
    collected,
    declared,
    drafted,
    drafts,
    files,
    gone_otherwise,
    growth,
    imported,
    kept,
    marketplaces,
    offers,
    office,
    packed_apart,
    paid_together,
    parcels,
    people,
    photos,
    places,
    product_words,
    quoted,
    rested,
    rules,
    searches,
    stand,
    stock_takes,
    training,
    treasury,
)
from storefront.demo import shopper as own_things
from storefront.demo.after_sale import AfterSale
from storefront.demo.banked import Banked
from storefront.demo.buyers import SHOPPER, Home
from storefront.demo.catalogue import Item
from storefront.demo.history import History
from storefront.demo.moments import days
from storefront.demo.multiply import BY_RULE, Multiplier
from storefront.demo.places import RUNNING, Places
from storefront.demo.plan import YEAR, Planner
from storefront.demo.settle import refresh, settle
from storefront.demo.shelves import Shelves
from storefront.demo.voices import Voices
from storefront.demo.worked_months import WorkedMonths, worked_months
from storefront.extensions import db
from storefront.people.models import Person
from storefront.shipping import load_places
from storefront.snapshot import driver_connection

Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much is loaded. Products beyond those of products.csv are made by combining them, orders beyond
    `BY_RULE` by copying those that ended well to the months before."""

    products: int
    orders: int
    #: Code of the facility whose orders alone are copied; None: those of all.
    copied: str | None = None


#: What `make run` loads.
DEFAULT_ORDERS = 460
#: Who proposes and pays, and who approves.
FINANCE = ("finance@demo.test", "finance2@demo.test")
#: Who decides for the office, and who reads what the public writes.
OFFICE, CURATOR = "admin@demo.test", "curator@demo.test"
#: Who stands at the running fair.
CASHIER = "cashier@demo.test"
#: Whose shelf was counted: the facility that people look at first.
COUNTED_FIRST = "PKL"


def default_size() -> Size:
    """All products of the file, and a year of orders."""
    return Size(len(files.rows("products.csv")), DEFAULT_ORDERS)


def load(
    seed: str = "1",
    size: Size | None = None,
    today: datetime.date | None = None,
    say: Say = lambda text: None,
) -> None:
    """Load the demo into a database that holds nothing but what the migrations wrote, and commit it.

    The same seed, size and day give the same rows, but for the moments of what `banked.py` and `marketplaces.py`
    add: files, which come when they come. The session must be the owner's.
    """
    size = size or default_size()
    today = today or accounting_today()
    begun = time.monotonic()
    load_places.load(driver_connection(db.session.connection()))
    accounts = people.accounts(random.Random(f"{seed}:people"), today)
    sites = places.add(today)
    people.roles(accounts, sites.facilities, sites.exhibitions, today)
    offers.add(sites.facilities, today)
    rules.add(sites.facilities, accounts, today)
    administrator, curator = (accounts[email].id for email in (OFFICE, CURATOR))
    declared.add(sites, _of_role("coordinator", accounts), administrator, curator, today, seed)
    first, second = (accounts[email].id for email in FINANCE)
    treasury.add(sites.facilities, first, second, today, seed)
    training.add(sites, accounts, _of_role("coordinator", accounts), today, seed)
    say(f"{len(sites.facilities)} facilities, {len(accounts)} accounts")
    items = _list_products(size.products, sites, today, seed, say)
    office.add(sites, accounts, today, seed)
    copies = size.orders - BY_RULE
    multiplier = Multiplier(copies, size.copied) if copies > 0 else None
    _write_history(min(size.orders, BY_RULE), items, sites, accounts, today, seed, say)
    settle()
    _write_voices(sites, accounts, today, seed)
    _count_stock(sites, accounts, today)
    if multiplier:
        multiplier.write(today - days(YEAR + 1), seed, lambda done: say(f"{done} of {copies} copies"))
        _commit("VACUUM (ANALYZE) journal_entries, postings")
        say("Everything sold")
    if size.orders:
        quoted.add(sites, _of_role("coordinator", accounts), today, seed)
    _work(sites, accounts, today, seed)
    kept.add(sites, _of_role("coordinator", accounts), today, seed)
    searches.add(accounts[CURATOR].id, today, seed)
    # The provider knows of these months what the shop knows.
    db.session.execute(text("SELECT sandbox_fill_in()"))
    say("Three months of books")
    settle()
    refresh()
    own_things.add(accounts[SHOPPER], today, seed)
    drafts.add(sites, accounts, today)
    _commit("ANALYZE")
    Banked(first, second, today, seed).write()
    if size.orders:
        marketplaces.add(first, today, seed)
    paid_together.add(first, second, today)
    AfterSale(first, _of_role("coordinator", accounts), accounts[CURATOR].id, today, seed).write()
    drafted.add(_of_role("coordinator", accounts), accounts[CURATOR].id, today)
    imported.add(sites.facilities["PKL"], _of_role("coordinator", accounts)["PKL"], today)
    rested.add(sites.facilities, _of_role("coordinator", accounts), today)
    packed_apart.add(sites.facilities, _of_role("coordinator", accounts), today, seed)
    gone_otherwise.add(sites.facilities, _of_role("coordinator", accounts), accounts, today, seed)
    if size.orders:
        stand.add(sites, accounts, today, seed)
    _commit("ANALYZE")
    say(f"Demo data loaded in {time.monotonic() - begun:.0f} s")


def _commit(then: str) -> None:
    """Commit; the planner knows nothing of rows that came at once, and autovacuum would tell it a minute later."""
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(then))


def _list_products(number: int, sites: Places, today: datetime.date, seed: str, say: Say) -> list[Item]:
    rows = growth.grown(files.products(), number, random.Random(f"{seed}:growth"))
    rng = random.Random(f"{seed}:catalogue")
    categories = catalogue.add_categories()
    items = catalogue.add_products(rows, sites, categories, today, rng)
    product_words.add(items, categories, today)
    stored = photos.store(items)
    say(f"{len(rows)} products, {len(items)} variants, {len(stored)} pictures")
    photos.add(items, stored)
    product_words.show_variants(items)
    return items


def _write_history(
    number: int,
    items: list[Item],
    sites: Places,
    accounts: dict[str, Person],
    today: datetime.date,
    seed: str,
    say: Say,
) -> None:
    origins = {row["code"]: Home(row["city"], row["province"]) for row in files.rows("facilities.csv")}
    shopper = accounts[SHOPPER]
    keepers = _of_role("coordinator", accounts)
    planner = Planner(items[: growth.SELLING], origins, files.buyer_words(), today, seed)
    orders = planner.plan(number, shopper.name)
    shelves = Shelves(sites, keepers, today)
    shelves.prepare(items, orders, random.Random(f"{seed}:shelves"))
    orders = collected.wish(orders, shelves.brought(), keepers, today)
    shelves.open()
    history = History(sites, shelves, shopper.id, seed, fees_from=worked_months(today)[0].first)
    history.write(orders, lambda done: say(f"{done} of {len(orders)} orders") if done % 100 == 0 else None)
    bringing.bring(shelves, accounts[OFFICE].id, today, seed)
    shelves.sell_out()
    packers = {sites.facilities[code].id: person for code, person in keepers.items()}
    collected.add(sites.exhibitions[RUNNING], packers, accounts[CASHIER].id, today)
    parcels.advance(today, packers, seed)


def _write_voices(sites: Places, accounts: dict[str, Person], today: datetime.date, seed: str) -> None:
    keepers = {sites.facilities[code].id: person for code, person in _of_role("coordinator", accounts).items()}
    office, curator = (accounts[email].id for email in (OFFICE, CURATOR))
    Voices(keepers, office, curator, today, seed).write()


def _count_stock(sites: Places, accounts: dict[str, Person], today: datetime.date) -> None:
    keeper = _of_role("coordinator", accounts)[COUNTED_FIRST]
    stock_takes.add(sites.facilities[COUNTED_FIRST].id, keeper, accounts[OFFICE].id, today)


def _work(sites: Places, accounts: dict[str, Person], today: datetime.date, seed: str) -> None:
    first, second = (accounts[email].id for email in FINANCE)
    workshops: dict[str, list[int]] = {}
    for (code, _name), workshop in sites.workshops.items():
        workshops.setdefault(code, []).append(workshop.id)
    WorkedMonths(
        sites.facilities,
        workshops,
        first,
        second,
        coordinators=_of_role("coordinator", accounts),
        heads=_of_role("head", accounts),
        today=today,
        seed=seed,
    ).write()


def _of_role(role: str, accounts: dict[str, Person]) -> dict[str, int]:
    """Ids of the demo's people with a role in a facility, by facility code."""
    return {
        code: accounts[row["email"]].id
        for row in files.toml("people.toml")["person"]
        if row.get("role") == role
        for code in row["facilities"]
    }
