"""Processes, looked at from outside, and users of a server that run as processes of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.postgres import Cluster, status

REPOSITORY = Path(__file__).parents[2]
_HOLDER = Path(__file__).with_name("holder.py")


def wait_until(holds: Callable[[], object], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"this did not come about within {timeout_s} s"
        time.sleep(0.05)


class User:
    """A process in a process group of its own, as a shell starts it."""

    def __init__(self, cluster: Cluster) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(_HOLDER), str(cluster.data_dir)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def wait_for_server(self) -> None:
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            raise AssertionError(self.process.communicate()[1])

    def leave(self) -> None:
        self.process.communicate("\n", timeout=20)
        assert self.process.returncode == 0

    def press_ctrl_c(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.communicate(timeout=20)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)


@contextmanager
def user(cluster: Cluster) -> Iterator[User]:
    someone = User(cluster)
    try:
        yield someone
    finally:
        someone.kill()


def server_processes(cluster: Cluster) -> dict[int, str]:
    """Return pid and title of all that belongs to a cluster's server: the supervisor, and what it started."""
    found: dict[int, str] = {}
    for pid, parent, title in sorted(_table()):
        is_named = str(cluster.data_dir) in title or cluster.tag in title
        if (is_named and str(_HOLDER) not in title) or parent in found:
            found[pid] = title
    return found


def command_of(pid: int) -> list[str]:
    """Return a process's program and arguments; where the system tells them apart, they may have spaces in them."""
    told = Path(f"/proc/{pid}/cmdline")
    if told.exists():
        return [os.fsdecode(part) for part in told.read_bytes().split(b"\0")[:-1]]
    return subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], check=True, capture_output=True, text=True
    ).stdout.split()


def postmaster_pid(cluster: Cluster) -> int:
    pid = status(cluster).pid
    assert pid is not None
    return pid


def supervisor_pid(cluster: Cluster) -> int:
    postmaster = postmaster_pid(cluster)
    return next(parent for pid, parent, _ in _table() if pid == postmaster)


def child_pid(parent: int, title: str) -> int:
    return next(pid for pid, its_parent, its_title in _table() if its_parent == parent and title in its_title)


def kill_hard(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _table() -> list[tuple[int, int, str]]:
    """Return pid, parent and title of every process that is not a zombie."""
    shown = subprocess.run(["ps", "-wwaxo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 3) for line in shown.stdout.splitlines()]
    return [(int(row[0]), int(row[1]), row[3]) for row in rows if len(row) == 4 and not row[2].startswith("Z")]
