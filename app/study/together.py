"""Judging together: what waits for Postgres at one moment goes there as one statement, in one transaction.

When many judge at once, most of what a judgement costs is the statement around it: sent, started, committed to the
disk. Rows that share a statement share that. Nobody waits for others: a statement starts at once where none runs, and
what comes in meanwhile goes with the next one.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from psycopg import DataError, IntegrityError, OperationalError
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncSession

Row = Sequence[Any]

_AT_ONCE = 2  # Statements of one kind, so that one that waits for the disk leaves the processor to another.
_MOST = 64


class Ask(Protocol):
    """Runs a statement for one person: the parameters that all of a study share, and the person's own.

    The statement reads people from `:people`, a JSON array of objects with the person's own values, `annotator` and
    `nth`, their number in the array; it returns one row at most for each, which begins with `nth`.
    `whole_transaction` says that each statement is a transaction of its own, so that what it sets for its transaction
    touches nothing else.
    """

    @property
    def whole_transaction(self) -> bool: ...

    async def __call__(
        self, statement: TextClause, shared: Mapping[str, Any], annotator: str, own: Mapping[str, Any], /
    ) -> Row | None:
        """Return the person's row without its number, or None where there is none."""


class _Asked(NamedTuple):
    annotator: str
    own: Mapping[str, Any]
    answer: asyncio.Future[Row | None]


def _people(asked: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    return json.dumps([{"nth": nth, "annotator": annotator, **own} for nth, (annotator, own) in enumerate(asked)])


class _Alone:
    whole_transaction = False

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def __call__(
        self, statement: TextClause, shared: Mapping[str, Any], annotator: str, own: Mapping[str, Any], /
    ) -> Row | None:
        found = await self._session.execute(statement, {**shared, "people": _people([(annotator, own)])})
        row = found.one_or_none()
        return None if row is None else row[1:]


def alone(session: AsyncSession) -> Ask:
    """Run statements for one person alone, within a session's transaction."""
    return _Alone(session)


class _Queue:
    """Who waits for one statement of one study. Nobody is asked for twice at once: the first post is first."""

    def __init__(self) -> None:
        self.running = 0
        self._waiting: list[_Asked] = []
        self._taken: set[str] = set()

    def add(self, asked: _Asked) -> None:
        self._waiting.append(asked)

    def take(self) -> list[_Asked]:
        taken: list[_Asked] = []
        left: list[_Asked] = []
        for asked in self._waiting:
            if len(taken) < _MOST and asked.annotator not in self._taken:
                self._taken.add(asked.annotator)
                taken.append(asked)
            else:
                left.append(asked)
        self._waiting = left
        return taken

    def let_go(self, taken: Sequence[_Asked]) -> None:
        self._taken.difference_update(asked.annotator for asked in taken)

    def take_all(self) -> list[_Asked]:
        waiting, self._waiting = self._waiting, []
        return waiting


class Together:
    """Runs statements for all who ask at one moment. `fetch` runs one as a transaction of its own."""

    whole_transaction = True

    def __init__(self, fetch: Callable[[TextClause, Mapping[str, Any]], Awaitable[Sequence[Row]]]) -> None:
        self._fetch = fetch
        self._queues: dict[tuple[Any, ...], _Queue] = {}
        self._serving: set[asyncio.Task[None]] = set()

    async def __call__(
        self, statement: TextClause, shared: Mapping[str, Any], annotator: str, own: Mapping[str, Any], /
    ) -> Row | None:
        key = (statement.text, *shared.values())
        queue = self._queues.setdefault(key, _Queue())
        answer: asyncio.Future[Row | None] = asyncio.get_running_loop().create_future()
        queue.add(_Asked(annotator, own, answer))
        if queue.running < _AT_ONCE:
            queue.running += 1
            serving = asyncio.create_task(self._serve(key, queue, statement, shared))
            self._serving.add(serving)
            serving.add_done_callback(self._serving.discard)
        return await answer

    async def _serve(
        self, key: tuple[Any, ...], queue: _Queue, statement: TextClause, shared: Mapping[str, Any]
    ) -> None:
        try:
            while taken := queue.take():
                try:
                    away = await self._answer(statement, shared, taken)
                finally:
                    queue.let_go(taken)
                if away:  # Whoever waits would wait as long again for a connection, one batch after the other.
                    _tell(queue.take_all(), away)
        finally:
            queue.running -= 1
            if not queue.running:
                del self._queues[key]

    async def _answer(
        self, statement: TextClause, shared: Mapping[str, Any], taken: list[_Asked]
    ) -> OperationalError | None:
        """Answer everybody; return the fault where it is that the database is away."""
        people = _people([(asked.annotator, asked.own) for asked in taken])
        try:
            rows = await self._fetch(statement, {**shared, "people": people})
        except (DataError, IntegrityError) as fault:
            if len(taken) > 1:  # What one person sent fails nobody else.
                return await self._one_by_one(statement, shared, taken)
            _tell(taken, fault)
        except Exception as fault:  # noqa: BLE001 - whoever asked is told
            _tell(taken, fault)
            return fault if isinstance(fault, OperationalError) and _is_away(fault) else None
        else:
            found = {row[0]: row[1:] for row in rows}
            for nth, asked in enumerate(taken):
                if not asked.answer.done():
                    asked.answer.set_result(found.get(nth))
        return None

    async def _one_by_one(
        self, statement: TextClause, shared: Mapping[str, Any], taken: list[_Asked]
    ) -> OperationalError | None:
        for asked in taken:
            if away := await self._answer(statement, shared, [asked]):
                _tell(taken, away)
                return away
        return None


def _is_away(fault: OperationalError) -> bool:
    """Say whether there was no connection, or it went, rather than that a statement was given up."""
    return fault.sqlstate is None or fault.sqlstate.startswith(("08", "57P"))


def _tell(taken: list[_Asked], fault: Exception) -> None:
    for asked in taken:
        if not asked.answer.done():
            asked.answer.set_exception(fault)
