"""The server comes with its first user and goes with its last."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from app.postgres import Cluster, PostgresInUse, hold, locks, processes, status, stop
from tests.postgres.clusters import cleared
from tests.postgres.processes import (
    REPOSITORY,
    child_pid,
    postmaster_pid,
    server_processes,
    supervisor_pid,
    user,
    wait_until,
)

pytestmark = pytest.mark.processes


def ask(conninfo: str, query: str = "SELECT 1") -> object:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def test_a_cold_start_gives_a_usable_database_however_long_the_path(folder: Path) -> None:
    far = folder / ("long" * 20) / ("longer" * 20) / "data"
    assert len(str(far)) > 200
    with cleared(Cluster(far)) as cluster, hold(cluster) as server:
        assert ask(server.conninfo, "SELECT current_user || '@' || current_database()") == "candor@candor"
        with psycopg.connect(server.conninfo) as connection:
            connection.execute("CREATE TABLE note (words text)")
        engine = create_engine(server.sqlalchemy_url)
        with engine.connect() as connected:
            assert connected.execute(text("SELECT count(*) FROM note")).scalar() == 0
        engine.dispose()


def test_a_running_server_is_joined_quickly(cluster: Cluster) -> None:
    with hold(cluster):
        pid = postmaster_pid(cluster)
        started = time.monotonic()
        with hold(cluster) as server:
            assert ask(server.conninfo) == 1
        # Some 20 ms on a quiet machine.
        assert time.monotonic() - started < 2
        assert postmaster_pid(cluster) == pid


def test_importing_the_package_loads_no_driver() -> None:
    program = "import sys, app.postgres, app.postgres.supervisor; print({'psycopg', 'sqlalchemy'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


def test_four_who_start_at_once_share_one_server(new_cluster: Cluster) -> None:
    with user(new_cluster) as a, user(new_cluster) as b, user(new_cluster) as c, user(new_cluster) as d:
        for someone in (a, b, c, d):
            someone.wait_for_server()
        titles = server_processes(new_cluster).values()
        assert sum("app.postgres.supervisor" in title for title in titles) == 1
        assert sum("cluster_name=" in title for title in titles) == 1
        assert len(status(new_cluster).holders) == 4


def test_the_server_stays_for_the_second_user_and_leaves_nothing_after_the_last(cluster: Cluster) -> None:
    with user(cluster) as second:
        with hold(cluster) as server:
            second.wait_for_server()
        time.sleep(0.6)
        assert ask(server.conninfo) == 1
        second.leave()
    wait_until(lambda: not server_processes(cluster), timeout_s=5)
    assert not cluster.socket_dir.exists()


def test_ctrl_c_ends_its_user_and_not_the_server(cluster: Cluster) -> None:
    with user(cluster) as starter:
        starter.wait_for_server()
        with hold(cluster) as server, psycopg.connect(server.conninfo) as connection:
            starter.press_ctrl_c()
            time.sleep(0.6)
            assert connection.execute("SELECT 1").fetchone() == (1,)
    wait_until(lambda: not server_processes(cluster), timeout_s=5)


def test_a_program_started_by_a_user_does_not_hold_the_server(cluster: Cluster) -> None:
    with hold(cluster):
        stray = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        wait_until(lambda: not server_processes(cluster), timeout_s=5)
        assert stray.poll() is None, "the program was to outlive the server"
    finally:
        stray.kill()
        stray.wait()


def test_who_comes_while_the_server_stops_gets_a_new_one(cluster: Cluster) -> None:
    with hold(cluster):
        first = postmaster_pid(cluster)
        checkpointer = child_pid(first, "checkpointer")
        # From now on the shutdown takes as long as we like.
        os.kill(checkpointer, signal.SIGSTOP)
    try:
        wait_until(lambda: "fast shutdown" in cluster.log.read_text())
        # What keeps a newcomer from trusting the server that is about to go:
        assert locks.is_held(cluster.users_lock)
        with user(cluster) as newcomer, ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(newcomer.wait_for_server)
            time.sleep(0.6)
            assert not waiting.done()
            os.kill(checkpointer, signal.SIGCONT)
            waiting.result(timeout=20)
            assert postmaster_pid(cluster) != first
            newcomer.leave()
    finally:
        with suppress(ProcessLookupError):
            os.kill(checkpointer, signal.SIGCONT)


def test_whoever_is_let_in_is_served(cluster: Cluster) -> None:
    """Users who come and go around the moment when the supervisor looks for users."""

    def come_and_go(seed: int, until: float) -> int:
        chance = random.Random(seed)
        n_served = 0
        while time.monotonic() < until:
            with hold(cluster) as server, psycopg.connect(server.conninfo) as connection:
                time.sleep(chance.uniform(0, 0.05))
                assert connection.execute("SELECT 1").fetchone() == (1,)
                n_served += 1
            time.sleep(chance.uniform(0, 0.4))
        return n_served

    with ThreadPoolExecutor(2) as pool:
        served = list(pool.map(come_and_go, (1, 2), [time.monotonic() + 3] * 2))
    assert min(served) >= 3


def test_another_name_of_the_folder_is_the_same_cluster(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    (folder / "alias").symlink_to(cluster.data_dir)
    monkeypatch.chdir(cluster.data_dir.parent)
    assert Cluster(folder / "alias") == Cluster(Path("data")) == cluster


def test_status_tells_what_is_there(cluster: Cluster, folder: Path) -> None:
    none = Cluster(folder / "none")
    assert (status(none).running, status(none).pid, status(none).version, status(none).holders) == (
        False,
        None,
        None,
        (),
    )
    assert not none.data_dir.exists()
    with hold(cluster) as server:
        during = status(cluster)
        assert during.running
        assert during.holders == (os.getpid(),)
        assert (during.data_dir, during.socket_dir) == (cluster.data_dir, server.socket.parent)
        assert ask(f"{server.conninfo} user=postgres", "SHOW data_directory") == str(during.pgdata)
        assert str(ask(server.conninfo, "SHOW server_version")).startswith(f"{during.version}.")
    stop(cluster)
    after = status(cluster)
    assert (after.running, after.pid, after.version, after.holders) == (False, None, during.version, ())


def test_stop_refuses_while_others_use_the_server(cluster: Cluster) -> None:
    assert stop(cluster) is False
    with user(cluster) as someone:
        someone.wait_for_server()
        with pytest.raises(PostgresInUse, match=f"process {someone.process.pid}:"):
            stop(cluster)
        assert status(cluster).running
        someone.leave()
    stop(cluster)
    assert not server_processes(cluster)


def test_stop_by_force_ends_the_server_and_the_next_user_gets_a_new_one(cluster: Cluster) -> None:
    with hold(cluster):
        pid = supervisor_pid(cluster)
        started = time.monotonic()
        assert stop(cluster, force=True) is True
        assert time.monotonic() - started < 5
        assert not server_processes(cluster)
        with hold(cluster) as server:
            assert ask(server.conninfo) == 1
            assert supervisor_pid(cluster) != pid


def test_who_comes_during_a_forced_stop_waits_for_its_end(cluster: Cluster) -> None:
    with hold(cluster):
        first = postmaster_pid(cluster)
        stopping = threading.Thread(target=stop, args=(cluster,), kwargs={"force": True})
        stopping.start()
        wait_until(cluster.stop_request.exists)
        with hold(cluster) as server:
            assert ask(server.conninfo) == 1
            assert postmaster_pid(cluster) != first
        stopping.join()


def test_both_ways_of_listing_processes_find_the_server(cluster: Cluster) -> None:
    ways = [processes._listed_by_ps, lambda: processes.living_in(cluster)]
    if Path("/proc/self").exists():
        ways.append(processes._listed_by_proc)

    def found(way: Callable[[], Iterable[processes.Process]]) -> set[int]:
        return {process.pid for process in way() if cluster.tag in process.title}

    def known() -> set[int]:
        return {pid for pid, title in server_processes(cluster).items() if "supervisor" not in title}

    with hold(cluster):
        for way in ways:
            for _ in range(100):  # The server's own helpers come and go.
                before, seen, after = known(), found(way), known()
                if before == after == seen:
                    break
            assert before == seen == after
            assert len(seen) > 3
