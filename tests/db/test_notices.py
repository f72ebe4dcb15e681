"""The people of a facility are told once of each new thing, each as they chose, by letter and on their devices."""

from __future__ import annotations

import datetime
import email
import email.policy
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storefront.extensions import db
from storefront.listings.models import ListingDraft
from storefront.mail.models import Message
from storefront.mail.push import is_service, public_key
from storefront.mail.transport import mail_folder
from storefront.notices import devices, saved_views
from storefront.notices.choices import Ways, choose
from storefront.notices.digest import tell_mornings
from storefront.notices.models import Notice, NoticeDelivery, PushDevice, SavedView
from storefront.notices.tell import spread, tell
from storefront.notices.waiting import asked_by, waiting, work
from storefront.orders.models import Parcel
from storefront.orders.place import Contact
from storefront.people.models import Person
from tests.factories import make_paid_order, make_person
from tests.push_service import PushService, push_service, signed_by
from tests.selling import Shop, open_shop
from tests.staff import make_account
from tests.threads import at_once
from tests.voices import asked

BUYER = Contact("Murniati", "murniati@example.test", "+628123456789")
#: 07.10 in Jakarta, 08.10 in Ambon's neighbour zone, 09.10 in Ambon.
MORNING = datetime.datetime(2026, 11, 24, 0, 10, tzinfo=datetime.UTC)


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def coordinator(shop: Shop) -> Person:
    return make_account("coordinator", facilities=(shop.pekalongan,), email="koor@pkl.test")


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as running:
        yield running


def letters() -> list[str]:
    """Text of the notices that went by letter, with their headers; taken away."""
    found = []
    for file in sorted(mail_folder().glob("notice.*.eml")):
        read = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        found.append(f"{read['To']} {read['Subject']}\n{read.get_body(('plain',)).get_content()}")  # type: ignore[union-attr]
        file.unlink()
    return found


def subscribed(person: Person, service: PushService) -> None:
    given = service.subscription
    devices.subscribe(person.id, given["endpoint"], given["p256dh"], given["auth"], "Firefox auf einem Telefon")
    db.session.commit()


def test_a_new_parcel_is_told_once_by_letter_and_push_and_no_buyer_is_in_it(
    app: Flask, shop: Shop, coordinator: Person, service: PushService, run_jobs: Callable[[], None]
) -> None:
    make_account("coordinator", facilities=(shop.ambon,), email="koor@nml.test")
    make_account("head", facilities=(shop.pekalongan,), email="kepala@pkl.test")
    subscribed(coordinator, service)
    order = make_paid_order((shop.batik, 1), contact=BUYER)
    db.session.commit()
    run_jobs()
    parcel = db.session.scalars(select(Parcel).where(Parcel.order_id == order.id)).one()
    (letter,) = letters()
    assert letter.startswith(f"koor@pkl.test Kiriman baru: {order.number}/1")
    assert f"/seller/PKL/parcels/{parcel.id}" in letter
    ((headers, body),) = service.taken
    shown = service.opened(body)
    assert shown["title"] == f"Kiriman baru: {order.number}/1"
    assert shown["page"] == f"/seller/PKL/parcels/{parcel.id}"
    for secret in ("Murniati", "murniati", "812345", "Melati"):
        assert secret not in letter + str(shown)
    assert headers["content-encoding"] == "aes128gcm"
    assert int(headers["ttl"]) > 0
    key, claims = signed_by(headers)
    assert key == public_key()
    assert claims["aud"] == service.endpoint.partition("/push")[0].rpartition(":")[0]
    # Whatever runs again, nobody hears of it twice.
    notice = db.session.scalars(select(Notice)).one()
    assert at_once([lambda: _spread(app, notice.id) for _ in range(4)]) == [0, 0, 0, 0]
    assert not tell(shop.pekalongan.id, "parcel", f"parcel:{parcel.id}", about="", path="/seller/PKL/")
    run_jobs()
    assert (letters(), len(service.taken)) == ([], 1)


