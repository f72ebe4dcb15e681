"""The files of docs/deploy fit the code: an administrator copies them as they are."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from config import ConfigError, Settings
from storefront.embedded import OWNER, WEB, WEB_LIMITS
from storefront.run.parent import flask_command, granian_command
from storefront.web import MAX_CONTENT_LENGTH

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "docs" / "deploy"
UNITS = sorted(FOLDER.glob("*.service"))
TIMERS = sorted(FOLDER.glob("*.timer"))
SETTING = re.compile(r"^(#?)([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
#: Read by `make run` alone, or told to the owner alone.
ELSEWHERE = {"HOST", "PORT", "DATABASE_OWNER_URL"}
#: What the guide has people put in.
FILLED = {
    "SECRET_KEY": "0" * 64,
    "STRIPE_SECRET_KEY": "sk_test_x",
    "STRIPE_WEBHOOK_SECRET": "whsec_x",
}
#: Without one of these the app does not start; without one of the others it would start and be wrong.
REFUSED = ("SECRET_KEY", "PAYMENT_GATEWAY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
NEEDED = {*REFUSED, "DEMO", "BASE_URL", "DATABASE_URL", "VAR_DIR", "TRUSTED_PROXIES", "MAIL_URL"}


class Noting(Mapping[str, str]):
    """An environment that knows which variables were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values_ = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self.values_[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


def example(name: str, *, with_those_off: bool = False) -> dict[str, str]:
    """The variables of an example, as a shell reads their values."""
    found = SETTING.findall((FOLDER / name).read_text())
    return {key: "".join(shlex.split(value)) for off, key, value in found if with_those_off or not off}


#: Settings of systemd that these units use (systemd.exec(5) and its like): there a misspelt one is ignored.
KNOWN = {
    "Unit": {"After", "Description", "StartLimitIntervalSec", "Wants"},
    "Install": {"WantedBy"},
    "Timer": {"OnCalendar", "Persistent"},
    "Service": {
        "CapabilityBoundingSet", "Environment", "EnvironmentFile", "ExecStart", "Group", "IOSchedulingClass",
        "KillMode", "LockPersonality", "Nice", "NoNewPrivileges", "PrivateDevices", "PrivateTmp", "ProtectClock",
        "ProtectControlGroups", "ProtectHome", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules",
        "ProtectKernelTunables", "ProtectProc", "ProtectSystem", "ReadWritePaths", "Restart", "RestartSec",
        "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "RuntimeDirectory",
        "RuntimeDirectoryPreserve", "StateDirectory", "StateDirectoryMode", "SupplementaryGroups",
        "SystemCallArchitectures", "SystemCallErrorNumber", "SystemCallFilter", "TimeoutStartSec", "TimeoutStopSec",
        "Type", "UMask", "User", "WorkingDirectory",
    },
}  # fmt: skip


def unit(path: Path) -> configparser.RawConfigParser:
    """A unit as INI; of a key that stands more than once, the last."""
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text().replace("\\\n", " "))
    return parser


def command(name: str) -> list[str]:
    return shlex.split(unit(FOLDER / name)["Service"]["ExecStart"])


def test_example_names_every_setting_that_the_code_reads_and_no_other(tmp_path: Path) -> None:
    environment = Noting({"VAR_DIR": str(tmp_path), "DEMO": "on"})
    Settings.from_env(environment)
    assert set(example("storefront.env.example", with_those_off=True)) == environment.asked - ELSEWHERE


def test_example_filled_in_as_the_guide_says_is_accepted_for_production() -> None:
    settings = Settings.from_env(example("storefront.env.example") | FILLED)
    assert (settings.demo, settings.payment_gateway, settings.trusted_proxies) == (False, "stripe", 1)
    assert settings.database_url
    assert settings.mail_url


def test_what_production_needs_is_not_commented_out() -> None:
    assert set(example("storefront.env.example")) == NEEDED


@pytest.mark.parametrize("name", REFUSED)
def test_without_what_the_guide_has_people_fill_in_the_shop_does_not_start(name: str) -> None:
    filled = example("storefront.env.example") | FILLED
    with pytest.raises(ConfigError):
        Settings.from_env({key: value for key, value in filled.items() if key != name})


