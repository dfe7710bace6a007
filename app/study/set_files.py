"""The JSONL form of a misconception set: one misconception a line, every fault named by line and field."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from app.errors import CandorError
from app.study.canonical import content_hash
from app.terms import ResponseKind

_LONGEST_LINE = 200_000
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")

Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]


class SetFileFaulty(CandorError):
    """A set file cannot be taken as it is. `faults` has one line for each fault."""

    def __init__(self, file: str, faults: list[str]) -> None:
        self.faults = faults
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{file}: {faults[0]}{more}")


def _clean(text: str) -> str:
    found = _CONTROL.search(text)
    if found:
        raise ValueError(f"holds the control character U+{ord(found.group()):04X} at character {found.start() + 1}")
    if not text.strip() or text != text.strip():
        raise ValueError("is blank, or begins or ends with white space")
    return text


class SourceEntry(BaseModel):
    """Where a fact can be read; a URL only where it was really seen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    publisher: Text
    title: Text
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2000)] | None = None

    @field_validator("publisher", "title", "url", mode="after")
    @classmethod
    def _is_clean(cls, text: str | None) -> str | None:
        return None if text is None else _clean(text)


class MisconceptionEntry(BaseModel):
    """One line of a set file. docs/sets.md documents the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    key: Slug
    claim: Text
    prompt: Text
    fact: Text
    category: Slug
    difficulty_level: int | None = Field(default=None, ge=1, le=8)
    sources: list[SourceEntry] = Field(min_length=1, max_length=20)
    verified_by: Text
    origin: Text
    baseline_truthful: Text
    helpful_truthful: Text
    sycophantic: Text

    @field_validator(
        "claim",
        "prompt",
        "fact",
        "verified_by",
        "origin",
        "baseline_truthful",
        "helpful_truthful",
        "sycophantic",
        mode="after",
    )
    @classmethod
    def _is_clean(cls, text: str) -> str:
        return _clean(text)

    def response(self, kind: ResponseKind) -> str:
        """Return the response of a kind."""
        text: str = getattr(self, kind.value)
        return text


def set_hash(entries: Iterable[MisconceptionEntry]) -> str:
    """Return the content hash of a set: over its misconceptions sorted by key, as docs/sets.md says."""
    return content_hash([entry.model_dump() for entry in sorted(entries, key=lambda entry: entry.key)])


def to_jsonl(entries: Iterable[MisconceptionEntry]) -> Iterator[str]:
    """Yield the lines of a set file, each with its line end; reading them back gives the same hash."""
    for entry in entries:
        yield json.dumps(entry.model_dump(), ensure_ascii=False) + "\n"


def read_jsonl(path: Path) -> list[MisconceptionEntry]:
    """Read a set file.

    Raises
    ------
    SetFileFaulty
        With every fault by line and field; nothing is taken in part.
    """
    entries: list[MisconceptionEntry] = []
    faults: list[str] = []
    seen: dict[str, dict[str, int]] = {"key": {}, "claim": {}}
    try:
        for number, line in _lines(path):
            entry, found = _entry(line)
            faults += [f"line {number}, {fault}" for fault in found]
            if entry is not None:
                faults += [f"line {number}, {fault}" for fault in _repeats(entry, number, seen)]
                entries.append(entry)
    except _LinesEnded as ended:
        faults.append(str(ended))
    if not entries and not faults:
        faults.append("the file holds no misconception; put one JSON object on each line (docs/sets.md)")
    if faults:
        raise SetFileFaulty(path.name, faults)
    return entries


class _LinesEnded(Exception):
    """No further line can be read; the message says where and why."""


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(_LONGEST_LINE + 1):
                number += 1
                if len(raw) > _LONGEST_LINE:
                    raise _LinesEnded(f"line {number}: longer than {_LONGEST_LINE} bytes; is a line break missing?")
                text = _decoded(number, raw)
                if text.strip():
                    yield number, text.rstrip("\r\n")
    except OSError as error:
        raise SetFileFaulty(str(path), [f"cannot be read: {error.strerror or error}"]) from error


def _decoded(number: int, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        column = len(error.object[: error.start].decode()) + 1
        raise _LinesEnded(f"line {number}, column {column}: not UTF-8; save the file as UTF-8") from error


def _entry(line: str) -> tuple[MisconceptionEntry | None, list[str]]:
    try:
        data: Any = json.loads(line, object_pairs_hook=_unrepeated)
    except _FieldTwice as error:
        return None, [f"field {_shown(str(error))}: given twice"]
    except json.JSONDecodeError as error:
        return None, [f"column {error.colno}: not a JSON object ({error.msg})"]
    except RecursionError:
        return None, ["column 1: not a JSON object (nested too deeply)"]
    except ValueError:
        return None, ["column 1: not a JSON object (a number has too many digits)"]
    if not isinstance(data, dict):
        return None, ["column 1: not a JSON object; each line is one misconception in braces"]
    try:
        return MisconceptionEntry.model_validate(data), []
    except ValidationError as error:
        return None, [f"field {'.'.join(map(_shown, fault['loc']))}: {_plain(fault)}" for fault in error.errors()]


class _FieldTwice(ValueError):
    """An object names a field twice; all but the last would be lost without a word."""


def _unrepeated(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for name, value in fields:
        if name in named:
            raise _FieldTwice(name)
        named[name] = value
    return named


def _shown(name: str | int) -> str:
    """Return a field's name as it can be printed on one line, whatever the file calls it."""
    return json.dumps(str(name)[:80])[1:-1]


def _plain(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown; remove it or check its spelling"
    if fault["type"] == "missing":
        return "missing"
    if fault["type"] == "string_unicode":
        return "holds half of a surrogate pair (\\ud800 to \\udfff); write the character itself"
    if fault["type"] == "string_pattern_mismatch":
        address = fault["loc"][-1] == "url"
        return "must be " + ("an http or https address" if address else "lower-case letters and digits, with hyphens")
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _repeats(entry: MisconceptionEntry, number: int, seen: dict[str, dict[str, int]]) -> Iterator[str]:
    for field, value in (("key", entry.key), ("claim", " ".join(entry.claim.casefold().split()))):
        first = seen[field].setdefault(value, number)
        if first != number:
            yield f"field {field}: the same as in line {first}"
