"""What an earlier server left behind, or someone else started, is told apart before a new one is started."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from app.postgres import Cluster, PostgresUnavailable, hold, locks, status
from app.postgres.owner import owner_of
from tests.postgres.processes import child_pid, command_of, postmaster_pid, server_processes, wait_until

pytestmark = pytest.mark.processes


def run_as_owner(cluster: Cluster, *command: str, inherit: int | None = None) -> "subprocess.Popen[bytes]":
    owner = owner_of(cluster)
    return subprocess.Popen(
        command,
        cwd="/",
        stderr=subprocess.DEVNULL,
        user=owner.uid if owner.is_other else None,
        pass_fds=() if inherit is None else (inherit,),
        start_new_session=True,
    )


def leave_notes(cluster: Cluster, pid: int) -> None:
    """Leave what a killed server leaves behind: its pid in two files."""
    owner = owner_of(cluster)
    note = cluster.pgdata / "postmaster.pid"
    cluster.socket_dir.mkdir(mode=0o700, exist_ok=True)
    owner.give(cluster.socket_dir)
    lock = cluster.socket_dir / ".s.PGSQL.5432.lock"
    for path in (note, lock):
        path.write_text(f"{pid}\n{cluster.pgdata}\n1700000000\n5432\n{cluster.socket_dir}\n\n  0  0\nready\n")
        path.chmod(0o644)
        owner.give(path)


def test_a_stale_pid_that_another_program_has_now_is_no_obstacle(cluster: Cluster) -> None:
    # It runs as the same user as postgres: any other's pid postgres itself would not take for its own.
    stranger = run_as_owner(cluster, "sleep", "60")
    try:
        leave_notes(cluster, stranger.pid)
        assert not status(cluster).running
        with hold(cluster) as server, psycopg.connect(server.conninfo):
            assert postmaster_pid(cluster) != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_stale_pid_that_nobody_has_is_no_obstacle(cluster: Cluster) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    leave_notes(cluster, gone.pid)
    with hold(cluster) as server, psycopg.connect(server.conninfo) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_pid_file_that_is_cut_short_is_no_obstacle(cluster: Cluster) -> None:
    (cluster.pgdata / "postmaster.pid").touch()
    with hold(cluster) as server, psycopg.connect(server.conninfo) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_lost_its_supervisor_is_replaced(cluster: Cluster) -> None:
    """As where the system does not end it with its supervisor."""
    with hold(cluster):
        command = command_of(postmaster_pid(cluster))
    wait_until(lambda: not server_processes(cluster))
    leave_notes(cluster, pid=1)
    (cluster.pgdata / "postmaster.pid").unlink()
    with locks.acquire(cluster.server_lock, timeout_s=1) as lock:
        lost = run_as_owner(cluster, *command, "-c", "listen_addresses=", inherit=lock.descriptor)
    try:
        wait_until((cluster.socket_dir / ".s.PGSQL.5432").exists)
        with hold(cluster) as server, psycopg.connect(server.conninfo):
            assert postmaster_pid(cluster) != lost.pid
            assert lost.wait(timeout=20) == 0
    finally:
        lost.kill()
        lost.wait()


def test_a_server_started_by_hand_is_left_alone(cluster: Cluster, folder: Path) -> None:
    with hold(cluster):
        command = command_of(postmaster_pid(cluster))[0]
    wait_until(lambda: not server_processes(cluster))
    own = folder / "socket"
    own.mkdir()
    owner_of(cluster).give(own)
    by_hand = run_as_owner(cluster, command, "-D", str(cluster.pgdata), "-k", str(own), "-c", "listen_addresses=")
    try:
        wait_until((own / ".s.PGSQL.5432").exists)
        with pytest.raises(PostgresUnavailable, match=f"Candor did not start.*{by_hand.pid}"), hold(cluster):
            pass
        assert by_hand.poll() is None
        assert child_pid(by_hand.pid, "checkpointer")
    finally:
        by_hand.terminate()
        by_hand.wait(timeout=20)
