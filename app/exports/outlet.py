"""Where files are written to that are sent while they are made."""

import io
from typing import Any


class Outlet(io.RawIOBase):
    """A file that keeps what was written to it until it is taken. What is written cannot be mended later."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def tell(self) -> int:
        """Return how much was written."""
        return self._written

    def writable(self) -> bool:
        """Yes, and nothing else."""
        return True

    def write(self, part: Any, /) -> int:
        """Keep a part."""
        kept = bytes(part)
        self._parts.append(kept)
        self._written += len(kept)
        return len(kept)

    def take(self) -> bytes:
        """Return what was written since this was asked last."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
