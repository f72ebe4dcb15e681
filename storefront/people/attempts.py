"""Tries at passwords, order tokens and PINs, counted in PostgreSQL: the limits hold over all processes.

A try is written down and committed before it is judged: of many at the same moment each sees the others,
and a process killed halfway has still counted. Only keyed hashes of e-mails and addresses are kept.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, select, update

from storefront.errors import TooManyRequests
from storefront.extensions import db
from storefront.keyed import keyed_check
from storefront.people.models import LoginAttempt

log = structlog.get_logger("storefront.people")

#: Tries older than this are forgotten (`people.tasks`).
KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Limit:
    """How many failed tries are allowed within `window`."""

    #: At one account or order, since its last success.
    subject: int
    #: From one network; many phones of one provider share an address.
    network: int
    window: timedelta


LIMITS = {
    "login": Limit(subject=10, network=60, window=timedelta(minutes=15)),
    "factor": Limit(subject=6, network=60, window=timedelta(minutes=15)),
    "order_token": Limit(subject=20, network=60, window=timedelta(minutes=15)),
    # Not failures but messages from outside: each counts.
    "question": Limit(subject=30, network=30, window=timedelta(hours=1)),
    "question_token": Limit(subject=20, network=60, window=timedelta(minutes=15)),
    "pin": Limit(subject=5, network=60, window=timedelta(minutes=15)),
    "case_code": Limit(subject=20, network=60, window=timedelta(minutes=15)),
    #: Reports have no account: their subject is the network too.
    "report": Limit(subject=30, network=30, window=timedelta(hours=1)),
    # Every try counts, right or wrong: each may send a letter.
    "find_order": Limit(subject=5, network=30, window=timedelta(minutes=15)),
    "my_data": Limit(subject=3, network=20, window=timedelta(minutes=15)),
    "mailed_link": Limit(subject=5, network=30, window=timedelta(minutes=15)),
    # Wrong links alone; nobody guesses 256 bits, and whoever tries is told to wait.
    "link_token": Limit(subject=20, network=60, window=timedelta(minutes=15)),
    # Wrong tokens of programs: the subject is the token, so that one that has run out stops knocking.
    "api_token": Limit(subject=30, network=60, window=timedelta(minutes=15)),
    "problem": Limit(subject=10, network=60, window=timedelta(minutes=15)),
}


class TooManyTries(TooManyRequests):
    """The same answer whether the account exists or not."""

    code = "too_many_tries"
    message = _("Terlalu banyak percobaan. Tunggu 15 menit, lalu coba lagi.")


def begin(kind: str, subject: str, address: str | None) -> LoginAttempt:
    """Write down a try of `kind` (see `LIMITS`) at `subject` from a network address, as failed for now.

    The caller commits, then asks `check()`, then judges, and calls `succeed()` when it was right.
    """
    attempt = LoginAttempt(
        kind=kind, subject=keyed_hash(subject), network=keyed_hash(network_of(address)), succeeded=False
    )
    db.session.add(attempt)
    db.session.flush()
    return attempt


def check(attempt: LoginAttempt) -> None:
    """Raise `TooManyTries` when the account or the network of this committed try is over its limit."""
    limit = LIMITS[attempt.kind]
    recent = LoginAttempt.at > func.now() - limit.window
    same_subject = (LoginAttempt.kind == attempt.kind) & (LoginAttempt.subject == attempt.subject)
    last_success = (
        select(func.max(LoginAttempt.id))
        .where(same_subject, recent, LoginAttempt.succeeded)
        .scalar_subquery()
    )
    at_subject = select(func.count()).where(
        same_subject, recent, ~LoginAttempt.succeeded, LoginAttempt.id > func.coalesce(last_success, 0)
    )
    at_network = select(func.count()).where(
        LoginAttempt.kind == attempt.kind,
        LoginAttempt.network == attempt.network,
        recent,
        ~LoginAttempt.succeeded,
    )
    tries, from_network = db.session.execute(
        select(at_subject.scalar_subquery(), at_network.scalar_subquery())
    ).one()
    if tries > limit.subject or from_network > limit.network:
        which = "subject" if tries > limit.subject else "network"
        log.warning("too many tries", kind=attempt.kind, limit=which)
        raise TooManyTries()


def succeed(attempt: LoginAttempt) -> None:
    """The try was right: it and the failures before it count no more against its account."""
    db.session.execute(update(LoginAttempt).where(LoginAttempt.id == attempt.id).values(succeeded=True))


def forget_old() -> int:
    """Delete tries that no limit looks at any more; returns how many."""
    result = db.session.execute(delete(LoginAttempt).where(LoginAttempt.at < func.now() - KEPT))
    return int(getattr(result, "rowcount", 0))


def network_of(address: str | None) -> str:
    """The network that counts as one caller: an IPv4 address, or the /64 that an IPv6 customer is given."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def keyed_hash(text: str) -> bytes:
    """What stands for an address or a network in our tables: alone it tells nothing."""
    return keyed_check("storefront:login-attempts", text.strip().casefold())
