"""File locks (flock): the system frees them when their holder ends, however it ends."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from app.postgres.errors import PostgresUnavailable

_PAUSE_S = 0.02
_TABLE = Path("/proc/locks")


class Lock:
    """A lock that is held. Python opens files close-on-exec, so a program started meanwhile does not share it.

    It is let go by closing, never by unlocking: that would take it from everyone who shares the descriptor, as the
    parent of a forked process does.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    def close(self) -> None:
        """Let go."""
        os.close(self.descriptor)

    def is_current(self) -> bool:
        """Tell whether the path still names the locked file, and not nothing or a newer file."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self.descriptor))
        except FileNotFoundError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def try_acquire(path: Path, *, shared: bool = False) -> Lock | None:
    """Return the lock if it can be had at once."""
    lock = Lock(path, os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    try:
        fcntl.flock(lock.descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    except BaseException:
        lock.close()
        raise
    if lock.is_current():
        return lock
    lock.close()
    return None


def acquire(path: Path, *, shared: bool = False, timeout_s: float) -> Lock:
    """Wait for the lock. Waiting in small steps, as a blocking flock knows no time limit."""
    deadline = time.monotonic() + timeout_s
    while True:
        lock = try_acquire(path, shared=shared)
        if lock is not None:
            return lock
        if time.monotonic() > deadline:
            raise PostgresUnavailable(f"{path} is still locked by another process after {timeout_s:.0f} s")
        time.sleep(_PAUSE_S)


def holders(path: Path) -> tuple[int, ...]:
    """Return the pids that share the lock, as far as the system tells (Linux)."""
    if not (path.exists() and _TABLE.exists()):
        return ()
    inode = str(path.stat().st_ino)
    pids = set()
    for line in _TABLE.read_text().splitlines():
        # 1: FLOCK ADVISORY READ <pid> <major>:<minor>:<inode> 0 EOF
        _, kind, _, access, pid, file, *_ = line.split()
        if kind == "FLOCK" and access == "READ" and file.rpartition(":")[2] == inode:
            pids.add(int(pid))
    return tuple(sorted(pids))


def is_held(path: Path) -> bool:
    """Tell whether anyone holds the lock exclusively; makes no file."""
    if not path.exists():
        return False
    lock = try_acquire(path, shared=True)
    if lock is None:
        return True
    lock.close()
    return False
