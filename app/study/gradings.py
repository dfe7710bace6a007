"""Gradings of a set: stored beside the version that was graded, listed, and made into the levels of a next version."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.models import Grading, GradingValue, Misconception, MisconceptionSet
from app.study import events
from app.study.grading_agreement import Ratings, findings, means
from app.study.levelling import levels_by_rank
from app.study.set_files import MisconceptionEntry
from app.study.sets import Imported, find_set, import_set, lock_set, stream_entries
from app.terms import GradingKind

_BATCH = 5000


class GradingUnknown(CandorError):
    """The set has no grading with this number."""

    def __init__(self, slug: str, number: int) -> None:
        super().__init__(f"the set {slug} has no grading {number}; `candor set gradings {slug}` lists those there are")


class GradingOutdated(CandorError):
    """The version that was graded is not the newest any more; a version made from it would undo the newer ones."""

    def __init__(self, slug: str, version: int, newest: int) -> None:
        super().__init__(
            f"version {version} of the set {slug} was graded, but version {newest} is its newest; grade that one"
        )


class GradingIncomplete(CandorError):
    """A grading does not say of each claim, and of no other, how plausible it is."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the grading must have a value from 0 to 100 for each claim of the set; see {key!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A grading that is to be stored: who made it, how, and what was rated. `made_with` enters its record."""

    by: str
    kind: GradingKind
    prompt_hash: str | None
    ratings: Ratings
    made_with: Mapping[str, Any]


class SetToGrade(NamedTuple):
    """One version of a set, and its claims by key in their stored order. A version never changes."""

    set_id: int
    slug: str
    version: int
    claims: dict[str, str]


class GradingListed(NamedTuple):
    """A grading with the version that it grades."""

    id: int
    slug: str
    version: int
    by: str
    kind: GradingKind
    prompt_hash: str | None
    made_at: datetime
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Regrouped:
    """What regrouping did: the version, and how many claims moved by how many levels. `newly` had no level before."""

    imported: Imported
    graded_version: int
    moved: dict[int, int]
    newly: int

    @property
    def changed(self) -> int:
        """How many claims have another level than before."""
        return self.newly + sum(self.moved.values())


async def set_to_grade(session: AsyncSession, slug: str, version: int | None = None) -> SetToGrade:
    """Return a version, or the newest, as it is graded.

    Raises
    ------
    SetUnknown
    """
    found = await find_set(session, slug, version)
    rows = await session.execute(
        select(Misconception.key, Misconception.claim).filter_by(set_id=found.id).order_by(Misconception.id)
    )
    return SetToGrade(found.id, found.slug, found.version, {row.key: row.claim for row in rows})


async def store(session: AsyncSession, set_id: int, graded: Graded, account_id: int | None = None) -> GradingListed:
    """Store a grading whole, with what is found of its agreement; `account_id` is who graded, None for a command.

    Raises
    ------
    GradingIncomplete
        Before anything is stored.
    """
    rows = await session.execute(
        select(Misconception.key, Misconception.id, Misconception.difficulty_level).filter_by(set_id=set_id)
    )
    held = {row.key: row for row in rows}
    _refuse_incomplete(graded.ratings, held.keys() | graded.ratings.keys(), held)
    levels = {key: row.difficulty_level for key, row in held.items()}
    record = {**graded.made_with, "found": findings(graded.ratings, levels)}
    named = {"by": graded.by, "kind": graded.kind.value, "prompt_hash": graded.prompt_hash, "record": record}
    number = await session.scalar(
        insert(Grading).values(set_id=set_id, account_id=account_id, **named).returning(Grading.id)
    )
    assert number is not None
    values = _rows(number, graded.ratings, {key: row.id for key, row in held.items()})
    while batch := list(islice(values, _BATCH)):
        await session.execute(insert(GradingValue), batch)
    stored = await _listed(session, number)
    said = {"set": stored.slug, "version": stored.version, "by": stored.by, "grading": number}
    await events.record(session, "set_graded", account_id=account_id, **said)
    return stored