def _spread(app: Flask, notice_id: int) -> int:
    with app.app_context():
        told = spread(notice_id)
        db.session.commit()
        return told


def test_two_workers_tell_one_person_once(app: Flask, shop: Shop, coordinator: Person) -> None:
    tell(shop.pekalongan.id, "question", "question:1", about="Kain batik", path="/seller/PKL/questions/1")
    db.session.commit()
    notice_id = db.session.scalars(select(Notice.id)).one()
    told = at_once([lambda: _spread(app, notice_id) for _ in range(6)])
    assert sorted(told) == [0, 0, 0, 0, 0, 1]  # type: ignore[type-var]
    assert db.session.scalar(select(func.count()).select_from(NoticeDelivery)) == 1


def test_each_is_told_as_they_chose_and_nobody_who_has_left(
    shop: Shop, coordinator: Person, service: PushService, run_jobs: Callable[[], None]
) -> None:
    other = make_account("coordinator", facilities=(shop.pekalongan,), email="dua@pkl.test", locale="en")
    subscribed(coordinator, service)
    choose(coordinator.id, shop.pekalongan.id, {"question": Ways(by_email=False, by_push=True)})
    choose(other.id, shop.pekalongan.id, {"question": Ways(by_email=True, by_push=False)})
    enquiry = asked(shop.batik)
    run_jobs()
    (letter,) = letters()
    assert letter.startswith("dua@pkl.test New question: Kain batik")
    assert f"/en/seller/PKL/questions/{enquiry.id}\n" in letter
    assert len(service.taken) == 1
    # Owed before they left, not sent after.
    asked(shop.batik, "Apakah masih ada yang biru?")
    db.session.execute(Person.__table__.update().where(Person.id == other.id).values(is_active=False))
    choose(coordinator.id, shop.pekalongan.id, {"question": Ways(by_email=False, by_push=False)})
    db.session.commit()
    run_jobs()
    assert (letters(), len(service.taken)) == ([], 1)
    # What waits for a curator is told when it is let through, not before.
    asked(shop.batik, "Hubungi saya di 0812 3456 7890 ya")
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 2


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_forgotten_and_one_that_is_away_is_tried_again(
    shop: Shop, coordinator: Person, service: PushService, run_jobs: Callable[[], None], status: int
) -> None:
    subscribed(coordinator, service)
    service.status = 503
    tell(shop.pekalongan.id, "sent_back", "sent_back:1:1", about="Kain batik", path="/seller/PKL/products")
    db.session.commit()
    run_jobs()
    waits = select(Message).where(Message.kind == "notice_sent_back", Message.sent_at.is_(None))
    (message,) = db.session.scalars(waits).all()
    assert message.last_error == "the push service answered 503"
    assert db.session.scalar(select(func.count()).select_from(PushDevice)) == 1
    service.status = status
    tell(shop.pekalongan.id, "sent_back", "sent_back:1:2", about="Kain batik", path="/seller/PKL/products")
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    assert db.session.scalar(select(func.count()).select_from(PushDevice)) == 0
    letters()


def test_only_push_services_of_browsers_are_called(make_app: Callable[..., Flask], app: Flask) -> None:
    wrong = (
        "https://169.254.169.254/latest", "https://fcm.googleapis.com.evil.test/x", "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x", "https://a@fcm.googleapis.com/x", "file:///etc/passwd", "https://[",
    )  # fmt: skip
    right = ("https://fcm.googleapis.com/fcm/send/abc", "https://web.push.apple.com/QG", "http://127.0.0.1:5/x")
    with app.app_context():
        assert [is_service(address) for address in wrong] == [False] * len(wrong)
        assert [is_service(address) for address in right] == [True] * 3
    real = make_app(
        DEMO="off", SECRET_KEY="x" * 40, PAYMENT_GATEWAY="stripe", BASE_URL="https://toko.test",
        STRIPE_SECRET_KEY="sk_test_1", STRIPE_WEBHOOK_SECRET="whsec_1", VAPID_PRIVATE_KEY="",
    )  # fmt: skip
    with real.app_context():
        assert not is_service("http://127.0.0.1:5/x")
        assert public_key() is None


