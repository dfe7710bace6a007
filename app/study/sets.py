"""Importing, listing and exporting misconception sets. A version is never changed: a changed file makes a new one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from app.errors import CandorError
from app.models import Misconception, MisconceptionSet, Response
from app.study import events
from app.study.canonical import text_hash
from app.study.set_files import MisconceptionEntry, SourceEntry, set_hash
from app.terms import ResponseKind

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 60


class SetUnknown(CandorError):
    """No set has this slug and version."""

    def __init__(self, slug: str, version: int | None = None) -> None:
        named = slug if version is None else f"{slug} version {version}"
        super().__init__(f"there is no misconception set {named}; `candor set list` shows those there are")


class SetNameFaulty(CandorError):
    """A set cannot be called this. Its name is in every export, so it must be safe everywhere."""

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"{slug!r} cannot be the name of a set; give one of lower-case letters and digits, with hyphens, "
            f"at most {_LONGEST_NAME} characters"
        )


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `new` is false when this very content was there already."""

    slug: str
    version: int
    content_hash: str
    n_misconceptions: int
    new: bool


async def import_set(
    session: AsyncSession, entries: Sequence[MisconceptionEntry], *, slug: str, title: str, licence: str
) -> Imported:
    """Store entries as the next version of a set, or find the version that already holds them.

    Raises
    ------
    SetNameFaulty
        Before anything is stored.
    """
    if len(slug) > _LONGEST_NAME or not _NAME.fullmatch(slug):
        raise SetNameFaulty(slug)
    digest = set_hash(entries)
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('set:' || :slug))"), {"slug": slug})
    known = await session.scalar(
        select(MisconceptionSet.version).filter_by(slug=slug, content_hash=digest),
    )
    if known is not None:
        return Imported(slug, known, digest, len(entries), new=False)
    last = await session.scalar(select(func.max(MisconceptionSet.version)).filter_by(slug=slug))
    version = (last or 0) + 1
    set_id = await session.scalar(
        insert(MisconceptionSet)
        .values(slug=slug, version=version, title=title, licence=licence, content_hash=digest)
        .returning(MisconceptionSet.id)
    )
    assert set_id is not None
    await _store(session, set_id, entries)
    await events.record(session, "set_imported", set=slug, version=version, content_hash=digest)
    return Imported(slug, version, digest, len(entries), new=True)


async def _store(session: AsyncSession, set_id: int, entries: Sequence[MisconceptionEntry]) -> None:
    rows = [entry.model_dump(exclude={kind.value for kind in ResponseKind}) | {"set_id": set_id} for entry in entries]
    stored = await session.execute(insert(Misconception).returning(Misconception.key, Misconception.id), rows)
    ids = {row.key: row.id for row in stored}
    await session.execute(
        insert(Response),
        [
            {
                "misconception_id": ids[entry.key],
                "kind": kind.value,
                "text": entry.response(kind),
                "text_hash": text_hash(entry.response(kind)),
                "n_words": len(entry.response(kind).split()),
                "origin": entry.origin,
            }
            for entry in entries
            for kind in ResponseKind
        ],
    )


async def find_set(session: AsyncSession, slug: str, version: int | None = None) -> MisconceptionSet:
    """Return a set's given version, or its newest.

    Raises
    ------
    SetUnknown
        When there is none.
    """
    wanted = select(MisconceptionSet).filter_by(slug=slug).order_by(MisconceptionSet.version.desc()).limit(1)
    if version is not None:
        wanted = wanted.filter_by(version=version)
    found = await session.scalar(wanted)
    if found is None:
        raise SetUnknown(slug, version)
    return found


async def export_set(session: AsyncSession, slug: str, version: int | None = None) -> list[MisconceptionEntry]:
    """Return a set's entries in their stored order; they have the hash that the set has."""
    found = await find_set(session, slug, version)
    rows = await session.scalars(
        select(Misconception)
        .filter_by(set_id=found.id)
        .order_by(Misconception.id)
        .options(selectinload(Misconception.responses))
    )
    return [_entry(row) for row in rows]


def _entry(row: Misconception) -> MisconceptionEntry:
    return MisconceptionEntry(
        key=row.key,
        claim=row.claim,
        prompt=row.prompt,
        fact=row.fact,
        category=row.category,
        difficulty_level=row.difficulty_level,
        sources=[SourceEntry(**source) for source in row.sources],
        verified_by=row.verified_by,
        origin=row.origin,
        **{response.kind: response.text for response in row.responses},
    )
