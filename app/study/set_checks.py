"""The check of a set as pages keep it: run beside the server's other work, cut to what a page can show, stored.

A check compares everything with everything and takes seconds, so it runs in the one thread that is there for it, and
what it found is stored: of a version of a set once, because a version never changes.
"""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import func, literal, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import MisconceptionSet, SetCheck
from app.study.importers.mapping import Mapped
from app.study.importers.reading import Format, open_set
from app.study.importers.tally import Tally
from app.study.set_files import Fault, Read
from app.study.sets import ClaimListed, claims_of_sets, stream_entries
from app.study.stimuli_checks.checking import check_file, check_set
from app.study.stimuli_checks.report import Checked, Finding, Report, Severity

T = TypeVar("T")

SHOWN_OF_A_KIND = 100
_LONGEST_MESSAGE = 600
# One check at a time: each holds its file's texts in memory.
_CHECKING = ThreadPoolExecutor(1, thread_name_prefix="set-check")


@dataclass(frozen=True, slots=True)
class Kind:
    """How many findings there are of one kind; a report that is kept names the first hundred of each."""

    severity: Severity
    code: str
    n: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found, as it is kept.

    `accepted` and `rejected` count the rows that could and could not be read. `damaged` says that the file itself is
    broken, `cut` that it has so many faults that its end was not read: nothing of either can be stored. `refused_rows`
    are rows that could be read and have errors all the same.
    """

    format: str
    accepted: int
    rejected: int
    damaged: bool
    cut: bool
    kinds: tuple[Kind, ...]
    refused_rows: tuple[int, ...]
    report: Report

    @property
    def n_errors(self) -> int:
        """How many findings are errors."""
        return sum(kind.n for kind in self.kinds if kind.severity is Severity.ERROR)

    @property
    def n_warnings(self) -> int:
        """How many findings are warnings."""
        return sum(kind.n for kind in self.kinds if kind.severity is Severity.WARNING)

    @property
    def n_sound(self) -> int:
        """How many misconceptions there are without an error."""
        return self.accepted - len(self.refused_rows)

    @property
    def whole(self) -> bool:
        """Whether all of it can be stored."""
        return self.n_errors == 0 and self.n_sound > 0

    @property
    def in_part(self) -> bool:
        """Whether it can be stored without the rows that have errors, and not otherwise."""
        return not self.whole and not self.damaged and not self.cut and self.n_sound > 0


class Found(NamedTuple):
    """An outcome, and every finding that is about one misconception: `key`, `code`, `field`, `message`."""

    outcome: Outcome
    findings: list[dict[str, Any]]


async def aside(work: Callable[[], T]) -> T:
    """Run a check in the thread that is there for checks; the server goes on answering meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(_CHECKING, work)


def checked_file(path: Path, read_as: Format | None, mapped: Mapped, known: Sequence[ClaimListed]) -> Found:
    """Check a file.

    Raises
    ------
    SetFileFaulty
        When it cannot be read, or is no file that can be.
    FormatUnknown, MappingFaulty, ParquetNeedsExtra
        When it is a table, and what its columns mean is not known, or nothing here reads it.
    """
    opened = open_set(path, read_as, mapped)
    tally = Tally(opened.file, opened.format)
    damaged: list[Fault] = []

    def counted() -> Iterator[Read]:
        last: int | None = None
        for read in opened.rows:
            if isinstance(read, Fault):
                last = tally.reject(read, last)
                damaged.extend([read] * read.damage)
            else:
                tally.take(read.entry)
            yield read

    report = check_file(replace(opened, rows=counted()), known)
    cut = any(found.code == "form" and found.row is None and not damaged for found in report.errors)
    return _found(report, opened.format, tally.accepted, tally.rejected, damaged=bool(damaged), cut=cut)


