"""Take a bank's file in: kept privately, read without writing anything, then its lines written once each."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from storefront import days
from storefront.audit.record import record
from storefront.bank import csv_file, mt940
from storefront.bank.amounts import whole_and_rest
from storefront.bank.csv_file import Table
from storefront.bank.known import Compared, compare
from storefront.bank.models import BankFile, BankFileShape, BankLine
from storefront.bank.shape import Shape, checked
from storefront.bank.statement import Fault, ReadLine, Statement, check
from storefront.bank.text import BadBankFile, decode, is_mt940, rows_of
from storefront.books.bank_accounts import mask
from storefront.books.four_eyes import Decided, moment
from storefront.books.models import BankAccount
from storefront.display import format_date
from storefront.errors import DomainError, Invalid, NotFound
from storefront.extensions import db, defer
from storefront.media.storage import private_files
from storefront.money import format_exact as money
from storefront.written import one_line

#: What to do with lines that look like others in new words.
ALIKE = ("same", "new")


class NotWhole(DomainError):
    """The file has faults, so nothing of it is taken in."""

    code, status = "bank_file_faults", 422

    def __init__(self) -> None:
        super().__init__(
            _("Berkas ini masih ada yang salah, jadi belum ada yang diambil. Lihat daftarnya di bawah.")
        )


class AlikeUndecided(DomainError):
    """Lines look like others in new words; a person says whether they are the same."""

    code, status = "bank_lines_alike", 422

    def __init__(self) -> None:
        super().__init__(_("Pilih dahulu apakah baris yang mirip itu sama dengan yang sudah diambil."))


@dataclass(frozen=True)
class DryRun:
    """What a file holds and what taking it in would do; nothing was written."""

    file: BankFile
    account: BankAccount
    statement: Statement
    compared: Compared
    #: None for MT940.
    table: Table | None


def accounts() -> list[BankAccount]:
    """The central office's registered accounts, the youngest first: their files are taken in."""
    return list(
        db.session.scalars(
            select(BankAccount)
            .where(BankAccount.facility_id.is_(None), BankAccount.approved_at.is_not(None))
            .order_by(BankAccount.valid_from.desc(), BankAccount.id.desc())
        )
    )


def upload(bank_account_id: int, name: str, content: bytes, person_id: int) -> tuple[BankFile, bool]:
    """Keep a file of an account privately; with False when this very file is here already, as it is.

    Raises BadBankFile for what cannot be read at all, Invalid for an account that is not the office's. Never
    commits.
    """
    if bank_account_id not in {account.id for account in accounts()}:
        raise Invalid({"bank_account_id": _("Pilih rekening kantor pusat yang berkasnya diunggah.")})
    written = decode(content)
    found = "mt940" if is_mt940(written) else "csv"
    if found == "csv":
        rows_of(written)
    digest = hashlib.sha256(content).digest()
    # A name of its own for each upload, so that discarding one never takes another's content along.
    key = f"bank/{bank_account_id}/{digest.hex()[:16]}-{secrets.token_hex(8)}.txt"
    private_files().write(key, content)
    new = db.session.scalar(
        upsert(BankFile)
        .values(
            bank_account_id=bank_account_id,
            name=one_line(name)[:120] or "-",
            format=found,
            content_hash=digest,
            content_key=key,
            uploaded_by=person_id,
        )
        .on_conflict_do_nothing(
            index_elements=["bank_account_id", "content_hash"], index_where=text("state <> 'discarded'")
        )
        .returning(BankFile.id)
    )
    file = db.session.execute(
        select(BankFile).where(
            BankFile.bank_account_id == bank_account_id,
            BankFile.content_hash == digest,
            BankFile.state != "discarded",
        )
    ).scalar_one()
    if new is None:
        private_files().delete(key)
        return file, False
    _record(file, "uploaded", person_id)
    return file, True


def dry_run(file: BankFile) -> DryRun:
    """Read a kept file as it would be taken in now. Raises BadBankFile when it cannot be read at all."""
    account = db.session.get_one(BankAccount, file.bank_account_id)
    written = decode(content_of(file))
    table = None
    if file.format == "mt940":
        statement = mt940.read(written)
    else:
        table = csv_file.table_of(
            rows_of(written), Shape.of(file.shape) if file.shape else shape_of(account.id)
        )
        statement = csv_file.read(table, days.today())
    check(statement, account.number, days.today())
    compared = compare(account.id, statement.lines)
    _note_gap(file, statement)
    return DryRun(file, account, statement, compared, table)


def content_of(file: BankFile) -> bytes:
    """The file as it was uploaded. Raises BadBankFile when it is not kept any more."""
    try:
        return private_files().read(file.content_key)
    except FileNotFoundError as error:
        raise BadBankFile(_("Berkas ini tidak tersimpan lagi. Unduh lagi dari bank, lalu unggah.")) from error


def shape_of(bank_account_id: int) -> Shape | None:
    """How the account's bank writes its CSV; None before anybody has said so."""
    kept = db.session.get(BankFileShape, bank_account_id, populate_existing=True)
    return Shape.of(kept.shape) if kept is not None else None


