"""Using the server: whoever is inside `hold` can rely on it."""

import contextlib
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.postgres import folder, locks, probe
from app.postgres.cluster import Cluster, Server
from app.postgres.errors import PostgresUnavailable, from_report
from app.postgres.locks import Lock
from app.postgres.owner import owner_of
from app.postgres.server_log import last_lines, open_log

_PAUSE_S = 0.02
_PACKAGE_ROOT = Path(__file__).parents[2]


@contextmanager
def hold(cluster: Cluster, timeout_s: float = 120) -> Iterator[Server]:
    """Use the cluster's server, which is started if it does not run, and stays at least as long as the block lasts.

    The server goes on when another user, even the one that started it, ends or is killed; when the last one is gone
    it stops by itself within two seconds.

    Raises
    ------
    PostgresUnavailable
        When there is no server after `timeout_s` seconds, or as soon as it is known that there will be none.
    """
    try:
        server, lock = _join(cluster, timeout_s)
    except OSError as error:
        raise PostgresUnavailable(f"The database in {cluster.data_dir} cannot be started: {error}") from error
    with lock:
        yield server


def _join(cluster: Cluster, timeout_s: float) -> tuple[Server, Lock]:
    deadline = time.monotonic() + timeout_s
    folder.prepare(cluster)
    with contextlib.ExitStack() as on_failure:
        with locks.acquire(cluster.start_lock, timeout_s=timeout_s):
            # Joined before looking: a server that is found is then not stopped, and one that stops is waited for.
            lock = on_failure.enter_context(locks.acquire(cluster.users_lock, shared=True, timeout_s=timeout_s))
            server = Server(cluster, owner_of(cluster).name)
            _ensure_running(server, deadline)
        on_failure.pop_all()
    return server, lock


def _ensure_running(server: Server, deadline: float) -> None:
    while not probe.answers(server):
        if locks.is_held(server.cluster.supervisor_lock):
            # Its starter was killed, or it starts a crashed server again, or it is about to end.
            _pause(server, deadline)
        else:
            _start(server, deadline)


def _start(server: Server, deadline: float) -> None:
    with _spawn_supervisor(server.cluster) as starter:
        assert starter.stdout is not None
        while not probe.answers(server):
            # It says something, or its end is seen here, only when there will be no server.
            if select.select([starter.stdout], [], [], 0)[0]:
                raise _failure(server.cluster, starter.stdout.read().decode(errors="replace"))
            _pause(server, deadline)


def _spawn_supervisor(cluster: Cluster) -> "subprocess.Popen[bytes]":
    arguments = [str(path) for path in (cluster.data_dir, cluster.pg_bin) if path is not None]
    with open_log(cluster.log) as log:
        # A session of its own: Ctrl-C in the terminal of the first user is not meant for the server of all.
        return subprocess.Popen(  # noqa: S603 - our own module, run by our own interpreter
            [sys.executable, "-m", "app.postgres.supervisor", *arguments],
            cwd=_PACKAGE_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )


def _failure(cluster: Cluster, report: str) -> PostgresUnavailable:
    if report:
        return from_report(report)
    return PostgresUnavailable(f"The supervisor of {cluster.data_dir} ended without a word:\n{_log_end(cluster)}")


def _pause(server: Server, deadline: float) -> None:
    if time.monotonic() > deadline:
        cluster = server.cluster
        raise PostgresUnavailable(f"The server in {cluster.data_dir} does not answer in time:\n{_log_end(cluster)}")
    time.sleep(_PAUSE_S)


def _log_end(cluster: Cluster) -> str:
    return last_lines(cluster.log.read_text(errors="replace")) if cluster.log.exists() else ""
