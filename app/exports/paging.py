"""The tables that grow, a page at a time: the rows of the exports, in their order, as JSON.

A page follows the key of the row before it and reads its own rows alone, so it costs the same however far back it is. A
cursor names that row by what the tables show anyway.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.exports.annotators import ANNOTATORS
from app.exports.choices import CHOICES
from app.exports.columns import Table
from app.exports.jsonl_files import table_jsonl
from app.exports.judged import VOTES
from app.exports.pairs import PAIRS

MOST_ROWS = 1000


class CursorUnknown(CandorError):
    """A page is asked for that follows a row which is not there."""

    def __init__(self, cursor: str) -> None:
        super().__init__(f"there is no row {cursor!r} to go on from; follow `next` as it was given")


class Key(NamedTuple):
    """What a table is in order of: two numbers, the second of them 0 where one is enough."""

    first: int
    second: int


class Row(NamedTuple):
    """Where a row stands, and what names it as a cursor."""

    key: Key
    cursor: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows as a JSON array, and the cursor of the last one where more follow."""

    rows: bytes
    next: str | None


@dataclass(frozen=True, slots=True)
class Paged:
    """A table by pages. Every SQL text but `start` is written with the numbers of a page's first and last row.

    `cursor` is how its cursors are written and `start` finds the key that one names. `keys` picks a page's keys;
    `within` holds of its rows, and `votes` of the choices that they sum up.
    """

    table: Table
    cursor: re.Pattern[str]
    start: str
    keys: str
    within: str
    votes: str

    def rows(self, after: Key, last: Key) -> Table:
        """Return the table with the rows after a key, up to another."""
        numbers = {"first": after.first, "second": after.second, "to": last.first, "to_second": last.second}
        narrowed = self.table.rows.replace(VOTES, f"{VOTES} AND {self.votes.format_map(numbers)}")
        head, order = narrowed.rsplit("ORDER BY", 1)
        return replace(self.table, rows=f"{head} AND {self.within.format_map(numbers)} ORDER BY {order}")


_BEFORE_ALL = Key(0, 0)
_PEOPLE = """
    SELECT id, public_id FROM participation
    WHERE study_id = :study AND {which} ORDER BY id
"""

_CHOICES = Paged(
    CHOICES,
    re.compile(r"(?P<name>.{1,200})\.(?P<number>[0-9]{1,4})", re.DOTALL),
    "SELECT id, CAST(:number AS integer) FROM participation WHERE study_id = :study AND public_id = :name",
    f"""
    SELECT person.id, told.position, person.public_id || '.' || told.position
    FROM ({_PEOPLE.format(which="id >= :first")}) AS person
    CROSS JOIN LATERAL (
        SELECT position FROM choice WHERE participation_id = person.id
        AND (person.id > :first OR position > :second) ORDER BY position OFFSET 0
    ) AS told
    ORDER BY person.id, told.position LIMIT :n_rows
    """,  # noqa: S608 - of the SQL above
    "(choice.participation_id, choice.position) > ({first}, {second}) "
    "AND (choice.participation_id, choice.position) <= ({to}, {to_second})",
    "true",
)
_ANNOTATORS = Paged(
    ANNOTATORS,
    re.compile(r"(?P<name>.{1,200})", re.DOTALL),
    "SELECT id, 0 FROM participation WHERE study_id = :study AND public_id = :name",
    f"""
    SELECT id, 0, public_id FROM ({_PEOPLE.format(which="id > :first AND consented_at IS NOT NULL")}) AS person
    ORDER BY id LIMIT :n_rows
    """,  # noqa: S608 - of the SQL above
    "participation.id > {first} AND participation.id <= {to}",
    "participation.id > {first} AND participation.id <= {to}",
)
_PAIRS = Paged(
    PAIRS,
    re.compile(r"(?P<pair>[0-9]{1,18})\.(?P<arm>[0-9]{1,18})"),
    """
    SELECT pair.id, arm.id FROM pair JOIN arm ON arm.study_id = pair.study_id
    WHERE pair.study_id = :study AND pair.id = CAST(:pair AS bigint) AND arm.id = CAST(:arm AS bigint)
    """,
    """
    SELECT pair.id, arm.id, pair.id || '.' || arm.id FROM pair JOIN arm ON arm.study_id = pair.study_id
    WHERE pair.study_id = :study AND (pair.id, arm.id) > (:first, :second) ORDER BY pair.id, arm.id LIMIT :n_rows
    """,
    "(pair.id, arm.id) > ({first}, {second}) AND (pair.id, arm.id) <= ({to}, {to_second})",
    "pair.id BETWEEN {first} AND {to}",
)
PAGED: Mapping[str, Paged] = {paged.table.name: paged for paged in (_CHOICES, _PAIRS, _ANNOTATORS)}
"""Every table that can be read by pages, by its name."""


class Place(NamedTuple):
    """A study, by its id and its slug."""

    study_id: int
    slug: str


async def page(session: AsyncSession, paged: Paged, place: Place, *, after: str | None = None, limit: int) -> Page:
    """Return at most `limit` rows of a study's table, those that follow the row that `after` names.

    Raises
    ------
    CursorUnknown
        When there is no such row.
    """
    start = _BEFORE_ALL if after is None else await _key_of(session, paged, place.study_id, after)
    found = await _keys(session, paged, place.study_id, start, limit + 1)
    kept = found[:limit]
    if not kept:
        return Page(b"[]", None)
    lines = [chunk async for chunk in table_jsonl(session, paged.rows(start, kept[-1].key), place.slug)]
    rows = b"[" + b"".join(lines).rstrip(b"\n").replace(b"\n", b",") + b"]"
    return Page(rows, kept[-1].cursor if len(found) > limit else None)


async def _key_of(session: AsyncSession, paged: Paged, study_id: int, cursor: str) -> Key:
    named = paged.cursor.fullmatch(cursor)
    row = named and (await session.execute(text(paged.start), {"study": study_id, **named.groupdict()})).one_or_none()
    if not row:
        raise CursorUnknown(cursor)
    return Key._make(row)


async def _keys(session: AsyncSession, paged: Paged, study_id: int, after: Key, n_rows: int) -> list[Row]:
    # Written out as numbers: a plan that does not know how few rows are wanted would sort all of them.
    values: dict[str, Any] = {"study": study_id, "first": after.first, "second": after.second, "n_rows": n_rows}
    used = {name: value for name, value in values.items() if f":{name}" in paged.keys}
    written = text(paged.keys).bindparams(
        *(bindparam(name, value, literal_execute=True) for name, value in used.items())
    )
    return [Row(Key(first, second), cursor) for first, second, cursor in await session.execute(written)]


def body(rows: bytes, following: str | None) -> bytes:
    """Return a page as JSON: its rows, and the address of the next one."""
    return b'{"rows":' + rows + b',"next":' + json.dumps(following).encode() + b"}"
