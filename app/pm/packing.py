"""Packing: a batch as one row of tokens without padding, in which each shared prefix stands once.

Each group lays down its prefix and then the rest of each of its sequences. A rest attends to its group's prefix and to
itself; a prefix, and a sequence that shares nothing, to itself alone. One forward computes all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.pm.scorer import Batch, Tokens

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Segment:
    """Tokens start … stop of the row, and where the prefix that they attend to begins and how long it is."""

    start: int
    stop: int
    prefix: int
    shared: int


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch as a row.

    `ids` and `positions` have shape (T,), a token's position being that in its own sequence; `last` (n,) holds where
    each sequence of the batch ends. Shapes of the properties: `keys` (K,), the two boundaries (segments + 1,).
    """

    ids: Tokens
    positions: Places
    segments: tuple[Segment, ...]
    last: Places

    @property
    def keys(self) -> Places:
        """Where the keys of each segment stand in the row, one segment after the other."""
        parts = []
        for s in self.segments:
            parts += [np.arange(s.prefix, s.prefix + s.shared), np.arange(s.start, s.stop)]
        return np.concatenate(parts).astype(np.int64)

    @property
    def query_bounds(self) -> NDArray[np.int32]:
        """Where the segments begin, and the end."""
        return _bounds([s.stop - s.start for s in self.segments])

    @property
    def key_bounds(self) -> NDArray[np.int32]:
        """Where the keys of the segments begin, and the end."""
        return _bounds([s.shared + s.stop - s.start for s in self.segments])


def pack(batch: Batch) -> Packed:
    """Return a batch as one row."""
    ids, positions, segments = [], [], []
    last = np.zeros(len(batch.sequences), dtype=np.int64)
    at = 0

    def lay(tokens: Tokens, position: int, prefix: int) -> None:
        nonlocal at
        ids.append(tokens)
        positions.append(np.arange(position, position + len(tokens)))
        segments.append(Segment(at, at + len(tokens), prefix, position))
        at += len(tokens)

    for group in batch.groups:
        prefix = at
        if group.length:
            lay(batch.sequences[group.members[0]][: group.length], 0, prefix)
        for member in group.members:
            lay(batch.sequences[member][group.length :], group.length, prefix)
            last[member] = at - 1
    return Packed(np.concatenate(ids), np.concatenate(positions).astype(np.int64), tuple(segments), last)


def _bounds(lengths: list[int]) -> NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
