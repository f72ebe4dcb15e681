"""What shoppers do after the sale: they report problems, call a parcel off, hear of their money, and say thanks.

Everything goes through the shop's own code, after the rest was committed. All of it is invented.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import random
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy import select, text, update

from storefront.aftercare import answers, money_news, thanks
from storefront.aftercare.models import MoneyNews, Problem, ProblemLine, ProblemPhoto, ProblemState, ThankYou
from storefront.aftercare.money_moved import shares
from storefront.audit.record import dated, record
from storefront.demo.banked import DELIVERED, LEAST, PAID
from storefront.demo.moments import at, days
from storefront.demo.settle import settle
from storefront.demo.shelves import SOLD_OUT
from storefront.extensions import db
from storefront.mail.models import Message
from storefront.mail.owe import owe
from storefront.media import pictures
from storefront.media.storage import private_files
from storefront.moderation import queue as moderation
from storefront.orders.models import Order
from storefront.orders.refund import send_refund
from storefront.orders.report_window import Windows
from storefront.payments.gateway import RawEvent
from storefront.payments.inbox import receive_fetched
from storefront.payments.models import PaymentEvent, SandboxEvent
from storefront.refunds import refunds
from storefront.refunds.cancel import cancel_parcels
from storefront.refunds.event_tries import try_event

#: Facilities whose coordinator tries the demo, the one that people look at first before the other.
OWN = ("PKL", "PLP")
#: Parcels that arrived between two days and of which nothing went back; the line that is worth most of each.
ARRIVED = text(
    """
    SELECT DISTINCT ON (p.id) p.id AS parcel_id, p.order_id, p.facility_id, f.code,
           COALESCE(p.received_at, p.shipped_at) AS since, l.id AS line_id
      FROM parcels p
      JOIN facilities f ON f.id = p.facility_id
      JOIN orders o ON o.id = p.order_id AND o.channel = 'online'
      JOIN parcel_lines x ON x.parcel_id = p.id
      JOIN order_lines l ON l.id = x.order_line_id
     WHERE ((p.state = 'received' AND accounting_date(p.received_at) BETWEEN :first AND :last)
            OR (:on_the_road AND p.state = 'shipped' AND accounting_date(p.shipped_at) <= :last))
       AND NOT EXISTS (SELECT FROM refunds r WHERE r.order_id = p.order_id)
       AND NOT EXISTS (SELECT FROM disputes d JOIN payments y ON y.id = d.payment_id WHERE y.order_id = p.order_id)
     ORDER BY p.id, l.net_amount DESC, l.id"""
)
#: A paid order of the shop online, of several parcels of which one of the facility is not packed.
TO_CALL_OFF = text(
    """
    SELECT p.order_id, p.position FROM parcels p
      JOIN facilities f ON f.id = p.facility_id AND f.code = ANY (:codes)
      JOIN orders o ON o.id = p.order_id AND o.channel = 'online'
      JOIN payments y ON y.order_id = p.order_id AND y.counts AND y.gateway = 'sandbox'
     WHERE p.state = 'to_pack' AND NOT EXISTS (SELECT FROM refunds r WHERE r.order_id = p.order_id)
       AND NOT EXISTS (SELECT FROM parcel_lines x JOIN order_lines l ON l.id = x.order_line_id
                        WHERE x.parcel_id = p.id AND l.sku = :sold_out)
     ORDER BY array_position(:codes, f.code),
              (SELECT count(*) FROM parcels x WHERE x.order_id = p.order_id) DESC, p.id LIMIT 1"""
)
#: The latest order of a guest that is on its way.
WITHOUT_ADDRESS = text(
    """
    SELECT o.id FROM orders o JOIN order_contacts c ON c.order_id = o.id
     WHERE o.state = 'paid' AND o.channel = 'online' AND o.person_id IS NULL AND c.phone IS NOT NULL
       AND o.id <> ALL (:used)
       AND EXISTS (SELECT FROM parcels p WHERE p.order_id = o.id AND p.state = 'shipped')
     ORDER BY o.id DESC LIMIT 1"""
)
THANKED = text(
    """
    SELECT n.order_id, n.told_at FROM money_news n
     WHERE EXISTS (SELECT FROM order_lines l WHERE l.order_id = n.order_id AND l.facility_code = ANY (:codes))
     ORDER BY n.told_at DESC, n.order_id LIMIT :limit"""
)
#: Days within which a problem of the demo still waits for somebody.
SOON = 10
WORDS = (
    "Karyanya lebih indah daripada fotonya. Terima kasih banyak.",
    "Rapi, kuat, dan dibungkus dengan teliti. Salam untuk semua di bengkel.",
    "Kiriman datang tepat waktu dan isinya persis seperti yang ditulis. Senang sekali.",
    "Kami beli untuk oleh-oleh, semua menyukainya. Pasti kami pesan lagi.",
    "Terlihat dibuat dengan sabar. Hasilnya membanggakan.",
    "Terima kasih. Sekarang kami tahu uangnya sampai ke mana.",
    "Hubungi saya di nomor yang tertera untuk pesanan berikutnya ya.",
)
NO_NUMBERS = "Tanpa nomor telepon, ya: semua jawaban lewat toko."


@dataclass(frozen=True)
class Told:
    """A problem of the demo: what, in whose words, and when it was reported."""

    kind: str
    words: str
    days_ago: int
    photos: int = 0


class AfterSale:
    """`finance` decides for the office, `coordinators` answer for their facilities, the curator reads thanks."""

    def __init__(
        self, finance: int, coordinators: dict[str, int], curator: int, today: datetime.date, seed: str
    ) -> None:
        self.finance, self.coordinators, self.curator = finance, coordinators, curator
        self.today = today
        self.rng = random.Random(f"{seed}:after")
        self.seed = seed
        self.used: set[int] = set()

    def write(self) -> None:
        """All of it; nothing in a demo that sold little, which somebody made for one purpose."""
        if db.session.scalar(PAID) < LEAST:
            return
        self._tell_where_money_went()
        self._thank()
        self._problems()
        self._call_off()
        self._leave_no_address()
        settle()
        db.session.execute(DELIVERED)
        db.session.commit()

    def _tell_where_money_went(self) -> None:
        """Each order on the morning after its last share had moved, as the shop would have told it."""
        since, last = self.today - days(money_news.FORGOTTEN_AFTER), 0
        while ids := money_news.untold(since, last):
            last = ids[-1]
            for order_id, found in sorted(shares(ids, since).items()):
                moved = [share.moved_on for share in found if share.moved_on]
                if not moved:
                    continue
                day = max(moved) + days(1)
                if not all(share.moved_on for share in found):
                    paid = db.session.get_one(Order, order_id).paid_at
                    assert paid is not None
                    day = max(day, paid.date() + days(money_news.PATIENCE + 1))
                if day <= self.today:
                    money_news.tell(order_id, found, day, at(day, 9, 17))
        for news in db.session.scalars(select(MoneyNews)):
            self._said(f"order:{news.order_id}:money_news", news.told_at)
        db.session.commit()

    def _thank(self) -> None:
        """Some said thanks: most were passed on, one was hidden, two wait for the curator."""
        rows = db.session.execute(THANKED, {"codes": list(OWN), "limit": len(WORDS)}).all()
        for row, words in zip(rows, WORDS, strict=False):
            moment = row.told_at + datetime.timedelta(hours=self.rng.randrange(1, 9))
            with dated(moment):
                made = thanks.thank(db.session.get_one(Order, row.order_id), words)
            made.written_at = thanks.fate(made.id).submitted_at = moment
        db.session.flush()
        waiting = list(db.session.scalars(select(ThankYou).order_by(ThankYou.id)))
        for made in waiting[2:]:
            step, note = ("approve", "") if made.words != WORDS[-1] else ("refuse", NO_NUMBERS)
            item, moment = thanks.fate(made.id), made.written_at + days(1)
            with dated(moment):
                moderation.decide(item.id, item.version, step, person_id=self.curator, note=note)
            item.decided_at = moment
        db.session.commit()

    def _problems(self) -> None:
        """One waits for the facility, one for the office; one was accepted, one was not."""
        self._report(
            Told("damaged", "Satu sudutnya retak ketika kotaknya kami buka.", 1, 2),
            self._arrived(6, 1, OWN, on_the_road=True),
        )
        late = self._report(Told("wrong", "Warnanya bukan yang kami pesan.", 5, 1), self._arrived(11, 5))
        if late is not None:
            moment = at(late.answer_by + days(1), 0, 40)
            if late.answer_by < self.today:
                with dated(moment):
                    answers.hand_over(late, moment)
                self._said(f"problem:{late.id}:handed_over", moment)
        for told, accepted in (
            (Told("damaged", "Satu bagiannya lepas, sepertinya terbentur di jalan.", 16, 1), True),
            (Told("not_as_described", "Ukurannya terasa lebih kecil daripada dugaan kami.", 20), False),
        ):
            row = self._arrived(70, told.days_ago, tuple(self.coordinators))
            problem = self._report(told, row)
            if problem is not None:
                self._answer(problem, row.code, accepted)
            db.session.commit()
        self._agree()

    def _arrived(
        self, first: int, last: int, codes: tuple[str, ...] = (), *, on_the_road: bool = False
    ) -> Any:
        """A parcel that arrived so many days ago and that nothing was said of; one of the first of these facilities.

        `on_the_road`: or one that has been sent, and lies at its buyer's though they have not said so.
        """
        span = {"first": self.today - days(first), "last": self.today - days(last), "on_the_road": on_the_road}
        rows = [row for row in db.session.execute(ARRIVED, span) if row.order_id not in self.used]
        if codes:
            rows = sorted((row for row in rows if row.code in codes), key=lambda row: codes.index(row.code))
        if not rows:
            return None
        self.used.add(rows[0].order_id)
        return rows[0]

    def _report(self, told: Told, row: Any) -> Problem | None:
        if row is None:
            return None
        parcel_id, order_id, facility_id, _code, since, line_id = row
        # On its day, or (of those long answered) on the day after it arrived.
        moment = max(at(self.today - days(told.days_ago), 19, 12), since + datetime.timedelta(hours=2))
        if told.days_ago > SOON:
            moment = since + datetime.timedelta(hours=26)
        problem = Problem(
            order_id=order_id,
            parcel_id=parcel_id,
            facility_id=facility_id,
            kind=told.kind,
            words=told.words,
            reported_at=moment,
            answer_by=Windows.load().answer_until(moment),
            request_key=hashlib.sha256(f"{self.seed}:{parcel_id}".encode()).hexdigest()[:32],
        )
        problem.lines = [ProblemLine(order_line_id=line_id, quantity=1)]
        problem.photos = [
            ProblemPhoto(position=place, key=self._photo(parcel_id, place)) for place in range(1, told.photos + 1)
        ]
        db.session.add(problem)
        db.session.flush()
        with dated(moment):
            details = {"kind": told.kind, "lines": 1, "photos": told.photos}
            record("problem.reported", "problem", problem.id, facility_id=facility_id, details=details)
        owe("problem_reported", order_id, key=f"problem:{problem.id}:reported")
        self._said(f"problem:{problem.id}:reported", moment)
        return problem

    def _answer(self, problem: Problem, code: str, accepted: bool) -> None:
        moment = problem.reported_at + datetime.timedelta(hours=20)
        person = self.coordinators[code]
        with dated(moment):
            if accepted:
                said = "Maaf, bagian itu memang kurang kuat. Uangnya kami mintakan kembali."
                answers.accept(problem.id, person_id=person, facility_id=problem.facility_id, answer=said, at=moment)
            else:
                said = "Ukurannya sama dengan yang tertulis di halaman karyanya. Mohon maaf."
                answers.refuse(problem.id, person_id=person, facility_id=problem.facility_id, answer=said, at=moment)
        state = ProblemState.ACCEPTED if accepted else ProblemState.REFUSED
        self._said(f"problem:{problem.id}:{state.value}", moment)

    def _agree(self) -> None:
        """Finance agrees to what a facility accepted, and the money has gone back."""
        query = select(Problem.refund_id).where(Problem.state == ProblemState.ACCEPTED.value)
        for refund_id in db.session.scalars(query).all():
            assert refund_id is not None
            payment_id = refunds.approve(refund_id, self.finance).payment_id
            db.session.commit()
            self._send_back(refund_id, payment_id)

    def _photo(self, parcel_id: int, place: int) -> str:
        """A drawn piece with a crack, the same for the same seed."""
        rng = random.Random(f"{self.seed}:{parcel_id}:{place}")
        image = Image.new("RGB", (900, 675), (rng.randrange(150, 200), rng.randrange(110, 140), rng.randrange(70, 95)))
        draw = ImageDraw.Draw(image)
        for x in range(0, 900, 60):
            draw.line([(x, 0), (x + rng.randrange(-30, 30), 675)], fill=(140, 100, 64), width=4)
        crack = [(x, 300 + rng.randrange(-60, 60)) for x in range(200, 760, 40)]
        draw.line(crack, fill=(40, 26, 16), width=9)
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        key = f"problems/{hashlib.sha256(f'{self.seed}:{parcel_id}:{place}'.encode()).hexdigest()[:32]}.jpg"
        private_files().write(key, pictures.clean_copy(buffer.getvalue(), "JPEG", longest_side=1600))
        return key

    def _call_off(self) -> None:
        """A shopper changed their mind before packing; the money has gone back."""
        found = db.session.execute(TO_CALL_OFF, {"sold_out": SOLD_OUT, "codes": list(OWN)}).one_or_none()
        if found is None:
            return
        refund = cancel_parcels(found.order_id, [found.position])
        refund_id, payment_id = refund.id, refund.payment_id
        db.session.commit()
        self._send_back(refund_id, payment_id)

    @staticmethod
    def _send_back(refund_id: int, payment_id: str) -> None:
        """The provider gives a refund's money back and says so."""
        send_refund(refund_id)
        query = select(SandboxEvent).where(
            SandboxEvent.payment_id == payment_id, SandboxEvent.type == "refund.succeeded"
        )
        said = db.session.scalars(query).one()
        event = RawEvent(said.id, said.type, said.body.encode(), said.created_at)
        receive_fetched("sandbox", event)
        db.session.commit()
        row = db.session.scalars(select(PaymentEvent.id).where(PaymentEvent.event_id == event.id)).one()
        db.session.rollback()
        try_event(row)

    def _leave_no_address(self) -> None:
        """One shopper gave a number alone: no messenger reaches it, so the order's page offers to keep its link."""
        order_id = db.session.execute(WITHOUT_ADDRESS, {"used": list(self.used)}).scalar()
        values = {"id": order_id}
        db.session.execute(text("UPDATE order_contacts SET email = NULL WHERE order_id = :id"), values)
        db.session.execute(text("UPDATE messages SET last_error = 'no address' WHERE order_id = :id"), values)
        db.session.commit()

    @staticmethod
    def _said(key: str, moment: datetime.datetime) -> None:
        """A letter was owed then; `settle` sends it seconds later."""
        db.session.execute(update(Message).where(Message.key == key).values(created_at=moment))
