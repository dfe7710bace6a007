"""Reading what to score: a study's pairs file, or rows of id, prompt and response as JSON Lines, CSV or Parquet."""

import csv
import filecmp
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from app.pm.dialogs import Dialog, user
from app.pm.items import Contents, Item, ItemsFaulty, Place, item
from app.pm.key_store import key_store
from app.pm.variants import VariantsFaulty, read_turn
from app.study.canonical import text_hash
from app.terms import ResponseKind

Row = Mapping[str, Any]
_FORMS = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}
_COLUMNS = ["id", "key", "prompt", "messages", "response"]
_LONGEST_FIELD = 2**24


def spool(stream: BinaryIO, file: Path) -> Path:
    """Keep what comes from standard input, so that it can be read again and a run can go on after a crash.

    What was kept before stays, as another command may be scoring it; where nothing comes, it is gone on with.

    Raises
    ------
    ItemsFaulty
        When something else was kept before.
    """
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as kept:
            shutil.copyfileobj(stream, kept)
        if part.stat().st_size or not file.exists():
            _keep(part, file)
    finally:
        part.unlink(missing_ok=True)
    return file


def _keep(part: Path, file: Path) -> None:
    try:
        os.link(part, file)  # Unlike a move, it never takes the place of a file.
    except FileExistsError:
        if not filecmp.cmp(part, file, shallow=False):
            raise ItemsFaulty(
                f"{file} holds what came by standard input before, and something else comes now; "
                "score it into another folder, or remove that file"
            ) from None


@dataclass(frozen=True, slots=True)
class ItemFile:
    """A file of items; what it is, is told by its name, and a pairs file by its header."""

    file: Path

    def contents(self) -> Contents:
        """Read the file once, check every row, and say what it holds.

        Raises
        ------
        ItemsFaulty
            Naming the row and the field.
        """
        header = self._header()
        n_responses = 0
        with key_store() as keys:
            for one in self.items():
                n_responses += len(one.responses)
                keys.add(one.key)
            n_items, again = len(keys), keys.first_twice()
        if not n_items:
            raise ItemsFaulty(f"{self.file} holds nothing to score")
        if again:
            raise ItemsFaulty(f"{self.file}, item {again.number}: {again.key!r} is there twice; each id must be unique")
        if header and header.get("n") not in {None, n_items}:
            raise ItemsFaulty(
                f"{self.file} is cut or was added to: its header says {header['n']} rows, it has {n_items}"
            )
        return Contents(header, n_items, n_responses, bool(header))

    def items(self) -> Iterator[Item]:
        """Yield every item."""
        read = _pair if self._header() else _row
        for number, row in self._rows():
            yield read(row, Place(self.file, number))

    def _header(self) -> Row:
        if self._form() != "jsonl":
            return {}
        first = next(_json_lines(self.file), None)
        return first[1] if first and "candor_pairs" in first[1] else {}

    def _form(self) -> str:
        form = _FORMS.get(self.file.suffix.lower())
        if form is None:
            raise ItemsFaulty(f"{self.file}: unknown kind of file; name it .jsonl, .csv or .parquet")
        return form

    def _rows(self) -> Iterator[tuple[int, Row]]:
        form = self._form()
        if form == "csv":
            return _csv_rows(self.file)
        if form == "parquet":
            return _parquet_rows(self.file)
        return ((number, row) for number, row in _json_lines(self.file) if "candor_pairs" not in row)


def _json_lines(file: Path) -> Iterator[tuple[int, Row]]:
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, _json_object(line, Place(file, number))
    except OSError as error:
        raise ItemsFaulty(f"{file} cannot be read: {error.strerror}") from None


def _json_object(line: bytes, place: Place) -> Row:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ItemsFaulty(f"{place.file}, row {place.row} is no JSON: {error}") from None
    except RecursionError:
        raise ItemsFaulty(f"{place.file}, row {place.row}: lists or objects stand in one another too deeply") from None
    if not isinstance(value, dict):
        raise ItemsFaulty(f"{place.file}, row {place.row} is no JSON object")
    return value


