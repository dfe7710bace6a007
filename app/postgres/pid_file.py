"""Postgres's own note in the data folder (`postmaster.pid`): which process serves the data, and how far it is."""

from dataclasses import dataclass
from pathlib import Path

from app.postgres.cluster import Cluster


@dataclass(frozen=True)
class PidFile:
    """What the note says; it may be stale, and its pid another program's by now."""

    pid: int
    says_ready: bool


def pid_file_path(cluster: Cluster) -> Path:
    """Return where postgres keeps the note."""
    return cluster.pgdata / "postmaster.pid"


def read_pid_file(cluster: Cluster) -> PidFile | None:
    """Return the note, if there is one that can be read."""
    try:
        lines = pid_file_path(cluster).read_text().split("\n")
        return PidFile(int(lines[0]), says_ready="ready" in [line.strip() for line in lines[1:]])
    except (OSError, ValueError):
        return None