def keep_shape(file_id: int, shape: Shape, person_id: int) -> Shape:
    """Say which column of the account's CSV holds what, from now on. Raises Invalid, Decided, NotFound."""
    file = _waiting(file_id)
    table = csv_file.table_of(rows_of(decode(content_of(file))), shape_of(file.bank_account_id))
    shape = checked(shape, table.names)
    values = {"shape": shape.kept(), "changed_by": person_id, "changed_at": moment(None)}
    db.session.execute(
        upsert(BankFileShape)
        .values(bank_account_id=file.bank_account_id, **values)
        .on_conflict_do_update(index_elements=["bank_account_id"], set_=values)
    )
    record(
        "bank_shape.changed",
        "bank_account",
        file.bank_account_id,
        person_id=person_id,
        details={"shape": shape.kept()},
    )
    return shape


def take_in(file_id: int, person_id: int, *, alike: str | None = None) -> BankFile:
    """Write the lines that no earlier file had, and queue their matching; the same file again changes nothing.

    `alike` says whether lines that look like earlier ones in other words are the `same` or `new`. Files of one
    account are taken in one after the other. Raises NotWhole, AlikeUndecided, BadBankFile, Decided, NotFound.
    """
    file = _waiting(file_id)
    _lock(file.bank_account_id)
    run = dry_run(file)
    if not run.statement.is_whole:
        raise NotWhole()
    new = list(run.compared.new)
    if run.compared.alike:
        if alike not in ALIKE:
            raise AlikeUndecided()
        new += run.compared.alike if alike == "new" else []
    for start in range(0, len(new), 1_000):
        db.session.execute(
            insert(BankLine), [_row(file, line, mark) for line, mark in new[start : start + 1_000]]
        )
    statement = run.statement
    file.state, file.taken_by, file.taken_at = "taken", person_id, moment(None)
    file.shape = run.table.shape.kept() if run.table is not None else None
    file.first_day, file.last_day = statement.first_day, statement.last_day
    file.lines, file.lines_added = len(statement.lines), len(new)
    file.opening, file.closing = statement.opening, statement.closing
    db.session.flush()
    defer("bank.match_lines", bank_account_id=file.bank_account_id, lock=f"bank:{file.bank_account_id}")
    _record(file, "taken", person_id, lines=file.lines, lines_added=file.lines_added, alike=alike or "")
    return file


def discard(file_id: int, person_id: int) -> BankFile:
    """Throw a file away that was not taken in, its content too. Raises Decided, NotFound."""
    file = _waiting(file_id)
    file.state, file.discarded_by, file.discarded_at = "discarded", person_id, moment(None)
    db.session.flush()
    defer("bank.delete_content", key=file.content_key)
    _record(file, "discarded", person_id)
    return file


def _row(file: BankFile, line: ReadLine, mark: bytes) -> dict[str, object]:
    amount, rest = whole_and_rest(line.amount)
    return {
        "bank_account_id": file.bank_account_id,
        "file_id": file.id,
        "line_number": line.number,
        "booked_on": line.day,
        "amount": amount,
        "hundredths": rest,
        "description": line.text,
        "bank_reference": line.reference,
        "fingerprint": mark,
    }


def _note_gap(file: BankFile, statement: Statement) -> None:
    """Say so when the balance does not continue the file before: days in between are missing."""
    first = statement.first_day
    if first is None or statement.opening is None or file.state != "read":
        return
    before = db.session.scalars(
        select(BankFile)
        .where(
            BankFile.bank_account_id == file.bank_account_id,
            BankFile.state == "taken",
            BankFile.closing.is_not(None),
            BankFile.last_day < first,
        )
        .order_by(BankFile.last_day.desc(), BankFile.id.desc())
        .limit(1)
    ).one_or_none()
    if before is None or before.closing == statement.opening:
        return
    assert before.closing is not None
    assert before.last_day is not None
    statement.notes.append(
        Fault(
            _(
                "Berkas sebelumnya berakhir pada %(day)s dengan saldo %(closing)s, berkas ini mulai dengan "
                "%(opening)s. Ada hari di antaranya yang belum diunggah.",
                day=format_date(before.last_day),
                closing=money(before.closing),
                opening=money(statement.opening),
            )
        )
    )


def _waiting(file_id: int) -> BankFile:
    file = db.session.get(BankFile, file_id, with_for_update=True, populate_existing=True)
    if file is None:
        raise NotFound()
    if file.state != "read":
        raise Decided()
    return file


def _lock(bank_account_id: int) -> None:
    """Files of one account are taken in one after the other, so that each sees the lines of those before."""
    db.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('bank_lines:' || :id, 0))"),
        {"id": str(bank_account_id)},
    )


def _record(file: BankFile, what: str, person_id: int, **more: object) -> None:
    account = db.session.get_one(BankAccount, file.bank_account_id)
    record(
        f"bank_file.{what}",
        "bank_file",
        file.id,
        person_id=person_id,
        details={
            "name": file.name,
            "bank_account": mask(account.number),
            "sha256": file.content_hash.hex(),
            **more,
        },
    )
