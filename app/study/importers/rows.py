"""Rows of any file: named cells, and where they stand."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.study.set_files import Fault, Read, checked_entry


@dataclass(frozen=True, slots=True)
class Row:
    """A row's cells by column. `unit` is what the file's own tools count: a row of a table, or a line of JSON."""

    unit: str
    number: int
    cells: Mapping[str, Any]

    def fault(self, column: str, reason: str) -> Fault:
        """Return why this row cannot be taken, at a column."""
        return Fault(self.unit, self.number, f"column {column}" if column else "", reason)


def entry_of(row: Row, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Iterator[Read]:
    """Yield the misconception that fields make, or each fault at the column that the field came from."""
    for read in checked_entry(row.unit, row.number, dict(fields)):
        if isinstance(read, Fault):
            field = read.place.removeprefix("field ")
            yield replace(read, place=f"column {columns[field]}") if field in columns else read
        else:
            yield read


def sources_of(cells: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the sources that the columns `source_1_publisher` and so on make, and which column each part is from.

    Sources that are blank altogether are left out.
    """
    sources: list[dict[str, Any]] = []
    columns: dict[str, str] = {}
    for number in source_numbers(cells):
        parts = {part: cells.get(f"source_{number}_{part}") or None for part in PARTS}
        if any(parts.values()):
            columns |= {f"sources.{len(sources)}.{part}": f"source_{number}_{part}" for part in PARTS}
            sources.append({"publisher": "", "title": ""} | {part: value for part, value in parts.items() if value})
    return sources, columns


PARTS = ("publisher", "title", "url")
MOST_SOURCES = 20


def source_numbers(columns: Iterable[str]) -> list[int]:
    """Return which numbered sources the columns have."""
    named = set(columns)
    return [n for n in range(1, MOST_SOURCES + 1) if any(f"source_{n}_{part}" in named for part in PARTS)]
