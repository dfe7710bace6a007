"""Judging together: who asks at one moment shares a statement, and nothing else."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from psycopg import OperationalError
from psycopg.errors import CheckViolation, QueryCanceled
from psycopg_pool import PoolTimeout
from sqlalchemy import TextClause, make_url, text

from app import db
from app.db import Database
from app.study.choices import Judgement, ShownPair, show_pair, submit_choice
from app.study.places import StudyFacts
from app.study.together import Together, alone
from app.study.tokens import PairAt
from app.terms import Answer
from tests.conftest import NewDatabase
from tests.study.people import People, at_once, people_of

N_PEOPLE = 12
MANY = [f"person-{number}" for number in range(300)]
ANYTHING = text("SELECT CAST(nth AS int) FROM json_to_recordset(CAST(:people AS json)) AS p(nth int) WHERE :study > 0")


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    return new_database()


class Sent:
    """A database that notes what is sent to it, and can be made to fail."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.statements: list[str] = []
        self.fault: Exception | None = None

    async def open(self) -> None:
        await self._database.open()

    async def close(self) -> None:
        await self._database.close()

    async def fetch(self, statement: TextClause, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        self.statements.append(params["people"])
        if self.fault:
            raise self.fault
        return await self._database.fetch(statement, params)


@pytest.fixture
async def people(url: str, request: pytest.FixtureRequest) -> AsyncIterator[People]:
    """A dozen people who are each at their first pair."""
    slug = f"together-{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"
    design: dict[str, Any] = {"per_level": 1, "ratings_per_pair": N_PEOPLE, "pairs_per_annotator": 4}
    async with people_of(url, slug, connections=4, **design) as people:
        for number in range(N_PEOPLE):
            await people.to_judging(await people.enter(f"person-{number}"))
        yield people


@pytest.fixture
async def sent(url: str) -> AsyncIterator[Sent]:
    async with opened(url) as sent:
        yield sent


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Sent]:
    sent = Sent(Database(url, 4))
    await sent.open()
    try:
        yield sent
    finally:
        await sent.close()


@pytest.fixture
def together(sent: Sent) -> Together:
    return Together(sent.fetch)


async def _study(people: People) -> tuple[StudyFacts, list[str]]:
    annotators = await people.everyone()
    return (await people.place(annotators[0])).study, annotators


async def _first_pairs(people: People) -> dict[str, PairAt]:
    """What each person is to judge first."""
    return {annotator: await people.at(annotator, 1) for annotator in await people.everyone()}


async def test_many_at_once_share_a_few_statements_and_each_gets_their_own_pair(
    people: People, sent: Sent, together: Together
) -> None:
    study, annotators = await _study(people)
    shown = await at_once(*(show_pair(together, study, annotator, 1) for annotator in annotators))
    assert len(sent.statements) <= 4
    async with people.sessions.begin() as session:
        one_by_one = [await show_pair(alone(session), study, annotator, 1) for annotator in annotators]
    assert shown == one_by_one
    assert len({pair.prompt for pair in shown if pair}) > 3


async def test_many_choices_at_once_are_each_stored_once_and_as_given(
    people: People, sent: Sent, together: Together
) -> None:
    study, annotators = await _study(people)
    at = await _first_pairs(people)
    given = {
        name: Judgement(list(Answer)[n % 2], browser_ms=n, reason=f"r{n} é '\"\\") for n, name in enumerate(annotators)
    }
    stored = await at_once(*(submit_choice(together, study, name, at[name], given[name]) for name in given))
    assert len(sent.statements) <= 4
    assert [(one.n_answered, one.counted) for one in stored if one] == [(1, True)] * N_PEOPLE
    found = await people.rows(
        """
        SELECT public_id, side_chosen, decision_ms_browser, reason FROM choice
        JOIN participation p ON p.id = participation_id JOIN study ON study.id = study_id WHERE slug = :slug
        """,
        slug=people.slug,
    )
    assert {name: rest for name, *rest in found} == {
        name: [judgement.answer.value, judgement.browser_ms, judgement.reason] for name, judgement in given.items()
    }
    await people.assert_sound(N_PEOPLE)


