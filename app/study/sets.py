"""Importing, listing and exporting misconception sets. A version is never changed: a changed file makes a new one."""

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import and_, collate, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.errors import CandorError
from app.models import Misconception, MisconceptionSet, Response
from app.study import events
from app.study.canonical import text_hash
from app.study.set_files import MisconceptionEntry, SetDigest, SourceEntry
from app.terms import ResponseKind

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 60
_BATCH = 500


_HIGHEST_VERSION = 2**31 - 1


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


class SetNamed(NamedTuple):
    """A set of the database, as a person names it: by slug, or by slug and version."""

    slug: str
    version: int | None = None

    @classmethod
    def parse(cls, given: str) -> "SetNamed | Path":
        """Read `slug` or `slug@version`; anything else, and the path of a file that is there, is a file."""
        slug, at, version = given.partition("@")
        named = _NAME.fullmatch(slug) and (not at or (version.isascii() and version.isdigit() and len(version) < 10))
        if not named or Path(given).is_file():
            return Path(given)
        return cls(slug, int(version) if at else None)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `new` is false when this very content was there already."""

    slug: str
    version: int
    content_hash: str
    n_misconceptions: int
    new: bool


Entries = Iterable[MisconceptionEntry] | AsyncIterable[MisconceptionEntry]


def refuse_faulty_name(slug: str) -> None:
    """Raise SetNameFaulty unless a set can be called this."""
    if len(slug) > _LONGEST_NAME or not _NAME.fullmatch(slug):
        raise SetNameFaulty(slug)


async def import_set(
    session: AsyncSession,
    entries: Entries,
    *,
    slug: str,
    title: str,
    licence: str,
    account_id: int | None = None,
) -> Imported:
    """Store entries as the next version of a set, or find the version that already holds them.

    `account_id` is who imports, None for a command.

    Raises
    ------
    SetNameFaulty
        Before anything is stored.
    """
    refuse_faulty_name(slug)
    await lock_set(session, slug)
    last = await session.scalar(select(func.max(MisconceptionSet.version)).filter_by(slug=slug))
    stored = Stored(slug, (last or 0) + 1, title, licence)
    try:
        async with session.begin_nested():
            done = await _store(session, stored, entries)
    except _Known as known:
        return known.already
    await events.record(
        session,
        "set_imported",
        account_id=account_id,
        set=slug,
        version=done.version,
        content_hash=done.content_hash,
    )
    return done


async def lock_set(session: AsyncSession, slug: str) -> None:
    """Let nobody else add a version of a set until this transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('set:' || :slug))"), {"slug": slug})


class Stored(NamedTuple):
    """What a version is called."""

    slug: str
    version: int
    title: str
    licence: str


class _Known(Exception):
    """The very content is there already; what was stored of it again is rolled back."""

    def __init__(self, already: Imported) -> None:
        super().__init__()
        self.already = already


async def _store(session: AsyncSession, named: Stored, entries: Entries) -> Imported:
    """Store entries in batches, and hash them as they came to lie in the database: none are kept in memory."""
    set_id = await session.scalar(
        insert(MisconceptionSet)
        .values(**named._asdict(), content_hash=f"of version {named.version}, not known yet")
        .returning(MisconceptionSet.id)
    )
    assert set_id is not None
    n_stored = 0
    async for batch in _batches(entries):
        await _store_batch(session, set_id, batch)
        n_stored += len(batch)
    digest = SetDigest()
    async for entry in stream_entries(session, set_id, by_key=True):
        digest.add(entry)
    content_hash = digest.hexdigest()
    version = await session.scalar(
        select(MisconceptionSet.version).filter_by(slug=named.slug, content_hash=content_hash)
    )
    if version is not None:
        raise _Known(Imported(named.slug, version, content_hash, n_stored, new=False))
    await session.execute(
        update(MisconceptionSet).where(MisconceptionSet.id == set_id).values(content_hash=content_hash)
    )
    return Imported(named.slug, named.version, content_hash, n_stored, new=True)


async def _batches(entries: Entries) -> AsyncIterator[list[MisconceptionEntry]]:
    if isinstance(entries, AsyncIterable):
        batch: list[MisconceptionEntry] = []
        async for entry in entries:
            batch.append(entry)
            if len(batch) == _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch
        return
    rest = iter(entries)
    # Reading a file is work: in a thread, so that a server goes on answering.
    while batch := await asyncio.to_thread(lambda: list(islice(rest, _BATCH))):
        yield batch


async def _store_batch(session: AsyncSession, set_id: int, entries: Sequence[MisconceptionEntry]) -> None:
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
    if "\x00" in slug or not (version is None or 0 < version <= _HIGHEST_VERSION):
        raise SetUnknown(slug.replace("\x00", "\\0"), version)  # The database cannot even be asked for it.
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
    return [entry async for entry in stream_entries(session, found.id)]


async def stream_entries(
    session: AsyncSession, set_id: int, *, by_key: bool = False, keys: Sequence[str] | None = None
) -> AsyncIterator[MisconceptionEntry]:
    """Yield a set's entries, or those with the given keys; a few are held at a time.

    They come in their stored order, or in that of their keys' bytes.
    """
    texts = {kind: aliased(Response) for kind in ResponseKind}
    wanted = select(*_COLUMNS, *(texts[kind].text.label(kind.value) for kind in ResponseKind)).filter_by(set_id=set_id)
    for kind, response in texts.items():
        wanted = wanted.join(response, and_(response.misconception_id == Misconception.id, response.kind == kind.value))
    if keys is not None:
        wanted = wanted.where(Misconception.key.in_(keys))
    wanted = wanted.order_by(collate(Misconception.key, "C") if by_key else Misconception.id)
    async for row in await session.stream(wanted, execution_options={"yield_per": _BATCH}):
        values = row._asdict()
        sources = [SourceEntry(**source) for source in values.pop("sources")]
        yield MisconceptionEntry(**values, sources=sources)


_COLUMNS = [getattr(Misconception, name) for name in MisconceptionEntry.model_fields if name not in set(ResponseKind)]


class ClaimListed(NamedTuple):
    """A claim of the newest version of a set."""

    set_slug: str
    key: str
    claim: str


async def claims_of_sets(session: AsyncSession, slug: str | None = None, but: str | None = None) -> list[ClaimListed]:
    """Return the claims of the newest version of every set, of one, or of all but one, by set and key."""
    newest = select(func.max(MisconceptionSet.id)).group_by(MisconceptionSet.slug)
    wanted = (
        select(MisconceptionSet.slug, Misconception.key, Misconception.claim)
        .join(MisconceptionSet, MisconceptionSet.id == Misconception.set_id)
        .where(MisconceptionSet.id.in_(newest))
        .order_by(MisconceptionSet.slug, Misconception.key)
    )
    if slug is not None:
        wanted = wanted.where(MisconceptionSet.id == (await find_set(session, slug)).id)
    if but is not None:
        wanted = wanted.where(MisconceptionSet.slug != but)
    return [ClaimListed._make(row) for row in await session.execute(wanted)]
