"""What the shop holds about a person, over all rooms: shown to them, and forgotten when they wish (UU 27/2022).

A room that keeps personal data has a module `held_data.py`, imported with the app, in which it registers itself once:

    @personal_data.holder
    class Orders:
        name = "orders"                      # unique; a key of the file that people download
        title = _l("Pesanan Anda")           # its heading for people
        covers = frozenset({"order_contacts.email", …})    # every column it answers for, as table.column
        def export(self, who: Subject) -> list[dict[str, Any]]: …   # plain values; [] when it holds nothing
        def waits(self, who: Subject) -> list[Waits]: …     # what is still needed, and until when
        def forget(self, who: Subject, held: frozenset[int]) -> int: …   # erases the rest; how many records

and optionally `files(who)` for what is no text. All rooms are asked with the same `Subject`; whoever is found by an
e-mail address is found by it in every room (`orders.held_data.order_ids` says which orders are theirs). `held` are the
orders that some room still needs: what belongs to them stays. `forget` never commits and does nothing the second
time. What stays for a reason is named in `KEPT`. A test walks the schema: a column that may name or reach somebody and
is neither covered nor kept for a reason fails it (tests/db/test_personal_data.py).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from storefront.audit.record import record


@dataclass(frozen=True)
class Subject:
    """Who asks: the owner of an e-mail address, or of one order alone (who gave no address)."""

    #: Lower case.
    email: str | None = None
    order_id: int | None = None


@dataclass(frozen=True)
class Waits:
    """What cannot be erased yet, in words for its owner, and when it will be at the latest as it looks today."""

    what: str
    #: None: nobody can say.
    until: datetime.date | None = None
    #: The order whose data it is, all rooms' data of it.
    order_id: int | None = None


class Holder(Protocol):
    """A room that holds something about people."""

    name: str
    title: Any
    covers: frozenset[str]

    def export(self, who: Subject) -> list[dict[str, Any]]: ...

    def waits(self, who: Subject) -> list[Waits]: ...

    def forget(self, who: Subject, held: frozenset[int]) -> int: ...


#: By name, in the order in which they were registered.
HOLDERS: dict[str, Holder] = {}

#: What looks as if it named somebody and stays, each with its reason: a column, or all of a table (`table.*`).
KEPT: dict[str, str] = {
    "rate_files.name": "name of a file of shipping rates, given by who uploaded it",
    "marketplaces.*": "a marketplace",
    "marketplace_files.*": "what finance called a file of sales, of which nothing of a buyer is kept",
    "marketplace_orders.*": "the number of an order elsewhere",
    "facilities.*": "an office, its name and address",
    "workshops.*": "a workshop",
    "profile_texts.*": "what an office says of itself and its workshops",
    "handovers.*": "the minute of a handover between officials, as it was signed",
    "satkers.*": "an office at the treasury, and the official who answers for it",
    "bank_accounts.*": "accounts of offices, not of shoppers",
    "bank_files.*": "what the treasurer called the file",
    "listing_imports.*": "what a coordinator called a file of goods",
    "training_imports.*": "what a coordinator called a file of counts; a cell that reads like a person is not kept",
    "listing_import_archives.*": "what a coordinator called a file of pictures",
    "export_presets.*": "how a colleague calls an export that they make again and again",
    "made_files.*": "how a colleague called an export; the file is gone after a month",
    "canned_replies.*": "an office's own answers, ready to be used",
    "categories.*": "a category of goods",
    "cities.*": "a city or regency",
    "api_tokens.*": "what the office calls another system of its own",
    "webhook_endpoints.*": "another system of the office, and where it is told",
    "districts.*": "a district",
    "postal_codes.*": "a district's postal codes",
    "operators.*": "the office that runs the shop",
    "holidays.*": "a holiday",
    "commodity_groups.*": "a group of goods",
    "tills.*": "what a cashier called a till",
    "counter_sales.phone_at": "a moment, by the clock of a cashier's phone",
    "counter_conflicts.phone_at": "the same",
    "exhibitions.*": "a fair and where it is",
    "funds.*": "a fund",
    "provinces.*": "a province",
    "shipping_methods.*": "a way of sending",
    "shipping_zones.*": "a region",
    "order_lines.facility_name": "an office's name, as sold",
    "order_lines.workshop_name": "a workshop's name, as sold",
    "audit_events.network": "of staff alone: who did what with people's money and data stays provable",
    "lost_searches.words": "searched words, counted by day without whose they were; numbers and addresses are not kept",
    "lost_searches_done.words": "the same, looked at by a curator",
    "enquiry_messages.author": "which side wrote, not who",
    "login_attempts.network": "a keyed hash, forgotten after a day",
    # No name tells of these, so they are named here: a bank's and a provider's own records of payments.
    "bank_lines.description": "the bank's own statement: books are kept ten years (UU 8/1997 Pasal 11)",
    "payment_events.body": "the provider's own record of a payment: books are kept ten years (UU 8/1997 Pasal 11)",
}


def holder(made: type[Holder]) -> type[Holder]:
    """Register a room; its name is its own."""
    one = made()
    if one.name in HOLDERS:
        raise RuntimeError(f"two rooms call their personal data {one.name}")
    HOLDERS[one.name] = one
    return made


def export(who: Subject) -> dict[str, list[dict[str, Any]]]:
    """All that is held, by room; rooms that hold nothing are left out."""
    found = ((room.name, room.export(who)) for room in HOLDERS.values())
    return {name: records for name, records in found if records}


def files(who: Subject) -> Iterable[tuple[str, bytes]]:
    """What is held beside text: names within the ZIP, and contents."""
    for room in HOLDERS.values():
        yield from getattr(room, "files", lambda _who: ())(who)


def is_known(who: Subject) -> bool:
    """Whether anything is held."""
    return any(room.export(who) for room in HOLDERS.values())


def waits(who: Subject) -> list[Waits]:
    """What is still needed, over all rooms."""
    return [each for room in HOLDERS.values() for each in room.waits(who)]


def forget(who: Subject) -> int:
    """Erase what is not needed any more, over all rooms; how many records. Never commits."""
    held = frozenset(each.order_id for each in waits(who) if each.order_id is not None)
    # The rooms above first: what they keep is found by what lies below them.
    erased = {room.name: room.forget(who, held) for room in reversed(HOLDERS.values())}
    total = sum(erased.values())
    if total:
        # That something was erased, never whose it was.
        done = {name: count for name, count in erased.items() if count}
        record("personal_data.erased", "personal_data", who.order_id or "address", details=done)
    return total
