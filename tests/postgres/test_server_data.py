"""The data: safe settings, the right place, the right version, and a clear word when they cannot be served."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from app.postgres import (
    Cluster,
    PostgresInUse,
    PostgresUnavailable,
    PostgresVersionMismatch,
    hold,
    processes,
    remove,
    status,
)
from tests.postgres.clusters import cleared
from tests.postgres.processes import postmaster_pid, server_processes, wait_until

pytestmark = pytest.mark.processes


def test_settings_that_keep_what_was_acknowledged(cluster: Cluster) -> None:
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "autovacuum": "on",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
        "listen_addresses": "",
        "max_connections": "100",
    }
    with hold(cluster) as server, psycopg.connect(server.conninfo) as connection:
        shown = {name: connection.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in expected}
        assert shown == {name: (value,) for name, value in expected.items()}
        # Letters beyond ASCII have a case, and sort order is the same on every machine.
        assert connection.execute("SELECT lower('ÄÉΣ') = 'äéσ', 'Z' < 'a'").fetchone() == (True, True)


def test_the_callers_secrets_do_not_reach_the_server(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_THE_CALLER", "secret")
    with hold(cluster):
        shown = subprocess.run(["ps", "eww", str(postmaster_pid(cluster))], capture_output=True, text=True, check=True)
        assert "TZ=UTC" in shown.stdout
        assert "KEY_OF_THE_CALLER" not in shown.stdout


@contextmanager
def closed_folder(folder: Path) -> Iterator[Path]:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    yield closed
    assert closed.stat().st_mode & 0o777 == 0o700


def test_a_folder_closed_to_others_is_left_closed(folder: Path) -> None:
    """Root's postgres is another user, to whom root's folders may be closed; a user's own are open to theirs."""
    with closed_folder(folder) as closed, cleared(Cluster(closed / "data")) as cluster:
        with hold(cluster) as server, psycopg.connect(server.conninfo) as connection:
            connection.execute("CREATE TABLE kept ()")
            assert not cluster.pgdata.is_symlink()
            assert status(cluster).pgdata.is_relative_to(closed)
        wait_until(lambda: not server_processes(cluster))
        with hold(cluster) as server, psycopg.connect(server.conninfo) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
            assert {process.pid for process in processes.living_in(cluster)} >= {connection.info.backend_pid}


@contextmanager
def changed(file: Path, text: str) -> Iterator[None]:
    before = file.read_text()
    file.write_text(text)
    try:
        yield
    finally:
        file.write_text(before)


def test_data_of_another_major_version_are_refused(cluster: Cluster) -> None:
    note = cluster.pgdata / "PG_VERSION"
    expected = rf"PostgreSQL 9, but .* holds {note.read_text().strip()}\."
    with changed(note, "9\n"), pytest.raises(PostgresVersionMismatch, match=expected), hold(cluster):
        pass


def test_a_failed_start_tells_what_postgres_said(cluster: Cluster) -> None:
    expected = 'unrecognized configuration parameter "no_such_setting"'
    settings = cluster.pgdata / "postgresql.conf"
    with changed(settings, "no_such_setting = 1\n"), pytest.raises(PostgresUnavailable, match=expected), hold(cluster):
        pass


def test_a_first_start_without_room_tells_so_and_can_be_repeated(new_cluster: Cluster) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As on a full disk, what is written is cut short, even the log.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with (
            pytest.raises(PostgresUnavailable, match=r"(?s)made in .*/data: initdb failed.*File too large"),
            hold(new_cluster),
        ):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    wait_until(lambda: not server_processes(new_cluster))
    with hold(new_cluster):
        assert status(new_cluster).running


def test_a_link_to_data_that_are_gone_is_no_reason_to_start_with_none(cluster: Cluster, folder: Path) -> None:
    elsewhere = cluster.pgdata.rename(folder / "elsewhere")
    cluster.pgdata.symlink_to(elsewhere)
    try:
        with hold(cluster):
            assert status(cluster).pgdata == elsewhere
        wait_until(lambda: not server_processes(cluster))
        gone = elsewhere.rename(folder / "gone")
        with pytest.raises(PostgresUnavailable, match="leads to no PostgreSQL data"), hold(cluster):
            pass
    finally:
        cluster.pgdata.unlink()
        gone.rename(cluster.pgdata)


def test_the_log_is_bounded(cluster: Cluster) -> None:
    cluster.log.write_bytes(b"x" * 6_000_000)
    with hold(cluster):
        pass
    wait_until(lambda: not server_processes(cluster))
    assert cluster.log.stat().st_size < 100_000
    assert b"ready to accept connections" in cluster.log.read_bytes()


def test_remove_leaves_nothing(copied_cluster: Cluster) -> None:
    with hold(copied_cluster), pytest.raises(PostgresInUse):
        remove(copied_cluster)
    remove(copied_cluster)
    assert not copied_cluster.data_dir.exists()
    remove(copied_cluster)


def test_remove_spares_what_is_not_the_clusters(folder: Path) -> None:
    foreign = folder / "postgres" / "notes.txt"
    foreign.parent.mkdir()
    foreign.touch()
    remove(Cluster(folder))
    assert foreign.exists()
