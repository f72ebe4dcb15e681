"""The ten demo accounts and what each may do."""

from __future__ import annotations

import datetime
import random

from argon2 import PasswordHasher

from storefront.demo import files
from storefront.demo.moments import at, days
from storefront.exhibitions.models import Exhibition
from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.people.models import Membership, Person

PASSWORD = "demo"  # noqa: S105 - everybody shall know it
#: OWASP's parameters, as the shop's own; here so that a salt can be given and rows repeat.
HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def accounts(rng: random.Random, today: datetime.date) -> dict[str, Person]:
    """Add the accounts, without roles yet; by e-mail address."""
    people = {
        row["email"]: Person(
            email=row["email"],
            name=row["name"],
            password_hash=HASHER.hash(PASSWORD, salt=rng.randbytes(16)),
            is_demo=True,
            created_at=at(today - days(900), 9),
        )
        for row in files.toml("people.toml")["person"]
    }
    for person in people.values():  # one by one, so that ids follow the file
        db.session.add(person)
        db.session.flush()
    return people


def roles(
    people: dict[str, Person],
    facilities: dict[str, Facility],
    exhibitions: dict[str, Exhibition],
    today: datetime.date,
) -> None:
    """Give each account its memberships, granted by the administrator."""
    administrator = people["admin@demo.test"]
    for row in files.toml("people.toml")["person"]:
        if "role" not in row:
            continue
        person = people[row["email"]]
        exhibition = exhibitions[row["exhibition"]] if "exhibition" in row else None
        until = at(today + days(row["days"]), 17) if "days" in row else None
        for code in row.get("facilities", [None]):
            db.session.add(
                Membership(
                    person_id=person.id,
                    role=row["role"],
                    facility_id=facilities[code].id if code else None,
                    exhibition_id=exhibition.id if exhibition else None,
                    valid_from=at(today - days(899), 9),
                    valid_until=until,
                    granted_by=administrator.id if person is not administrator else None,
                )
            )
            db.session.flush()
