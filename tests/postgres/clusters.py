"""Clusters that leave nothing behind, whatever became of their test."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.postgres import Cluster, remove
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


@contextmanager
def cleared(cluster: Cluster) -> Iterator[Cluster]:
    """Remove a cluster at the end."""
    try:
        yield cluster
    finally:
        end(cluster)
        remove(cluster)


def end(cluster: Cluster) -> None:
    """End all that runs on a cluster, as roughly as it takes."""
    kill_hard(*server_processes(cluster))
    wait_until(lambda: not server_processes(cluster))
    shutil.rmtree(cluster.socket_dir, ignore_errors=True)
