"""Every setting of the shop, read once from the environment, each with its why.

`Settings.from_env()` is the only reader of the environment. A value that cannot be understood, or a
combination that would be unsafe in production, raises `ConfigError` with a sentence that says what to do.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parent
GATEWAYS = ("sandbox", "stripe")
#: What can be named as offered on Stripe's page; each has its words in `storefront/payments/stripe_methods.py`.
STRIPE_METHODS = ("card", "qris", "gopay")
#: A private key of web push as its tools write it.
VAPID_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
#: Lies in `var_dir` while the embedded database there holds a demo (`make run` writes it).
DEMO_MARK = "demo"


class ConfigError(Exception):
    """A setting is missing, not understood or unsafe; the text says which and what to do."""


@dataclass(frozen=True)
class Settings:
    """All settings. Database addresses are kept in libpq form (`postgresql://…`)."""

    #: Everything the shop writes on this machine's disk lies below this folder.
    var_dir: Path
    #: The web's database role. None: the embedded PostgreSQL under `var_dir`.
    database_url: str | None
    #: Owner of the tables: migrations and demo data. Default: `database_url`.
    database_owner_url: str | None
    #: Past any pooler, for LISTEN and the worker. Default: `database_url`.
    database_direct_url: str | None
    #: Reads that may be a few seconds old; never stock, money or login. One streaming replica of `database_url`.
    database_replica_url: str | None
    #: Signs cookies and order links; a leak lets anyone forge them.
    secret_key: str = field(repr=False)
    #: What the shop is called on every page.
    shop_name: str
    #: Where people reach the shop; links in mails and feeds start with it.
    base_url: str
    #: Marks all output as invented, allows the sandbox, plain HTTP and the demo accounts.
    demo: bool
    #: Who takes the money.
    payment_gateway: str
    stripe_secret_key: str | None = field(repr=False)
    #: Without it a webhook could be forged by anyone, so Stripe cannot be used without it. Two, separated by a
    #: comma, while one takes the other's place.
    stripe_webhook_secret: str | None = field(repr=False)
    #: Another address than Stripe's own, for tests against a fake.
    stripe_api_base: str | None
    #: What the dashboard offers on Stripe's page, so that the shop can name it before.
    stripe_methods: tuple[str, ...]
    #: Signs the sandbox's webhooks.
    sandbox_webhook_secret: str = field(repr=False)
    #: Transfers working capital to facilities' own accounts at Stripe; off, because a ministry may not allow it.
    stripe_connect: bool
    #: Offers bank transfer beside the gateway.
    bank_transfer: bool
    #: How many days pieces are held for an order that is to be paid by transfer: banks rest on Sundays.
    bank_transfer_days: int
    #: Signs web push messages: 32 random bytes as base64url. Without it push is not offered.
    vapid_private_key: str | None = field(repr=False)
    #: `smtp://…` or a folder; None: files under `var/mail`.
    mail_url: str | None
    #: `s3://…` or a folder; None: `var/media`.
    media_url: str | None
    #: Shares courtesy limits among hosts; None: each process counts alone.
    redis_url: str | None
    #: Reports crashes when set.
    sentry_dsn: str | None
    #: How many proxies in front may be believed about the client's address and scheme.
    trusted_proxies: int
    #: Off takes the service worker back from every browser that has it.
    service_worker: bool
    #: Off only for load tests.
    rate_limits: bool

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from `env` (default: the process's environment).

        Raises `ConfigError` naming every problem at once.
        """
        read = _Reader(os.environ if env is None else env)
        var_dir = Path(read.text("VAR_DIR") or PROJECT / "var").expanduser().absolute()
        gateway = (read.text("PAYMENT_GATEWAY") or "sandbox").lower()
        database_url = read.database("DATABASE_URL")
        # A command beside a demo finds the demo's own database, so it may know that it is one.
        demo = read.switch("DEMO", database_url is None and (var_dir / DEMO_MARK).exists())
        settings = cls(
            var_dir=var_dir,
            database_url=database_url,
            database_owner_url=read.database("DATABASE_OWNER_URL") or database_url,
            database_direct_url=read.database("DATABASE_DIRECT_URL") or database_url,
            database_replica_url=read.database("DATABASE_REPLICA_URL"),
            secret_key=read.secret("SECRET_KEY", demo, var_dir),
            shop_name=read.text("SHOP_NAME") or "Karya Binaan",
            base_url=read.base_url(demo),
            demo=demo,
            payment_gateway=gateway,
            stripe_secret_key=read.text("STRIPE_SECRET_KEY"),
            stripe_webhook_secret=read.text("STRIPE_WEBHOOK_SECRET"),
            stripe_api_base=read.address("STRIPE_API_BASE"),
            stripe_methods=read.words("STRIPE_METHODS", STRIPE_METHODS),
            sandbox_webhook_secret=read.secret("SANDBOX_WEBHOOK_SECRET", demo, var_dir),
            stripe_connect=read.switch("STRIPE_CONNECT", False),
            bank_transfer=read.switch("BANK_TRANSFER", False),
            bank_transfer_days=read.count("BANK_TRANSFER_DAYS", 3),
            vapid_private_key=read.secret("VAPID_PRIVATE_KEY", demo, var_dir) or None,
            mail_url=read.text("MAIL_URL"),
            media_url=read.text("MEDIA_URL"),
            redis_url=read.text("REDIS_URL"),
            sentry_dsn=read.text("SENTRY_DSN"),
            trusted_proxies=read.count("TRUSTED_PROXIES"),
            service_worker=read.switch("SERVICE_WORKER", True),
            rate_limits=read.switch("RATE_LIMITS", True),
        )
        problems = read.problems + settings.problems()
        if problems:
            raise ConfigError("\n".join(problems))
        return settings

    def problems(self) -> list[str]:
        """What makes these settings unsafe, one sentence each; empty when they may be used."""
        found = []
        if self.payment_gateway not in GATEWAYS:
            found.append(
                f"PAYMENT_GATEWAY must be one of {', '.join(GATEWAYS)}, not {self.payment_gateway!r}."
            )
        found += self._stripe_problems()
        if self.vapid_private_key and not VAPID_KEY.fullmatch(self.vapid_private_key):
            found.append(
                "VAPID_PRIVATE_KEY must be 32 random bytes as base64url, 43 letters."
                " docs/operate.md says how to make one."
            )
        if not 1 <= self.bank_transfer_days <= 14:
            found.append(f"BANK_TRANSFER_DAYS must be 1 to 14 days, not {self.bank_transfer_days}.")
        if self.demo:
            return found
        if not self.secret_key:
            found.append(
                "SECRET_KEY is missing. Set it to 32 or more random bytes, or set DEMO=on to try the shop."
            )
        if self.payment_gateway == "sandbox":
            found.append(
                "PAYMENT_GATEWAY=sandbox takes no real money. Set PAYMENT_GATEWAY=stripe, or DEMO=on to try."
            )
        if urlsplit(self.base_url).scheme != "https":
            found.append(f"BASE_URL must start with https:// while DEMO is off, not {self.base_url!r}.")
        return found

    def _stripe_problems(self) -> list[str]:
        found = []
        if self.payment_gateway == "stripe":
            needed = {
                "STRIPE_SECRET_KEY": self.stripe_secret_key,
                "STRIPE_WEBHOOK_SECRET": self.stripe_webhook_secrets,
            }
            found += [f"PAYMENT_GATEWAY=stripe needs {name}." for name, value in needed.items() if not value]
        if self.stripe_connect and not (self.stripe_secret_key and self.stripe_webhook_secrets):
            found.append(
                "STRIPE_CONNECT=on transfers money that came through Stripe, which is not in use here."
                " Set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET, or STRIPE_CONNECT=off."
            )
        if (self.stripe_secret_key or "").startswith("pk_"):
            found.append("STRIPE_SECRET_KEY holds a publishable key. Set the secret one, sk_… or rk_….")
        if self.stripe_is_live and self.demo:
            found.append(
                "STRIPE_SECRET_KEY is a live key, which takes real money, while DEMO is on."
                " Set a test key, or DEMO=off."
            )
        if self.stripe_is_live and self.stripe_api_base:
            found.append(
                "STRIPE_API_BASE sends payments to another address than Stripe's own; a live key is not sent there."
                " Unset it, or set a test key."
            )
        return found

    @property
    def stripe_webhook_secrets(self) -> tuple[str, ...]:
        """Each webhook secret that is valid now."""
        return tuple(part.strip() for part in (self.stripe_webhook_secret or "").split(",") if part.strip())

    @property
    def stripe_is_live(self) -> bool:
        """Whether Stripe's key takes real money."""
        return (self.stripe_secret_key or "").startswith(("sk_live_", "rk_live_"))

    @property
    def secure(self) -> bool:
        """Whether people reach the shop over HTTPS, so that cookies are Secure."""
        return self.base_url.startswith("https://")

    @property
    def session_cookie(self) -> str:
        """Name of the session cookie; the `__Host-` prefix needs Secure."""
        return "__Host-session" if self.secure else "session"

    @property
    def behind_pooler(self) -> bool:
        """Whether `database_url` goes through a pooler, where prepared statements break."""
        return self.database_direct_url != self.database_url


