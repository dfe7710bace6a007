"""A CSV file of people's plausibility ratings: `key`, `rater`, `plausibility`, or `key` and a column for each rater."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from app.errors import CandorError
from app.study.grading_agreement import Ratings
from app.study.importers.csv_rows import csv_header, csv_rows
from app.study.importers.rows import Row
from app.study.set_files import Fault, SetFileFaulty

FEWEST_RATERS = 2
_LONG = ("key", "rater", "plausibility")
_NUMBER = re.compile(r"\d{1,3}(\.\d+)?", re.ASCII)
_LONGEST_RATER = 100
_KEPT_FAULTS = 1000


class RatingsFaulty(CandorError):
    """A file of ratings cannot be taken, and nothing of it was. `faults` has one line for each of the first faults."""

    def __init__(self, file: str, faults: list[str]) -> None:
        self.faults = faults
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{file}: {faults[0]}{more}")


@dataclass(frozen=True, slots=True)
class RatingFile:
    """Ratings as a file gives them, and the SHA-256 of the file."""

    name: str
    file_hash: str
    ratings: Ratings


@dataclass(frozen=True, slots=True)
class _Rating:
    number: int
    key: str
    rater: str
    column: str
    value: float


def read_ratings(path: Path, keys: Collection[str]) -> RatingFile:
    """Read a file of ratings of a set with these keys.

    A cell left empty in a rater's column is a claim that this rater did not rate. Each claim needs two ratings.

    Raises
    ------
    RatingsFaulty
        With each fault by row and column.
    """
    known = set(keys)
    taken: dict[str, dict[str, float]] = {key: {} for key in keys}
    faults: list[str] = []
    try:
        for read in _ratings(path, known):
            if isinstance(read, Fault):
                faults.append(str(read))
            elif read.rater in taken[read.key]:
                reason = f"{read.key!r} was rated by {read.rater!r} in a row before"
                faults.append(str(Fault("row", read.number, f"column {read.column}", reason)))
            else:
                taken[read.key][read.rater] = read.value
            if len(faults) == _KEPT_FAULTS:
                break
    except SetFileFaulty as unreadable:
        raise RatingsFaulty(str(path), unreadable.faults) from None
    faults = faults or list(_missing(taken))
    if faults:
        raise RatingsFaulty(path.name, faults)
    with path.open("rb") as data:
        return RatingFile(path.name, file_digest(data, "sha256").hexdigest(), taken)


def _ratings(path: Path, keys: Collection[str]) -> Iterator[_Rating | Fault]:
    header = csv_header(path)
    fault = _header_fault(header)
    if fault:
        # A file that is no CSV at all says so in its own words.
        yield next((row for row in csv_rows(path) if isinstance(row, Fault)), fault)
        return
    long = "plausibility" in header
    for row in csv_rows(path):
        if isinstance(row, Fault):
            yield row
        elif row.cells["key"].strip() not in keys:
            yield row.fault("key", f"the set has no misconception {row.cells['key'].strip()[:80]!r}")
        else:
            yield from [_long(row)] if long else _wide(row)


def _header_fault(header: list[str]) -> Fault | None:
    if "key" not in header:
        return Fault("row", 1, "column key", "missing; the columns are key, rater, plausibility, or key and the raters")
    if "plausibility" in header or "rater" in header:
        for name in (*(name for name in _LONG if name not in header), *(name for name in header if name not in _LONG)):
            reason = "missing" if name in _LONG else "unknown beside key, rater and plausibility; remove it"
            return Fault("row", 1, f"column {name[:80]}", reason)
    if len(header) < 1 + FEWEST_RATERS:
        return Fault("row", 1, "", "there must be two raters or more, each in a column of their own")
    return next(
        (
            Fault("row", 1, f"column {name[:80]}", f"a rater's name has at most {_LONGEST_RATER} characters")
            for name in header
            if len(name) > _LONGEST_RATER
        ),
        None,
    )


def _long(row: Row) -> _Rating | Fault:
    rater, cell = row.cells["rater"].strip(), row.cells["plausibility"].strip()
    if not rater or len(rater) > _LONGEST_RATER:
        return row.fault("rater", f"must name who rated, in at most {_LONGEST_RATER} characters")
    return _rated(row, rater, "plausibility", cell)


def _wide(row: Row) -> Iterator[_Rating | Fault]:
    for rater, cell in row.cells.items():
        if rater != "key" and cell.strip():
            yield _rated(row, rater, rater, cell.strip())


def _rated(row: Row, rater: str, column: str, cell: str) -> _Rating | Fault:
    if not _NUMBER.fullmatch(cell) or float(cell) > 100:
        return row.fault(column, f"{cell[:40]!r} is no plausibility; give a number from 0 to 100, such as 62.5")
    return _Rating(row.number, row.cells["key"].strip(), rater, column, float(cell))


def _missing(taken: Ratings) -> Iterator[str]:
    for key, by_rater in taken.items():
        if len(by_rater) < FEWEST_RATERS:
            found = "one rating" if by_rater else "no rating"
            yield str(Fault("", 0, "", f"misconception {key!r} has {found}; two raters or more are needed for each"))
