"""Clusters to try things on."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.postgres import Cluster, hold
from tests.postgres.clusters import cleared, end, open_folder
from tests.postgres.processes import server_processes, wait_until


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture
def new_cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster that was never started."""
    with cleared(Cluster(folder / "data")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[Cluster]:
    with open_folder() as folder, cleared(Cluster(folder / "data")) as cluster:
        with hold(cluster):
            pass
        yield cluster


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
    with cleared(Cluster(folder / "data")) as copied:
        yield copied
