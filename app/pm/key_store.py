"""Whether any key comes twice, among any number of them: keys are kept and sorted on disk, so memory stays flat."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

from app.errors import CandorError

_MEMORY_KIB = 1024
_AT_ONCE = 1000


class KeysUnkept(CandorError):
    """There is no room to keep keys in."""


class Twice(NamedTuple):
    """A key that came twice, and which item was the second with it, counted from 1."""

    key: str
    number: int


class KeyStore:
    """Keys in a temporary file that nobody else sees, and that is gone when it is closed."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._waiting: list[tuple[int, bytes]] = []
        self._n = 0
        # What is kept here is worth nothing after a crash, so no journal protects it.
        for setting in (f"cache_size = -{_MEMORY_KIB}", "temp_store = FILE", "journal_mode = OFF", "synchronous = OFF"):
            database.execute(f"PRAGMA {setting}").close()
        database.execute("CREATE TABLE keys (number INTEGER PRIMARY KEY, key BLOB NOT NULL)")

    def __len__(self) -> int:
        """Return how many keys were added."""
        return self._n

    def add(self, key: str) -> None:
        """Keep the key of the next item."""
        self._n += 1
        self._waiting.append((self._n, key.encode("utf-8", "surrogatepass")))
        if len(self._waiting) == _AT_ONCE:
            self._keep()

    def first_twice(self) -> Twice | None:
        """Return the key that came twice first, or None where each came once."""
        self._keep()
        found = self._database.execute(
            "SELECT key FROM keys GROUP BY key HAVING count(*) > 1 ORDER BY min(number) LIMIT 1"
        ).fetchone()
        if found is None:
            return None
        (number,) = self._database.execute(
            "SELECT number FROM keys WHERE key = ? ORDER BY number LIMIT 1 OFFSET 1", found
        ).fetchone()
        return Twice(found[0].decode("utf-8", "surrogatepass"), number)

    def _keep(self) -> None:
        self._database.executemany("INSERT INTO keys VALUES (?, ?)", self._waiting)
        self._waiting.clear()


@contextmanager
def key_store() -> Iterator[KeyStore]:
    """Give an empty store.

    Raises
    ------
    KeysUnkept
        When the folder for temporary files has no room.
    """
    try:
        with closing(sqlite3.connect("")) as database:
            yield KeyStore(database)
    except sqlite3.Error as error:
        raise KeysUnkept(
            f"the ids cannot be kept in a temporary file ({error}); make room there, or name another folder in TMPDIR"
        ) from None
