"""One run of postgres, as seen by its parent, the supervisor."""

import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from app.postgres import access, creation, locks, processes, programs
from app.postgres.binaries import Binaries
from app.postgres.cluster import Cluster
from app.postgres.data_folder import open_data_folder
from app.postgres.errors import PostgresUnavailable
from app.postgres.locks import Lock
from app.postgres.owner import Owner
from app.postgres.pid_file import pid_file_path, read_pid_file
from app.postgres.processes import Process
from app.postgres.server_log import ServerLog

# How long a fast shutdown may take, which writes a checkpoint; then an immediate one; then nothing more is asked.
_STOP_STEPS_S = ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 10))
_EARLIER_SERVER_ENDS_S = 60
_ORPHANS_NOTICE_S = 0.5


class Postmaster:
    """A running postgres. Made by `launch`."""

    def __init__(self, cluster: Cluster, child: subprocess.Popen[bytes], log: ServerLog) -> None:
        assert child.stdout is not None
        self._cluster = cluster
        self._child = child
        self._output = child.stdout
        self._log = log
        self._was_ready = False

    def follow(self, wait_s: float) -> None:
        """Wait a while, and write what postgres says meanwhile to the log."""
        if select.select([self._output], [], [], wait_s)[0]:
            output = os.read(self._output.fileno(), 65_536)
            if output:
                self._log.write(output)
            else:
                # Every process of the server has closed its output, so the postmaster is about to end.
                self._child.wait()

    def has_ended(self) -> bool:
        """Tell whether the postmaster is gone; its children may live a moment longer."""
        return self._child.poll() is not None

    def was_shut_down(self) -> bool:
        """Tell whether it ended because someone asked it to, and not by a crash."""
        return self._child.returncode == 0

    def was_ready(self) -> bool:
        """Tell whether it ever came as far as serving users. A note with another pid is of a run before."""
        note = read_pid_file(self._cluster)
        if note is not None and note.pid == self._child.pid and note.says_ready:
            self._was_ready = True
        return self._was_ready

    def describe_end(self) -> str:
        """Say how it ended, with its last lines."""
        code = self._child.returncode
        return f"PostgreSQL in {self._cluster.data_dir} ended (exit code {code}):\n{self._log.last_lines()}"

    def stop(self) -> None:
        """Shut it down; committed work is safe in every case."""
        for order, patience_s in _STOP_STEPS_S:
            if not self.has_ended():
                self._child.send_signal(order)
            deadline = time.monotonic() + patience_s
            while not self.has_ended() and time.monotonic() < deadline:
                self.follow(0.05)
        self.close()

    def close(self) -> None:
        """Write its last words to the log."""
        while select.select([self._output], [], [], 0)[0]:
            output = os.read(self._output.fileno(), 65_536)
            if not output:
                break
            self._log.write(output)
        self._output.close()


def make_data(cluster: Cluster, owner: Owner, binaries: Binaries) -> None:
    """Make the cluster's data if there are none, and see that the binaries fit them."""
    with _claim_data(cluster) as guard:
        creation.make_data(cluster, owner, binaries, guard)


def launch(cluster: Cluster, owner: Owner, binaries: Binaries, log: ServerLog) -> Postmaster:
    """Start postgres on the cluster's data."""
    with _claim_data(cluster) as guard, open_data_folder(cluster.pgdata, owner) as folder:
        _remove_stale_pid(cluster)
        access.write_rules(cluster, owner, folder)
        access.make_socket_dir(cluster, owner)
        command: list[str | Path] = [binaries.bin_dir / "postgres", "-D", folder.path, *_settings(cluster)]
        child = programs.start(command, owner, (guard.descriptor, folder.descriptor), subprocess.DEVNULL)
    # From here on only postgres and its children hold the lock.
    return Postmaster(cluster, child, log)


def _settings(cluster: Cluster) -> list[str]:
    settings = {
        "cluster_name": cluster.tag,
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": cluster.socket_dir,
        "unix_socket_permissions": "0700",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_connections": "100",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_destination": "stderr",
        "logging_collector": "off",
        "log_checkpoints": "off",
    }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _claim_data(cluster: Cluster) -> Lock:
    """Wait until nobody works on the data any more.

    There is one supervisor at a time, so whoever still does has none, and is to end: a postmaster in good order; its
    children too when it is gone, as a busy one would only look up when its query is done.
    """
    deadline = time.monotonic() + _EARLIER_SERVER_ENDS_S
    while True:
        with suppress(PostgresUnavailable):
            return locks.acquire(cluster.server_lock, timeout_s=_ORPHANS_NOTICE_S)
        living = processes.living_in(cluster)
        if time.monotonic() > deadline:
            raise PostgresUnavailable(f"An earlier server on {cluster.pgdata} does not end: {_pids(living)}")
        postmasters = [process for process in living if process.is_postmaster]
        for process in postmasters or living:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGINT if process.is_postmaster else signal.SIGQUIT)


def _remove_stale_pid(cluster: Cluster) -> None:
    """Remove a pid file that is cut short, or whose pid some other program has by now: postgres would believe it.

    A pid that nobody has is left to postgres, which then also looks for shared memory in use.
    """
    strangers = processes.living_in(cluster)
    if strangers:
        raise PostgresUnavailable(
            f"PostgreSQL that Candor did not start runs on {cluster.pgdata}: stop it first ({_pids(strangers)})"
        )
    note = read_pid_file(cluster)
    if note is None or processes.is_alive(note.pid):
        pid_file_path(cluster).unlink(missing_ok=True)


def _pids(living: list[Process]) -> str:
    return "processes " + ", ".join(str(process.pid) for process in living)
