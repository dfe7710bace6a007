"""The JSONL form of a misconception set: one misconception a line, every fault named by line and field."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from app.errors import CandorError
from app.study.canonical import canonical_json
from app.study.plain_faults import plain
from app.terms import ResponseKind

_LONGEST_LINE = 200_000
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")

Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
_SLUG_SAID = "lower-case letters and digits, with hyphens"
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]


class SetFileFaulty(CandorError):
    """A set file cannot be taken as it is. `faults` has one line for each fault; of very many, for the first ones."""

    def __init__(self, file: str, faults: list[str], n_faults: int | None = None) -> None:
        self.faults = faults
        n_more = (n_faults or len(faults)) - 1
        more = f" (and {n_more} more)" if n_more else ""
        super().__init__(f"{file}: {faults[0]}{more}")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line or row cannot be taken. `damage` means that the file itself is broken there, not just a value.

    `unit` is what the file's own tools count (a line of JSON, a row of a table) and `place` the field or column;
    both are empty where the whole file is meant.
    """

    unit: str
    number: int
    place: str
    reason: str
    damage: bool = False

    def __str__(self) -> str:
        where = [f"{self.unit} {self.number}"] * bool(self.unit) + [self.place] * bool(self.place)
        return f"{', '.join(where)}: {self.reason}" if where else self.reason


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


class SetDigest:
    """A set's content hash, made from its misconceptions one by one, in the order of their keys."""

    def __init__(self) -> None:
        self._sha256 = sha256(b"[")
        self._last = ""

    def add(self, entry: MisconceptionEntry) -> None:
        """Take the next misconception."""
        assert entry.key > self._last, "sorted by key"
        self._sha256.update(f"{',' if self._last else ''}{canonical_json(entry.model_dump())}".encode())
        self._last = entry.key

    def hexdigest(self) -> str:
        """Return the hash of what was taken."""
        whole = self._sha256.copy()
        whole.update(b"]")
        return whole.hexdigest()


def set_hash(entries: Iterable[MisconceptionEntry]) -> str:
    """Return the content hash of a set: over its misconceptions sorted by key, as docs/sets.md says."""
    digest = SetDigest()
    for entry in sorted(entries, key=lambda entry: entry.key):
        digest.add(entry)
    return digest.hexdigest()


def to_jsonl(entries: Iterable[MisconceptionEntry]) -> Iterator[str]:
    """Yield the lines of a set file, each with its line end; reading them back gives the same hash."""
    for entry in entries:
        yield json.dumps(entry.model_dump(), ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Taken:
    """A misconception as a file gives it, and the line or row on which it stands."""

    number: int
    entry: MisconceptionEntry


Read = Taken | Fault


def read_jsonl(path: Path) -> list[MisconceptionEntry]:
    """Read a set file.

    Raises
    ------
    SetFileFaulty
        With every fault by line and field; nothing is taken in part.
    """
    entries: list[MisconceptionEntry] = []
    faults: list[str] = []
    for read in scan_jsonl(path):
        if isinstance(read, Fault):
            faults.append(str(read))
        else:
            entries.append(read.entry)
    if faults:
        raise SetFileFaulty(path.name, faults)
    return entries


def scan_jsonl(path: Path) -> Iterator[Read]:
    """Yield each misconception and each fault of a set file, holding one line at a time."""
    return once_each("line", (read for line in lines(path) for read in _line(line)))


def once_each(unit: str, rows: Iterable[Read]) -> Iterator[Read]:
    """Yield rows, and a fault for each key or claim that was there before; or that there is nothing at all."""
    seen: dict[str, dict[bytes, int]] = {"key": {}, "claim": {}}
    nothing = True
    for row in rows:
        nothing = False
        repeats: list[Read] = list(_repeats(unit, row, seen)) if isinstance(row, Taken) else []
        yield from repeats or [row]
    if nothing:
        hint = "put one JSON object on each line" if unit == "line" else "put one in each row"
        yield Fault("", 0, "", f"the file holds no misconception; {hint} (docs/sets.md)", damage=True)


def _repeats(unit: str, taken: Taken, seen: dict[str, dict[bytes, int]]) -> Iterator[Fault]:
    # Digests, because the claims of a large file would fill the memory.
    for field, value in (("key", taken.entry.key), ("claim", " ".join(taken.entry.claim.casefold().split()))):
        digest = blake2b(value.encode(), digest_size=16).digest()
        first = seen[field].setdefault(digest, taken.number)
        if first != taken.number:
            yield Fault(unit, taken.number, f"field {field}", f"the same as in {unit} {first}")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text file, with its line end."""

    number: int
    text: str


def lines(path: Path) -> Iterator[Line | Fault]:
    """Yield the lines of a UTF-8 file; one that is too long or is not UTF-8 ends it with a fault.

    Raises
    ------
    SetFileFaulty
        When the file cannot be read at all.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(_LONGEST_LINE + 1):
                number += 1
                line = _decoded(number, raw)
                yield line
                if isinstance(line, Fault):
                    return
    except OSError as error:
        raise SetFileFaulty(str(path), [f"cannot be read: {error.strerror or error}"]) from error


def _decoded(number: int, raw: bytes) -> Line | Fault:
    if len(raw) > _LONGEST_LINE:
        reason = f"longer than {_LONGEST_LINE} bytes; is a line break missing?"
        return Fault("line", number, "", reason, damage=True)
    try:
        return Line(number, raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        column = len(error.object[: error.start].decode()) + 1
        byte = error.object[error.start]
        reason = f"not UTF-8 (byte 0x{byte:02X}); save the file as UTF-8"
        return Fault("line", number, f"column {column}", reason, damage=True)


def _line(line: Line | Fault) -> Iterator[Read]:
    if isinstance(line, Fault):
        yield line
    elif line.text.strip():
        data = json_object(line)
        if isinstance(data, Fault):
            yield data
        else:
            yield from checked_entry("line", line.number, data)


def json_object(line: Line) -> dict[str, Any] | Fault:
    """Return the JSON object on a line, or why there is none."""

    def fault(place: str, reason: str) -> Fault:
        return Fault("line", line.number, place, reason, damage=True)

    try:
        data: Any = json.loads(line.text.rstrip("\r\n"), object_pairs_hook=_unrepeated)
    except _FieldTwice as error:
        return fault(f"field {_shown(str(error))}", "given twice")
    except json.JSONDecodeError as error:
        return fault(f"column {error.colno}", f"not a JSON object ({error.msg})")
    except RecursionError:
        return fault("column 1", "not a JSON object (nested too deeply)")
    except ValueError:
        return fault("column 1", "not a JSON object (a number has too many digits)")
    if not isinstance(data, dict):
        return fault("column 1", "not a JSON object; each line is one misconception in braces")
    return data


def checked_entry(unit: str, number: int, data: dict[str, Any]) -> Iterator[Read]:
    """Yield the misconception that a row's fields make, or each fault by field."""
    try:
        yield Taken(number, MisconceptionEntry.model_validate(data))
    except ValidationError as error:
        for fault in error.errors():
            yield Fault(unit, number, f"field {'.'.join(map(_shown, fault['loc']))}", _plain(fault))


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
    address = fault["loc"][-1] == "url"
    return plain(fault, "must be " + ("an http or https address" if address else _SLUG_SAID))
