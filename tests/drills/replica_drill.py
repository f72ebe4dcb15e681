"""A replica five seconds behind, beside a shop that sells: who did something sees it at once; nobody misses the replica
when it is gone; and how much of a visit it answers."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

from storefront.embedded import OWNER, WEB, Server
from tests.drills.faults import NotAsPromised
from tests.drills.running_shop import Shop, fill_small
from tests.drills.shoppers import Client, Crowd, Purchase
from tests.replica import Replica

BEHIND = 5.0
TAKEN_OFF = "tas-rotan-drill"
#: Longest until the web's processes have noticed that it is back, in seconds.
BACK_WITHIN = 15.0
READS = re.compile(r'^storefront_public_reads_total\{source="(\w+)"\} ([\d.e+]+)$', re.MULTILINE)


class Browser:
    """Somebody with cookies of their own."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> tuple[int, str]:
        return self._open(urllib.request.Request(self.address + path))  # noqa: S310 - the drill's own shop

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        asked = urllib.request.Request(self.address + path, data=urllib.parse.urlencode(fields).encode())  # noqa: S310
        asked.add_header("Sec-Fetch-Site", "same-origin")
        return self._open(asked)

    def sign_in(self, email: str) -> None:
        token = self._token("/login")
        status, _ = self.post("/login", email=email, password="demo", csrf_token=token)
        require(status == 200, f"sign-in answers {status}")

    def press(self, page: str, path: str) -> int:
        """Send an empty form as one of `page` would."""
        return self.post(path, csrf_token=self._token(page))[0]

    def _token(self, page: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page)[1])
        require(found is not None, f"{page} carries no token")
        assert found is not None
        return found[1]

    def _open(self, asked: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(asked, timeout=20) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")


def require(is_so: bool, else_: str) -> None:
    """Raise NotAsPromised with the words `else_` unless it is so."""
    if not is_so:
        raise NotAsPromised(else_)


@contextmanager
def shop_with_replica(folder: Path) -> Iterator[tuple[Shop, Replica]]:
    """A small shop whose database has a replica `BEHIND` seconds behind."""
    fill_small(folder)
    server = Server(folder)
    server.start()
    follower = Replica(server, folder.with_name(folder.name + "-replica"), behind=BEHIND)
    addresses = server.addresses()
    env = {"DATABASE_URL": addresses[WEB], "DATABASE_OWNER_URL": addresses[OWNER]}
    shop: Shop | None = None
    try:
        _more(server, folder)
        follower.start()
        shop = Shop(folder, env={**env, "DATABASE_REPLICA_URL": follower.addresses()[WEB]})
        shop.start()
        yield shop, follower
    finally:
        if shop is not None:
            shop.stop()
        follower.stop()
        server.stop()


def _more(server: Server, folder: Path) -> None:
    """A coordinator, and something that they take off the shop and put back while others are bought."""
    from sqlalchemy import select

    from storefront import create_app
    from storefront.extensions import db
    from storefront.facilities.models import Facility, Workshop
    from tests.clones import settings_for
    from tests.factories import make_product, make_variant
    from tests.staff import make_account

    with create_app(settings_for(server.addresses(), folder)).app_context():
        facility = db.session.scalars(select(Facility).where(Facility.code == "DRA")).one()
        workshop = db.session.scalars(select(Workshop).where(Workshop.facility_id == facility.id)).one()
        make_variant(make_product(workshop, title="Tas rotan drill", slug=TAKEN_OFF), sku="DRA-9", stock=5)
        make_account("coordinator", facilities=(facility,), email="keeper@demo.test")
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def behind_and_gone(follower: Replica) -> Callable[[Shop, Crowd], str]:
    """All of it, one after the other, while the crowd buys."""

    def fault(shop: Shop, crowd: Crowd) -> str:
        said = [_own_order(shop, crowd), _own_listing(shop), _share(shop)]
        said += [_gone_and_back(shop, follower), _frozen(shop, follower)]
        return "; ".join(said)

    return fault


def reads(shop: Shop) -> dict[str, float]:
    """How many public pages each server has answered."""
    found = dict(READS.findall(Browser(shop.address).get("/metrics")[1]))
    return {name: float(found.get(name, 0)) for name in ("replica", "primary")}


def _own_order(shop: Shop, crowd: Crowd) -> str:
    """Bought through the API, looked at at once in a browser."""
    slowest = 0.0
    for _ in range(5):
        bought = Client(shop.address).buy({"DRA-1": 1})
        require(isinstance(bought, Purchase), f"checkout refused: {bought}")
        assert isinstance(bought, Purchase)
        begun = time.monotonic()
        status, page = Browser(shop.address).get(f"/orders/{bought.number}?token={bought.token}")
        slowest = max(slowest, time.monotonic() - begun)
        crowd.purchases.append(bought)
        require(status == 200 and bought.number in page, f"{bought.number} is not shown at once: {status}")
    return f"5 orders seen at once (at most {slowest * 1000:.0f} ms)"


def _own_listing(shop: Shop) -> str:
    """Taken off the shop and put back: its coordinator sees either at once, a stranger within seconds."""
    keeper, stranger = Browser(shop.address), Browser(shop.address)
    keeper.sign_in("keeper@demo.test")
    with shop.owner() as connection:
        (product_id,) = connection.execute("SELECT id FROM products WHERE slug = %s", [TAKEN_OFF]).fetchone() or (0,)
    time.sleep(BEHIND + 1)
    here, page, late = f"/seller/DRA/listings/products/{product_id}", f"/products/{TAKEN_OFF}", []
    for act, status in (("unpublish", 404), ("bring-back", 200)):
        require(keeper.press("/seller/DRA/listings", f"{here}/{act}") == 200, f"{act} is refused")
        begun = time.monotonic()
        for _ in range(3):
            require(keeper.get(page)[0] == status, f"after {act} its coordinator sees something older")
        listed = TAKEN_OFF in keeper.get("/products")[1]
        require(listed == (status == 200), f"after {act} the list shows its coordinator something older")
        while (TAKEN_OFF in stranger.get("/products")[1]) != (status == 200):
            require(time.monotonic() - begun < 3 * BEHIND, f"after {act} a stranger sees the former list for too long")
            time.sleep(0.1)
        late.append(time.monotonic() - begun)
        require(stranger.get(page)[0] == status, f"after {act} a stranger sees something older than the list")
    return f"taken off and put back: the coordinator sees it at once, strangers after {late[0]:.1f} and {late[1]:.1f} s"


def _share(shop: Shop) -> str:
    """How many pages of ten visits the replica answers; each looks around, lays something aside and looks on."""
    looking = [
        *("/", "/products", "/products?q=kursi", f"/products/{TAKEN_OFF}", "/facilities", "/facilities/lapas-dra"),
        *("/impact", f"/products/{TAKEN_OFF}?sku=DRA-9"),
    ]
    before, views = reads(shop), 0
    visitors = [Browser(shop.address) for _ in range(10)]
    for pages in (looking, None, ["/cart", "/products"], ["/", "/checkout"]):
        for visitor in visitors:
            if pages is None:
                visitor.post("/cart/lines", sku="DRB-1", quantity="1")
            for path in pages or []:
                status = visitor.get(path)[0]
                require(status == 200, f"{path} answers {status}")
                views += 1
        time.sleep(0 if pages is None else BEHIND)
    after = reads(shop)
    ours = after["replica"] - before["replica"]
    theirs = after["primary"] - before["primary"]
    said = f"{ours:.0f} of {views} page views of ten visits from the replica ({100 * ours / views:.0f} %)"
    return f"{said}, {theirs:.0f} public ones from the primary"


def _frozen(shop: Shop, follower: Replica) -> str:
    """It keeps its connections and never answers: the first to ask wait some seconds, nobody for longer."""
    stranger, slowest = Browser(shop.address), 0.0
    follower.freeze()
    try:
        for number in range(40):
            begun = time.monotonic()
            status, _ = stranger.get(f"/products?q=frozen+{number}")
            slowest = max(slowest, time.monotonic() - begun)
            require(status == 200, f"beside a frozen replica a page answers {status}")
    finally:
        follower.freeze(thaw=True)
    return f"frozen: 40 pages all answered, the slowest after {slowest:.1f} s"


def _gone_and_back(shop: Shop, follower: Replica) -> str:
    """SIGKILL to it, and its return."""
    stranger, slowest, count = Browser(shop.address), 0.0, 0
    follower.kill()
    until = time.monotonic() + 6
    while time.monotonic() < until:
        begun = time.monotonic()
        for path in ("/", "/products", f"/products/{TAKEN_OFF}", "/api/v1/products"):
            status, _ = stranger.get(path)
            require(status == 200, f"without the replica {path} answers {status}")
            count += 1
        slowest = max(slowest, time.monotonic() - begun)
    status, ready = stranger.get("/readyz")
    require(status == 200 and '"replica":"away"' in ready.replace(" ", ""), f"readiness says {status} {ready}")
    follower.come_back()
    begun, before = time.monotonic(), reads(shop)["replica"]
    while reads(shop)["replica"] < before + 10:
        require(time.monotonic() - begun < BACK_WITHIN, "the replica is back and not used again")
        require(stranger.get("/")[0] == 200, "a page fails while the replica comes back")
        time.sleep(0.05)
    took = time.monotonic() - begun
    return f"replica killed: {count} pages all answered; used again {took:.1f} s after it was back"
