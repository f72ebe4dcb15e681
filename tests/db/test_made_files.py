"""Files that a job makes: whole or not at all, whatever dies, and for nobody else."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from storefront import crash_points
from storefront.errors import DomainError
from storefront.exports import made_files
from storefront.exports.made_files import Made, Seen
from storefront.exports.models import MadeFile
from storefront.extensions import db
from storefront.media.storage import private_files
from storefront.people.models import Person
from storefront.people.policy import Action
from tests.factories import make_facility, make_member, make_person


class Killed(BaseException):
    """What dying is within one process."""


class TooHot(DomainError):
    code, status, message = "too_hot", 422, "Terlalu panas."


@pytest.fixture
def kind(db_session: Session, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A kind of file `tried`, which holds what its parameters say; gives the rows that it was told to note."""
    noted: list[int] = []
    for key in stored():
        private_files().delete(key)  # of tests before

    def make(draft: Path, parameters: dict[str, Any], seen: Seen) -> Made:
        draft.write_bytes(parameters["content"].encode())
        seen(3, 7)
        noted.append(db.session.execute(text("SELECT max(rows_done) FROM made_files")).scalar_one())
        if parameters.get("hot"):
            raise TooHot()
        return Made("coba.csv", "text/csv", {"row_count": 7})

    monkeypatch.setitem(made_files.MAKERS, "tried", made_files.Kind(make, Action.REVENUE_READ))
    return noted


def ask(person: Person, **more: Any) -> MadeFile:
    facilities = more.pop("facility_ids", None)
    found = made_files.ask(
        "tried", {"content": "a;b", **more}, person_id=person.id, title="Coba", facility_ids=facilities
    )
    db.session.commit()
    return found


def stored() -> list[str]:
    return private_files().below("made")


def test_a_file_is_made_whole_and_forgotten_after_its_time(db_session: Session, kind: list[int]) -> None:
    found = ask(make_member("finance"))
    queued = db_session.execute(text("SELECT args FROM procrastinate_jobs WHERE task_name = 'exports.make_file'"))
    assert queued.scalars().all() == [{"file_id": found.id}]
    made_files.run(found.id)
    made_files.run(found.id)  # the job of a killed worker, given back
    assert (found.state, found.attempt, found.rows_done, found.bytes) == ("ready", 1, 7, 3)
    assert found.manifest == {"row_count": 7, "file": "coba.csv", "sha256": found.sha256}
    assert re.fullmatch(r"made/[0-9a-f]{48}/file", found.file_key or "")
    assert stored() == [found.file_key]
    with private_files().open(found.file_key or "") as file:
        assert file.read() == b"a;b"
    made_files.forget()
    assert stored() != []
    found.kept_until -= datetime.timedelta(days=31)
    db_session.commit()
    made_files.forget()
    assert (found.file_key, found.state, stored()) == (None, "ready", [])


def test_a_worker_that_dies_loses_time_alone(
    db_session: Session, kind: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die() -> None:
        raise Killed()

    found = ask(make_member("finance"))
    monkeypatch.setattr(crash_points, "end", die)
    monkeypatch.setattr(crash_points, "chosen", "made_file.stored")
    for _time in range(made_files.MOST_ATTEMPTS - 1):
        with pytest.raises(Killed):
            made_files.run(found.id)
        db_session.rollback()
        assert (found.state, len(stored())) == ("making", 1)
    monkeypatch.setattr(crash_points, "chosen", None)
    made_files.run(found.id)
    assert (found.state, stored()) == ("ready", [found.file_key])


def test_an_attempt_that_wakes_late_changes_nothing(db_session: Session, kind: list[int]) -> None:
    found = ask(make_member("finance"))
    begun = made_files._begin(found.id)
    assert begun is not None
    _found, old_key, old = begun
    made_files.run(found.id)
    private_files().write(old_key, b"half")
    made_files._finish(found.id, old, old_key, Made("alt.csv", "text/csv", {}), 4, "0" * 64)
    made_files._fail(found.id, old, TooHot())
    db_session.refresh(found)
    assert (found.state, found.file_name, stored()) == ("ready", "coba.csv", [found.file_key])


def test_what_cannot_be_made_says_why(db_session: Session, kind: list[int]) -> None:
    finance = make_member("finance")
    hot = ask(finance, hot=True)
    made_files.run(hot.id)
    assert (hot.state, hot.error_code, hot.error, stored()) == ("failed", "too_hot", "Terlalu panas.", [])
    often = ask(finance)
    db_session.execute(update(MadeFile).where(MadeFile.id == often.id).values(attempt=made_files.MOST_ATTEMPTS))
    db_session.commit()
    made_files.run(often.id)
    assert (often.state, often.error_code) == ("failed", "given_up")
    left = ask(finance)
    finance.is_active = False
    db_session.commit()
    made_files.run(left.id)
    assert (left.state, left.error_code) == ("failed", "forbidden")


def test_a_file_is_for_who_asked_and_may_still_see_it(db_session: Session, kind: list[int]) -> None:
    here, there = make_facility(city="Pekalongan"), make_facility(city="Semarang")
    asker, colleague = make_member("finance"), make_member("finance")
    of_one = make_member("finance", facility=here)
    shopper = make_person()
    found = ask(asker, facility_ids={here.id, there.id})
    people = (asker, colleague, of_one, shopper, None)
    assert [made_files.may_fetch(one, found) for one in people] == [True, False, False, False, False]
    found.shared_at = datetime.datetime.now(datetime.UTC)
    assert [made_files.may_fetch(one, found) for one in people] == [True, True, False, False, False]
    found.facility_ids = [here.id]
    assert made_files.may_fetch(of_one, found)
    asker.is_active = False
    assert not made_files.may_fetch(asker, found)
