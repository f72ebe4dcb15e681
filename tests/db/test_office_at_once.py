"""Two of the office at the same moment: one change each, the second is told, nothing is lost."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storefront.cases import office, report
from storefront.cases.models import Case, CaseMessage
from storefront.cases.report import Report
from storefront.content import home_blocks, pages
from storefront.content.block_draft import BlockDraft
from storefront.content.models import HomeBlock, HomeChange, PageRevision
from storefront.content.pages import Words
from storefront.embedded import SUPERUSER
from storefront.errors import DomainError
from storefront.extensions import db
from tests.clones import Clone
from tests.factories import make_person
from tests.threads import at_once, while_held

WORDS = Words("Judul", "Title", "Isi.", "Text.")


@pytest.fixture
def people(db_session: Session) -> tuple[int, int]:
    two = make_person().id, make_person().id
    db_session.commit()
    return two


def told(answers: list[object]) -> list[str]:
    """Codes of those who were refused."""
    others = [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, DomainError)]
    assert others == []
    return [answer.code for answer in answers if isinstance(answer, DomainError)]


def test_two_save_a_page(app: Flask, people: tuple[int, int]) -> None:
    def save(number: int) -> None:
        with app.app_context():
            words = Words(WORDS.title, WORDS.title_en, f"Oleh {number}.", WORDS.body_en)
            pages.save("terms", words, 0, people[number])
            db.session.commit()

    assert told(at_once([lambda: save(0), lambda: save(1)])) == ["page_changed"]
    assert db.session.scalar(select(func.count()).select_from(PageRevision)) == 1


def test_two_edit_a_block_and_two_move_blocks(app: Flask, database: Clone, people: tuple[int, int]) -> None:
    order = [block.id for block in home_blocks.blocks()]
    block_id = order[0]
    db.session.commit()

    def edit(number: int) -> None:
        with app.app_context():
            draft = BlockDraft("opening", f"Dari {number}", "From", is_published=True)
            home_blocks.edit(block_id, draft, 1, people[number])
            db.session.commit()

    def move(number: int) -> None:
        with app.app_context():
            home_blocks.move(order[number + 1], 0, order, people[number])
            db.session.commit()

    lock = f"SELECT 1 FROM home_blocks WHERE id = {block_id} FOR UPDATE"
    calls = [lambda: edit(0), lambda: edit(1)]
    assert told(while_held(database.addresses[SUPERUSER], lock, calls)) == ["block_changed"]
    db.session.expire_all()
    assert db.session.get_one(HomeBlock, block_id).version == 2
    assert told(at_once([lambda: move(0), lambda: move(1)])) == ["block_changed"]
    assert db.session.scalar(select(func.count()).select_from(HomeChange)) == 2
    positions = db.session.scalars(select(HomeBlock.position)).all()
    assert len(set(positions)) == len(positions)


def test_one_change_is_taken_back_once(app: Flask, people: tuple[int, int]) -> None:
    added = home_blocks.add(BlockDraft("text", body="Satu", body_en="One"), people[0])
    db.session.commit()
    change = db.session.scalars(select(HomeChange.id)).one()

    def undo(number: int) -> None:
        with app.app_context():
            home_blocks.undo(change, people[number])
            db.session.commit()

    assert told(at_once([lambda: undo(0), lambda: undo(1)])) == ["block_changed"]
    db.session.expire_all()
    assert db.session.get_one(HomeBlock, added.id).removed_at is not None


def test_two_answer_a_case_and_one_form_opens_one(app: Flask, database: Clone, people: tuple[int, int]) -> None:
    def send() -> int:
        with app.app_context():
            case = report.report(Report("other", "Sepuluh huruf lebih.", form_key="k" * 32), "id")
            db.session.commit()
            return case.id

    first, second = at_once([send, send])
    assert first == second
    case = db.session.get_one(Case, first)
    seen, case_id = office.mark(case), case.id
    db.session.commit()

    def answer(number: int) -> None:
        with app.app_context():
            office.answer(case_id, f"Jawaban {number}", seen, people[number])
            db.session.commit()

    lock = f"SELECT 1 FROM cases WHERE id = {case_id} FOR UPDATE"
    db.session.commit()
    calls = [lambda: answer(0), lambda: answer(1)]
    assert told(while_held(database.addresses[SUPERUSER], lock, calls)) == ["case_moved"]
    answers = select(func.count()).where(CaseMessage.case_id == case_id, CaseMessage.person_id.is_not(None))
    assert db.session.scalar(answers) == 1
