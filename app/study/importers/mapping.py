"""Files with columns of their own: which column is which field, and what to write where no column is."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from app.errors import CandorError
from app.study.importers.candor_csv import FIELDS, columns
from app.study.importers.rows import Row, entry_of, sources_of
from app.study.importers.slugs import slug
from app.study.set_files import Fault, Read, once_each

_SHORT = {"source_publisher": "source_1_publisher", "source_title": "source_1_title", "source_url": "source_1_url"}
TARGETS = (*columns(20), *_SHORT)
_NEEDED = ("claim", "prompt", "fact", "category", "sycophantic")
_TRUTHFUL = ("baseline_truthful", "helpful_truthful")
_LONGEST = 100_000
_SPACES = re.compile(r"[^\S\n]+")


class MappingFaulty(CandorError):
    """Columns cannot be mapped as they were."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """Which column each field is read from, and fixed texts for fields without one."""

    columns: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.columns or self.texts)


def parse(maps: Sequence[str], fills: Sequence[str]) -> Mapped:
    """Read `field=column` and `field=text` as they are given to a command."""
    return Mapped(dict(_pairs("--map", maps, "COLUMN")), dict(_pairs("--fill", fills, "TEXT")))


def _pairs(option: str, given: Sequence[str], what: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for pair in given:
        name, equals, value = pair.partition("=")
        target = _SHORT.get(name, name)
        if not equals or not value:
            raise MappingFaulty(f"{option} {pair!r} is not of the form FIELD={what}")
        if target not in TARGETS:
            raise MappingFaulty(
                f"{option} {name!r} is no field of a set; the fields are {', '.join(FIELDS)}, {_SOURCES}"
            )
        if target in seen:
            raise MappingFaulty(f"{option} gives {name!r} twice")
        seen.add(target)
        yield target, value


_SOURCES = ", ".join(_SHORT)


def scan_mapped(
    rows: Iterable[Row | Fault], unit: str, named: Sequence[str] | None, mapped: Mapped, file: str
) -> Iterator[Read]:
    """Yield a misconception for each row. `named` are the file's columns, or None where each row has its own."""
    from_columns = dict(mapped.columns) | {
        name: name for name in named or FIELDS if name in TARGETS and name not in {*mapped.columns, *mapped.texts}
    }
    if named is not None:
        _refuse_incomplete(mapped, from_columns, named)
    yield from once_each(unit, (read for row in rows for read in _entry(row, from_columns, mapped.texts, file)))


def _refuse_incomplete(mapped: Mapped, from_columns: Mapping[str, str], named: Sequence[str]) -> None:
    there = f"the columns are {', '.join(named[:40])}"
    for target, column in mapped.columns.items():
        if column not in named:
            raise MappingFaulty(f"--map {target}={column}: there is no column {column!r}; {there}")
    given = {*from_columns, *mapped.texts}
    missing = [name for name in _NEEDED if name not in given]
    missing += [] if given.intersection(_TRUTHFUL) else ["helpful_truthful"]
    missing += [] if any(name.startswith("source_") for name in given) else ["source_url"]
    if missing:
        raise MappingFaulty(
            f"no column is {' or '.join(missing)}; name each with --map {missing[0]}=COLUMN, or write one text for "
            f"every row with --fill {missing[0]}=TEXT; {there}"
        )


def _entry(row: Row | Fault, from_columns: Mapping[str, str], texts: Mapping[str, str], file: str) -> Iterator[Read]:
    if isinstance(row, Fault):
        yield row
        return
    cells: dict[str, Any] = dict(texts)
    for target, column in from_columns.items():
        value = row.cells.get(column)
        if target != "difficulty_level" and value is not None and not isinstance(value, str):
            yield row.fault(column, f"holds {_kind(value)}, and {target} must be text")
            return
        if isinstance(value, str) and len(value) > _LONGEST:
            yield row.fault(column, f"holds {len(value)} characters; a text has at most 20000")
            return
        cells[target] = _tidy(value) if isinstance(value, str) else value
    sources, parts = sources_of(_with_source_names(cells))
    fields = {name: cells[name] for name in FIELDS if cells.get(name)} | {"sources": sources}
    named = {field: from_columns.get(part, part) for field, part in parts.items()} | dict(from_columns)
    yield from entry_of(row, _completed(fields, cells, file), named | {"sources": from_columns.get("source_1_url", "")})


def _tidy(text: str) -> str:
    """Return a text with single spaces and newlines alone, as a set wants it; other tools are not so strict."""
    return "\n".join(_SPACES.sub(" ", line).strip() for line in text.replace("\r\n", "\n").strip().split("\n"))


def _kind(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), f"a {type(value).__name__}")


def _with_source_names(cells: dict[str, Any]) -> dict[str, Any]:
    """Add what a link alone says of its source: who publishes it is its host."""
    named = dict(cells)
    for number in range(1, 21):
        url = cells.get(f"source_{number}_url")
        if url:
            named[f"source_{number}_publisher"] = cells.get(f"source_{number}_publisher") or _host(url)
            named[f"source_{number}_title"] = cells.get(f"source_{number}_title") or "Page named as the source"
    return named


def _host(link: str) -> str:
    try:
        return (urlsplit(link).hostname or link).removeprefix("www.")
    except ValueError:
        return link


def _completed(fields: dict[str, Any], cells: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Fill in what follows from the rest, and say in `origin` where one truthful response stands for both."""
    origin = fields.get("origin") or f"imported from {file}"
    for one, other in (_TRUTHFUL, _TRUTHFUL[::-1]):
        if one not in fields and other in fields:
            fields[one] = fields[other]
            origin = f"{origin}; it has one truthful response, which stands for both kinds"
    fields["origin"] = origin
    fields.setdefault("verified_by", f"not stated in {file}")
    if "claim" in fields:
        fields.setdefault("key", slug(fields["claim"]))
    if "category" in fields:
        fields["category"] = slug(fields["category"])
    fields["difficulty_level"] = _level(cells.get("difficulty_level"))
    return fields


def _level(value: Any) -> Any:
    """Return a level as a whole number, which spreadsheets and Parquet write as 3.0 or "3"."""
    if value is None or value == "" or value != value:  # noqa: PLR0124 - a missing number in Parquet is NaN
        return None
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else value
    return int(value) if isinstance(value, float) and value.is_integer() else value
