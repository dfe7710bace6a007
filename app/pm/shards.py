"""Shards on disk: a finished one is never computed again, a half-written one never counts.

A shard is one file, written whole beside its place and renamed into it once it is on the disk. Its first line says
which run and which rows it belongs to; its rows follow.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.errors import CandorError
from app.study.canonical import canonical_json

RUN_FILE = "run.json"
SCORES_FILE = "scores.jsonl"
_SHARDS = "shards"
_TEMPLATE = (
    "the same dialogs become other tokens: the chat template or the tokenizer was changed, or the template writes "
    "today's date; serve or load the one of that run, or choose another folder"
)


class RunDirectoryUnfit(CandorError):
    """A run directory belongs to another run, is in use, or was changed; says how to go on."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a shard cost: tokens of its rows, tokens computed, the least there was to compute, seconds of computing.

    `least_s` is how many seconds the device that computed it would have needed for the least there was, at the peak
    measured on it; None where that cannot be said. Shards add up, whichever process or machine computed each.
    """

    tokens: int = 0
    computed_tokens: int = 0
    unique_tokens: int = 0
    attended: int = 0
    seconds: float = 0.0
    halvings: int = 0
    least_s: float | None = None

    def __add__(self, other: "Told") -> "Told":
        """Return what both cost; what is not known of one is not known of both."""
        least_s = None if self.least_s is None or other.least_s is None else self.least_s + other.least_s
        return Told(
            self.tokens + other.tokens,
            self.computed_tokens + other.computed_tokens,
            self.unique_tokens + other.unique_tokens,
            self.attended + other.attended,
            self.seconds + other.seconds,
            self.halvings + other.halvings,
            least_s,
        )


@dataclass(frozen=True, slots=True)
class Heading:
    """The first line of a shard. `asked` is a SHA-256 over what its rows ask, `sha256` one over their lines."""

    index: int
    fingerprint: str
    asked: str
    rows: int
    sha256: str
    told: Told


class RunDirectory:
    """The folder of a run: its record, its shards, and at the end its score file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder, so that no other process writes here.

        Raises
        ------
        RunDirectoryUnfit
            When another process holds it, or it cannot be written.
        """
        try:
            (self.path / _SHARDS).mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("w")
        except OSError as error:
            raise RunDirectoryUnfit(f"{self.path} cannot be written: {error.strerror}") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunDirectoryUnfit(f"another process is scoring into {self.path}") from None
            yield

    def record(self) -> dict[str, Any] | None:
        """Return the run record, or None where no run has begun."""
        try:
            found = json.loads((self.path / RUN_FILE).read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            raise RunDirectoryUnfit(f"{self.path / RUN_FILE} is no JSON; choose another folder") from None
        if not isinstance(found, dict):
            raise RunDirectoryUnfit(f"{self.path / RUN_FILE} is no run record; choose another folder")
        return found

    def begin(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Write a run's record, or return that of the same run begun before. Several processes may begin at once.

        Raises
        ------
        RunDirectoryUnfit
            When another model, plan or input was begun here.
        """
        part = self.path / f"{RUN_FILE}.{os.getpid()}.part"
        _write(part, json.dumps(record, indent=1, ensure_ascii=False).encode())
        try:
            os.link(part, self.path / RUN_FILE)
        except FileExistsError:
            found = self.record() or {}
            _same(found, record, self.path)
            return found
        finally:
            part.unlink()
        return dict(record)

    def keep(self, record: Mapping[str, Any]) -> None:
        """Write the record anew."""
        _place(self.path / RUN_FILE, json.dumps(record, indent=1, ensure_ascii=False).encode())

    def heading(self, index: int) -> Heading | None:
        """Return what a finished shard says of itself, or None where there is none."""
        try:
            with self._shard(index).open("rb") as file:
                return _read_heading(file.readline(), self._shard(index))
        except FileNotFoundError:
            return None

    def rows_finished(self) -> int:
        """Return how many rows all finished shards hold, whoever computed them."""
        total = 0
        for file in (self.path / _SHARDS).glob("shard-*.jsonl"):
            with file.open("rb") as lines:
                total += _read_heading(lines.readline(), file).rows
        return total

    def finish(self, index: int, fingerprint: str, asked: str, rows: Sequence[Mapping[str, Any]], told: Told) -> None:
        """Write a shard."""
        lines = [f"{canonical_json(row)}\n".encode() for row in rows]
        heading = Heading(index, fingerprint, asked, len(lines), hashlib.sha256(b"".join(lines)).hexdigest(), told)
        first = canonical_json({"candor_shard": 1, **asdict(heading)})
        _place(self._shard(index), b"".join([f"{first}\n".encode(), *lines]))

    def lines(self, index: int) -> list[bytes]:
        """Return the lines of a finished shard's rows, held to its hash.

        Raises
        ------
        RunDirectoryUnfit
            When the shard was changed or is missing.
        """
        file = self._shard(index)
        try:
            first, *lines = file.read_bytes().splitlines(keepends=True)
        except (FileNotFoundError, ValueError):
            raise RunDirectoryUnfit(f"{file} is missing; run the same command again") from None
        heading = _read_heading(first, file)
        if len(lines) != heading.rows or hashlib.sha256(b"".join(lines)).hexdigest() != heading.sha256:
            raise RunDirectoryUnfit(
                f"{file} was changed after it was written; delete it and run the same command again"
            )
        return lines

    def _shard(self, index: int) -> Path:
        return self.path / _SHARDS / f"shard-{index:05d}.jsonl"


def _read_heading(line: bytes, file: Path) -> Heading:
    try:
        value = json.loads(line)
        told = Told(**value.pop("told"))
        return Heading(**{name: field for name, field in value.items() if name != "candor_shard"}, told=told)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RunDirectoryUnfit(f"{file} is no shard of a run; delete it and run the same command again") from None


def _same(found: Mapping[str, Any], wanted: Mapping[str, Any], path: Path) -> None:
    if found.get("fingerprint") == wanted["fingerprint"]:
        return
    before, now = found.get("made_by") or {}, wanted["made_by"]
    differ = [name for name in now if before.get(name) != now[name]] or ["record"]
    name = differ[0]
    do = _TEMPLATE if name == "template" else "choose another folder, or give the options of that run"
    raise RunDirectoryUnfit(
        f"{path} holds a run that was begun otherwise ({', '.join(differ)}: {_short(before.get(name))} there, "
        f"{_short(now.get(name))} now); {do}"
    )


def _short(value: Any) -> str:
    text = canonical_json(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _write(file: Path, data: bytes) -> None:
    with file.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _place(file: Path, data: bytes) -> None:
    """Write a file beside its place, and rename it into it once it is on the disk."""
    part = file.with_name(f"{file.name}.part")
    _write(part, data)
    part.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
