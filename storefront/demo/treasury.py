"""Where money goes: registered bank accounts, and the satkers through which state revenue is deposited."""

from __future__ import annotations

import datetime
import random

from storefront.audit.record import dated
from storefront.books import bank_accounts, satkers
from storefront.demo import files
from storefront.demo.moments import at, days
from storefront.facilities.models import Facility

#: Facilities whose account nobody has registered yet: what they are owed waits and grows old.
WITHOUT_ACCOUNT = ("KTB", "PTP", "TLI", "TSM")
#: Proposed and waiting for a second person.
WAITING = "PLP"
BANK = "Bank Contoh"


def add(facilities: dict[str, Facility], first: int, second: int, today: datetime.date, seed: str) -> None:
    """Register the central account, some facilities' and every satker; `first` proposes, `second` approves.

    All numbers are invented. One facility's change of account waits for its second person.
    """
    rng = random.Random(f"{seed}:treasury")
    since = today - days(860)
    _account(None, "Kantor pusat Karya Binaan", rng, since, first, second)
    for code in sorted(facilities.keys() - set(WITHOUT_ACCOUNT)):
        _account(facilities[code], facilities[code].name, rng, since, first, second)
    if WAITING in facilities:
        _propose(
            facilities[WAITING],
            facilities[WAITING].name,
            rng,
            today + days(14),
            at(today - days(2), 10),
            first,
        )
    words = files.buyer_words()
    for number, code in enumerate(sorted(facilities), start=1):
        with dated(at(since, 14)):
            satkers.register(
                facilities[code].id,
                ministry_code="137",
                unit_code="06",
                office_code=f"{900000 + number}",
                tax_number=f"00{rng.randrange(10**7):07}{number:06}",
                treasurer=f"{rng.choice(words.given)} {rng.choice(words.family)}",
                revenue_account="425289",
                valid_from=since,
                person_id=first,
            )


def _account(
    facility: Facility | None, holder: str, rng: random.Random, since: datetime.date, first: int, second: int
) -> None:
    account_id = _propose(facility, holder, rng, since, at(since - days(9), 10), first)
    approved_at = at(since - days(8), 9)
    with dated(approved_at):
        bank_accounts.approve(account_id, second, at=approved_at)


def _propose(
    facility: Facility | None,
    holder: str,
    rng: random.Random,
    valid_from: datetime.date,
    proposed_at: datetime.datetime,
    person_id: int,
) -> int:
    with dated(proposed_at):
        return bank_accounts.propose(
            facility.id if facility else None,
            bank=BANK,
            number=f"000{rng.randrange(10**10):010}",
            holder=f"RPL {holder}"[:120],
            permission_letter=f"S-{rng.randrange(100, 999)}/KPPN/{valid_from.year} (contoh)",
            valid_from=valid_from,
            person_id=person_id,
            at=proposed_at,
        ).id
