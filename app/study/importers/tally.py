"""What was taken of a file and what was not, counted while it streams by."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.study.importers.reading import Format, Opened, open_set
from app.study.set_files import Fault, MisconceptionEntry, SetFileFaulty

_KEPT = 1000
_ENOUGH = 10_000


@dataclass(slots=True)
class Tally:
    """The summary of an import. `faults` are the first thousand; `rejected` counts rows, `n_faults` all faults."""

    file: str
    format: Format
    accepted: int = 0
    rejected: int = 0
    n_faults: int = 0
    faults: list[Fault] = field(default_factory=list)
    levels: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)

    def take(self, entry: MisconceptionEntry) -> None:
        """Count a row that was taken."""
        self.accepted += 1
        self.levels["none" if entry.difficulty_level is None else str(entry.difficulty_level)] += 1
        self.categories[entry.category] += 1

    def reject(self, fault: Fault, last: int | None) -> int:
        """Count a fault; several of one row make one rejected row."""
        self.rejected += fault.number != last
        self.n_faults += 1
        if len(self.faults) < _KEPT:
            self.faults.append(fault)
        return fault.number


def entries_of(opened: Opened, tally: Tally, *, skip_rejected: bool) -> Iterator[MisconceptionEntry]:
    """Yield what can be stored, counting all; refuse at the end what may not be stored in part.

    After a row that refuses the whole file nothing more is yielded, but the rest is read, so that all is named; a file
    with ten thousand faults is read no further.

    Raises
    ------
    SetFileFaulty
        At the end: when the file is damaged, when rows are rejected that may not be skipped, or when none is left.
    """
    skips = skip_rejected or opened.skips
    refused = False
    last: int | None = None
    for read in opened.rows:
        if isinstance(read, Fault):
            last = tally.reject(read, last)
            refused = refused or read.damage or not skips
            if refused and tally.n_faults >= _ENOUGH:
                break
        else:
            tally.take(read.entry)
            if not refused:
                yield read.entry
    if refused or not tally.accepted:
        raise SetFileFaulty(tally.file, [str(fault) for fault in tally.faults], tally.n_faults)


def read_whole(path: Path) -> list[MisconceptionEntry]:
    """Return a file's misconceptions, whatever form the file has."""
    opened = open_set(path)
    return list(entries_of(opened, Tally(opened.file, opened.format), skip_rejected=False))