async def test_a_double_click_is_not_in_one_statement_with_itself(
    people: People, sent: Sent, together: Together
) -> None:
    study, (first, second, *_) = await _study(people)
    at = await _first_pairs(people)
    asked = [(first, Answer.LEFT), (first, Answer.RIGHT), (second, Answer.LEFT), (first, Answer.RIGHT)]
    stored = await at_once(*(submit_choice(together, study, who, at[who], Judgement(side)) for who, side in asked))
    assert [one is not None for one in stored] == [True, False, True, False]
    assert all(people_of_it.count(first) <= 1 for people_of_it in sent.statements)
    assert (
        await people.one(
            "SELECT side_chosen FROM choice JOIN participation p ON p.id = participation_id WHERE public_id = :id",
            id=first,
        )
        == "left"
    )


async def test_nobody_is_asked_for_in_two_statements_at_once(sent: Sent) -> None:
    """Else a second click could be stored first."""
    asked_for: list[str] = []

    async def fetch(statement: TextClause, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        names = [person["annotator"] for person in json.loads(params["people"])]
        assert not set(names) & set(asked_for)
        asked_for.extend(names)
        rows = await sent.fetch(statement, params)
        for name in names:
            asked_for.remove(name)
        return rows

    together = Together(fetch)
    asking = (together(ANYTHING, {"study": 1}, name, {}) for name in MANY[:100] for _ in range(3))
    assert await asyncio.gather(*asking) == [()] * 300


async def test_what_the_database_refuses_of_one_fails_nobody_else(people: People, together: Together) -> None:
    study, annotators = await _study(people)
    at = await _first_pairs(people)
    faulty = annotators[3]

    async def submit(annotator: str) -> bool:
        judgement = Judgement(Answer.LEFT, confidence=9 if annotator == faulty else 3)
        return await submit_choice(together, study, annotator, at[annotator], judgement) is not None

    done = await asyncio.gather(*map(submit, annotators), return_exceptions=True)
    assert isinstance(done.pop(3), CheckViolation)
    assert done == [True] * (N_PEOPLE - 1)
    assert (await people.place(faulty)).n_answered == 0
    await people.assert_sound(N_PEOPLE)


async def test_who_goes_away_takes_nobody_along(people: People, together: Together) -> None:
    study, annotators = await _study(people)
    asking = [asyncio.create_task(show_pair(together, study, annotator, 1)) for annotator in annotators]
    await asyncio.sleep(0)
    asking[0].cancel()
    asking[7].cancel()
    shown = await asyncio.gather(*asking, return_exceptions=True)
    assert [n for n, pair in enumerate(shown) if isinstance(pair, asyncio.CancelledError)] == [0, 7]
    assert sum(isinstance(pair, ShownPair) for pair in shown) == N_PEOPLE - 2


async def test_a_database_that_is_away_is_told_to_everybody_and_the_next_are_served(
    people: People, sent: Sent, together: Together
) -> None:
    study, annotators = await _study(people)
    sent.fault = OperationalError("the connection is closed")
    done = await asyncio.gather(
        *(show_pair(together, study, annotator, 1) for annotator in annotators), return_exceptions=True
    )
    assert [str(fault) for fault in done] == ["the connection is closed"] * N_PEOPLE
    assert len(sent.statements) <= 4, "nobody waits for a database that is away once for each who asked"
    sent.fault = None
    assert await show_pair(together, study, annotators[0], 1) is not None


async def ask_all(together: Together) -> list[Any]:
    asking = (together(ANYTHING, {"study": 1}, name, {}) for name in MANY)
    return await asyncio.gather(*asking, return_exceptions=True)


async def test_nobody_waits_for_a_connection_one_batch_after_the_other(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five batches wait: in turn, the last would wait three times as long as the pool does."""
    monkeypatch.setattr(db, "_PATIENCE_S", 0.5)
    nowhere = make_url(postgres_url).set(database="not_there").render_as_string(hide_password=False)
    sent = Sent(Database(nowhere, 2))
    await sent.open()
    told = await ask_all(Together(sent.fetch))
    await sent.close()
    assert [type(fault) for fault in told] == [PoolTimeout] * len(MANY)
    assert len(sent.statements) == 2


async def test_a_database_that_goes_away_while_people_are_asked_for_one_by_one_is_told_to_all(sent: Sent) -> None:
    faults = iter([CheckViolation("what somebody sent")])

    async def fetch(statement: TextClause, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        sent.fault = next(faults, OperationalError("the connection is closed"))
        return await sent.fetch(statement, params)

    told = await ask_all(Together(fetch))
    assert [str(fault) for fault in told] == ["the connection is closed"] * len(MANY)
    assert len(sent.statements) <= 3


async def test_a_statement_that_was_given_up_fails_those_alone_who_shared_it(sent: Sent) -> None:
    faults = iter([QueryCanceled("cancelled by an administrator")])

    async def fetch(statement: TextClause, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        sent.fault = next(faults, None)
        return await sent.fetch(statement, params)

    told = await ask_all(Together(fetch))
    assert [isinstance(one, QueryCanceled) for one in told] == [True] * 64 + [False] * (len(MANY) - 64)
    assert told[64:] == [()] * (len(MANY) - 64)


async def test_whom_another_transaction_holds_is_passed_over_and_the_rest_are_served_meanwhile(
    people: People, together: Together
) -> None:
    study, annotators = await _study(people)
    at = await _first_pairs(people)
    held, left = annotators[5], Judgement(Answer.LEFT)
    async with people.sessions.begin() as session:
        await session.execute(text("SELECT 1 FROM participation WHERE public_id = :id FOR UPDATE"), {"id": held})
        stored = await at_once(*(submit_choice(together, study, name, at[name], left) for name in annotators))
    assert [n for n, one in enumerate(stored) if one is None] == [5]
    assert (await people.place(held)).n_answered == 0


async def test_people_of_two_studies_are_asked_for_apart(url: str, sent: Sent, together: Together) -> None:
    design: dict[str, Any] = {"per_level": 1, "ratings_per_pair": 2, "pairs_per_annotator": 4}
    async with people_of(url, "together-one", **design) as one, people_of(url, "together-two", **design) as two:
        asked = []
        for people in (one, two):
            annotator = await people.enter("someone")
            await people.to_judging(annotator)
            asked.append(((await people.place(annotator)).study, annotator))
        shown = await at_once(*(show_pair(together, study, annotator, 1) for study, annotator in asked))
        assert all(shown)
        assert [asked[n][1] in people for n, people in enumerate(sent.statements)] == [True, True]


@pytest.mark.parametrize("analysed_at", [0, 3, 4, 12, 25])
async def test_each_row_is_looked_up_however_small_the_tables_were_when_last_analysed(
    new_database: NewDatabase, analysed_at: int
) -> None:
    """A statement is planned once a connection: what is small then is not read whole when it has grown."""
    design: dict[str, Any] = {"per_level": 2, "ratings_per_pair": 40, "pairs_per_annotator": 8}
    plans: list[str] = []
    url = new_database()  # One that was lent before may remember what it held then.
    async with people_of(url, "growing", **design) as people, opened(url) as sent:
        for number in range(1, 31):
            await people.to_judging(await people.enter(f"person-{number}"))
            if number == analysed_at:
                async with people.sessions.begin() as session:
                    await session.execute(text("ANALYZE"))

        async def explain(statement: TextClause, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
            plans.extend(line for (line,) in await sent.fetch(text(f"EXPLAIN {statement.text}"), params))
            return []

        study, annotators = await _study(people)
        await show_pair(Together(explain), study, annotators[0], 1)
        await submit_choice(Together(explain), study, annotators[0], PairAt(1, 1), Judgement(Answer.LEFT))
    scans = [n for n, line in enumerate(plans) if "Scan using" in line or "Bitmap" in line]
    assert len(scans) >= 12
    assert [plans[n] for n in scans if "Cond:" not in plans[n + 1]] == [], "\n".join(plans)
    assert [line for line in plans if "Seq Scan" in line or "Hash Join" in line] == [], "\n".join(plans)
    assert sum("uq_participation_study_id_public_id" in line for line in plans) == 2, "\n".join(plans)
