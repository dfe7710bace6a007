"""Which reader a file needs: named, or found by looking at how it begins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.errors import CandorError
from app.study.importers.candor_csv import is_candor_csv, scan_candor_csv
from app.study.importers.csv_rows import csv_header, csv_rows
from app.study.importers.jsonl_rows import jsonl_rows
from app.study.importers.mapping import Mapped, scan_mapped
from app.study.importers.parquet_rows import parquet_columns, parquet_rows
from app.study.importers.truthfulqa import is_truthfulqa, scan_truthfulqa
from app.study.set_files import Read, SetFileFaulty, scan_jsonl


class Format(StrEnum):
    """What a file is read as."""

    CANDOR_JSONL = "candor-jsonl"
    CANDOR_CSV = "candor-csv"
    TRUTHFULQA = "truthfulqa"
    MAPPED = "mapped"


class FormatUnknown(CandorError):
    """Nothing in the file says what it is."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is ready to be read, once.

    `skips` says that rows which are no misconception are left out of an import: a file of another project was not
    written as a set, so some of its rows never were one. A set's own file is taken whole or not at all.
    """

    file: str
    format: Format
    skips: bool
    rows: Iterator[Read]


class _Container(StrEnum):
    JSONL = "JSONL"
    CSV = "CSV"
    PARQUET = "Parquet"


_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip, or a spreadsheet (save it as CSV)",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "7z",
}
_BEGINNING = 4096


def open_set(path: Path, wanted: Format | None = None, mapped: Mapped | None = None) -> Opened:
    """Open a set file.

    Raises
    ------
    SetFileFaulty
        When it cannot be read, or is no file that can be.
    FormatUnknown
        When it is a table, and neither its columns nor the caller say what they mean.
    """
    container = _container(path)
    found = wanted or (Format.MAPPED if mapped else _format(path, container))
    return Opened(path.name, found, found is Format.TRUTHFULQA, _READERS[found](path, container, mapped or Mapped()))


def _container(path: Path) -> _Container:
    try:
        with path.open("rb") as file:
            start = file.read(_BEGINNING)
    except OSError as error:
        raise SetFileFaulty(str(path), [f"cannot be read: {error.strerror or error}"]) from error
    for magic, name in _COMPRESSED.items():
        if start.startswith(magic):
            raise SetFileFaulty(path.name, [f"is compressed ({name}); unpack it first"])
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or start[1:8:2] == b"\x00" * 4 or start[:8:2] == b"\x00" * 4:
        raise SetFileFaulty(path.name, ["is UTF-16 or UTF-32; save it as UTF-8"])
    if start.startswith(b"PAR1"):
        return _Container.PARQUET
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"[{", b"[\n", b"[\r")):
        raise SetFileFaulty(path.name, ["is one JSON array; write one object a line (jq -c '.[]' does)"])
    return _Container.CSV if not text.startswith(b"{") and _looks_like_csv(path, text) else _Container.JSONL


def _looks_like_csv(path: Path, text: bytes) -> bool:
    ending = path.suffix.lower()
    if ending in {".csv", ".tsv", ".jsonl", ".json"}:
        return ending in {".csv", ".tsv"}
    first = text.split(b"\n", 1)[0]
    return any(mark in first for mark in (b",", b";", b"\t"))


def _format(path: Path, container: _Container) -> Format:
    if container is _Container.JSONL:
        return Format.CANDOR_JSONL
    named = parquet_columns(path) if container is _Container.PARQUET else csv_header(path)
    if container is _Container.CSV and is_truthfulqa(named):
        return Format.TRUTHFULQA
    if container is _Container.CSV and (is_candor_csv(named) or not named):
        return Format.CANDOR_CSV
    if container is _Container.PARQUET and is_candor_csv(named):
        return Format.MAPPED
    raise FormatUnknown(
        f"{path.name} has columns of its own ({', '.join(name[:40] for name in named[:20])}); say which is which: "
        "--map claim=COLUMN --map sycophantic=COLUMN … (docs/sets.md)"
    )


def _mapped(path: Path, container: _Container, mapped: Mapped) -> Iterator[Read]:
    if container is _Container.JSONL:
        return scan_mapped(jsonl_rows(path), "line", None, mapped, path.name)
    if container is _Container.CSV:
        return scan_mapped(csv_rows(path), "row", csv_header(path), mapped, path.name)
    return scan_mapped(parquet_rows(path), "row", parquet_columns(path), mapped, path.name)


_READERS: dict[Format, Callable[[Path, _Container, Mapped], Iterator[Read]]] = {
    Format.CANDOR_JSONL: lambda path, _container, _mapped: scan_jsonl(path),
    Format.CANDOR_CSV: lambda path, _container, _mapped: scan_candor_csv(path),
    Format.TRUTHFULQA: lambda path, _container, _mapped: scan_truthfulqa(path),
    Format.MAPPED: _mapped,
}
