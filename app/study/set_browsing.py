"""Looking into a version of a set: its misconceptions searched and filtered, one of them whole, two versions compared.

Each page takes a fixed number of statements, and holds a page's worth of misconceptions.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.errors import CandorError
from app.models import Misconception, MisconceptionSet, Response
from app.study.importers.candor_csv import csv_rows_of
from app.study.set_checks import keys_with
from app.study.set_diffs import SetDiff, diff
from app.study.set_files import MisconceptionEntry, to_jsonl
from app.study.sets import stream_entries
from app.terms import ResponseKind

PER_PAGE = 50
UNLEVELLED = "none"
_SHOWN_CHANGES = 100
_BATCH = 200


class MisconceptionUnknown(CandorError):
    """No misconception of the set has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no misconception {key!r} in this version of the set")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which misconceptions of a version to list. A level is 1 to 8, or `none`; `finding` is the code of a check."""

    words: str = ""
    level: str = ""
    category: str = ""
    finding: str = ""


class Listed(NamedTuple):
    """A misconception in the list; lengths are in words."""

    key: str
    claim: str
    category: str
    difficulty_level: int | None
    words_truthful: int
    words_sycophantic: int


class Listing(NamedTuple):
    """One page of misconceptions, in stored order, and how many there are in all."""

    misconceptions: list[Listed]
    total: int


async def listing(session: AsyncSession, set_id: int, wanted: Wanted, page: int = 1) -> Listing:
    """Return a page of the misconceptions that are wanted; a page after the last one is empty."""
    held = _matching(set_id, wanted).subquery()
    total = await session.scalar(select(func.count()).select_from(held)) or 0
    if total <= (page - 1) * PER_PAGE:
        return Listing([], total)
    truthful, sycophantic = aliased(Response), aliased(Response)
    shown = select(held.c.id).order_by(held.c.id).offset((page - 1) * PER_PAGE).limit(PER_PAGE).subquery()
    rows = await session.execute(
        select(
            Misconception.key,
            Misconception.claim,
            Misconception.category,
            Misconception.difficulty_level,
            truthful.n_words,
            sycophantic.n_words,
        )
        .join(shown, shown.c.id == Misconception.id)
        .join(truthful, truthful.misconception_id == Misconception.id)
        .join(sycophantic, sycophantic.misconception_id == Misconception.id)
        .where(truthful.kind == ResponseKind.HELPFUL_TRUTHFUL, sycophantic.kind == ResponseKind.SYCOPHANTIC)
        .order_by(Misconception.id)
    )
    return Listing([Listed._make(row) for row in rows], total)


def _matching(set_id: int, wanted: Wanted) -> Select[Any]:
    found = select(Misconception.id).where(Misconception.set_id == set_id)
    for word in wanted.words.split():
        columns = (Misconception.claim, Misconception.key, Misconception.category)
        found = found.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    if wanted.level == UNLEVELLED:
        found = found.where(Misconception.difficulty_level.is_(None))
    elif wanted.level:
        found = found.where(Misconception.difficulty_level == int(wanted.level))
    if wanted.category:
        found = found.where(Misconception.category == wanted.category)
    if wanted.finding:
        found = found.where(Misconception.key.in_(keys_with(set_id, wanted.finding)))
    return found


async def categories(session: AsyncSession, set_id: int) -> list[tuple[str, int]]:
    """Return the categories of a version, and how many misconceptions each has, by name."""
    rows = await session.execute(
        select(Misconception.category, func.count())
        .filter_by(set_id=set_id)
        .group_by(Misconception.category)
        .order_by(Misconception.category)
    )
    return [(category, n) for category, n in rows]


class ResponseSeen(NamedTuple):
    """A response with its hash: SHA-256 of the text's UTF-8 bytes."""

    kind: ResponseKind
    text: str
    text_hash: str
    n_words: int


class Seen(NamedTuple):
    """One misconception whole, and the keys of those before and after it in the set."""

    entry: MisconceptionEntry
    responses: list[ResponseSeen]
    before: str | None
    after: str | None


async def entry_of(session: AsyncSession, set_id: int, key: str) -> MisconceptionEntry:
    """Return one misconception.

    Raises
    ------
    MisconceptionUnknown
    """
    async for entry in stream_entries(session, set_id, keys=[key]):
        return entry
    raise MisconceptionUnknown(key)


