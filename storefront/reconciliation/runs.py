"""Reconciliation: what we believe beside what the provider says, by our own query, on a schedule or by a button.

A run asks for the events that no webhook brought, for our open payments, for payouts and for the lines of the
provider's books; records what was missing; then compares day by day. It may be killed anywhere and started again,
and two at once do no more than one: everything is kept by the provider's own ids.
"""

from __future__ import annotations

import datetime

import structlog
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront import days
from storefront.audit.record import record
from storefront.books.reconciled_days import first_use
from storefront.crash_points import reach
from storefront.errors import Invalid
from storefront.extensions import db, defer
from storefront.payments.gateway import GatewayUnavailable
from storefront.reconciliation.compare import PAYOUT_PATIENCE, compare, look_again
from storefront.reconciliation.fetch import (
    ask_about_open_payments,
    fetch_events,
    fetch_lines,
    fetch_payouts,
)
from storefront.reconciliation.heal import heal
from storefront.reconciliation.lines import link
from storefront.reconciliation.models import ProviderLine, ReconciliationRun

log = structlog.get_logger("storefront.books")

DAY = datetime.timedelta(days=1)
#: Days compared between two commits.
AT_ONCE = 7
#: The longest span that one run compares.
MOST_DAYS = 800

#: The first day that is not compared finally, or that holds what no comparison has seen.
FIRST_OPEN = text(
    """
    SELECT min(day) FROM (
        SELECT day::date FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') day
        EXCEPT SELECT day FROM reconciled_days WHERE gateway = :gateway AND is_final
        UNION ALL
        SELECT day FROM reconciliation_left WHERE gateway = :gateway
        UNION ALL
        -- a payout that should have arrived by now
        SELECT l.day FROM provider_lines l
         WHERE l.gateway = :gateway AND l.kind = 'payout' AND l.amount < 0 AND l.entry_id IS NULL AND l.pair_id IS NULL
           AND NOT EXISTS (SELECT FROM reconciliation_differences d WHERE d.line_id = l.id AND d.state <> 'gone')
           AND COALESCE((SELECT o.arrives_on FROM provider_payouts o WHERE o.gateway = l.gateway
                            AND o.reference = l.payout_reference), l.day) + CAST(:patience AS int) < :last
    ) open WHERE day >= :first"""
)


def open_days(gateway_name: str) -> tuple[datetime.date, datetime.date] | None:
    """The days that are still to be compared: from the first open one to today; None for a gateway never used."""
    first, today = first_use(gateway_name), days.today()
    if first is None:
        return None
    values = {"gateway": gateway_name, "first": first, "last": today, "patience": PAYOUT_PATIENCE}
    found: datetime.date | None = db.session.execute(FIRST_OPEN, values).scalar_one()
    return min(found or today, today), today


def ask(
    gateway_name: str,
    person_id: int | None,
    first: datetime.date | None = None,
    last: datetime.date | None = None,
) -> ReconciliationRun:
    """Queue a run over the days `first` to `last`, by default those that are open; the one that waits, if one does.

    The caller commits. Raises Invalid, by field.
    """
    found = open_days(gateway_name) if gateway_name in current_app.extensions["gateways"] else None
    if found is None:
        raise Invalid({"gateway": _("Pilih penyedia pembayaran yang dipakai.")})
    first, last = first or found[0], last or found[1]
    if last > days.today():
        raise Invalid({"to": _("Tanggal ini belum tiba.")})
    if last < first or (last - first).days >= MOST_DAYS:
        raise Invalid({"from": _("Pilih paling banyak %(most)d hari, dari yang awal.", most=MOST_DAYS)})
    run_id = db.session.execute(
        upsert(ReconciliationRun)
        .values(gateway=gateway_name, first_day=first, last_day=last, asked_by=person_id)
        .on_conflict_do_nothing(index_elements=["gateway"], index_where=text("state = 'waiting'"))
        .returning(ReconciliationRun.id)
    ).scalar()
    if run_id is None:
        is_waiting = (ReconciliationRun.gateway == gateway_name) & (ReconciliationRun.state == "waiting")
        return db.session.execute(select(ReconciliationRun).where(is_waiting)).scalar_one()
    run = _run(run_id)
    # Runs of one gateway follow each other; should two meet all the same, nothing is done twice.
    defer("reconciliation.run", run_id=run.id, lock=f"reconcile:{gateway_name}")
    if person_id is not None:
        asked = {"gateway": gateway_name, "from": first.isoformat(), "to": last.isoformat()}
        record("reconciliation.asked", "reconciliation", run.id, person_id=person_id, details=asked)
    return run


def run(run_id: int) -> str:
    """Carry a run out, from its beginning also when an earlier try was killed; commits as it goes.

    Returns its state. The provider being away ends it as failed: the next one begins where this one did.
    """
    found = db.session.get_one(ReconciliationRun, run_id, populate_existing=True)
    if found.state in ("done", "failed"):
        db.session.rollback()
        return found.state
    gateway_name, first, last = found.gateway, found.first_day, found.last_day
    _note(run_id, "events", state="running", started_at=func.now(), days_done=0)
    try:
        _carry_out(run_id, gateway_name, first, last)
    except GatewayUnavailable as error:
        db.session.rollback()
        log.warning("reconciliation_stopped", run=run_id, gateway=gateway_name, reason=str(error))
        _note(run_id, None, state="failed", finished_at=func.now(), error=str(error)[:500] or "unavailable")
        return "failed"
    except Exception as error:
        db.session.rollback()
        _note(run_id, None, state="failed", finished_at=func.now(), error=f"{type(error).__name__}"[:500])
        raise
    return "done"


def _carry_out(run_id: int, gateway_name: str, first: datetime.date, last: datetime.date) -> None:
    events, until = fetch_events(gateway_name)
    reach("reconcile.after_events")
    _note(run_id, "payments", events=events, events_until=until)
    healed = events + ask_about_open_payments(gateway_name)
    _note(run_id, "payouts", healed=healed)
    fetch_payouts(gateway_name, first)
    _note(run_id, "lines")
    seen_until = db.session.execute(select(func.now())).scalar_one()
    # A line may stand on the day beside: clocks differ, and some providers write down a little later.
    lines = fetch_lines(_run(run_id), first - DAY, min(last + DAY, days.today()))
    reach("reconcile.after_lines")
    link(gateway_name)
    db.session.commit()
    _note(run_id, "heal", lines=lines)
    healed += heal(gateway_name)
    link(gateway_name)
    look_again(gateway_name)
    _note(run_id, "days", healed=healed)
    # A line that is new on the day beside makes that day one to be compared again.
    earliest = db.session.scalar(select(func.min(ProviderLine.day)).where(ProviderLine.run_id == run_id))
    found, day = 0, min(first, earliest or first)
    while day <= last:
        until_day = min(day + (AT_ONCE - 1) * DAY, last)
        found += compare(run_id, gateway_name, day, until_day, seen_until=seen_until)
        _note(run_id, "days", found=found, days_done=max(0, (until_day - first).days + 1))
        reach("reconcile.between_days")
        day = until_day + DAY
    _note(run_id, "done", state="done", finished_at=func.now())


def _run(run_id: int) -> ReconciliationRun:
    return db.session.get_one(ReconciliationRun, run_id, populate_existing=True)


def _note(run_id: int, step: str | None, **values: object) -> None:
    """Write down how far a run is, and commit what it did so far."""
    if step is not None:
        values["step"] = step
    db.session.execute(update(ReconciliationRun).where(ReconciliationRun.id == run_id).values(**values))
    db.session.commit()
