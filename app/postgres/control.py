"""Looking at a cluster's server, stopping it, and removing it."""

import time
from dataclasses import dataclass
from pathlib import Path

from app.postgres import access, folder, locks
from app.postgres.cluster import Cluster
from app.postgres.errors import PostgresInUse, PostgresUnavailable
from app.postgres.owner import owner_of
from app.postgres.pid_file import read_pid_file

_PAUSE_S = 0.02


@dataclass(frozen=True)
class Status:
    """What is known of a cluster without starting anything."""

    running: bool
    pid: int | None
    """The postmaster's, while it runs."""
    version: str | None
    """The major version of PostgreSQL that made the data; none before the first start."""
    data_dir: Path
    pgdata: Path
    """Where the data really are, if someone moved them and left a link."""
    socket_dir: Path
    holders: tuple[int, ...]
    """The pids of the server's users, as far as the system tells (Linux)."""


def status(cluster: Cluster) -> Status:
    """Look at the cluster."""
    note = read_pid_file(cluster) if locks.is_held(cluster.server_lock) else None
    running = note is not None and note.says_ready
    return Status(
        running=running,
        pid=note.pid if note is not None and running else None,
        version=_data_version(cluster),
        data_dir=cluster.data_dir,
        pgdata=cluster.pgdata.resolve(),
        socket_dir=cluster.socket_dir,
        holders=locks.holders(cluster.users_lock),
    )


def stop(cluster: Cluster, timeout_s: float = 30, *, force: bool = False) -> bool:
    """Stop the server and wait until it is gone; tell whether there was one.

    Raises
    ------
    PostgresInUse
        When anyone holds the server, the caller included, and `force` is not given. With it, users lose their
        connections; what they committed is kept.
    """
    if not _is_alive(cluster):
        return False
    # New users wait at this lock, and then start the server afresh.
    with locks.acquire(cluster.start_lock, timeout_s=timeout_s):
        if force:
            cluster.stop_request.touch()
        elif _is_in_use(cluster):
            raise PostgresInUse(_in_use(cluster))
        _await_end(cluster, timeout_s)
    return True


def remove(cluster: Cluster, timeout_s: float = 30) -> None:
    """Stop the server, unless it is in use, and remove all its data for good."""
    if not cluster.data_dir.exists():
        return
    stop(cluster, timeout_s)
    folder.prepare(cluster)
    with locks.acquire(cluster.start_lock, timeout_s=timeout_s):
        if _is_alive(cluster) or _is_in_use(cluster):
            raise PostgresInUse(_in_use(cluster))
        access.remove_socket_dir(cluster, owner_of(cluster))
        folder.remove_contents(cluster)


def _await_end(cluster: Cluster, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while _is_alive(cluster):
        if time.monotonic() > deadline:
            raise PostgresUnavailable(f"The server in {cluster.data_dir} did not stop within {timeout_s:.0f} s")
        time.sleep(_PAUSE_S)


def _is_alive(cluster: Cluster) -> bool:
    return locks.is_held(cluster.supervisor_lock) or locks.is_held(cluster.server_lock)


def _is_in_use(cluster: Cluster) -> bool:
    """Tell whether there are users; a supervisor that is about to end holds the lock alone, and is none."""
    lock = locks.try_acquire(cluster.users_lock)
    if lock is not None:
        lock.close()
        return False
    return not locks.is_held(cluster.users_lock)


def _in_use(cluster: Cluster) -> str:
    pids = ", ".join(map(str, locks.holders(cluster.users_lock)))
    by = f" by process {pids}" if pids else ""
    return f"The server in {cluster.data_dir} is in use{by}: end that first, or force it"


def _data_version(cluster: Cluster) -> str | None:
    try:
        return (cluster.pgdata / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return None