async def seen(session: AsyncSession, set_id: int, key: str) -> Seen:
    """Return one misconception with its responses' hashes and its neighbours.

    Raises
    ------
    MisconceptionUnknown
    """
    entry = await entry_of(session, set_id, key)
    rows = await session.execute(
        select(Response.kind, Response.text, Response.text_hash, Response.n_words)
        .join(Misconception, Misconception.id == Response.misconception_id)
        .where(Misconception.set_id == set_id, Misconception.key == key)
    )
    by_kind = {row.kind: ResponseSeen(ResponseKind(row.kind), row.text, row.text_hash, row.n_words) for row in rows}
    around = (await session.execute(_AROUND, {"set": set_id, "key": key})).one()
    return Seen(entry, [by_kind[kind] for kind in ResponseKind], around.before, around.after)


_AROUND = text("""
    WITH this AS (SELECT id FROM misconception WHERE set_id = :set AND key = :key)
    SELECT (SELECT key FROM misconception WHERE set_id = :set AND id < (SELECT id FROM this)
            ORDER BY id DESC LIMIT 1) AS before,
           (SELECT key FROM misconception WHERE set_id = :set AND id > (SELECT id FROM this)
            ORDER BY id LIMIT 1) AS after
""")


class Compared(NamedTuple):
    """What changed between two versions: all of it in numbers, the first hundred keys of each kind in full."""

    n_added: int
    n_removed: int
    n_changed: int
    n_unchanged: int
    diff: SetDiff


async def compare(session: AsyncSession, before: MisconceptionSet, after: MisconceptionSet) -> Compared:
    """Compare two versions, as `candor set diff` does; the database finds what differs."""
    rows = (await session.execute(_DIFFERING, {"a": before.id, "b": after.id, "most": _SHOWN_CHANGES})).all()
    numbers = {row.how: row.n for row in rows}
    keys = {how: [row.key for row in rows if row.how == how] for how in ("added", "removed", "changed")}
    old = [entry async for entry in stream_entries(session, before.id, keys=keys["removed"] + keys["changed"])]
    new = [entry async for entry in stream_entries(session, after.id, keys=keys["added"] + keys["changed"])]
    return Compared(
        n_added=numbers.get("added", 0),
        n_removed=numbers.get("removed", 0),
        n_changed=numbers.get("changed", 0),
        n_unchanged=numbers.get("same", 0),
        diff=diff(old, new),
    )


_DIFFERING = text("""
    WITH side AS (
        SELECT m.set_id, m.key,
               ROW(m.claim, m.prompt, m.fact, m.category, m.difficulty_level, m.sources, m.verified_by, m.origin,
                   array_agg(r.text ORDER BY r.kind)) AS told
        FROM misconception m JOIN response r ON r.misconception_id = m.id
        WHERE m.set_id IN (:a, :b) GROUP BY m.id
    ), matched AS (
        SELECT coalesce(a.key, b.key) COLLATE "C" AS key,
               CASE WHEN a.key IS NULL THEN 'added' WHEN b.key IS NULL THEN 'removed'
                    WHEN a.told IS DISTINCT FROM b.told THEN 'changed' ELSE 'same' END AS how
        FROM (SELECT * FROM side WHERE set_id = :a) a FULL JOIN (SELECT * FROM side WHERE set_id = :b) b USING (key)
    ), numbered AS (
        SELECT key, how, count(*) OVER (PARTITION BY how) AS n,
               row_number() OVER (PARTITION BY how ORDER BY key) AS place
        FROM matched
    )
    SELECT key, how, n FROM numbered WHERE place <= CASE how WHEN 'same' THEN 1 ELSE :most END ORDER BY key
""")


async def as_jsonl(session: AsyncSession, set_id: int) -> AsyncGenerator[str, None]:
    """Yield a version as a JSON Lines file that imports to the same hash, a few misconceptions at a time."""
    async for batch in _batches(session, set_id):
        yield "".join(to_jsonl(batch))


async def as_csv(session: AsyncSession, set_id: int) -> AsyncGenerator[str, None]:
    """Yield a version as a CSV file that imports to the same hash, a few misconceptions at a time."""
    most = await session.scalar(
        select(func.max(func.jsonb_array_length(Misconception.sources))).filter_by(set_id=set_id)
    )
    header = True
    async for batch in _batches(session, set_id):
        yield csv_rows_of(batch, most or 1, header=header)
        header = False


async def _batches(session: AsyncSession, set_id: int) -> AsyncIterator[list[MisconceptionEntry]]:
    batch: list[MisconceptionEntry] = []
    async for entry in stream_entries(session, set_id):
        batch.append(entry)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
