"""Exported tables read back: columns by name, values by kind, and every fault named with its file, row and column."""

import csv
import io
from collections.abc import Callable, Iterator
from math import isfinite
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from app.errors import CandorError

_LONGEST_FIELD = 2**31 - 1
_ESCAPED = tuple("=+-@\t\r")
_FLAGS = {"true": True, "false": False, "t": True, "f": False, "1": True, "0": False, "TRUE": True, "FALSE": False}
_MOST = 10**18 - 1  # So that every whole number has a place in 64 bits.
N = TypeVar("N", int, float)


class TableFaulty(CandorError):
    """A table cannot be analysed: a column is missing, or a value is not one that the column can have."""


class CsvTable:
    """A table of text, column by column.

    Attributes
    ----------
    name
        What it is called in messages: its file.
    n
        Rows.
    """

    def __init__(self, name: str, columns: dict[str, list[str]], n: int) -> None:
        self.name, self._columns, self.n = name, columns, n

    def __contains__(self, column: str) -> bool:
        return column in self._columns

    def texts(self, column: str) -> list[str]:
        """Return a column as it stands.

        Raises
        ------
        TableFaulty
            When the table does not have it.
        """
        if column not in self._columns:
            raise TableFaulty(f"{self.name} has no column {column!r}; export the table again with `candor export`")
        return self._columns[column]

    def unescaped(self, column: str) -> list[str]:
        """Return a column of words from outside, without the ' that keeps spreadsheets from running them."""
        return [text[1:] if text[:1] == "'" and text[1:2] in _ESCAPED else text for text in self.texts(column)]

    def flags(self, column: str) -> NDArray[np.bool_]:
        """Return a column of true and false."""
        return self._array(column, _FLAGS.__getitem__, np.bool_, "true or false")

    def filled(self, column: str) -> list[str]:
        """Return a column that has something in every row."""
        texts = self.texts(column)
        if "" in texts:
            raise TableFaulty(f"{self.name}, row {texts.index('') + 2}: {column} is empty; it must say something")
        return texts

    def whole(self, column: str, empty: int | None = None, low: int = -_MOST, high: int = _MOST) -> NDArray[np.int64]:
        """Return a column of whole numbers; `empty` stands for no value, which is refused without it."""

        def read(text: str) -> int:
            return empty if not text and empty is not None else _from_to(int(text), low, high)

        digits = low == -_MOST and high == _MOST
        must = "a whole number of at most 18 digits" if digits else f"a whole number {_range(low, high)}"
        return self._array(column, read, np.int64, must if empty is None else f"{must}, or empty")

    def numbers(
        self, column: str, low: float = -np.inf, high: float = np.inf, *, empty: bool = True
    ) -> NDArray[np.float64]:
        """Return a column of finite numbers, nan where there is none, which is refused unless it may be `empty`."""

        def read(text: str) -> float:
            number = float(text) if text else np.nan
            return number if empty and np.isnan(number) else _from_to(number, low, high)

        must = f"a number {_range(low, high)}".rstrip()
        return self._array(column, read, np.float64, f"{must}, or empty" if empty else must)

    def maybe_flags(self, column: str) -> NDArray[np.float64]:
        """Return a column of true and false as 1 and 0, nan where there is none or the table does not have it."""
        if column not in self._columns:
            return np.full(self.n, np.nan)
        read = {text: float(flag) for text, flag in _FLAGS.items()} | {"": np.nan}
        return self._array(column, read.__getitem__, np.float64, "true, false or empty")

    def maybe_numbers(self, column: str, low: float = -np.inf, high: float = np.inf) -> NDArray[np.float64]:
        """Return a column of finite numbers, nan where there is none or the table does not have it."""
        return self.numbers(column, low, high) if column in self._columns else np.full(self.n, np.nan)

    def one_of(self, column: str, known: tuple[str, ...]) -> NDArray[np.int64]:
        """Return a column of words as their places among those known."""
        places = {word: place for place, word in enumerate(known)}
        return self._array(column, places.__getitem__, np.int64, " or ".join(word or "empty" for word in known))

    def _array(self, column: str, read: Callable[[str], Any], dtype: DTypeLike, must: str) -> NDArray[Any]:
        texts = self.texts(column)
        values = {text: _value(text, read) for text in set(texts)}  # Few texts are different.
        wrong = [text for text, value in values.items() if value is _WRONG]
        if wrong:
            row = min(texts.index(text) for text in wrong)
            raise TableFaulty(f"{self.name}, row {row + 2}: {column} cannot be {texts[row]!r}; it must be {must}")
        return np.array([values[text] for text in texts], dtype=dtype)


_WRONG = object()


def _from_to(number: N, low: float, high: float) -> N:
    """Return a number that is finite and within these ends."""
    if not (low <= number <= high and isfinite(number)):
        raise ValueError
    return number


def _range(low: float, high: float) -> str:
    if isfinite(low) and isfinite(high):
        return f"from {low:.15g} to {high:.15g}"
    return f"of at least {low:g}" if isfinite(low) else ""


def _value(text: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(text)
    except (ValueError, KeyError, OverflowError):
        return _WRONG


def read_csv(name: str, content: IO[bytes], wanted: tuple[str, ...]) -> CsvTable:
    """Read those of the wanted columns that a CSV file has.

    Raises
    ------
    TableFaulty
        When it is no CSV in UTF-8 with one header, or a row has another number of values.
    """
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        with io.TextIOWrapper(content, "utf-8-sig", newline="") as lines:
            return _read(name, csv.reader(lines, strict=True), wanted)
    except (UnicodeDecodeError, csv.Error) as fault:
        raise TableFaulty(f"{name} is no CSV file in UTF-8: {fault}; export it again with `candor export`") from None
    finally:
        csv.field_size_limit(before)


def _read(name: str, lines: Iterator[list[str]], wanted: tuple[str, ...]) -> CsvTable:
    header = next(lines, None)
    if not header:
        raise TableFaulty(f"{name} is empty; it has not even a header")
    places = {column: header.index(column) for column in wanted if column in header}
    columns: dict[str, list[str]] = {column: [] for column in places}
    adding = [(columns[column].append, place) for column, place in places.items()]
    n = 0
    for line in lines:
        if len(line) != len(header):
            raise TableFaulty(
                f"{name}, row {n + 2}: {len(line)} values under {len(header)} columns; is the file whole?"
            )
        for add, place in adding:
            add(line[place])
        n += 1
    return CsvTable(name, columns, n)
