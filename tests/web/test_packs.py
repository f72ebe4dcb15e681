"""What is taken along in one archive: all statements of a month, and an auditor's file of one facility."""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session as DbSession

from storefront import days
from storefront.books import deposit_paid
from storefront.books import span as spans
from storefront.exports import auditor_pack, made_files, statement_pack
from storefront.exports.models import MadeFile
from storefront.exports.moment import settle
from storefront.extensions import db
from storefront.reports.statement import statement
from storefront.snapshot import driver_connection
from tests.factories import PDF
from tests.money_out import Books, open_books, paid_deposit, settled
from tests.staff import make_account, post, sign_in

#: Of the deposit.
NTPN = "A1B2C3D4E5F6G7H8"


@pytest.fixture
def books(db_session: DbSession) -> Books:
    found = open_books()
    settled(found, "premium", 20_000, "TRX-77")
    deposit = paid_deposit(found, NTPN)
    deposit_paid.attach_proof(deposit.id, PDF, found.first)
    db.session.commit()
    return found


def this_month() -> spans.Span:
    return spans.month(days.today())


def moment() -> datetime.datetime:
    db.session.commit()
    return settle(db.engine)


def opened(path: Path) -> dict[str, bytes]:
    """The members of an archive, each of which has the hash that stands beside it."""
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    told = dict(reversed(line.split("  ")) for line in found["SHA256SUMS"].decode().splitlines())
    told_again = {one["file"]: one["sha256"] for one in json.loads(found["manifest.json"])["files"]}
    assert told == told_again
    ours = {"SHA256SUMS", "manifest.json", "INDEKS.txt", "INDEKS.html"}
    assert set(found) - ours == set(told)
    for name, sha256 in told.items():
        assert hashlib.sha256(found[name]).hexdigest() == sha256
        assert name in found["INDEKS.txt"].decode()
        assert sha256 in found["INDEKS.html"].decode()
    return found


def test_all_statements_of_a_month(books: Books, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    as_of = moment()
    told = statement_pack.build(
        tmp_path / "a.zip", this_month(), None, as_of, lambda done, total: seen.append((done, total))
    )
    statement_pack.build(tmp_path / "b.zip", this_month(), None, as_of, lambda done, total: None)
    found = opened(tmp_path / "a.zip")
    name = f"laporan-PKL-{this_month().name}"
    assert found[f"{name}.pdf"][:5] == b"%PDF-"
    assert found[f"{name}.xlsx"][:2] == b"PK"
    assert seen[0] == (0, 2)
    assert seen[-1] == (2, 2)
    connection = driver_connection(db.session.connection())
    closing = sum(
        sum(statement(connection, one, this_month()).closing.values()) for one in (books.pekalongan, books.ambon)
    )
    assert told["sums"]["closing"] == closing
    # As of one moment, the same bytes whenever it is made: what a killed worker began is begun again.
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_what_an_auditor_takes_along(books: Books, tmp_path: Path) -> None:
    auditor_pack.build(tmp_path / "a.zip", books.pekalongan, this_month(), moment(), lambda done, total: None)
    found = opened(tmp_path / "a.zip")
    rows = {
        name: list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        for name, content in found.items()
        if name.endswith(".csv")
    }
    sold = next(name for name in rows if name.startswith("penjualan-"))
    assert {row["facility_code"] for row in rows[sold]} == {"PKL"}
    assert [row["bank_reference"] for row in rows["penyaluran.csv"]] == ["TRX-77"]
    (deposit,) = rows["setoran.csv"]
    number = deposit["deposit_id"]
    assert deposit["ntpn"]
    assert sum(int(row["amount"]) for row in rows[f"setoran/setoran-{number}-baris.csv"]) == int(deposit["amount"])
    assert found[f"setoran/bukti-{number}.pdf"][:5] == b"%PDF-"
    hands = {(row["action"], row["person"]) for row in rows["persetujuan.csv"]}
    assert {("settlement.proposed", "Bendahara Satu"), ("settlement.approved", "Bendahara Dua")} <= hands
    assert ("deposit.approved", "Bendahara Dua") in hands
    assert rows["buku-kas-umum.csv"]
    index = found["INDEKS.txt"].decode()
    assert "Cara memeriksa" in index
    assert "sha256sum -c SHA256SUMS" in index
    # No buyer is in it, in no file.
    query = text("SELECT name, phone, line1 FROM order_contacts c JOIN order_addresses a USING (order_id)")
    buyers = [word for row in db.session.execute(query) for word in row if word]
    assert buyers
    for name, content in found.items():
        for word in buyers:
            assert word.encode() not in content, (name, word)


def test_an_auditor_asks_for_it_and_a_job_makes_it(app: Flask, books: Books) -> None:
    auditor = sign_in(app.test_client(), make_account("auditor"))
    asked = post(auditor, f"/finance/statements/PKL/{this_month().name}/auditor-pack")
    assert asked.status_code == 303
    made = db.session.scalars(select(MadeFile).order_by(MadeFile.id.desc())).first()
    assert made is not None
    db.session.commit()
    made_files.run(made.id)
    db.session.refresh(made)
    assert (made.state, made.file_name) == ("ready", f"berkas-pemeriksa-PKL-{this_month().name}.zip")
    assert made.manifest is not None
    assert made.manifest["facility"] == "PKL"
    actions = db.session.execute(text("SELECT action FROM audit_events WHERE subject_kind = 'made_file'")).scalars()
    assert "made_file.asked" in set(actions)


def test_whoever_sees_one_facility_takes_along_that_one_alone(app: Flask, books: Books) -> None:
    bound = sign_in(app.test_client(), make_account("finance", facilities=(books.shop.pekalongan,)))
    assert post(bound, f"/finance/statements/NML/{this_month().name}/auditor-pack").status_code == 404
    assert post(bound, "/finance/statements/pack", {"period": this_month().name}).status_code == 303
    made = db.session.scalars(select(MadeFile)).one()
    db.session.commit()
    made_files.run(made.id)
    db.session.refresh(made)
    assert made.manifest is not None
    assert [one["file"] for one in made.manifest["files"]] == [
        f"laporan-PKL-{this_month().name}.pdf", f"laporan-PKL-{this_month().name}.xlsx",
    ]  # fmt: skip
