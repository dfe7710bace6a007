"""How the supervisor runs PostgreSQL's programs: as the owner of the data, and not longer than it lives itself."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from app.postgres.errors import PostgresUnavailable
from app.postgres.owner import Owner
from app.postgres.server_log import last_lines

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
# Fixed: the caller's settings must not change what is run, nor its secrets reach a process of another user.
_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"}


def start(
    command: Sequence[str | Path], owner: Owner, keep_open: tuple[int, ...], stdin: int
) -> subprocess.Popen[bytes]:
    """Start a program as the owner, its output in one pipe; it inherits the descriptors `keep_open`.

    Only for the main thread of a process without others: the system sends the death signal when the starting
    *thread* ends, and Python between fork and exec is not safe beside threads.
    """
    return subprocess.Popen(  # noqa: S603 - the command is made by this package
        [str(part) for part in command],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=_ENVIRONMENT,
        pass_fds=keep_open,
        user=owner.uid if owner.is_other else None,
        group=owner.gid if owner.is_other else None,
        extra_groups=[] if owner.is_other else None,
        preexec_fn=_end_with(os.getpid()),  # noqa: PLW1509 - see above; runs after the privileges are dropped
    )


def run(command: Sequence[str | Path], owner: Owner, keep_open: tuple[int, ...], script: str = "") -> str:
    """Run a program to its end and return its output."""
    try:
        child = start(command, owner, keep_open, subprocess.PIPE)
    except OSError as error:
        raise PostgresUnavailable(f"User {owner.name} cannot run {command[0]}: {error.strerror}") from error
    output = child.communicate(script.encode())[0].decode(errors="replace")
    if child.returncode != 0:
        name = Path(command[0]).name
        raise PostgresUnavailable(f"{name} failed with exit code {child.returncode}:\n{last_lines(output)}")
    return output


def _end_with(parent: int) -> Callable[[], None] | None:
    """Return what a child does before its program starts: ask for a fast shutdown when its parent dies.

    The system forgets this wish when the user changes, so it comes after. Other systems than Linux know no such wish:
    there, postgres outlives a supervisor that is killed outright, until the next one finds and ends it.
    """
    if sys.platform != "linux":
        return None

    def ask() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask
