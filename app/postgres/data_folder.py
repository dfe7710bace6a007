"""The data folder, as the programs of its owner reach it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.postgres.errors import PostgresUnavailable
from app.postgres.owner import Owner


@dataclass(frozen=True)
class DataFolder:
    """A folder that is open; its path holds for programs that inherit the descriptor."""

    path: Path
    descriptor: int


@contextmanager
def open_data_folder(place: Path, owner: Owner) -> Iterator[DataFolder]:
    """Open a data folder for its owner's programs.

    Where a folder above it is closed to them (root's home, a private checkout), they go through the descriptor: so
    nothing has to be opened to others, nor the data kept elsewhere. Linux alone offers that way.
    """
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        ways = (place.resolve(), Path(f"/proc/self/fd/{descriptor}"))
        path = next((way for way in ways if owner.reaches(way, descriptor)), None)
        if path is None:
            raise PostgresUnavailable(
                f"User {owner.name}, who runs PostgreSQL, cannot reach {place}: choose another folder"
            )
        yield DataFolder(path, descriptor)
    finally:
        os.close(descriptor)