async def check_of(session: AsyncSession, stored: MisconceptionSet) -> Callable[[], Found]:
    """Read a version of a set, and return its check, to be run `aside`; a finding's row is its place in the set."""
    name = f"{stored.slug} version {stored.version}"
    entries = [entry async for entry in stream_entries(session, stored.id)]
    checked = [Checked(row, entry) for row, entry in enumerate(entries, start=1)]
    known = await claims_of_sets(session, but=stored.slug)

    def work() -> Found:
        return _found(check_set(name, checked, known=known), "", len(checked), 0, damaged=False, cut=False)

    return work


def _found(report: Report, read_as: str, accepted: int, rejected: int, *, damaged: bool, cut: bool) -> Found:
    counts = Counter((found.severity, found.code) for found in report.findings)
    kinds = tuple(Kind(severity, code, n) for (severity, code), n in sorted(counts.items()))
    refused = {found.row for found in report.errors if found.key is not None and found.row is not None}
    outcome = Outcome(
        format=str(read_as),
        accepted=accepted,
        rejected=rejected,
        damaged=damaged,
        cut=cut,
        kinds=kinds,
        refused_rows=tuple(sorted(refused)),
        report=replace(report, findings=_first_of_each(report.findings)),
    )
    return Found(outcome, [_about(found) for found in report.findings if found.key is not None])


def _first_of_each(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    kinds: defaultdict[tuple[Severity, str], list[Finding]] = defaultdict(list)
    for found in findings:
        of_its_kind = kinds[found.severity, found.code]
        if len(of_its_kind) < SHOWN_OF_A_KIND:
            of_its_kind.append(replace(found, message=_shortened(found.message)))
    return tuple(found for kind in sorted(kinds) for found in kinds[kind])


def _about(found: Finding) -> dict[str, Any]:
    return {
        "key": found.key,
        "code": found.code,
        "field": found.field or "",
        "message": _shortened(found.message),
    }


def _shortened(message: str) -> str:
    """Return a message that is not too long, and that a database and a page can hold whatever the file held."""
    kept = message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]} …"
    return kept.replace("\x00", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace").decode()


_OUTCOME = TypeAdapter(Outcome)


def written(outcome: Outcome) -> str:
    """Return an outcome as it is stored."""
    return json.dumps(asdict(outcome), ensure_ascii=False).encode("utf-8", "replace").decode()


def read(stored: str) -> Outcome:
    """Return an outcome as it was stored."""
    return _OUTCOME.validate_python(json.loads(stored))


async def keep(session: AsyncSession, set_id: int, found: Found) -> None:
    """Keep what the check of a version found."""
    values = {"set_id": set_id, "outcome": written(found.outcome), "findings": found.findings}
    await session.execute(insert(SetCheck).values(values).on_conflict_do_nothing())


async def kept(session: AsyncSession, set_id: int) -> Outcome | None:
    """Return what the check of a version found, or None when it was not checked."""
    stored = await session.scalar(select(SetCheck.outcome).filter_by(set_id=set_id))
    return None if stored is None else read(stored)


async def is_kept(session: AsyncSession, set_id: int) -> bool:
    """Say whether a version was checked."""
    return await session.scalar(select(SetCheck.set_id).filter_by(set_id=set_id)) is not None


class FoundAbout(NamedTuple):
    """A finding about one misconception."""

    code: str
    field: str
    message: str


async def found_about(session: AsyncSession, set_id: int, key: str) -> list[FoundAbout]:
    """Return what the check found in one misconception."""
    rows = await session.execute(_FOUND_ABOUT, {"set": set_id, "key": key})
    return [FoundAbout._make(row) for row in rows]


_FOUND_ABOUT = text("""
    SELECT found->>'code', found->>'field', found->>'message'
    FROM set_check CROSS JOIN LATERAL jsonb_array_elements(findings) AS found
    WHERE set_id = :set AND found->>'key' = :key
""")


def keys_with(set_id: int, code: str) -> Any:
    """Return, as a subquery, the keys of the misconceptions in which the check found something of a kind."""
    found = (
        select(func.jsonb_array_elements(SetCheck.findings).label("found")).where(SetCheck.set_id == set_id).subquery()
    )
    column = found.c.found
    return select(column.op("->>")(literal("key"))).where(column.op("->>")(literal("code")) == code)
