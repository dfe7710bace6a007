"""The postgres processes that live in a data folder, however they were started."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.postgres.cluster import Cluster
from app.postgres.pid_file import read_pid_file

_PROC = Path("/proc")
_CHILD = "postgres:"
_POSTMASTERS = {"postgres", "postmaster"}
# `ps` does not tell where a program's name ends, and folders may have spaces in their names; arguments follow.
_SHOWN_POSTMASTER = re.compile(rf"(?:/.*/)?(?:{'|'.join(sorted(_POSTMASTERS))})(?= -|$)")


@dataclass(frozen=True)
class Process:
    """A process; its title is its command line, or what it shows instead, and its program what that begins with."""

    pid: int
    uid: int
    title: str
    program: str

    @property
    def is_postmaster(self) -> bool:
        """Tell whether it was started as `…/postgres …`."""
        return Path(self.program).name in _POSTMASTERS

    @property
    def is_postmasters_child(self) -> bool:
        """Tell whether it shows what the children of a postmaster show: `postgres: <tag>: <what it does>`."""
        return self.title.startswith(_CHILD)


def living_in(cluster: Cluster) -> list[Process]:
    """Return the postgres processes that work on the cluster's data. A pid in a file alone proves nothing."""
    try:
        owner = cluster.pgdata.stat().st_uid
    except FileNotFoundError:
        return []
    candidates = (process for process in _processes() if process.is_postmaster or process.is_postmasters_child)
    # Other users may show any title they like.
    return [process for process in candidates if process.uid == owner and _works_on(process, cluster)]


def is_alive(pid: int) -> bool:
    """Tell whether any process has this pid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _works_on(process: Process, cluster: Cluster) -> bool:
    if process.title.startswith(f"{_CHILD} {cluster.tag}:"):
        return True
    try:
        return (_PROC / str(process.pid) / "cwd").readlink() == cluster.pgdata.resolve()
    except OSError:
        # Not every system shows where a process works, nor root in a container: then postgres's own note decides.
        note = read_pid_file(cluster)
        return note is not None and note.pid == process.pid


def _processes() -> Iterator[Process]:
    # Linux has the folder, but in a small container not the program; elsewhere it is the other way round.
    return _listed_by_proc() if (_PROC / "self").exists() else _listed_by_ps()


def _listed_by_proc() -> Iterator[Process]:
    for entry in _PROC.iterdir():
        # A process may end while it is looked at.
        with suppress(OSError):
            if entry.name.isdigit():
                shown = (entry / "cmdline").read_bytes().decode(errors="replace")
                title, program = shown.replace("\0", " ").strip(), shown.partition("\0")[0]
                yield Process(int(entry.name), entry.stat().st_uid, title, program)


def _listed_by_ps() -> Iterator[Process]:
    command = ["/bin/ps", "-axwwo", "pid=,uid=,args="]
    shown = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)  # noqa: S603 - fixed
    for line in shown.stdout.splitlines():
        pid, uid, title = line.split(None, 2)
        postmaster = _SHOWN_POSTMASTER.match(title)
        program = postmaster[0] if postmaster else title.partition(" ")[0]
        yield Process(int(pid), int(uid), title.strip(), program)
