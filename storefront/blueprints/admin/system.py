"""The machine: jobs waiting and failed, backups, versions, disks, clocks."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from storefront import replica
from storefront.blueprints.admin import allowed, bp, overview
from storefront.blueprints.admin.overview import Queue
from storefront.keyset import asked_turn
from storefront.people import access
from storefront.people.policy import Action
from storefront.verify import system
from storefront.written import Written


@overview.queue(Action.SYSTEM_READ)
def failed_jobs() -> Queue:
    """Jobs that were given up: each wants a person."""
    count = system.failed_count()
    note = _("Lihat sebabnya di log, lalu coba lagi") if count else _("tidak ada yang gagal")
    return Queue(count, _("tugas latar yang gagal"), note, url_for("admin.system_page"))


@bp.get("/system")
@access.rule(Action.SYSTEM_READ)
def system_page() -> ResponseReturnValue:
    """All of it on one page; `list` failed or due."""
    which = "due" if request.args.get("list") == "due" else "failed"
    listed, older, newer = system.listed(which, asked_turn())
    return render_template(
        "admin/system.html",
        jobs=system.jobs(),
        which=which,
        listed=listed,
        older=older,
        newer=newer,
        page_url=lambda newer, older: url_for(
            "admin.system_page", list="due" if which == "due" else None, newer=newer, older=older
        ),
        facts=system.facts(),
        comparisons=system.last_comparisons(),
        versions=system.versions(),
        disks=system.disks(),
        database_bytes=system.database_bytes(),
        apart=system.clock_apart(),
        replica=watched.look() if (watched := replica.watch()) else None,
        may_retry=allowed(Action.SYSTEM_WRITE),
    )


@bp.post("/system/jobs/<int:job_id>/retry")
@access.rule(Action.SYSTEM_WRITE)
def retry_job(job_id: int) -> ResponseReturnValue:
    """Let a failed job run again."""
    form = Written(request.form)
    done = form.done(lambda: system.retry(job_id, person_id=access.person_id()))
    if done:
        flash(_("Tugas %(id)d akan dijalankan lagi.", id=job_id), "ok")
    else:
        flash(form.refusal, "warn")
    return redirect(url_for("admin.system_page"), 303)
