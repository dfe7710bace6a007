"""People on their way through a study, at the level of the domain: each request is a transaction of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from sqlalchemy import TextClause, event, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Database, create_engine, sessions
from app.study import entering, participations, slots
from app.study.choices import Judgement, ShownPair, is_next, log_unstored, show_pair, submit_choice, submit_late
from app.study.entering import Arrival, NoPlaceNow, StudyFull
from app.study.places import Place, find_place
from app.study.together import Ask, Together, alone
from app.study.tokens import PairAt
from app.terms import Answer, Side
from tests.studies import open_study

T = TypeVar("T")
Work = Callable[[AsyncSession, Place], Awaitable[T]]


class People:
    """The people of one study. `url` names a database that the test may fill."""

    def __init__(self, url: str, slug: str, connections: int, bare: Database | None = None) -> None:
        self.slug = slug
        self._engine = create_engine(url, connections)
        self.sessions = sessions(self._engine)
        self._bare = bare
        self._together = Together(self._noted)
        self._sent: list[str] = []

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def hot(self) -> AsyncIterator[Ask]:
        """What a judgement runs in: each statement a transaction, as the application does it, or a session."""
        if self._bare is None:
            async with self.sessions.begin() as session:
                yield alone(session)
        else:
            yield self._together

    async def _noted(self, statement: TextClause, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        assert self._bare is not None
        self._sent.append(statement.text)
        return await self._bare.fetch(statement, params)

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The statements that are sent to the database meanwhile."""
        sent = self._sent
        sent.clear()

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            sent.append(statement)

        event.listen(self._engine.sync_engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(self._engine.sync_engine, "before_cursor_execute", note)

    async def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        async with self.sessions.begin() as session:
            return [tuple(row) for row in await session.execute(text(query), values)]

    async def one(self, query: str, **values: Any) -> Any:
        ((value,),) = await self.rows(query, **values)
        return value

    async def enter(self, person: str) -> str:
        """What the entry page does: sweep, then claim."""
        await self.sweep()
        async with self.sessions.begin() as session:
            return await entering.enter(session, self.slug, Arrival(person))

    async def try_to_enter(self, person: str) -> str | None:
        """Enter; None where there was no place."""
        try:
            return await self.enter(person)
        except (NoPlaceNow, StudyFull):
            return None

    async def everyone(self) -> list[str]:
        found = await self.rows(
            "SELECT public_id FROM participation p JOIN study ON study.id = study_id WHERE slug = :slug ORDER BY p.id",
            slug=self.slug,
        )
        return [public_id for (public_id,) in found]

    async def sweep(self) -> int:
        async with self.sessions.begin() as session:
            return await slots.release_expired(session, self.slug)

    async def place(self, annotator: str) -> Place:
        async with self.sessions.begin() as session:
            found = await find_place(session, self.slug, annotator)
        assert found is not None
        return found

    async def do(self, annotator: str, work: Work[T]) -> T:
        """What a post does: lock the place, then work on it."""
        async with self.sessions.begin() as session:
            place = await find_place(session, self.slug, annotator, lock=True)
            assert place is not None
            return await work(session, place)

    async def n_slots(self, state: str) -> int:
        """How many slots of the study are in a state."""
        n: int = await self.one(
            """
            SELECT count(*) FROM slot JOIN arm ON arm.id = slot.arm_id JOIN study ON study.id = arm.study_id
            WHERE study.slug = :slug AND slot.state = :state
            """,
            slug=self.slug,
            state=state,
        )
        return n

    async def to_judging(self, annotator: str) -> None:
        await self.do(annotator, participations.consent)
        await self.do(annotator, participations.end_instructions)
        await self.do(annotator, participations.start_judging)

    async def show(self, annotator: str) -> ShownPair | None:
        """What the judging page does; None where there is nothing to judge."""
        place = await self.place(annotator)
        if place.step.name != "pair":
            return None
        return await self.show_at(annotator, place.next_position)

    async def show_at(self, annotator: str, position: int) -> ShownPair | None:
        """Show the pair at a position in one statement, or first hold again what had ended."""
        study = (await self.place(annotator)).study
        async with self.hot() as run:
            pair = await show_pair(run, study, annotator, position)
        if pair is not None:
            return pair
        async with self.sessions.begin() as session:
            place = await find_place(session, self.slug, annotator, lock=True)
            assert place is not None
            if place.held_until is None:
                await participations.keep_holding(session, place)
            return await show_pair(alone(session), study, annotator, position)

    async def at(self, annotator: str, position: int | None = None) -> PairAt:
        """Which pair a person has at a position, by default the next to judge."""
        place = await self.place(annotator)
        position = position or place.next_position
        pair_id = await self.one(
            "SELECT pair_id FROM assignment WHERE participation_id = :id AND position = :position",
            id=place.participation_id,
            position=position,
        )
        return PairAt(position, pair_id)

    async def token(self, annotator: str, position: int | None = None) -> str:
        """What the form of a pair carries, by default of the next to judge."""
        return (await self.place(annotator)).study.pair_token(annotator, await self.at(annotator, position))

    async def submit(self, annotator: str, token: str, side: Side, ms: int | None = None) -> bool:
        """What the judging page's form does; say whether a choice was stored."""
        study = (await self.place(annotator)).study
        at = study.pair_of(annotator, token)
        judgement = Judgement(Answer(side), browser_ms=ms)
        if at is not None:
            async with self.hot() as run:
                if await submit_choice(run, study, annotator, at, judgement) is not None:
                    return True
        async with self.sessions.begin() as session:
            place = await find_place(session, self.slug, annotator, lock=True)
            assert place is not None
            if at is None or not await is_next(session, place, at):
                await log_unstored(session, place, at, judgement.answer)
                return False
            return await submit_late(session, place, at, judgement) is not None

    async def choose(self, annotator: str, side: Side = Side.LEFT) -> bool:
        """Choose for the pair to judge next."""
        return await self.submit(annotator, await self.token(annotator), side, 1000)

    async def judge(self, annotator: str, most: int = 1000) -> None:
        """Judge the next pairs, so many at most."""
        for _ in range(most):
            if await self.show(annotator) is None:
                return
            await self.choose(annotator)

    async def stop(self, annotator: str) -> None:
        await self.do(annotator, participations.stop)

    async def finish(self, annotator: str, *, withdraw: bool = False) -> None:
        await self.do(annotator, lambda session, place: participations.finish(session, place, withdraw=withdraw))

    async def expire(self, annotators: Sequence[str]) -> None:
        """Let the holds of these people end, as if they had gone away long ago."""
        await self.rows(
            """
            UPDATE participation SET held_until = now() - interval '1 second'
            WHERE held_until IS NOT NULL AND public_id = ANY(:ids) RETURNING id
            """,
            ids=list(annotators),
        )

    async def somebody_waits(self) -> None:
        """Wait until a transaction waits for another's lock."""
        waiting = """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
        """
        async with asyncio.timeout(30):
            while not await self.one(waiting):  # noqa: ASYNC110 - only the database knows
                await asyncio.sleep(0.01)

    async def assert_sound(self, k: int) -> None:
        """Hold the database against every invariant of slots, whatever happened before."""
        assert await self.rows(_UNSOUND, k=k, slug=self.slug) == []


_UNSOUND = """
    WITH participation AS (
        SELECT p.* FROM public.participation p JOIN study ON study.id = p.study_id WHERE study.slug = :slug
    ), slot AS (
        SELECT s.* FROM public.slot s JOIN arm ON arm.id = s.arm_id JOIN study ON study.id = arm.study_id
        WHERE study.slug = :slug
    )
    SELECT 'vacancies differ from the slots', slot.pair_id
    FROM slot JOIN vacancy USING (pair_id, arm_id)
    GROUP BY slot.pair_id, slot.arm_id, open_left, open_right
    HAVING count(*) FILTER (WHERE state = 'open' AND side_truthful = 'left') <> open_left
        OR count(*) FILTER (WHERE state = 'open' AND side_truthful = 'right') <> open_right
    UNION ALL
    SELECT 'an arm differs from its pairs', arm_vacancy.arm_id
    FROM arm_vacancy JOIN arm ON arm.id = arm_vacancy.arm_id JOIN study ON study.id = arm.study_id
    LEFT JOIN vacancy ON vacancy.arm_id = arm.id
    WHERE study.slug = :slug
    GROUP BY arm_vacancy.arm_id, arm_vacancy.n_open HAVING coalesce(sum(vacancy.n_open), 0) <> arm_vacancy.n_open
    UNION ALL
    SELECT 'not k slots', pair_id FROM slot GROUP BY pair_id, arm_id HAVING count(*) <> :k
    UNION ALL
    SELECT 'more than k counted', a.pair_id
    FROM choice c JOIN assignment a USING (participation_id, position) JOIN participation p ON p.id = participation_id
    WHERE c.counted GROUP BY a.pair_id, p.arm_id HAVING count(*) > :k
    UNION ALL
    SELECT 'one person twice on a pair', pair_id FROM slot
    WHERE participation_id IS NOT NULL GROUP BY pair_id, participation_id HAVING count(*) > 1
    UNION ALL
    SELECT 'held, but nobody is to judge it', slot.pair_id
    FROM slot JOIN participation p ON p.id = slot.participation_id
    LEFT JOIN assignment a ON a.slot_id = slot.id AND a.participation_id = p.id AND a.position > p.n_answered
    WHERE slot.state = 'held' AND a.slot_id IS NULL
    UNION ALL
    SELECT 'held, but never to come back', slot.pair_id
    FROM slot JOIN participation p ON p.id = slot.participation_id
    WHERE slot.state = 'held' AND p.held_until IS NULL
    UNION ALL
    SELECT 'filled without a counted choice', slot.pair_id
    FROM slot LEFT JOIN choice ON choice.slot_id = slot.id AND choice.participation_id = slot.participation_id
    WHERE slot.state = 'filled' AND choice.counted IS NOT TRUE
    UNION ALL
    SELECT 'counted, but fills another pair, arm or side', a.pair_id
    FROM choice c JOIN assignment a USING (participation_id, position)
    JOIN participation p ON p.id = participation_id JOIN slot ON slot.id = c.slot_id
    WHERE (slot.pair_id, slot.arm_id, slot.side_truthful, slot.state)
       <> (a.pair_id, p.arm_id, a.side_truthful, 'filled')
"""


@asynccontextmanager
async def people_of(
    url: str, slug: str, connections: int = 2, *, bare: bool = False, **design: Any
) -> AsyncIterator[People]:
    """Open a study on a made-up set, and give its people."""
    async with people_with(url, slug, connections, bare=bare) as people:
        async with people.sessions.begin() as session:
            await open_study(session, slug, **design)
        yield people


@asynccontextmanager
async def people_with(url: str, slug: str, connections: int = 2, *, bare: bool = False) -> AsyncIterator[People]:
    """Give the people of a study that there is, or is to be."""
    database = Database(url, connections) if bare else None
    people = People(url, slug, connections, database)
    try:
        if database:
            await database.open()
        yield people
    finally:
        if database:
            await database.close()
        await people.close()


async def at_once(*work: Coroutine[Any, Any, T]) -> list[T]:
    """Do all of it at once. A deadlock that Postgres breaks is an error, and so is one it does not see."""
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
    return [task.result() for task in tasks]
