"""Start child processes that cannot outlive the process that started them, as the user they need.

On Linux the kernel signals a child when its parent ends, even by SIGKILL (`PR_SET_PDEATHSIG`). The signal is
tied to the *thread* that started the child: call `spawn()` from the main thread. Elsewhere nothing of the
kind exists, and the next start cleans up instead.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
NOBODY = 65534

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Identity:
    """As whom a child runs."""

    #: A user namespace in which we are nobody: files stay ours, yet PostgreSQL does not see root.
    namespace: bool = False
    #: Another user and group, for root only.
    uid: int | None = None
    gid: int | None = None


OURSELVES = Identity()
NAMESPACE = Identity(namespace=True)


def spawn(
    command: Sequence[str | os.PathLike[str]],
    *,
    identity: Identity = OURSELVES,
    death_signal: signal.Signals = signal.SIGTERM,
    **options: Any,
) -> subprocess.Popen[Any]:
    """Start `command` in a session of its own; it gets `death_signal` when we end, however we end.

    A session of its own keeps Ctrl-C on the terminal from reaching it before we say so. Raises OSError or
    `subprocess.SubprocessError` when it cannot be started as `identity`.
    """
    prepare = _preparation(identity, death_signal)
    return subprocess.Popen(command, start_new_session=True, preexec_fn=prepare, **options)


def die_with_parent(death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to end this process by `death_signal` when its parent ends."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)


def stop(process: subprocess.Popen[Any], first: signal.Signals, seconds: float) -> None:
    """End `process` with `first`, and with SIGKILL to its whole session after `seconds`."""
    if process.poll() is None:
        process.send_signal(first)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    kill_session(process)


def kill_session(process: subprocess.Popen[Any]) -> None:
    """SIGKILL whatever is left of the session that `spawn()` made for `process`."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _preparation(identity: Identity, death_signal: signal.Signals) -> Callable[[], None]:
    """What the child does between fork and exec. Everything it needs is looked up before the fork."""
    parent, euid, egid = os.getpid(), os.geteuid(), os.getegid()

    def prepare() -> None:
        if identity.namespace:
            _enter_namespace(euid, egid)
        elif identity.uid is not None and identity.gid is not None:
            os.setgroups([])
            os.setgid(identity.gid)
            os.setuid(identity.uid)
        # After the change of user: that clears the setting.
        die_with_parent(death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def _enter_namespace(euid: int, egid: int) -> None:
    """Unshare a user namespace in which we are nobody (65534)."""
    if _libc is None or _libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{NOBODY} {euid} 1")
    _write("/proc/self/gid_map", f"{NOBODY} {egid} 1")


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
