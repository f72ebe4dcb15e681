"""What anybody reads of a fair: before, during and after, in two languages, as a calendar file and for machines."""

from __future__ import annotations

import datetime
import json
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import days
from storefront.catalogue.shown_state import refresh_shown_state
from storefront.exhibitions import send
from storefront.exhibitions.calendar_file import escaped, folded
from storefront.exhibitions.models import Exhibition, ExhibitionPrice
from storefront.extensions import db
from storefront.orders.models import OrderLine
from storefront.refunds import refunds
from storefront.refunds.refund_outcome import refund_succeeded
from storefront.refunds.refund_parts import LineWish
from tests.factories import make_person
from tests.fairs import make_fair, planned, sold_at_stand
from tests.selling import Shop, open_shop


@pytest.fixture
def shop(db_session: Session) -> Shop:
    return open_shop()


def brought(fair: Exhibition, shop: Shop, pieces: int = 5) -> None:
    planned(fair, shop.pekalongan, shop.batik.id, pieces)
    key = f"kunci-umum-{fair.id:08d}"
    send.send(fair, shop.pekalongan.id, {shop.batik.id: pieces}, key=key, person_id=make_person().id)
    refresh_shown_state(None)
    db.session.commit()


def plain(text: str) -> str:
    """Amounts hold together on pages; here they are to be found."""
    return text.replace("\xa0", " ")


def test_the_list_says_what_runs_what_comes_and_what_was(client: FlaskClient, shop: Shop) -> None:
    for slug, opens, ends in (("lalu", -40, -38), ("kini", -1, 3), ("nanti", 10, 12)):
        make_fair(shop.pekalongan, opens=opens, ends=ends, slug=slug)
    page = client.get("/exhibitions")
    assert page.headers["Cache-Control"].startswith("public")
    assert page.headers["ETag"]
    assert "Set-Cookie" not in page.headers
    assert re.findall(r'href="/exhibitions/(\w+)"', page.text) == ["kini", "nanti", "lalu"]
    past = client.get("/en/exhibitions?when=past").text
    assert re.findall(r'href="/en/exhibitions/(\w+)"', past) == ["lalu"]
    assert "Ended" in past
    sitemap = client.get("/sitemap-pages.xml").text
    assert "/exhibitions/nanti<" in sitemap
    assert "/en/exhibitions/nanti<" in sitemap
    assert client.get("/exhibitions/tidak-ada").status_code == 404


def test_before_it_says_what_will_be_there(client: FlaskClient, shop: Shop) -> None:
    fair = make_fair(shop.pekalongan, shop.ambon, opens=5, ends=7)
    fair.theme, fair.hours, fair.hours_en = "Kreativitas tanpa batas", "10.00–20.00 WIB", "10:00–20:00 WIB"
    planned(fair, shop.pekalongan, shop.batik.id, 4)
    page = client.get(f"/exhibitions/{fair.slug}").text
    assert "Yang akan dibawa" in page
    assert "Kain batik" in page
    assert "Kreativitas tanpa batas" in page
    assert "Lapas Kelas III Namlea" in page
    assert "Kanwil" in page
    assert "Ada di stan" not in page
    assert "10:00–20:00 WIB" in client.get(f"/en/exhibitions/{fair.slug}").text
    event = next(
        thing
        for found in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
        if (thing := json.loads(found))["@type"] == "Event"
    )
    assert (event["startDate"], event["location"]["name"]) == (fair.starts_on.isoformat(), "Balai Kota")
    picture = re.search(r'og:image" content="[^"]*(/share/exhibitions/[^"]+)"', page)
    assert picture
    assert client.get(picture[1]).mimetype == "image/jpeg"