def test_placeholders_do_not_open_the_shop() -> None:
    with pytest.raises(ConfigError, match="STRIPE_SECRET_KEY"):
        Settings.from_env(example("storefront.env.example"))


def test_owner_is_told_to_migrations_and_backups_alone() -> None:
    owner = example("owner.env.example")
    assert "DATABASE_OWNER_URL" not in example("storefront.env.example", with_those_off=True)
    assert f"//{OWNER}:" in owner["DATABASE_OWNER_URL"]
    assert f"//{WEB}:" in example("storefront.env.example")["DATABASE_URL"]
    told = {path.name for path in UNITS if "owner.env" in path.read_text()}
    assert told == {"storefront-migrate.service", "storefront-backup.service"}


def test_web_unit_starts_the_server_with_the_options_of_make_run() -> None:
    assert command("storefront-web.service")[1:] == granian_command("127.0.0.1", 8000)[1:]


@pytest.mark.parametrize("name", ["worker", "migrate", "verify"])
def test_units_call_commands_that_exist(name: str, app_commands: set[str]) -> None:
    assert command(f"storefront-{name}.service")[1:] == flask_command(name)[1:]
    assert name in app_commands


@pytest.fixture(scope="module")
def app_commands() -> set[str]:
    """Names of our commands, without an app: those that the rooms and `cli.py` bring."""
    import click

    from storefront import cli, import_rooms

    modules = [cli, *import_rooms("commands")]
    return {
        value.name or ""
        for module in modules
        for value in vars(module).values()
        if isinstance(value, click.Command)
    }


@pytest.mark.parametrize("path", [*UNITS, *TIMERS], ids=lambda path: path.name)
def test_units_are_well_formed(path: Path) -> None:
    parts = unit(path)
    assert "Unit" in parts
    if path.suffix == ".timer":
        assert (FOLDER / path.with_suffix(".service").name).exists()
        assert "OnCalendar" in parts["Timer"]
        return
    service = parts["Service"]
    assert service["User"] in ("storefront", "storefront-owner", "postgres")
    for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome"):
        assert service[name] == "yes"
    assert service["ProtectSystem"] == "strict"


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """By the names that we know of it, and where it is here by its own word, with this machine's paths."""
    for path in [*UNITS, *TIMERS]:
        for section, settings in unit(path).items():
            assert set(settings) <= KNOWN.get(section, set()), f"{path.name}: [{section}]"
    if shutil.which("systemd-analyze") is None:
        return
    for path in [*UNITS, *TIMERS]:
        text = path.read_text().replace("/opt/storefront/.venv/bin/python", sys.executable)
        for script in ("backup", "base-backup"):
            text = text.replace(f"/usr/local/sbin/storefront-{script}\n", f"{FOLDER / script}.sh\n")
        (tmp_path / path.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "storefront" in line]
    assert not ours, "\n".join(ours)


def test_roles_are_those_that_the_embedded_database_has() -> None:
    text = (FOLDER / "roles.sql").read_text()
    assert f"CREATE ROLE {OWNER} LOGIN" in text
    assert f"CREATE ROLE {WEB} LOGIN" in text
    assert f"OWNER {OWNER} " in text
    limits = dict(re.findall(rf"ALTER ROLE {WEB} SET (\w+) = '([^']+)'", text))
    assert limits == WEB_LIMITS


def test_proxy_takes_what_the_app_takes_and_says_who_asks() -> None:
    text = (FOLDER / "nginx.conf").read_text()
    assert "client_max_body_size 25m;" in text
    assert MAX_CONTENT_LENGTH <= 25 * 1024 * 1024
    for header in ("Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-ID"):
        assert re.search(rf"proxy_set_header {header}\s+\$", text)
    assert "$proxy_add_x_forwarded_for" not in text
    assert "$request " not in text
    assert '"$request"' not in text
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("name", ["storefront", "backup.sh", "base-backup.sh"])
def test_scripts_are_shell_and_may_be_run(name: str) -> None:
    path = FOLDER / name
    assert os.access(path, os.X_OK)
    done = subprocess.run(["sh", "-n", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_guide_names_every_file() -> None:
    guide = (PROJECT / "docs" / "operate.md").read_text()
    missing = [path.name for path in FOLDER.iterdir() if path.name not in guide]
    assert not missing
