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
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u2029\ufeff]")

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
    for number, line in _lines(path):
        entry, found = _entry(line)
        faults += [f"line {number}, {fault}" for fault in found]
        if entry is not None:
            faults += [f"line {number}, {fault}" for fault in _repeats(entry, number, seen)]
            entries.append(entry)
    if not entries and not faults:
        faults.append("the file holds no misconception; put one JSON object on each line (docs/sets.md)")
    if faults:
        raise SetFileFaulty(path.name, faults)
    return entries


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(_LONGEST_LINE + 1):
                number += 1
                if len(raw) > _LONGEST_LINE:
                    raise SetFileFaulty(path.name, [f"line {number}, longer than {_LONGEST_LINE} bytes"])
                text = _decoded(path, number, raw)
                if text.strip():
                    yield number, text
    except OSError as error:
        raise SetFileFaulty(str(path), [f"cannot be read: {error.strerror or error}"]) from error


def _decoded(path: Path, number: int, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        fault = f"line {number}, column {error.start + 1}: not UTF-8; save the file as UTF-8"
        raise SetFileFaulty(path.name, [fault]) from error


def _entry(line: str) -> tuple[MisconceptionEntry | None, list[str]]:
    try:
        data: Any = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        column = getattr(error, "colno", 1)
        return None, [f"column {column}: not a JSON object ({getattr(error, 'msg', 'nested too deeply')})"]
    if not isinstance(data, dict):
        return None, ["column 1: not a JSON object; each line is one misconception in braces"]
    try:
        return MisconceptionEntry.model_validate(data), []
    except ValidationError as error:
        return None, [f"field {'.'.join(map(str, fault['loc']))}: {_plain(fault)}" for fault in error.errors()]


def _plain(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown; remove it or check its spelling"
    if fault["type"] == "missing":
        return "missing"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _repeats(entry: MisconceptionEntry, number: int, seen: dict[str, dict[str, int]]) -> Iterator[str]:
    for field, value in (("key", entry.key), ("claim", " ".join(entry.claim.casefold().split()))):
        first = seen[field].setdefault(value, number)
        if first != number:
            yield f"field {field}: the same as in line {first}"