def sqlalchemy_url(url: str) -> str:
    """The SQLAlchemy form (psycopg 3) of a libpq `url`."""
    return "postgresql+psycopg://" + url.partition("://")[2]


def shared_secret(folder: Path, name: str) -> str:
    """The secret kept in `folder/name`, made on first use, mode 0600.

    Several processes may ask at the same moment; all get the same one.
    """
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{name}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


class _Reader:
    """Reads single values and remembers what was wrong, so that one run names all problems."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        return self.env.get(name, "").strip() or None

    def switch(self, name: str, default: bool) -> bool:
        value = (self.text(name) or "").lower()
        if not value:
            return default
        if value in ("on", "1", "true"):
            return True
        if value not in ("off", "0", "false"):
            self.problems.append(f"{name} must be on or off (1/0, true/false), not {value!r}.")
        return False

    def count(self, name: str, default: int = 0) -> int:
        value = self.text(name) or str(default)
        if not value.isdecimal():
            self.problems.append(f"{name} must be a whole number from 0, not {value!r}.")
            return 0
        return int(value)

    def database(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        scheme, separator, rest = value.partition("://")
        if not separator or scheme not in ("postgres", "postgresql", "postgresql+psycopg"):
            self.problems.append(
                f"{name} must start with postgresql://, the only database that the shop speaks."
            )
            return None
        return f"postgresql://{rest}"

    def address(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            self.problems.append(f"{name} must be like http://127.0.0.1:8420, without a path, not {value!r}.")
        return value.rstrip("/")

    def words(self, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """Words from `known`, separated by commas, in the order given; all of them when nothing is set."""
        value = self.text(name)
        if value is None:
            return known
        given = tuple(dict.fromkeys(word.strip().lower() for word in value.split(",") if word.strip()))
        unknown = [word for word in given if word not in known]
        if unknown or not given:
            self.problems.append(f"{name} must name some of {', '.join(known)}, not {value!r}.")
        return given

    def secret(self, name: str, demo: bool, var_dir: Path) -> str:
        value = self.text(name)
        if value is None and demo:
            return shared_secret(var_dir, name.lower().replace("_", "-"))
        return value or ""

    def base_url(self, demo: bool) -> str:
        value = self.text("BASE_URL")
        if value is None:
            host, port = self.text("HOST") or "127.0.0.1", self.text("PORT") or "8000"
            host = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
            return f"http://{host}:{port}" if demo else "https://localhost"
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            self.problems.append(
                f"BASE_URL must be like https://shop.example, without a path, not {value!r}."
            )
        return value.rstrip("/")
