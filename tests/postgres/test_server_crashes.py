"""Anything may be killed at any moment, and nothing that was committed is lost."""

import os
import shutil
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from app.postgres import Cluster, hold, remove, status
from tests.postgres.processes import (
    kill_hard,
    postmaster_pid,
    server_processes,
    supervisor_pid,
    user,
    wait_until,
)

pytestmark = pytest.mark.processes


def count(conninfo: str) -> int:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
        assert row is not None
        return int(row[0])


def make_table(conninfo: str) -> None:
    with psycopg.connect(conninfo) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept (n int)")


def test_the_first_user_is_killed_while_the_second_is_in_a_transaction(cluster: Cluster) -> None:
    with user(cluster) as starter:
        starter.wait_for_server()
        with hold(cluster) as server:
            make_table(server.conninfo)
            with psycopg.connect(server.conninfo) as connection:
                connection.execute("INSERT INTO kept VALUES (1)")
                pid = postmaster_pid(cluster)
                starter.kill()
                time.sleep(0.6)
                connection.execute("INSERT INTO kept VALUES (2)")
            assert count(server.conninfo) == 2
            assert postmaster_pid(cluster) == pid


def test_a_killed_server_is_started_again_for_its_users_with_all_that_was_committed(cluster: Cluster) -> None:
    n_acknowledged = 0

    def commit_until_it_breaks(conninfo: str) -> None:
        nonlocal n_acknowledged
        with suppress(psycopg.OperationalError), psycopg.connect(conninfo, autocommit=True) as connection:
            while True:
                connection.execute("INSERT INTO kept VALUES (1)")
                n_acknowledged += 1

    with hold(cluster) as server:
        make_table(server.conninfo)
        undecided = psycopg.connect(server.conninfo)
        undecided.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        writer = threading.Thread(target=commit_until_it_breaks, args=(server.conninfo,))
        writer.start()
        wait_until(lambda: n_acknowledged > 20)
        first = postmaster_pid(cluster)
        kill_hard(*(pid for pid, title in server_processes(cluster).items() if "supervisor" not in title))
        writer.join()
        undecided.close()
        wait_until(lambda: status(cluster).pid not in {None, first})
        with hold(cluster):
            # One more than acknowledged is possible: a commit whose answer did not get through any more.
            assert count(server.conninfo) - n_acknowledged in {0, 1}


def test_children_of_a_killed_postmaster_that_do_not_notice_are_ended(cluster: Cluster) -> None:
    with hold(cluster) as server:
        busy = psycopg.connect(server.conninfo, autocommit=True)
        backend, first = busy.info.backend_pid, postmaster_pid(cluster)
        # It computes without a pause, so it would not look for its parent for minutes.
        thread = threading.Thread(target=_expect_loss, args=(busy, "SELECT count(*) FROM generate_series(1, 1e10)"))
        thread.start()
        time.sleep(0.2)
        kill_hard(first)
        wait_until(lambda: status(cluster).pid not in {None, first})
        thread.join()
        assert backend not in server_processes(cluster)


def _expect_loss(connection: "psycopg.Connection[tuple[object, ...]]", query: str) -> None:
    with pytest.raises(psycopg.OperationalError), connection:
        connection.execute(query.encode())


def test_postgres_dies_with_its_supervisor_and_comes_back(cluster: Cluster) -> None:
    with hold(cluster):
        kill_hard(supervisor_pid(cluster))
        wait_until(lambda: not server_processes(cluster))
        with hold(cluster) as server, psycopg.connect(server.conninfo) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_starter_killed_during_the_first_start_leaves_nothing_running(new_cluster: Cluster) -> None:
    with user(new_cluster) as starter:
        wait_until(lambda: os.path.lexists(new_cluster.half_made))
        starter.kill()
    wait_until(lambda: not server_processes(new_cluster))
    with hold(new_cluster) as server, psycopg.connect(server.conninfo):
        assert not os.path.lexists(new_cluster.half_made)


def test_a_killed_initdb_leaves_nothing_half_made(new_cluster: Cluster) -> None:
    with user(new_cluster) as starter:
        wait_until((new_cluster.half_made / "PG_VERSION").exists)
        kill_hard(*server_processes(new_cluster))
        starter.kill()
    assert not os.path.lexists(new_cluster.pgdata)
    wait_until(lambda: not server_processes(new_cluster))
    with hold(new_cluster) as server, psycopg.connect(server.conninfo):
        assert not os.path.lexists(new_cluster.half_made)


def test_a_supervisor_killed_during_initdb_takes_it_along_and_its_starter_is_told(new_cluster: Cluster) -> None:
    with user(new_cluster) as starter:
        wait_until((new_cluster.half_made / "PG_VERSION").exists)
        kill_hard(next(pid for pid, title in server_processes(new_cluster).items() if "app.postgres.super" in title))
        wait_until(lambda: not server_processes(new_cluster))
        assert "ended without a word" in starter.process.communicate(timeout=20)[1]


def test_a_removed_folder_takes_its_server_along(new_cluster: Cluster, folder: Path) -> None:
    with hold(new_cluster):
        # Renamed first, as the server makes files while they are being removed.
        new_cluster.data_dir.rename(folder / "removed")
        shutil.rmtree(folder / "removed", ignore_errors=True)
        wait_until(lambda: not server_processes(new_cluster))
        assert not new_cluster.data_dir.exists()
        assert not new_cluster.socket_dir.exists()


def test_a_server_that_crashes_as_its_folder_is_removed_is_not_started_again(
    copied_cluster: Cluster, folder: Path
) -> None:
    with hold(copied_cluster):
        supervisor, postmaster = supervisor_pid(copied_cluster), postmaster_pid(copied_cluster)
        # Both happen before the supervisor looks again.
        os.kill(supervisor, signal.SIGSTOP)
        copied_cluster.data_dir.rename(folder / "removed")
        kill_hard(postmaster)
        os.kill(supervisor, signal.SIGCONT)
        wait_until(lambda: not server_processes(copied_cluster))
        assert not copied_cluster.socket_dir.exists()
    remove(Cluster(folder / "removed"))


def test_a_folder_moved_while_in_use_keeps_what_was_committed(copied_cluster: Cluster, folder: Path) -> None:
    with hold(copied_cluster) as server:
        make_table(server.conninfo)
        moved = Cluster(copied_cluster.data_dir.rename(folder / "moved"))
        with hold(moved) as new_server:
            assert count(new_server.conninfo) == 0
            assert not server_processes(copied_cluster)
    remove(moved)
