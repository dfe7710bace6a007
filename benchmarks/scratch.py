"""A Postgres of a benchmark's own, gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.postgres import Cluster


@contextmanager
def scratch_cluster() -> Iterator[Cluster]:
    """Give a cluster in a folder that is removed at the end."""
    # Postgres ends a moment after the last who holds it, and may still be taking its own files away.
    with tempfile.TemporaryDirectory(prefix="candor-", ignore_cleanup_errors=True) as folder:
        yield Cluster(Path(folder) / "postgres")
