"""The supervisor: starts postgres, keeps it running while there are users, and stops it when the last one is gone.

Run as `python -m app.postgres.supervisor DATA_DIR [PG_BIN]` by whoever finds no server. What went wrong is written to
standard output, which is else silent; that it went well is seen by connecting. Standard error is the server's log.
"""

import os
import signal
import sys
from pathlib import Path

from app.postgres import access, binaries, locks, postmaster
from app.postgres.cluster import Cluster
from app.postgres.errors import PostgresUnavailable, to_report
from app.postgres.locks import Lock
from app.postgres.owner import owner_of
from app.postgres.server_log import ServerLog

_LOOK_EVERY_S = 0.2
_LOCK_TIMEOUT_S = 5


class Supervisor:
    """Watches over one cluster, from the first start of its server to the stop."""

    def __init__(self, cluster: Cluster, lock: Lock) -> None:
        self._cluster = cluster
        self._lock = lock
        # These three are kept to the very end of the process: whoever gets one of them then knows that we are gone.
        self._users: Lock | None = None
        self._serving: Lock | None = None
        self._told_to_stop = False
        self._owner = owner_of(cluster)
        self._binaries = binaries.usable(cluster.pg_bin, self._owner)
        self._log = ServerLog(cluster.log)
        cluster.stop_request.unlink(missing_ok=True)
        for order in (signal.SIGTERM, signal.SIGINT):
            signal.signal(order, self._note_order)

    def run(self) -> None:
        """Do the work."""
        postmaster.make_data(self._cluster, self._owner, self._binaries)
        server = self._launch()
        self._serving = locks.acquire(self._cluster.serving_lock, timeout_s=_LOCK_TIMEOUT_S)
        while not self._is_over():
            server.follow(_LOOK_EVERY_S)
            if not server.has_ended():
                continue
            if server.was_shut_down() or self._is_gone():
                break
            server = self._restart(server)
        server.stop()
        access.remove_socket_dir(self._cluster, self._owner)
        self._cluster.stop_request.unlink(missing_ok=True)

    def _restart(self, crashed: postmaster.Postmaster) -> postmaster.Postmaster:
        crashed.close()
        if not crashed.was_ready():
            raise PostgresUnavailable(crashed.describe_end())
        return self._launch()

    def _launch(self) -> postmaster.Postmaster:
        return postmaster.launch(self._cluster, self._owner, self._binaries, self._log)

    def _is_over(self) -> bool:
        if self._told_to_stop or self._cluster.stop_request.exists():
            return True
        return self._is_gone() or self._is_unused()

    def _is_gone(self) -> bool:
        """Tell whether the folder was removed or moved: a new one of its name must not meet the old one's server."""
        return not (self._lock.is_current() and (self._cluster.pgdata / "PG_VERSION").exists())

    def _is_unused(self) -> bool:
        """Take the users' lock if nobody has it, for good: who comes now waits until this process has ended."""
        self._users = locks.try_acquire(self._cluster.users_lock)
        return self._users is not None

    def _note_order(self, _number: int, _frame: object) -> None:
        self._told_to_stop = True


def main() -> None:
    """Supervise, in the background."""
    cluster = Cluster(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    os.umask(0o022)
    os.chdir("/")
    # The starter waits for this process only; the child, which stays, is nobody's to reap but the system's.
    if os.fork():
        os._exit(0)
    report = _take_standard_output()
    try:
        lock = locks.acquire(cluster.supervisor_lock, timeout_s=_LOCK_TIMEOUT_S)
        Supervisor(cluster, lock).run()
    except Exception as error:
        _tell(report, error)
        raise


def _take_standard_output() -> int:
    """Keep the pipe to the starter to ourselves: a child that inherited it would keep the starter waiting."""
    report = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    return report


def _tell(report: int, error: Exception) -> None:
    try:
        os.write(report, to_report(error).encode())
    except BrokenPipeError:
        return


if __name__ == "__main__":
    main()
