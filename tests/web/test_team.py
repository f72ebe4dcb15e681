"""A facility's profile, calendar and team as its own people use them; and several facilities that are never mixed."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default as email_policy
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from storefront.audit.models import AuditEvent
from storefront.books import bank_accounts
from storefront.books.models import BankAccount
from storefront.days import today
from storefront.errors import NotFound
from storefront.exports.handover_pdf import document
from storefront.extensions import db
from storefront.facilities.models import Facility, Pause, Workshop
from storefront.mail.models import Message
from storefront.mail.transport import mail_folder
from storefront.moderation import queue
from storefront.moderation.models import ModerationItem
from storefront.notices import saved_views
from storefront.orders.messages import send_message
from storefront.people import coordinators, invitations, memberships
from storefront.people.models import Invitation, Membership, Person, Role, Session
from storefront.people.policy import GRANTS, Action
from storefront.teams import handover
from storefront.teams.models import Handover
from tests.factories import make_paid_order
from tests.selling import Shop, open_shop
from tests.staff import SAME, csrf_token, make_account, post, sign_in
from tests.threads import at_once

PASSWORD = "empat kata acak sekali"


@pytest.fixture
def shop(db_session: DbSession) -> Shop:
    return open_shop()


@pytest.fixture
def head(shop: Shop) -> Person:
    return make_account("head", facilities=(shop.pekalongan,), name="Kepala")


@pytest.fixture
def keeper(shop: Shop) -> Person:
    return make_account("coordinator", facilities=(shop.pekalongan,), name="Bambang")


@pytest.fixture
def letters(app: Flask) -> Callable[[str], list[str]]:
    """The texts of all letters to an address, in the order of their files."""

    def to(address: str) -> list[str]:
        with app.app_context():
            files = sorted(mail_folder().glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        found = [message_from_bytes(file.read_bytes(), policy=email_policy) for file in files]
        return [m.get_body(("plain",)).get_content() for m in found if m["To"] == address]  # type: ignore[union-attr]

    return to


def client_of(app: Flask, person: Person) -> FlaskClient:
    return sign_in(app.test_client(), person)


def member(facility: Facility, person: Person) -> int:
    found = coordinators.living(facility.id, person.id)
    assert found is not None
    return found.id


def test_a_text_shows_at_once_or_waits_and_the_old_one_stays(
    app: Flask, shop: Shop, keeper: Person, head: Person, client: FlaskClient, db_session: DbSession
) -> None:
    staff, public = client_of(app, keeper), f"/facilities/{shop.pekalongan.slug}"
    plain = {"about": "Kami **menganyam** sejak 2015.", "about_en": "We weave.", "contact": ""}
    assert post(staff, "/seller/PKL/profile", plain).status_code == 303
    assert "<strong>menganyam</strong>" in client.get(public).text
    assert "We weave." in client.get(f"/en{public}").text

    waiting = {**plain, "about": "Hubungi Pak Budi di 0812 3456 7890 <script>x</script>"}
    answer = post(staff, "/seller/PKL/profile", waiting, follow_redirects=True)
    assert "Kurator memeriksanya dahulu" in answer.text
    assert "0812 3456 7890" in answer.text, "what was typed is there"
    assert "0812" not in client.get(public).text
    item = db_session.scalars(select(ModerationItem).where(ModerationItem.kind == "profile")).all()[-1]
    assert "phone" in item.reasons
    curator = make_account("curator")
    assert "0812 3456 7890" in client_of(app, curator).get(f"/admin/moderation/{item.id}").text
    queue.decide(item.id, item.version, "approve", person_id=curator.id)
    db_session.commit()
    shown = client.get(public).text
    assert "0812 3456 7890" in shown
    assert "<script>x" not in shown
    item = db_session.get_one(ModerationItem, item.id, populate_existing=True)
    queue.decide(item.id, item.version, "refuse", person_id=curator.id, note="Tanpa nomor.")
    db_session.commit()
    assert "<strong>menganyam</strong>" in client.get(public).text, "the one before is back"
    assert "Tanpa nomor." in staff.get("/seller/PKL/profile").text
    assert post(client_of(app, head), "/seller/PKL/profile", plain).status_code == 403, "a head reads"


def test_workshops_are_added_renamed_and_sell_only_once_declared(
    app: Flask, shop: Shop, keeper: Person, client: FlaskClient, db_session: DbSession
) -> None:
    staff = client_of(app, keeper)
    wish = {"name": "Bengkel  kayu", "about": "Mebel.", "about_en": ""}
    for _again in range(2):  # a retry over a bad line
        assert post(staff, "/seller/PKL/workshops", wish).status_code == 303
    row = db_session.scalars(select(Workshop).where(Workshop.name == "Bengkel kayu")).one()
    assert row.sells_undeclared_until is None
    assert "belum boleh berjualan" in staff.get(f"/seller/PKL/workshops/{row.id}").text
    taken = post(staff, "/seller/PKL/workshops", {**wish, "name": "BATIK", "about": "Lain"})
    assert taken.status_code == 422
    assert "sudah ada" in taken.text
    assert "Lain" in taken.text, "nothing typed is lost"

    batik = db_session.scalars(select(Workshop).where(Workshop.name == "Batik")).one()
    before = make_paid_order((shop.batik, 1)).lines[0].workshop_name
    db_session.commit()
    path = f"/seller/PKL/workshops/{batik.id}"
    assert post(staff, path, {"name": "Batik tulis", "about": "", "about_en": ""}).status_code == 303
    assert "Batik tulis" in client.get("/products/kain-batik").text
    assert before == "Batik"
    assert post(staff, path, {"name": "Bengkel milik napi Joko", "about": "", "about_en": ""}).status_code == 303
    assert "Joko" not in client.get("/products/kain-batik").text
    foreign = db_session.scalars(select(Workshop).where(Workshop.facility_id == shop.ambon.id)).first()
    assert post(staff, f"/seller/PKL/workshops/{foreign.id}", wish).status_code == 404  # type: ignore[union-attr]


def test_gallery_hours_are_said_by_weekday_where_goods_are_collected(
    app: Flask, shop: Shop, keeper: Person, client: FlaskClient
) -> None:
    staff = client_of(app, keeper)
    wish = {f"{name}-{day}": at for day in range(1, 5) for name, at in (("opens", "9.00"), ("closes", "15.00"))}
    wish |= {"opens-5": "09:00", "closes-5": "11.30"}
    assert post(staff, "/seller/PKL/hours", wish).status_code == 303
    assert "Senin–Kamis 09.00–15.00, Jumat 09.00–11.30" in client.get(f"/facilities/{shop.pekalongan.slug}").text
    assert "Monday–Thursday 09:00–15:00" in client.get(f"/en/facilities/{shop.pekalongan.slug}").text
    client.post("/cart/add", data={"sku": "PKL-BATIK", "quantity": "1"}, headers=SAME)
    assert "Senin–Kamis 09.00–15.00" in client.get("/checkout").text
    wrong = post(staff, "/seller/PKL/hours", {**wish, "closes-2": "8.00", "opens-3": "pagi"})
    assert wrong.status_code == 422
    assert wrong.text.count("field__error") == 2
    assert 'value="pagi"' in wrong.text


def test_a_pause_is_written_down_and_called_off_on_one_page(
    app: Flask, shop: Shop, keeper: Person, db_session: DbSession
) -> None:
    staff = client_of(app, keeper)
    wish = {
        "first_day": str(today()), "last_day": f"{today() + datetime.timedelta(days=6):%d/%m/%Y}",
        "reason": "Bengkel ditata ulang.", "reason_en": "x",
    }  # fmt: skip
    refused = post(staff, "/seller/PKL/calendar/pause", wish)
    assert refused.status_code == 422
    assert "Bengkel ditata ulang." in refused.text
    assert post(staff, "/seller/PKL/calendar/pause", {**wish, "reason_en": "Being rearranged."}).status_code == 303
    row = db_session.scalars(select(Pause)).one()
    assert "sedang berlangsung" in staff.get("/seller/PKL/calendar").text
    assert post(staff, f"/seller/PKL/calendar/pause/{row.id}/end").status_code == 303
    again = post(staff, f"/seller/PKL/calendar/pause/{row.id}/end")
    assert again.status_code == 409
    off = {"off_first": str(today() + datetime.timedelta(days=3)), "off_last": "", "note": "Upacara"}
    assert post(staff, "/seller/PKL/calendar/off", off).status_code == 303
    assert post(staff, "/seller/PKL/calendar/packing", {"packing_days": ["1", "3"]}).status_code == 303
    assert post(staff, "/seller/PKL/calendar/packing", {}).status_code == 422
    assert db_session.get_one(Facility, shop.pekalongan.id).packing_days == [1, 3]
    acts = set(db_session.scalars(select(AuditEvent.action)))
    assert {"pause.set", "pause.ended", "day_off.set", "facility.packing_days_set"} <= acts


def test_bank_details_are_proposed_here_and_approved_by_finance_alone(
    app: Flask, shop: Shop, keeper: Person, head: Person, db_session: DbSession
) -> None:
    staff, second = client_of(app, keeper), client_of(app, head)
    wish = {
        "bank": "Bank Jateng", "number": "1 234-567.890", "holder": "RPL Lapas Pekalongan",
        "permission_letter": "S-12/2026", "valid_from": str(today()),
    }  # fmt: skip
    assert post(staff, "/seller/PKL/bank-details", {**wish, "number": "12"}).status_code == 422
    for _again in range(2):
        assert post(staff, "/seller/PKL/bank-details", wish).status_code == 303
    row = db_session.scalars(select(BankAccount).where(BankAccount.bank == "Bank Jateng")).one()
    html = staff.get("/seller/PKL/bank-details").text
    assert "••••7890" in html
    assert "1234567890" not in html
    assert "Menunggu persetujuan" in html
    assert post(second, f"/seller/PKL/bank-accounts/{row.id}/approve").status_code == 409
    assert bank_accounts.approve(row.id, make_account("finance").id).approved_at
    db_session.commit()
    assert "Berlaku" in staff.get("/seller/PKL/bank-details").text


def invited(client: FlaskClient, email: str = "baru@contoh.test") -> tuple[int, str]:
    """The id of an invitation that the head has sent, and the path of its link."""
    answer = post(client, "/seller/PKL/team/invite", {"email": email.upper(), "name": "Retno"})
    assert answer.status_code == 303, answer.text
    row = db.session.scalars(select(Invitation).where(Invitation.email == email)).one()
    return row.id, f"/account/invitation/{invitations.token(row)}"


def test_the_head_invites_and_a_link_works_once(
    app: Flask, shop: Shop, head: Person, keeper: Person, db_session: DbSession, letters: Callable[[str], list[str]]
) -> None:
    make_account("administrator", email="kantor@contoh.test")
    boss, stranger = client_of(app, head), app.test_client()
    assert client_of(app, keeper).get("/seller/PKL/team").status_code == 403
    _id, path = invited(boss)
    invited(boss)  # pressed twice it is the same
    deliver(db_session)
    assert path in letters("baru@contoh.test")[0]
    assert "Lapas Kelas IIA Pekalongan" in stranger.get(path).text
    weak = post(stranger, path, {"name": "Retno", "password": "1234567890"})
    assert weak.status_code == 422
    assert 'value="Retno"' in weak.text
    assert post(stranger, path, {"name": "Retno Kusuma", "password": PASSWORD}).status_code == 303
    assert stranger.get(path).status_code == 410
    assert post(stranger, path, {"name": "X", "password": PASSWORD}).status_code == 410
    assert post(stranger, "/login", {"email": "baru@contoh.test", "password": PASSWORD}).status_code == 303
    assert stranger.get("/seller/PKL/").status_code == 200
    assert stranger.get("/seller/NML/").status_code == 404
    deliver(db_session)
    make_account("coordinator", facilities=(shop.pekalongan,))
    assert "Retno Kusuma" in letters("kantor@contoh.test")[0]
    html = boss.get("/seller/PKL/team").text
    assert "Retno Kusuma" in html
    assert "belum pernah" in html, "who was never there is said"


def test_a_link_dies_with_its_seven_days_its_withdrawal_and_the_heads_right(
    app: Flask, shop: Shop, head: Person, db_session: DbSession, owner_connection: Any
) -> None:
    boss, stranger = client_of(app, head), app.test_client()
    ident, path = invited(boss)
    assert post(boss, f"/seller/PKL/team/invitations/{ident}/withdraw").status_code == 303
    assert stranger.get(path).status_code == 410
    ident, path = invited(boss, "kedua@contoh.test")
    owner_connection.execute("UPDATE invitations SET expires_at = now() WHERE id = %s", (ident,))
    owner_connection.commit()
    assert stranger.get(path).status_code == 410
    assert post(boss, "/seller/PKL/team/invite", {"email": "kedua@contoh.test", "name": "R"}).status_code == 303
    _ident, path = invited(boss, "ketiga@contoh.test")
    memberships.revoke(db_session.scalars(select(Membership.id).where(Membership.person_id == head.id)).one())
    db_session.commit()
    assert stranger.get(path).status_code == 410
    # An account that is there already is not opened by reading its mail.
    other = client_of(app, make_account("head", facilities=(shop.pekalongan,)))
    make_account(email="ada@contoh.test")
    _ident, path = invited(other, "ada@contoh.test")
    assert post(stranger, path, {"password": PASSWORD}).status_code == 422
    assert post(stranger, path, {"password": "demo"}).status_code == 303


def test_of_two_who_accept_at_once_one_does(app: Flask, shop: Shop, head: Person, db_session: DbSession) -> None:
    row = invitations.invite(shop.pekalongan.id, "baru@contoh.test", "Retno", head.id)
    db_session.commit()
    secret = invitations.token(row)

    def call() -> str:
        with app.app_context():
            found = handover.accept(invitations.find(secret), "Retno", PASSWORD).email
            db.session.commit()
            return found

    results = at_once([call] * 3)
    assert [result for result in results if result == "baru@contoh.test"] == ["baru@contoh.test"], results
    assert len(db_session.scalars(select(Person).where(Person.email == "baru@contoh.test")).all()) == 1


def test_ending_the_last_coordinator_warns_and_two_heads_do_not_end_both(
    app: Flask, shop: Shop, head: Person, keeper: Person, db_session: DbSession
) -> None:
    facility_id, head_id = shop.pekalongan.id, head.id
    second = make_account("coordinator", facilities=(shop.pekalongan,))
    ids = [member(shop.pekalongan, keeper), member(shop.pekalongan, second)]
    own = client_of(app, keeper)

    def call(ident: int) -> Any:
        def act() -> int:
            with app.app_context():
                coordinators.end(facility_id, ident, head_id)
                db.session.commit()
                return ident

        return act

    results = at_once([call(ident) for ident in ids])
    assert sum(isinstance(result, coordinators.LastOne) for result in results) == 1, results
    left = next(ident for ident in ids if ident not in results)
    boss = client_of(app, head)
    asked = post(boss, f"/seller/PKL/team/{left}/end")
    assert asked.status_code == 409
    assert "koordinator terakhir" in asked.text
    assert post(boss, f"/seller/PKL/team/{left}/end", {"sure": "yes"}).status_code == 303
    assert own.get("/seller/PKL/").status_code in (302, 404), "sessions end at once"
    with pytest.raises(NotFound):
        coordinators.end(shop.ambon.id, left, head.id)
    heads = db_session.scalars(select(Membership.id).where(Membership.person_id == head.id)).one()
    assert post(boss, f"/seller/PKL/team/{heads}/end").status_code == 404, "a head is the office's to end"
    assert GRANTS[Action.COORDINATORS_WRITE] == {Role.HEAD, Role.ADMINISTRATOR}


def test_a_handover_is_one_act_with_a_minute_and_is_undone_for_a_day(
    app: Flask, shop: Shop, head: Person, keeper: Person, db_session: DbSession, owner_connection: Any
) -> None:
    make_account("administrator")
    make_paid_order((shop.batik, 2))
    second = make_account("coordinator", facilities=(shop.pekalongan,), name="Noor")
    here = shop.pekalongan.id
    for name, query in (("Hari ini", "due=today"), ("Siap", "state=ready")):
        saved_views.save(keeper.id, here, "seller.parcels", name, query)
    saved_views.set_default(saved_views.views(keeper.id, here, "seller.parcels")[0], True)
    saved_views.save(second.id, here, "seller.parcels", "siap", "state=ready&sort=newest")
    db_session.commit()
    old, boss = client_of(app, keeper), client_of(app, head)
    path = f"/seller/PKL/team/{member(shop.pekalongan, keeper)}/handover"
    assert "Kiriman yang perlu dikemas" in boss.get(path).text
    assert post(boss, path, {}).status_code == 422
    wish = {"to": str(member(shop.pekalongan, second))}
    for _again in range(2):
        assert post(boss, path, wish).status_code == 303
    row = db_session.scalars(select(Handover)).one()
    assert (row.from_name, row.to_name) == ("Bambang", "Noor")
    assert row.counts["to_pack"] == 1
    assert row.counts["pieces"] == 5 - 2 + 9
    assert row.counts["owed"]
    views = saved_views.views(second.id, here, "seller.parcels")
    assert [(view.name, view.query, view.is_default) for view in views] == [
        ("Hari ini", "due=today", True), ("siap", "sort=newest&state=ready", False),
    ]  # fmt: skip
    assert row.counts["views"] == 1
    assert old.get("/seller/PKL/").status_code != 200
    told = db_session.scalars(select(Message.kind).where(Message.subject_kind == "membership")).all()
    assert told == ["coordinator_handed_over"]
    minute = boss.get(f"/seller/PKL/team/handovers/{row.id}.pdf")
    assert minute.data.startswith(b"%PDF")
    said = str(handover_document(app, row.id))
    assert "Bambang" in said
    for line in ("Kiriman siap diambil", "Hitung stok yang belum selesai", "Tampilan tersimpan"):
        assert line in said, line
    for _again in range(2):
        assert post(boss, f"/seller/PKL/team/handovers/{row.id}/undo").status_code == 303
    assert coordinators.living(shop.pekalongan.id, keeper.id)
    assert coordinators.living(shop.pekalongan.id, second.id)

    path = f"/seller/PKL/team/{member(shop.pekalongan, keeper)}/handover"
    assert post(boss, path, wish).status_code == 303
    owner_connection.execute("UPDATE handovers SET done_at = done_at - interval '25 hours' WHERE undone_at IS NULL")
    owner_connection.commit()
    late = db_session.scalars(select(Handover).where(Handover.undone_at.is_(None))).one()
    assert post(boss, f"/seller/PKL/team/handovers/{late.id}/undo").status_code == 409


def test_work_passes_to_somebody_new_when_they_accept(
    app: Flask, shop: Shop, head: Person, keeper: Person, db_session: DbSession
) -> None:
    boss = client_of(app, head)
    path = f"/seller/PKL/team/{member(shop.pekalongan, keeper)}/handover"
    wish = {"to": "new", "email": "baru@contoh.test", "name": "Retno"}
    assert post(boss, path, {**wish, "email": "tidak"}).status_code == 422
    for _again in range(2):
        assert post(boss, path, wish).status_code == 303
    row = db_session.scalars(select(Handover)).one()
    assert row.done_at is None
    assert coordinators.living(shop.pekalongan.id, keeper.id), "until then they work on"
    assert boss.get(f"/seller/PKL/team/handovers/{row.id}.pdf").status_code == 404
    link = f"/account/invitation/{invitations.token(db_session.get_one(Invitation, row.invitation_id))}"
    assert post(app.test_client(), link, {"name": "Retno", "password": PASSWORD}).status_code == 303
    db_session.rollback()
    db_session.refresh(row)
    assert row.done_at
    assert coordinators.living(shop.pekalongan.id, keeper.id) is None
    living = select(Session).where(Session.person_id == keeper.id, Session.ended_at.is_(None))
    assert db_session.scalars(living).all() == []
    assert post(boss, f"/seller/PKL/team/handovers/{row.id}/undo").status_code == 303
    assert coordinators.living(shop.pekalongan.id, keeper.id)
    assert coordinators.living(shop.pekalongan.id, row.to_person or 0) is None, "what began with it ends with it"


def test_several_facilities_are_never_mixed(app: Flask, shop: Shop, db_session: DbSession) -> None:
    person = make_account("coordinator", facilities=(shop.pekalongan, shop.ambon))
    memberships.grant(person, Role.HEAD, facility_id=shop.ambon.id)
    make_paid_order((shop.batik, 1))
    db_session.commit()
    both = client_of(app, person)
    html = both.get("/seller/PKL/parcels?state=packed").text
    sign = re.search(r'<div class="sign">.*?</div>', html, re.DOTALL)
    assert sign
    assert "Lapas Kelas IIA Pekalongan" in sign[0]
    assert 'href="/seller/NML/parcels"' in sign[0], "the same kind of page"
    assert 'href="/seller/NML/products"' in both.get("/seller/PKL/stock/PKL-BATIK").text
    # What one may not open there leads to the first page: a coordinator has no team page.
    assert 'href="/seller/PKL/"' in both.get("/seller/NML/team").text
    assert 'href="/seller/NML/calendar"' in both.get("/seller/PKL/calendar").text

    # A form of the first, sent after the switch, still goes to the first.
    token = csrf_token(both)
    both.get("/seller/NML/hours")
    both.post("/seller/PKL/hours", data={"csrf_token": token, "opens-1": "09.00", "closes-1": "12.00"})
    assert db_session.get_one(Facility, shop.pekalongan.id).gallery_week == {"1": ["09:00", "12:00"]}
    assert db_session.get_one(Facility, shop.ambon.id).gallery_week == {}
    index = both.get("/seller/").text
    assert "Lapas Kelas III Namlea" in index
    assert 'href="/seller/PKL/parcels' in index, "what waits in each, with its way there"
    assert 'href="/seller/NML/parcels' not in index
    one = client_of(app, make_account("coordinator", facilities=(shop.pekalongan,)))
    assert 'class="sign"' not in one.get("/seller/PKL/").text


def deliver(session: DbSession) -> None:
    """Send every letter that is owed."""
    for ident in session.scalars(select(Message.id).where(Message.sent_at.is_(None)).order_by(Message.id)).all():
        send_message(ident)


def handover_document(app: Flask, ident: int) -> dict[str, Any]:
    """What the minute says."""
    with app.test_request_context():
        return document(db.session.get_one(Handover, ident))