def _csv_rows(file: Path) -> Iterator[tuple[int, Row]]:
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines, strict=True), 2):
                if None in row or None in row.values():
                    raise ItemsFaulty(f"{file}, row {number} has more or fewer fields than the heading")
                yield number, row
    except OSError as error:
        raise ItemsFaulty(f"{file} cannot be read: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise ItemsFaulty(f"{file} is no CSV in UTF-8: {error}") from None


def _parquet_rows(file: Path) -> Iterator[tuple[int, Row]]:
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - an extra
    except ImportError:
        raise ItemsFaulty(
            f"{file}: reading Parquet needs pyarrow; install candor[parquet], or give JSON Lines"
        ) from None
    try:
        number = 0
        with parquet.ParquetFile(file) as opened:
            # Only what is read is converted: a column of another kind may hold what Python has no value for.
            for batch in opened.iter_batches(batch_size=1024, columns=_COLUMNS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (ArrowException, OSError, ValueError, OverflowError) as error:
        raise ItemsFaulty(f"{file} cannot be read as Parquet: {error}") from None


def _text(row: Row, name: str, place: Place) -> str:
    value = row.get(name)
    if value is None:
        raise place.refuse(name, "missing")
    if not isinstance(value, str):
        raise place.refuse(name, "must be text")
    if not value.strip():
        raise place.refuse(name, "is empty")
    _whole(value, name, place)
    return value


def _whole(text: str, name: str, place: Place) -> None:
    """Refuse half of a character, as JSON can hold it: no tokenizer takes it, and no hash is of it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        raise place.refuse(name, f"holds half of a character ({half}); write the file anew, as UTF-8") from None


def _row(row: Row, place: Place) -> Item:
    """Return the item of a row `id` (or `key`), `prompt` (text, or a list of turns) or `messages`, and `response`."""
    name = "id" if "id" in row else "key"
    value = row.get(name)
    key = _text({name: str(value) if isinstance(value, int) else value}, name, place)
    return item(key, _prompt(row, place), {"": _text(row, "response", place)})


def _prompt(row: Row, place: Place) -> Dialog:
    """Return all that comes before the response; of `prompt` and `messages` one is given, the other absent or empty."""
    prompt, messages = (None if row.get(name) == "" else row.get(name) for name in ("prompt", "messages"))
    if messages is None:
        return _turns(prompt, "prompt", place) if isinstance(prompt, list) else (user(_text(row, "prompt", place)),)
    if prompt is not None:
        raise place.refuse("messages", "there is a prompt too; give one of them")
    # A cell of a table cannot always hold a list: there the turns stand as JSON.
    return _turns(_listed(messages) if isinstance(messages, str) else messages, "messages", place)


def _listed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _turns(value: Any, name: str, place: Place) -> Dialog:
    if not isinstance(value, list):
        raise place.refuse(name, "must be a list of turns, each with a role and a content")
    if not value:
        raise place.refuse(name, "has no turns")
    try:
        turns = tuple(read_turn(f"turn {number}", turn) for number, turn in enumerate(value, 1))
    except VariantsFaulty as wrong:
        raise place.refuse(name, str(wrong)) from None
    for turn in turns:
        _whole(turn.content, name, place)
    return turns


def _pair(row: Row, place: Place) -> Item:
    """Return the item of a line of a pairs file, each text held to its hash."""
    prompt = _text(row, "prompt", place)
    _hold(row, "prompt_hash", prompt, place)
    responses = row.get("responses")
    if not isinstance(responses, dict):
        raise place.refuse("responses", "missing")
    texts = {}
    for kind in ResponseKind:
        told = responses.get(kind.value)
        if not isinstance(told, dict):
            raise place.refuse(f"responses.{kind}", "missing")
        texts[kind.value] = _text(told, "text", place)
        _hold(told, "text_hash", texts[kind.value], place, f"responses.{kind}.text_hash")
    return item(_text(row, "key", place), (user(prompt),), texts)


def _hold(row: Row, name: str, text: str, place: Place, shown: str = "") -> None:
    if row.get(name) != text_hash(text):
        raise place.refuse(shown or name, "the text is not the one that this hash is of; write the pairs file anew")