def _refuse_incomplete(ratings: Ratings, keys: set[str], held: Mapping[str, Any]) -> None:
    for key in sorted(keys):
        values = ratings.get(key, {}).values()
        if key not in held or not values or not all(0 <= value <= 100 for value in values):
            raise GradingIncomplete(key)


def _rows(grading_id: int, ratings: Ratings, ids: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for key, by_rater in ratings.items():
        for rater, value in by_rater.items():
            yield {"grading_id": grading_id, "misconception_id": ids[key], "rater": rater, "value": value}


async def gradings(session: AsyncSession, slug: str) -> list[GradingListed]:
    """Return the gradings of every version of a set, the newest first.

    Raises
    ------
    SetUnknown
    """
    await find_set(session, slug)
    rows = await session.execute(_LISTED.where(MisconceptionSet.slug == slug).order_by(Grading.id.desc()))
    return [_as_listed(row) for row in rows]


async def find_grading(session: AsyncSession, slug: str, number: int) -> GradingListed:
    """Return one grading of a set.

    Raises
    ------
    GradingUnknown
    """
    row = (await session.execute(_LISTED.where(MisconceptionSet.slug == slug, Grading.id == number))).one_or_none()
    if row is None:
        raise GradingUnknown(slug, number)
    return _as_listed(row)


async def _listed(session: AsyncSession, number: int) -> GradingListed:
    return _as_listed((await session.execute(_LISTED.where(Grading.id == number))).one())


_LISTED = select(
    Grading.id,
    MisconceptionSet.slug,
    MisconceptionSet.version,
    Grading.by,
    Grading.kind,
    Grading.prompt_hash,
    Grading.made_at,
    Grading.record,
).join(MisconceptionSet, MisconceptionSet.id == Grading.set_id)


def _as_listed(row: Any) -> GradingListed:
    return GradingListed(**row._asdict() | {"kind": GradingKind(row.kind)})


async def values_of(session: AsyncSession, number: int) -> dict[str, float]:
    """Return the mean plausibility that a grading gives each claim, by key."""
    rows = await session.execute(
        select(Misconception.key, GradingValue.rater, GradingValue.value)
        .join(Misconception, Misconception.id == GradingValue.misconception_id)
        .where(GradingValue.grading_id == number)
    )
    ratings: dict[str, dict[str, float]] = {}
    for row in rows:
        ratings.setdefault(row.key, {})[row.rater] = row.value
    return means(ratings)


async def regroup(session: AsyncSession, slug: str, number: int, account_id: int | None = None) -> Regrouped:
    """Store a version whose levels are the ranks of a grading; nothing else in it differs from the graded one.

    Where some version has this very content, that one is found, as by an import.

    Raises
    ------
    GradingUnknown
    GradingOutdated
        When the newest version is another than the one that was graded.
    """
    await lock_set(session, slug)
    grading = await find_grading(session, slug, number)
    newest = await find_set(session, slug)
    if newest.version != grading.version:
        raise GradingOutdated(slug, grading.version, newest.version)
    levels = levels_by_rank(await values_of(session, number))
    moved: Counter[int] = Counter()
    newly = 0

    async def entries() -> AsyncIterator[MisconceptionEntry]:
        nonlocal newly
        async for entry in stream_entries(session, newest.id):
            level = levels[entry.key]
            if entry.difficulty_level is None:
                newly += 1
            elif entry.difficulty_level != level:
                moved[abs(entry.difficulty_level - level)] += 1
            yield entry.model_copy(update={"difficulty_level": level})

    done = await import_set(
        session, entries(), slug=slug, title=newest.title, licence=newest.licence, account_id=account_id
    )
    if done.new:
        await events.record(
            session, "set_regrouped", account_id=account_id, set=slug, version=done.version, grading=number
        )
    return Regrouped(done, grading.version, dict(sorted(moved.items())), newly)
