"""The log of the server: what it writes, kept in a file of bounded size, its last lines at hand for an error."""

import os
from collections import deque
from pathlib import Path
from typing import BinaryIO

_STANDARD_ERROR = 2
_TAIL_CHUNKS = 50
_LAST_LINES = 8


class ServerLog:
    """Writes to the log file, which is the supervisor's standard error from its start."""

    def __init__(self, path: Path, max_bytes: int = 5_000_000) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._tail: deque[bytes] = deque(maxlen=_TAIL_CHUNKS)

    def write(self, output: bytes) -> None:
        """Add to the log. A full disk must stop neither the server nor the account of what went wrong."""
        self._tail.append(output)
        try:
            self._make_room()
            os.write(_STANDARD_ERROR, output)
        except OSError:
            return

    def last_lines(self) -> str:
        """Return the last lines, from memory."""
        return last_lines(b"".join(self._tail).decode(errors="replace"))

    def _make_room(self) -> None:
        """Set a full file aside, in place of the one set aside before."""
        if os.fstat(_STANDARD_ERROR).st_size < self._max_bytes:
            return
        self._path.rename(self._path.with_suffix(".log.1"))
        with open_log(self._path) as log:
            os.dup2(log.fileno(), _STANDARD_ERROR)


def last_lines(output: str) -> str:
    """Return the end of a program's output, where the reason stands."""
    return "\n".join(output.strip().splitlines()[-_LAST_LINES:])


def open_log(path: Path) -> BinaryIO:
    """Open the log to add to it. Nobody else may read it: statements that failed stand in it."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
