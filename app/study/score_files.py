"""Reading a score file: a run's record, its rows, and an end by which a file that was cut off is seen."""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple

from pydantic import ValidationError

from app.errors import CandorError
from app.study.scoring_records import Ending, worded
from app.study.set_files import Fault

LARGEST = 50 * 2**20
"""Bytes of the largest score file that is taken over the web; the command takes any."""
LONGEST_LINE = 2_000_000
FORMAT = 1


class ScoreFileFaulty(CandorError):
    """A score file cannot be taken, and nothing of it was. `faults` has one line for each of the first faults."""

    def __init__(self, faults: list[str], n_faults: int | None = None) -> None:
        self.faults = faults
        n_more = (n_faults or len(faults)) - 1
        more = f" (and {n_more} more)" if n_more else ""
        super().__init__(f"the score file, {faults[0]}{more}")


class NumberedRow(NamedTuple):
    """A row that was read, and the number of its line."""

    number: int
    data: dict[str, Any]


class ScoreFile:
    """A score file that is read as its rows are asked for. The record is read at once.

    Raises
    ------
    ScoreFileFaulty
        Here and while reading rows: when a line is not JSON, or the file is not whole.
    """

    def __init__(self, lines: Iterable[bytes | str]) -> None:
        self._lines = _numbered(lines)
        self.record = self._header()

    def _header(self) -> dict[str, Any]:
        number, content = next(self._lines, (1, b""))
        data = _object(number, content) if content else {}
        if data.get("candor_scores") != FORMAT or not isinstance(data.get("run"), dict):
            raise _faulty(number, 'is not the head of a score file: {"candor_scores": 1, "run": {…}}')
        run: dict[str, Any] = data["run"]
        return run

    def rows(self) -> Iterator[NumberedRow]:
        """Yield the rows; after the last, hold them against what the end of the file says of them."""
        digest, n, number = sha256(), 0, 1
        for n, (number, content) in enumerate(self._lines):
            data = _object(number, content)
            if "end" in data:
                _refuse_unended(number, data, n, digest.hexdigest())
                break
            digest.update(content + b"\n")
            yield NumberedRow(number, data)
        else:
            n += number > 1
            raise _faulty(
                number, f"is the last, after {n:,} rows, and no end line: the file was cut off; copy it again"
            )
        for after, _ in self._lines:
            raise _faulty(after, "comes after the end line; remove it")


def _refuse_unended(number: int, data: dict[str, Any], n_rows: int, digest: str) -> None:
    try:
        ending = Ending.model_validate(data)
    except ValidationError as error:
        raise _faulty(number, worded(error)) from None
    if ending.rows != n_rows:
        raise _faulty(number, f"field rows: the file has {n_rows:,} rows where its end says {ending.rows:,}")
    if ending.sha256 != digest:
        raise _faulty(number, "field sha256: the rows are not as they were written; copy the file again")


def _numbered(lines: Iterable[bytes | str]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that hold anything, as bytes without their ends."""
    for number, line in enumerate(lines, 1):
        try:
            content = (line.encode() if isinstance(line, str) else line).rstrip(b"\r\n")
        except UnicodeEncodeError:
            raise _faulty(number, "is not UTF-8") from None
        if len(content) > LONGEST_LINE:
            raise _faulty(number, f"is longer than {LONGEST_LINE:,} bytes; this is no score file")
        if content.strip():
            yield number, content


def _object(number: int, content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        raise _faulty(number, f"is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise _faulty(
            number, f"is not JSON ({error.msg}, column {error.colno}); the file was cut off or changed"
        ) from None
    except (RecursionError, ValueError):
        raise _faulty(number, "is not JSON that can be read (nested too deeply, or a number too long)") from None
    if not isinstance(data, dict):
        raise _faulty(number, "is not a JSON object")
    return data


def _faulty(number: int, reason: str) -> ScoreFileFaulty:
    return ScoreFileFaulty([str(Fault("line", number, "", reason)).replace(": ", " ", 1)])
