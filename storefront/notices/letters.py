"""The words of a notice: a letter with one link, or a line for a device."""

from __future__ import annotations

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from storefront.extensions import db
from storefront.facilities.models import Facility
from storefront.mail import write
from storefront.mail.letters import forgets, writes
from storefront.mail.models import Message
from storefront.mail.transport import Device, Letter
from storefront.notices.choices import choices
from storefront.notices.models import Notice, NoticeDelivery, PushDevice
from storefront.notices.tell import SUBJECT, concerns
from storefront.notices.waiting import asked_by, waiting, work
from storefront.people.models import Person

#: What the letter's button says, by kind.
BUTTONS = {
    "parcel": _l("Buka kirimannya"),
    "question": _l("Baca dan jawab"),
    "quote": _l("Buka penawarannya"),
    "sent_back": _l("Buka karyanya"),
    "problem": _l("Baca laporannya"),
    "stand": _l("Lihat hitungannya"),
    "training": _l("Buka programnya"),
    "digest": _l("Buka halaman hari ini"),
}


def headline(notice: Notice) -> str:
    """The notice in one line: what happened, and to what. No buyer in it."""
    return {
        "parcel": lambda: _("Kiriman baru: %(about)s", about=notice.about),
        "question": lambda: _("Pertanyaan baru: %(about)s", about=notice.about),
        "quote": lambda: _("Kabar penawaran %(about)s", about=notice.about),
        "sent_back": lambda: _("Dikembalikan kurator: %(about)s", about=notice.about),
        "problem": lambda: _("Laporan pembeli: %(about)s", about=notice.about),
        "stand": lambda: _("Yang tiba di stan berbeda: %(about)s", about=notice.about),
        "training": lambda: {
            "checked": _("Pelatihan diperiksa: %(about)s", about=notice.about),
            "rejected": _("Pelatihan dikembalikan: %(about)s", about=notice.about),
        }.get(decision(notice), _("Pelatihan ditarik: %(about)s", about=notice.about)),
        "digest": lambda: _("Yang menunggu hari ini"),
    }[notice.kind]()


def decision(notice: Notice) -> str:
    """What the office decided on training, as the notice's key says (`training:12:checked:…`); else empty."""
    return notice.key.split(":")[2] if notice.kind == "training" else ""


@writes(SUBJECT)
def letter(message: Message) -> Letter | None:
    """The message that is owed; None when they left the facility, chose otherwise, or nothing waits any more."""
    delivery = db.session.get(NoticeDelivery, message.subject_id)
    if delivery is None:
        return None
    notice = db.session.get_one(Notice, delivery.notice_id)
    person = db.session.get_one(Person, delivery.person_id)
    facility = db.session.get_one(Facility, notice.facility_id)
    ways = choices(person.id, facility.id)[notice.kind]
    wanted = ways.by_push if delivery.device_id else ways.by_email
    if not (person.is_active and wanted and concerns(person, facility.id, notice.kind)):
        return None
    if delivery.device_id is not None:
        return _line(message, notice, facility, person, delivery.device_id)
    with force_locale(person.locale):
        found = waiting(asked_by(person, facility)) if notice.kind == "digest" else []
    if notice.kind == "digest" and not work(found):
        return None
    return write.linked_letter(
        f"notice_{notice.kind}", message.key, person.email, person.locale, notice.path, BUTTONS[notice.kind],
        facility_name=facility.name,
        about=notice.about,
        what=decision(notice),
        waiting=found,
        choices_page=write.address_of(f"/seller/{facility.code}/notices", person.locale),
    )  # fmt: skip


def _line(
    message: Message, notice: Notice, facility: Facility, person: Person, device_id: int
) -> Letter | None:
    device = db.session.get(PushDevice, device_id)
    if device is None or device.person_id != person.id:
        return None
    with force_locale(person.locale):
        subject = headline(notice)
    to = Device(device.endpoint, device.p256dh, device.auth)
    return Letter(message.key, "", subject, facility.name, page=notice.path, device=to)


@forgets(SUBJECT)
def forget(message: Message) -> None:
    """The device takes push no more: it is forgotten, with what was to go there."""
    delivery = db.session.get(NoticeDelivery, message.subject_id)
    device = db.session.get(PushDevice, delivery.device_id) if delivery and delivery.device_id else None
    if device is not None:
        db.session.delete(device)
