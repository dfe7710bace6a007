"""Clusters to try things on. Every one is stopped and removed, whatever became of its test."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.postgres import Cluster, hold, remove
from tests.postgres.processes import kill_hard, server_processes, wait_until


@contextmanager
def open_folder() -> Iterator[Path]:
    """Give a folder that every user can pass through; root's `tmp_path` is closed to the user that runs postgres."""
    folder = Path(tempfile.mkdtemp(prefix="test-postgres-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def end(cluster: Cluster) -> None:
    """End all that runs on a cluster, as roughly as it takes."""
    kill_hard(*server_processes(cluster))
    wait_until(lambda: not server_processes(cluster))
    shutil.rmtree(cluster.socket_dir, ignore_errors=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture
def new_cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster that was never started."""
    cluster = Cluster(folder / "data")
    yield cluster
    end(cluster)
    remove(cluster)


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[Cluster]:
    with open_folder() as folder:
        cluster = Cluster(folder / "data")
        with hold(cluster):
            pass
        yield cluster
        remove(cluster)


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster that was started before, and does not run. Tests may kill its server, but not spoil its data."""
    wait_until(lambda: not server_processes(shared_cluster))
    shared_cluster.log.unlink(missing_ok=True)
    yield shared_cluster
    end(shared_cluster)


@pytest.fixture
def copied_cluster(cluster: Cluster, folder: Path) -> Iterator[Cluster]:
    """A copy of that cluster, to spoil."""
    subprocess.run(["cp", "-Rp", cluster.data_dir, folder / "data"], check=True)
    copied = Cluster(folder / "data")
    yield copied
    end(copied)
    remove(copied)
