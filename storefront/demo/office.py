"""What the central office wrote: an arranged front page with stories, a page made its own, and cases in every state."""

from __future__ import annotations

import datetime
import random
from typing import Any

from sqlalchemy import func, select

from storefront.cases.code import SIGNS
from storefront.cases.models import Case, CaseMessage
from storefront.catalogue.models import Product
from storefront.content import pages
from storefront.content.home_blocks import state_of
from storefront.content.models import HomeBlock, HomeChange, PageRevision
from storefront.demo import files
from storefront.demo.moments import at, days
from storefront.demo.places import Places
from storefront.extensions import db
from storefront.facilities.working_days import all_holidays, is_working_day, working_days_after
from storefront.people.models import Person
from storefront.shipping_files.models import RateFile
from storefront.shipping_files.sheets import present


def add(sites: Places, accounts: dict[str, Person], today: datetime.date, seed: str) -> None:
    """Write all of it, with moments of the past."""
    texts = files.toml("office.toml")
    curator, administrator = accounts["curator@demo.test"].id, accounts["admin@demo.test"].id
    _home(texts, sites, curator, today)
    _page(texts["contact_page"], curator, today)
    rng = random.Random(f"{seed}:cases")
    for written in texts["case"]:
        _case(written, sites, administrator, today, rng)
    _rates(administrator, today)


def _rates(administrator: int, today: datetime.date) -> None:
    """A file of rates that was looked at and not applied yet: express between the islands becomes dearer."""
    rows: list[list[Any]] = []
    for number, (method, origin, destination, reach, first, *rest) in enumerate(present("rates"), start=2):
        is_dearer = method == "express" and origin == "jawa" and destination != "jawa"
        rows.append([number, method, origin, destination, reach, str(int(first) + 2000 * is_dearer), *rest])
    uploaded_at = at(today - days(1), 14)
    file = RateFile(
        kind="rates", name="tarif-ekspres.xlsx", rows=rows, uploaded_by=administrator, uploaded_at=uploaded_at
    )
    db.session.add(file)
    db.session.flush()


def _home(texts: dict[str, Any], sites: Places, curator: int, today: datetime.date) -> None:
    """The shipped arrangement, with a story in its place and what is to come."""
    story = db.session.scalars(select(HomeBlock).where(HomeBlock.kind == "workshop")).one()
    before = state_of(story)
    _tell(story, texts["batik_story"])
    story.settings = {"workshop": sites.workshops["PKL", "Batik"].id}
    _changed(story, "edited", before, curator, at(today - days(20), 10))
    slugs = texts["table"]["products"]
    ids = {p.slug: p.id for p in db.session.scalars(select(Product).where(Product.slug.in_(slugs)))}
    boga = sites.workshops["PLP", "Boga"].id
    new: list[tuple[str, str, dict[str, Any], int | None, int | None, bool]] = [
        ("table", "chosen", {"products": [ids[slug] for slug in slugs if slug in ids]}, None, None, True),
        ("baking_story", "workshop", {"workshop": boga}, 14, 60, True),
        ("courier_note", "text", {}, -40, -30, True),
        ("lebaran_opening", "opening", {}, None, None, False),
    ]
    newest = db.session.scalars(select(HomeBlock.position).where(HomeBlock.kind == "newest")).one()
    last = db.session.scalar(select(func.max(HomeBlock.position))) or 0
    for number, (name, kind, settings, starts, ends, is_published) in enumerate(new, start=1):
        block = HomeBlock(
            position=newest if name == "table" else last + number,  # right after the newest, or at the end
            kind=kind,
            settings=settings,
            starts_on=None if starts is None else today + days(starts),
            ends_on=None if ends is None else today + days(ends),
            is_published=is_published,
        )
        _tell(block, texts[name])
        block.changed_by, block.changed_at = curator, at(today - days(19 - number), 9, 30)
        db.session.add(block)
        db.session.flush()
        _changed(block, "added", None, curator, block.changed_at)


def _tell(block: HomeBlock, words: dict[str, Any]) -> None:
    block.title, block.title_en = words["title"]
    block.body, block.body_en = (text.strip() for text in words.get("body", ("", "")))


def _changed(block: HomeBlock, act: str, before: Any, person: int, moment: datetime.datetime) -> None:
    if act == "edited":
        block.version += 1
    block.changed_by, block.changed_at = person, moment
    db.session.add(
        HomeChange(
            block_id=block.id, act=act, before=before, after=state_of(block), changed_by=person, changed_at=moment
        )
    )
    db.session.flush()


def _page(words: dict[str, Any], curator: int, today: datetime.date) -> None:
    """The contact page with the office's hours."""
    shipped = pages.shipped("contact")
    bodies = [
        body.replace(after, after + more, 1)
        for body, after, more in zip((shipped.body, shipped.body_en), words["after"], words["more"], strict=True)
    ]
    db.session.add(
        PageRevision(
            slug="contact",
            number=1,
            title=shipped.title,
            title_en=shipped.title_en,
            body=bodies[0],
            body_en=bodies[1],
            changed_by=curator,
            changed_at=at(today - days(25), 11),
        )
    )
    db.session.flush()


def _case(
    written: dict[str, Any], sites: Places, office: int, today: datetime.date, rng: random.Random
) -> None:
    day, holidays = today, all_holidays()
    for _ in range(written["days"]):  # so many working days back
        day -= days(1)
        while not is_working_day(day, holidays):
            day -= days(1)
    signs = "".join(rng.choice(SIGNS) for _ in range(8))
    about, state = written.get("about", ""), written["state"]
    reported = at(day, 9 + rng.randrange(6), rng.randrange(60))
    next_day = working_days_after(day, 1, holidays)
    taken = None if state == "new" else at(next_day, 8, 30)
    case = Case(
        number=f"LP-{signs[:4]}-{signs[4:]}",
        kind=written["kind"],
        about=about,
        facility_id=sites.facilities["PKL"].id if about.startswith(("/facilities", "/products")) else None,
        email=f"pelapor{rng.randrange(100, 999)}@example.com" if written.get("email") else None,
        locale=written.get("locale", "id"),
        state=state,
        reported_at=reported,
        answer_by=working_days_after(day, 2, holidays),
        taken_by=office if taken else None,
        taken_at=taken,
    )
    if "answered" in written:
        case.answered_at = at(next_day, 15)
    if "outcome" in written:
        case.outcome, case.closed_by = written["outcome"], office
        case.closed_at = at(working_days_after(day, 6, holidays), 10)
    db.session.add(case)
    db.session.flush()
    db.session.add(CaseMessage(case_id=case.id, body=written["said"][0], written_at=reported))
    db.session.flush()
    if "answered" in written:
        answer = CaseMessage(
            case_id=case.id, person_id=office, body=written["answered"], written_at=case.answered_at
        )
        db.session.add(answer)
        db.session.flush()
