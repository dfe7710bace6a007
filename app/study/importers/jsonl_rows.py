"""Rows of a JSON Lines file whose objects have other fields than a set's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.study.importers.rows import Row
from app.study.set_files import Fault, json_object, lines


def jsonl_rows(path: Path) -> Iterator[Row | Fault]:
    """Yield the object of each line. A field within a field is named with a dot: `base.question`."""
    for line in lines(path):
        if isinstance(line, Fault):
            yield line
        elif line.text.strip():
            data = json_object(line)
            yield data if isinstance(data, Fault) else Row("line", line.number, _flat(data))


def _flat(data: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict) and depth < 4:
            cells |= _flat(value, f"{prefix}{name}.", depth + 1)
        else:
            cells[prefix + name] = value
    return cells
