"""Candor's own CSV: a column a field, and numbered columns for the sources (`source_1_publisher`, …)."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from app.study.importers.csv_rows import csv_header, csv_rows
from app.study.importers.rows import PARTS, Row, entry_of, source_numbers, sources_of
from app.study.set_files import Fault, MisconceptionEntry, Read, once_each

FIELDS = tuple(name for name in MisconceptionEntry.model_fields if name != "sources")


def columns(n_sources: int) -> list[str]:
    """Return the columns of a file whose misconceptions have so many sources at most."""
    return [*FIELDS, *(f"source_{n}_{part}" for n in range(1, n_sources + 1) for part in PARTS)]


def scan_candor_csv(path: Path) -> Iterator[Read]:
    """Yield each misconception and each fault of a file, holding one row at a time."""
    named = csv_header(path)
    unknown = [name for name in named if name and name not in columns(20)]
    if unknown:
        for name in unknown:
            yield Fault("row", 1, f"column {name[:80]}", "unknown; remove it or check its spelling", damage=True)
        return
    yield from once_each("row", (read for row in csv_rows(path) for read in _entry(row)))


def _entry(row: Row | Fault) -> Iterator[Read]:
    if isinstance(row, Fault):
        yield row
        return
    yield from entry_of_cells(row)


def entry_of_cells(row: Row) -> Iterator[Read]:
    """Yield the misconception that a row's cells make, or each fault at its column."""
    sources, from_columns = sources_of(row.cells)
    fields: dict[str, Any] = {name: row.cells[name] for name in FIELDS if name in row.cells}
    fields["difficulty_level"] = level(row.cells.get("difficulty_level", ""))
    from_columns |= {name: name for name in FIELDS} | {"sources": "source_1_publisher"}
    yield from entry_of(row, fields | {"sources": sources}, from_columns)


def level(cell: str) -> int | str | None:
    """Return a cell's level; what is no whole number stays as it is, for the schema to refuse."""
    if not cell:
        return None
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 10 else cell


def to_csv(entries: Sequence[MisconceptionEntry]) -> Iterator[str]:
    """Yield the lines of a CSV file that reads back to the same set."""
    yield from _lines(columns(max((len(entry.sources) for entry in entries), default=1)), entries)


def csv_rows_of(entries: Iterable[MisconceptionEntry], n_sources: int, *, header: bool) -> str:
    """Return a piece of a CSV file whose misconceptions have so many sources at most."""
    written = _lines(columns(n_sources), entries)
    if not header:
        next(written)
    return "".join(written)


def cells_of(entry: MisconceptionEntry) -> dict[str, Any]:
    """Return a misconception's cells by column; an empty one is None."""
    cells = {name: getattr(entry, name) for name in FIELDS}
    for number, source in enumerate(entry.sources, start=1):
        cells |= {f"source_{number}_{part}": getattr(source, part) for part in PARTS}
    return cells


def _lines(named: list[str], entries: Iterable[MisconceptionEntry]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, named)
    writer.writeheader()
    yield _taken(buffer)
    for entry in entries:
        writer.writerow(cells_of(entry))
        yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def is_candor_csv(named: Sequence[str]) -> bool:
    """Say whether a header is Candor's own."""
    return {"key", "claim", "sycophantic"} <= set(named) or bool(source_numbers(named) and "key" in named)
