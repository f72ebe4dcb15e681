"""Questions, reviews and the curators' queue: the rules and what the database holds."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from storefront.catalogue.version import read as catalogue_version
from storefront.embedded import SUPERUSER
from storefront.enquiries import erase as enquiries_erase
from storefront.enquiries.models import EnquiryContact, EnquiryMessage
from storefront.enquiries.tokens import open_thread, thread_token
from storefront.enquiries.write import MOST_UNANSWERED, TooManyMessages, write_again
from storefront.errors import Invalid, NotFound
from storefront.extensions import db
from storefront.form_key import new_key
from storefront.media.storage import private_files, public_files
from storefront.moderation import lists, queue
from storefront.moderation.queue import AlreadyDecided, CannotBeUndone
from storefront.orders.models import OrderLine
from storefront.reviews import erase as reviews_erase
from storefront.reviews import pictures
from storefront.reviews.models import Review, ReviewPhoto, ReviewReply
from storefront.reviews.pictures import Upload
from storefront.reviews.write import NotReceivedYet, ReviewClosed, reply, write
from storefront.verify import voices as promises
from storefront.verify.invariant import check
from tests.clones import Clone
from tests.factories import make_member, make_paid_order, make_person
from tests.selling import Shop, open_shop
from tests.threads import while_held
from tests.voices import answered, asked, item_of, picture_with_place, rating, received_line, reviewed


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


@pytest.fixture
def curator(shop: Shop) -> int:
    return make_member("curator").id


def first(enquiry_id: int) -> EnquiryMessage:
    return db.session.query(EnquiryMessage).filter_by(enquiry_id=enquiry_id).order_by(EnquiryMessage.id).first()  # type: ignore[return-value]


def test_a_clean_question_reaches_the_facility_and_one_with_a_number_waits_for_a_curator(shop: Shop) -> None:
    clean = first(asked(shop.batik).id)
    assert (clean.is_shown, item_of("question", clean.id).state) == (True, "passed")
    held = first(asked(shop.batik, "Hubungi saya di 0812 3456 7890").id)
    assert (held.is_shown, item_of("question", held.id).reasons) == (False, ["phone"])
    strange = first(asked(shop.batik, city="Budi Santoso").id)
    assert item_of("question", strange.id).reasons == ["city"], "a name is no city"


def test_an_answer_with_an_account_number_is_told_only_after_a_curator_let_it_through(
    shop: Shop, curator: int
) -> None:
    enquiry = asked(shop.batik, email="Sari@Contoh.ID")
    message = answered(enquiry, "Transfer ke rekening BCA 1234567890 saja.")
    owed = text("SELECT count(*) FROM messages WHERE subject_kind = 'enquiry_message' AND subject_id = :id")
    assert not message.is_shown
    assert db.session.scalar(owed, {"id": message.id}) == 0
    item = item_of("answer", message.id)
    for step in ("approve", "refuse", "approve"):
        queue.decide(item.id, item.version, step, person_id=curator, note="tidak boleh")
        db.session.commit()
        assert message.is_shown == (step == "approve")
    assert db.session.scalar(owed, {"id": message.id}) == 1, "told once, however often it is decided"


def test_each_decision_is_recorded_and_can_be_undone_once(shop: Shop, curator: int) -> None:
    message = first(asked(shop.batik, "email saya a@b.id").id)
    item = item_of("question", message.id)
    with pytest.raises(Invalid):
        queue.decide(item.id, item.version, "refuse", person_id=curator)
    queue.decide(item.id, item.version, "refuse", person_id=curator, note="Memuat data pribadi.")
    queue.undo(item.id, item.version, person_id=curator)
    db.session.commit()
    assert (item.state, item.note, item.decided_by, message.is_shown) == ("waiting", "", None, False)
    with pytest.raises(CannotBeUndone):
        queue.undo(item.id, item.version, person_id=curator)
    said = [(step.action, step.note) for step in lists.history(item)]
    assert said == [("undone", ""), ("refused", "Memuat data pribadi.")]


def test_of_two_curators_at_one_item_the_second_is_told(
    wide_app: Flask, shop: Shop, curator: int, database: Clone
) -> None:
    other = make_member("curator").id
    item = item_of("question", first(asked(shop.batik, "email saya a@b.id").id).id)
    item_id, version = item.id, item.version
    db.session.commit()

    def deciding(person_id: int, step: str) -> Callable[[], str]:
        def call() -> str:
            with wide_app.app_context():
                done = queue.decide(item_id, version, step, person_id=person_id, note="tidak pantas").state
                db.session.commit()
                return done

        return call

    both = while_held(
        database.addresses[SUPERUSER],
        f"SELECT FROM moderation_items WHERE id = {item_id} FOR UPDATE",
        [deciding(curator, "approve"), deciding(other, "refuse")],
    )
    assert sum(isinstance(one, AlreadyDecided) for one in both) == 1
    (done,) = (one for one in both if isinstance(one, str))
    db.session.expire_all()
    assert item_of("question", item.subject_id).state == done
    assert len(lists.history(item)) == 1


def test_only_who_received_it_reviews_it_and_only_public_reviews_count(shop: Shop, curator: int) -> None:
    waiting = make_paid_order((shop.batik, 1))
    with pytest.raises(NotReceivedYet):
        write(waiting.lines[0], 5, "")
    with pytest.raises(IntegrityError, match="not received"), db.session.begin_nested():
        db.session.execute(
            text(
                "INSERT INTO reviews (order_line_id, product_id, facility_id, stars, locale)"
                " SELECT id, product_id, facility_id, 5, 'id' FROM order_lines WHERE id = :id"
            ),
            {"id": waiting.lines[0].id},
        )
    stars = reviewed(shop.batik, 5)
    words = reviewed(shop.batik, 2, "Jahitannya kurang rapi di satu sisi.")
    assert (stars.is_shown, words.is_shown, rating(shop.batik)) == (True, False, (5, 1))
    item = item_of("review", words.id)
    assert item.reasons == ["new_text"]
    queue.decide(item.id, item.version, "approve", person_id=curator)
    db.session.commit()
    assert rating(shop.batik) == (7, 2)
    queue.decide(item.id, item.version, "refuse", person_id=curator, note="tidak tentang karya")
    db.session.commit()
    assert rating(shop.batik) == (5, 1)
    with pytest.raises(ProgrammingError, match="permission denied"), db.session.begin_nested():
        db.session.execute(text("UPDATE product_ratings SET stars = 5"))


def test_a_review_can_be_changed_for_two_weeks_and_waits_again(shop: Shop, curator: int) -> None:
    line = received_line(shop.batik)
    review = write(line, 4, "")
    db.session.commit()
    assert rating(shop.batik) == (4, 1)
    write(line, 3, "Warnanya cepat pudar.")
    db.session.commit()
    assert (review.is_shown, rating(shop.batik)) == (False, (0, 0))
    write(line, 3, "")
    db.session.commit()
    assert rating(shop.batik) == (3, 1)
    review_id = review.id
    with pytest.raises(IntegrityError), db.session.begin_nested():
        db.session.execute(
            text("UPDATE reviews SET created_at = created_at - interval '1 day' WHERE id = :id"), {"id": review_id}
        )


def test_a_review_stays_after_its_days(shop: Shop, database: Clone) -> None:
    review = reviewed(shop.batik, 4)
    with psycopg.connect(database.addresses[SUPERUSER]) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE reviews SET created_at = now() - interval '15 days'")
    line_id = review.order_line_id
    db.session.expire_all()
    with pytest.raises(ReviewClosed):
        write(db.session.get_one(OrderLine, line_id), 1, "")


def test_a_photo_is_private_without_its_place_until_a_curator_has_seen_it(
    app: Flask, shop: Shop, curator: int, run_jobs: Callable[[], None]
) -> None:
    original = picture_with_place()
    line = received_line(shop.batik)
    review = write(line, 5, "", uploads=[Upload.of(original, "Kain di meja")])
    db.session.commit()
    photo = db.session.query(ReviewPhoto).filter_by(review_id=review.id).one()
    upload = photo.original
    assert upload is not None
    assert private_files().read(upload) == original
    db.session.rollback()
    run_jobs()
    db.session.expire_all()
    assert (photo.state, photo.original, photo.is_shown) == ("ready", None, False)
    assert not private_files().exists(upload), "with the place where it was taken"
    keys = pictures.file_keys(photo)
    for key in keys:
        assert b"rumah" not in private_files().read(key)
        assert not public_files().exists(key)
    item = item_of("photo", photo.id)
    assert item.reasons == ["new_photo"]
    queue.decide(item.id, item.version, "approve", person_id=curator)
    db.session.commit()
    assert photo.is_shown
    assert all(public_files().exists(key) for key in keys)
    queue.decide(item.id, item.version, "refuse", person_id=curator, note="Ada orang di foto.")
    db.session.commit()
    run_jobs()
    assert not any(public_files().exists(key) for key in keys)
    write(line, 5, "", removed=[photo.id])
    db.session.commit()
    run_jobs()
    assert not any(private_files().exists(key) for key in keys)


def test_cached_pages_follow_what_the_public_reads_and_nothing_else(shop: Shop, curator: int) -> None:
    before = catalogue_version()
    enquiry = asked(shop.batik)
    assert catalogue_version() == before, "nobody has answered it yet"
    answered(enquiry)
    after = catalogue_version()
    assert after != before
    private = asked(shop.batik, is_public=False)
    answered(private)
    waiting = reviewed(shop.batik, 5, "Bagus sekali, tebal dan halus.")
    assert catalogue_version() == after
    item = item_of("review", waiting.id)
    queue.decide(item.id, item.version, "approve", person_id=curator)
    db.session.commit()
    shown = catalogue_version()
    assert shown != after
    reply(waiting, "Terima kasih banyak.", make_person().id)
    db.session.commit()
    assert catalogue_version() != shown


def test_a_link_opens_its_own_thread_alone_and_can_be_revoked(shop: Shop) -> None:
    one, other = asked(shop.batik), asked(shop.batik)
    token = thread_token(one)
    assert open_thread(token, "127.0.0.1").id == one.id
    for wrong in (token.replace(str(one.id), str(other.id), 1), token[:-1] + "!", "", "1-x", f"{10**30}-{'a' * 43}"):
        with pytest.raises(NotFound):
            open_thread(wrong, "127.0.0.1")
    one.token_version += 1
    db.session.commit()
    with pytest.raises(NotFound):
        open_thread(token, "127.0.0.1")


def test_one_form_sent_twice_says_it_once_and_nobody_talks_alone_for_ever(shop: Shop) -> None:
    key = new_key()
    assert asked(shop.batik, request_key=key).id == asked(shop.batik, request_key=key).id
    enquiry = asked(shop.batik)
    for number in range(MOST_UNANSWERED - 1):
        write_again(enquiry, f"Pertanyaan lagi nomor {number}", new_key())
    with pytest.raises(TooManyMessages):
        write_again(enquiry, "Masih ada pertanyaan lagi", new_key())
    answered(enquiry)
    assert write_again(enquiry, "Baik, terima kasih banyak", new_key()).id


def test_forgetting_takes_address_city_words_and_pictures_and_leaves_the_stars(
    shop: Shop, curator: int, database: Clone, run_jobs: Callable[[], None]
) -> None:
    line = received_line(shop.batik)
    review = write(line, 4, "Sangat rapi.", uploads=[Upload.of(picture_with_place(), "Kain")])
    db.session.commit()
    run_jobs()
    item = item_of("review", review.id)
    queue.decide(item.id, item.version, "approve", person_id=curator)
    reply(review, "Terima kasih.", make_person().id)
    public = asked(shop.batik, email="sari@contoh.id", order_id=line.order_id)
    answered(public)
    private = asked(shop.batik, "Apakah bisa dikirim hari ini?", email="sari@contoh.id", is_public=False)
    token = thread_token(private)
    assert reviews_erase.kept_of([line.order_id])[0]["text"] == "Sangat rapi."
    assert len(enquiries_erase.kept_of([line.order_id], "SARI@contoh.id")) == 2
    assert reviews_erase.forget([line.order_id]) == 1
    assert enquiries_erase.forget([line.order_id], "SARI@contoh.id") == 2
    db.session.commit()
    run_jobs()
    db.session.expire_all()
    kept = db.session.get_one(Review, review.id)
    assert (kept.body, kept.city, kept.stars, rating(shop.batik)) == ("", "", 4, (4, 1))
    assert db.session.query(ReviewPhoto).count() == db.session.query(ReviewReply).count() == 0
    assert [contact.email for contact in db.session.query(EnquiryContact)] == [None, None]
    assert first(public.id).body == "Apakah ada warna lain?", "said by nobody, it may stay"
    assert first(private.id).body == ""
    assert (public.city, public.order_id) == ("", None)
    with pytest.raises(NotFound):
        open_thread(token, None)
    with psycopg.connect(database.addresses[SUPERUSER]) as connection:
        assert [found.invariant.name for found in check(connection, promises.INVARIANTS) if not found.holds] == []