def test_during_it_says_what_is_there_at_which_price(client: FlaskClient, shop: Shop) -> None:
    fair, who, day = make_fair(shop.pekalongan), make_person().id, days.today()
    brought(fair, shop)
    before = client.get(f"/exhibitions/{fair.slug}")
    assert "Ada di stan" in before.text
    assert "Rp 100.000" in plain(before.text)
    special = {"exhibition_id": fair.id, "variant_id": shop.batik.id, "set_by": who}
    db.session.add(ExhibitionPrice(**special, price=80_000, from_day=day, to_day=day))
    closing = ExhibitionPrice(**special, price=60_000, from_day=fair.ends_on, to_day=fair.ends_on)
    db.session.add(closing)
    db.session.commit()
    page = client.get(f"/exhibitions/{fair.slug}", headers={"If-None-Match": before.headers["ETag"]})
    assert page.status_code == 200, "a price is shown at once"
    assert "Rp 80.000" in plain(page.text)
    assert "Harga pameran sampai" in page.text
    assert "hari penutupan" in page.text
    assert "Rp 60.000" not in plain(page.text)
    sold_at_stand(fair, shop.batik, 5, 80_000)
    refresh_shown_state(None)
    db.session.commit()
    page = plain(client.get(f"/exhibitions/{fair.slug}").text)
    assert "Habis di stan" in page
    assert "Rp 400.000" in page


def test_after_it_says_what_was_sold_by_whom_for_whom(client: FlaskClient, shop: Shop) -> None:
    fair = make_fair(shop.pekalongan, opens=-3, ends=0)
    brought(fair, shop)
    sold_at_stand(fair, shop.batik, 2)
    fair.starts_on, fair.ends_on = fair.starts_on - datetime.timedelta(9), fair.ends_on - datetime.timedelta(1)
    db.session.commit()
    page = plain(client.get(f"/exhibitions/{fair.slug}").text)
    assert "2 karya terjual" in page
    assert "Rp 200.000" in page
    assert "Yang ada di stan" not in page
    row = re.search(r'<tr><th scope="row"><a href="/facilities/[^"]+">Lapas Kelas IIA Pekalongan</a>.*?</tr>', page)
    assert row
    assert "Rp 200.000" in row[0]
    amounts = re.findall(r'<td class="amount">Rp ([\d.]+)</td>', page)
    assert sum(int(one.replace(".", "")) for one in amounts) == 200_000
    nothing = make_fair(shop.pekalongan, opens=-9, ends=-8)
    assert "tidak tercatat di toko ini" in client.get(f"/exhibitions/{nothing.slug}").text


def test_whose_pieces_all_came_back_sold_nothing(client: FlaskClient, shop: Shop) -> None:
    fair = make_fair(shop.pekalongan, shop.ambon, opens=-3, ends=0)
    brought(fair, shop)
    planned(fair, shop.ambon, shop.honey.id, 1)
    send.send(fair, shop.ambon.id, {shop.honey.id: 1}, key="kunci-madu-di-pameran", person_id=make_person().id)
    sold_at_stand(fair, shop.batik, 2)
    order = sold_at_stand(fair, shop.honey, 1)
    lines = db.session.scalars(select(OrderLine.id).where(OrderLine.order_id == order.id))
    wishes = [LineWish(line, 1, pieces="restock") for line in lines]
    decided = {"reason": "returned", "note": "Dikembalikan di stan", "person_id": make_person().id, "may_decide": True}
    refund_succeeded(refunds.propose(order.id, wishes, request_key="kunci-madu-kembali", **decided).id)
    db.session.commit()
    page = plain(client.get(f"/exhibitions/{fair.slug}").text)
    assert "2 karya terjual" in page
    names = re.findall(r'<tr><th scope="row"><a href="/facilities/[^"]+">([^<]+)</a>', page)
    assert names == [shop.pekalongan.name]


def test_the_calendar_file_is_what_calendars_read(client: FlaskClient, shop: Shop) -> None:
    fair = make_fair(shop.pekalongan, opens=5, ends=7)
    fair.name = "Pameran, kerajinan; dan \\ karya " + "é" * 60
    db.session.commit()
    answer = client.get(f"/exhibitions/{fair.slug}/kalender.ics")
    assert answer.mimetype == "text/calendar"
    raw = answer.data
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert raw.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    whole = raw.decode().replace("\r\n ", "")
    assert escaped(fair.name) in whole
    assert r"Pameran\, kerajinan\; dan \\ karya" in whole
    after = fair.ends_on + datetime.timedelta(days=1)
    assert f"DTSTART;VALUE=DATE:{fair.starts_on:%Y%m%d}\r\n" in whole
    assert f"DTEND;VALUE=DATE:{after:%Y%m%d}\r\n" in whole
    assert folded("x" * 75) == "x" * 75
    assert folded("x" * 76) == "x" * 75 + "\r\n x"
