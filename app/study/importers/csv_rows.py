"""Rows of a CSV file, one held at a time. Damage is named by row; nothing is guessed."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.study.importers.rows import Row
from app.study.set_files import Fault, Line, lines

_MOST_COLUMNS = 500
_SAID = {
    "unexpected end of data": "a quotation mark is not closed before the file ends; is the file cut off?",
    "field larger than field limit": "a cell has more than 131072 characters; is a quotation mark not closed?",
    "expected after": "a quotation mark inside a cell is not doubled",
    "new-line character seen in unquoted field": "a lone carriage return; save the file with line ends of LF or CRLF",
}


class _Feed:
    """The text lines that the CSV reader asks for; it ends at the first fault, and keeps it."""

    def __init__(self, read: Iterator[Line | Fault]) -> None:
        self.fault: Fault | None = None
        self._read = read

    def __iter__(self) -> Iterator[str]:
        for line in self._read:
            if isinstance(line, Fault):
                self.fault = line
                return
            if "\x00" in line.text:
                column = line.text.index("\x00") + 1
                reason = "holds a NUL byte; is it a text file, saved whole?"
                self.fault = Fault("line", line.number, f"column {column}", reason, damage=True)
                return
            yield line.text


def csv_rows(path: Path) -> Iterator[Row | Fault]:
    """Yield the rows under the header; row 1 is the header, as a spreadsheet counts."""
    feed = _Feed(lines(path))
    texts = iter(feed)
    first = next(texts, "")
    reader = csv.reader(_chained(first, texts), delimiter=_delimiter(first), strict=True)
    number = 0
    header: list[str] | None = None
    try:
        for number, cells in enumerate(reader, start=1):
            if header is None:
                header = [name.strip() for name in cells]
                if faults := list(_header_faults(header)):
                    yield from faults
                    return
            elif cells:
                yield _row(number, header, cells)
    except csv.Error as error:
        if feed.fault is None:
            yield Fault("row", number + 1, f"line {reader.line_num}", _plain(str(error)), damage=True)
    if feed.fault is not None:
        yield feed.fault


def csv_header(path: Path) -> list[str]:
    """Return the column names, or an empty list where there are none to read."""
    texts = iter(_Feed(lines(path)))
    first = next(texts, "")
    try:
        cells = next(csv.reader(_chained(first, texts), delimiter=_delimiter(first), strict=True), [])
    except csv.Error:
        return []
    return [name.strip() for name in cells]


def _chained(first: str, rest: Iterable[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest


def _delimiter(header: str) -> str:
    """Spreadsheets of half the world write semicolons, and some tools tabs."""
    return max(",;\t", key=header.count)


def _header_faults(header: list[str]) -> Iterator[Fault]:
    if len(header) > _MOST_COLUMNS:
        yield Fault("row", 1, "", f"has {len(header)} columns; at most {_MOST_COLUMNS} are read", damage=True)
        return
    for index, name in enumerate(header):
        if not name:
            yield Fault("row", 1, f"column {index + 1}", "has no name; the first row names the columns", damage=True)
        elif name in header[:index]:
            yield Fault("row", 1, f"column {name}", "given twice", damage=True)


def _row(number: int, header: list[str], cells: list[str]) -> Row | Fault:
    if len(cells) != len(header):
        more = "is a comma in a cell not quoted?" if len(cells) > len(header) else "is the row cut off?"
        return Fault("row", number, "", f"has {len(cells)} cells and the header {len(header)}; {more}", damage=True)
    # A cell's own line ends may be CRLF, because the file's are; a set knows newlines alone.
    return Row("row", number, dict(zip(header, (cell.replace("\r\n", "\n") for cell in cells), strict=True)))


def _plain(message: str) -> str:
    return next((said for start, said in _SAID.items() if start in message), message)