def test_the_morning_tells_what_waits_once_a_day_and_nothing_when_nothing_waits(
    shop: Shop, coordinator: Person, run_jobs: Callable[[], None]
) -> None:
    head = make_account("head", facilities=(shop.pekalongan,), email="kepala@pkl.test")
    assert tell_mornings(MORNING) == 0, "nothing waits"
    choose(coordinator.id, shop.pekalongan.id, {"parcel": Ways(by_email=False, by_push=False)})
    order = make_paid_order((shop.batik, 1), contact=BUYER)
    late = db.session.scalars(select(Parcel).where(Parcel.order_id == order.id)).one()
    late.ready_by = datetime.date(2026, 11, 20)
    db.session.commit()
    night = MORNING - datetime.timedelta(hours=3)
    assert tell_mornings(night) == 0
    assert tell_mornings(MORNING) == 1
    assert tell_mornings(MORNING + datetime.timedelta(minutes=30)) == 0
    db.session.commit()
    run_jobs()
    told = letters()
    assert [letter.split()[0] for letter in told] == ["koor@pkl.test", "kepala@pkl.test"]
    assert "1 kiriman terlambat: dijanjikan sejak 20 November" in told[0]
    assert "Murniati" not in told[0]
    # The next day again; who does not want it is left alone.
    choose(head.id, shop.pekalongan.id, {"digest": Ways(by_email=False, by_push=False)})
    assert tell_mornings(MORNING + datetime.timedelta(days=1)) == 1
    db.session.commit()
    run_jobs()
    assert [letter.split()[0] for letter in letters()] == ["koor@pkl.test"]


def test_what_waits_stands_in_order_of_urgency_and_for_whom_it_concerns(shop: Shop, coordinator: Person) -> None:
    for _ in range(2):
        make_paid_order((shop.batik, 1))
    asked(shop.batik)
    own = select(Parcel).where(Parcel.facility_id == shop.pekalongan.id).order_by(Parcel.id)
    first, second = db.session.scalars(own)
    curator, now = make_person(), datetime.datetime.now(datetime.UTC)
    back = {"state": "sent_back", "note": "Fotonya buram.", "decided_at": now, "decided_by": curator.id}
    asked_by_us = {"facility_id": shop.pekalongan.id, "submitted_at": now, "submitted_by": coordinator.id}
    draft = ListingDraft(content={}, **asked_by_us, **back)
    db.session.add(draft)
    first.ready_by = first.ready_by - datetime.timedelta(days=60)  # type: ignore[operator]
    db.session.commit()
    found = waiting(asked_by(coordinator, shop.pekalongan))
    assert [one.kind for one in found if one.is_work] == ["late", "question", "sent_back", "to_pack"]
    assert work(found) == 4
    assert f"listings/{draft.id}" in [one.page for one in found]
    assert all(one.button for one in found)
    assert second.ready_by is not None
    assert waiting(asked_by(coordinator, shop.ambon)) == [], "another facility's is nobody's business"


def test_two_tabs_save_views_and_only_one_is_the_default(app: Flask, shop: Shop, coordinator: Person) -> None:
    me, place = coordinator.id, shop.pekalongan.id

    def save(name: str) -> Callable[[], str]:
        def run() -> str:
            with app.app_context():
                view = saved_views.save(me, place, "seller.parcels", name, "state=to_pack&page=4&q=")
                saved_views.set_default(view, True)
                db.session.commit()
                return view.query

        return run

    assert at_once([save("Mendesak"), save("mendesak"), save("Lain")]) == ["state=to_pack"] * 3
    views = db.session.scalars(select(SavedView)).all()
    assert sorted(view.name.lower() for view in views) == ["lain", "mendesak"]
    assert sum(view.is_default for view in views) == 1
