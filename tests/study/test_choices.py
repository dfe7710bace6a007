"""Showing and choosing: exactly once, in one statement each, late or not; and what the database itself refuses."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.study import slots
from app.study.choices import Judgement, ShownPair, show_pair, submit_choice
from app.study.tokens import PairAt
from app.terms import Answer, Side, Stage
from tests.conftest import NewDatabase
from tests.study.people import People, at_once, people_of

SMALL: dict[str, Any] = {"per_level": 1, "ratings_per_pair": 2, "pairs_per_annotator": 8}


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    """A database for all of these tests, which commit; each uses a study of its own."""
    return new_database()


@pytest.fixture(params=["in a session", "on a bare connection"])
async def people(url: str, request: pytest.FixtureRequest) -> AsyncIterator[People]:
    """The people of a small study: eight pairs, two ratings each."""
    slug = f"choices-{hashlib.sha256(request.node.name.encode()).hexdigest()[:20]}"
    async with people_of(url, slug, connections=6, bare="bare" in request.param, **SMALL) as people:
        yield people


@pytest.fixture
async def annotator(people: People) -> str:
    """Somebody who is at the first pair, and was shown it."""
    annotator = await people.enter("someone")
    await people.to_judging(annotator)
    await people.show(annotator)
    return annotator


async def stored(people: People, annotator: str) -> list[tuple[Any, ...]]:
    return await people.rows(
        """
        SELECT position, side_chosen, counted, late, slot_id IS NOT NULL FROM choice
        JOIN participation p ON p.id = participation_id WHERE public_id = :id ORDER BY position
        """,
        id=annotator,
    )


async def logged(people: People, annotator: str, kind: str) -> list[Any]:
    found = await people.rows(
        """
        SELECT detail FROM event JOIN participation p ON p.id = participation_id
        WHERE public_id = :id AND kind = :kind ORDER BY event.id
        """,
        id=annotator,
        kind=kind,
    )
    return [detail for (detail,) in found]


async def test_of_twenty_posts_at_once_the_first_is_stored_and_stands(people: People, annotator: str) -> None:
    token = await people.token(annotator, 1)
    sides = [Side.LEFT if number % 2 else Side.RIGHT for number in range(20)]
    done = await at_once(*(people.submit(annotator, token, side) for side in sides))
    assert done.count(True) == 1
    first = sides[done.index(True)]
    assert await stored(people, annotator) == [(1, first, True, False, True)]
    differing = await logged(people, annotator, "differing_choice")
    assert differing == [{"position": 1}] * 10
    assert (await people.place(annotator)).n_answered == 1
    assert await people.n_slots("filled") == 1
    await people.assert_sound(2)


async def test_showing_and_storing_take_one_statement_each(people: People, annotator: str) -> None:
    study = (await people.place(annotator)).study
    for position in range(1, 4):
        at = await people.at(annotator, position)
        async with people.hot() as run:
            with people.statements() as to_show:
                assert await show_pair(run, study, annotator, position)
            with people.statements() as to_store:
                assert await submit_choice(run, study, annotator, at, Judgement(Answer.RIGHT))
        assert (len(to_show), len(to_store)) == (1, 1), (to_show, to_store)


async def test_each_text_is_on_the_side_that_was_dealt(people: People, annotator: str) -> None:
    dealt = await people.rows(
        """
        SELECT side_truthful, pair.id, m.prompt, t.text, s.text FROM assignment a
        JOIN participation p ON p.id = participation_id JOIN pair ON pair.id = a.pair_id
        JOIN misconception m ON m.id = misconception_id
        JOIN response t ON t.misconception_id = m.id AND t.kind = 'helpful_truthful'
        JOIN response s ON s.misconception_id = m.id AND s.kind = 'sycophantic'
        WHERE public_id = :id ORDER BY position
        """,
        id=annotator,
    )
    assert {side for side, *_ in dealt} == {"left", "right"}
    for position, (side, pair_id, prompt, truthful, sycophantic) in enumerate(dealt, start=1):
        left, right = (truthful, sycophantic) if side == "left" else (sycophantic, truthful)
        assert await people.show(annotator) == ShownPair(position, pair_id, len(dealt), prompt, left, right)
        await people.choose(annotator)


async def test_a_reload_keeps_the_time_of_first_showing(people: People, annotator: str) -> None:
    shown = "SELECT shown_at FROM assignment JOIN participation p ON p.id = participation_id WHERE public_id = :id"
    first = await people.rows(f"{shown} ORDER BY position", id=annotator)
    await people.show(annotator)
    assert await people.rows(f"{shown} ORDER BY position", id=annotator) == first
    assert [at is not None for (at,) in first] == [True] + [False] * 7


async def test_showing_lengthens_a_hold_that_runs_out_and_leaves_a_fresh_one(people: People, annotator: str) -> None:
    fresh = (await people.place(annotator)).held_until
    await people.show(annotator)
    assert (await people.place(annotator)).held_until == fresh
    await people.rows(
        "UPDATE participation SET held_until = now() + interval '1 minute' WHERE public_id = :id RETURNING id",
        id=annotator,
    )
    await people.show(annotator)
    place = await people.place(annotator)
    assert place.held_until is not None
    assert 39 * 60 < (place.held_until - place.now).total_seconds() <= 40 * 60


async def test_showing_a_pair_while_its_hold_is_swept_waits_for_nobody(people: People, annotator: str) -> None:
    """Whose row is locked is passed over: many share a statement, and a sweep of some must not stop the others."""
    await people.choose(annotator)
    await people.expire([annotator])
    seen = await people.place(annotator)
    async with people.sessions.begin() as session:
        await session.execute(text("SELECT 1 FROM participation WHERE public_id = :id FOR UPDATE"), {"id": annotator})
        async with asyncio.timeout(10), people.hot() as ask:
            assert await show_pair(ask, seen.study, annotator, 2) is None
        assert await slots.release(session, [seen.participation_id]) == 7
    await people.assert_sound(2)
    assert (await people.place(annotator)).held_until is None


async def test_a_post_after_the_last_pair_stores_nothing(people: People, annotator: str) -> None:
    await people.judge(annotator)
    place = await people.place(annotator)
    assert (place.stage, place.n_answered, place.held_until) == (Stage.LOOKED_UP, 8, None)
    never_given = place.study.pair_token(annotator, PairAt(9, 1))
    assert await people.submit(annotator, never_given, Side.LEFT) is False
    assert await people.submit(annotator, await people.token(annotator, 8), Side.RIGHT) is False
    assert len(await stored(people, annotator)) == 8
    assert await logged(people, annotator, "differing_choice") == [{"position": 8}]


@pytest.mark.parametrize("token", ["", "1", "1-", "2-0", "٣-" + 48 * "0", "99999-" + 48 * "0", "1-" + 48 * "f"])
async def test_a_token_that_was_not_given_stores_nothing_and_is_logged(
    people: People, annotator: str, token: str
) -> None:
    assert await people.submit(annotator, token, Side.LEFT) is False
    assert await stored(people, annotator) == []
    assert await logged(people, annotator, "foreign_token") == [{}]


async def test_a_token_of_somebody_else_or_of_a_later_pair_stores_nothing(people: People, annotator: str) -> None:
    other = await people.enter("other")
    await people.to_judging(other)
    assert await people.submit(annotator, await people.token(other, 1), Side.LEFT) is False
    assert await people.submit(annotator, await people.token(annotator, 2), Side.LEFT) is False
    assert await stored(people, annotator) == []
    assert await people.n_slots("filled") == 0


@pytest.mark.parametrize(("sent", "kept"), [(None, None), (0, 0), (1234, 1234), (-5, 0), (10**12, 2**31 - 1)])
async def test_the_browser_s_time_is_kept_within_its_column(
    people: People, annotator: str, sent: int | None, kept: int | None
) -> None:
    token = await people.token(annotator, 1)
    assert await people.submit(annotator, token, Side.LEFT, sent)
    times = (
        "SELECT decision_ms_browser FROM choice JOIN participation p ON p.id = participation_id WHERE public_id = :id"
    )
    assert await people.one(times, id=annotator) == kept


@pytest.mark.parametrize(
    ("shown", "least", "most"), [("- interval '90 seconds'", 90_000, 100_000), ("+ interval '1 hour'", 0, 0)]
)
async def test_the_server_s_time_runs_from_the_first_showing_and_survives_a_clock_set_back(
    people: People, annotator: str, shown: str, least: int, most: int
) -> None:
    await people.rows(
        f"""
        UPDATE assignment SET shown_at = now() {shown} FROM participation p
        WHERE p.id = participation_id AND public_id = :id AND position = 1 RETURNING 1
        """,
        id=annotator,
    )
    assert await people.choose(annotator)
    times = (
        "SELECT decision_ms_server FROM choice JOIN participation p ON p.id = participation_id WHERE public_id = :id"
    )
    assert least <= await people.one(times, id=annotator) <= most


# Late answers.


async def test_an_answer_after_the_hold_but_before_the_sweep_counts_and_is_late(people: People, annotator: str) -> None:
    await people.expire([annotator])
    assert await people.choose(annotator)
    assert await stored(people, annotator) == [(1, "left", True, True, True)]
    await people.assert_sound(2)


async def test_an_answer_after_the_sweep_takes_an_open_slot_of_its_side(people: People, annotator: str) -> None:
    await people.expire([annotator])
    assert await people.sweep() == 8
    assert await people.choose(annotator)
    assert await stored(people, annotator) == [(1, "left", True, True, True)]
    assert (await people.place(annotator)).held_until is None, "an answer alone takes nothing back"
    assert await people.n_slots("open") == 15
    await people.assert_sound(2)


async def test_an_answer_whose_slots_are_taken_is_stored_without_counting(people: People, annotator: str) -> None:
    """Its pair has an open slot still, with the truthful response on the other side: that one is not its own."""
    await people.expire([annotator])
    await people.enter("other")
    pair, side = (
        await people.rows(
            """
            SELECT pair_id, side_truthful FROM assignment JOIN participation p ON p.id = participation_id
            WHERE public_id = :id AND position = 1
            """,
            id=annotator,
        )
    )[0]
    taken = """
        WITH holder AS (SELECT p.id FROM participation p WHERE held_until IS NOT NULL AND study_id = :study)
        UPDATE slot SET state = 'held', participation_id = holder.id FROM holder
        WHERE pair_id = :pair AND side_truthful = :side RETURNING slot.id
    """
    freed = """
        UPDATE slot SET state = 'open', participation_id = NULL
        WHERE pair_id = :pair AND side_truthful <> :side RETURNING id
    """
    place = await people.place(annotator)
    assert len(await people.rows(taken, pair=pair, side=side, study=place.study.id)) == 1
    assert len(await people.rows(freed, pair=pair, side=side)) == 1
    assert await people.choose(annotator)
    assert await stored(people, annotator) == [(1, "left", False, True, False)]
    assert await people.n_slots("filled") == 0


@pytest.mark.parametrize("state", ["held", "filled"])
async def test_an_answer_never_fills_a_slot_that_is_somebody_else_s(people: People, annotator: str, state: str) -> None:
    """Nothing leaves an assignment with such a slot; the statement that stores does not rely on it."""
    other = await people.enter("other")
    lost = """
        UPDATE slot SET participation_id = (SELECT id FROM participation WHERE public_id = :other), state = :state
        FROM assignment a JOIN participation p ON p.id = a.participation_id
        WHERE p.public_id = :id AND a.position = 1 AND slot.id = a.slot_id RETURNING slot.id
    """
    ((slot_id,),) = await people.rows(lost, id=annotator, other=other, state=state)
    assert await people.choose(annotator)
    assert await people.rows("SELECT state FROM slot WHERE id = :slot", slot=slot_id) == [(state,)]
    assert await people.one("SELECT count(*) FROM choice WHERE slot_id = :slot", slot=slot_id) == 0


async def test_who_came_back_in_time_is_not_late(people: People, annotator: str) -> None:
    await people.expire([annotator])
    await people.sweep()
    await people.show(annotator)
    assert await people.choose(annotator)
    assert await stored(people, annotator) == [(1, "left", True, False, True)]
    await people.assert_sound(2)


async def test_of_three_late_answers_for_one_open_slot_one_counts(url: str) -> None:
    async with people_of(
        url, "last-slot", connections=8, per_level=1, ratings_per_pair=1, pairs_per_annotator=8
    ) as people:
        rivals = []
        for name in ("one", "two", "three"):
            rivals.append(await people.enter(name))
            await people.to_judging(rivals[-1])
            await people.expire(rivals)
            await people.sweep()
        for _ in range(8):
            assert await at_once(*(people.choose(rival) for rival in rivals)) == [True] * 3
            await people.assert_sound(1)
        answers = [row for rival in rivals for row in await stored(people, rival)]
        assert [counted for _, _, counted, _, _ in answers].count(True) == 8
        assert [late for _, _, _, late, _ in answers] == [True] * 24


async def test_withdrawn_data_say_nothing_and_make_room(people: People, annotator: str) -> None:
    await people.judge(annotator)
    assert await people.n_slots("filled") == 8
    await people.finish(annotator, withdraw=True)
    assert await stored(people, annotator) == [(n, None, False, False, False) for n in range(1, 9)]
    assert await people.n_slots("open") == 16
    await people.assert_sound(2)


# What the database refuses, whoever asks.

REFUSED: list[tuple[str, str]] = [
    ("UPDATE choice SET slot_id = (SELECT min(slot_id) FROM choice), counted = true", "uq_choice_slot_id"),
    ("UPDATE choice SET slot_id = NULL WHERE position = 1", "ck_choice_counted_fills_a_slot"),
    ("UPDATE choice SET counted = false WHERE position = 1", "ck_choice_counted_fills_a_slot"),
    ("UPDATE choice SET side_chosen = NULL WHERE position = 1", "ck_choice_withdrawn_says_nothing"),
    ("UPDATE choice SET withdrawn = true, side_chosen = NULL WHERE position = 1", "ck_choice_withdrawn_frees_its_slot"),
    ("UPDATE choice SET side_chosen = 'middle' WHERE position = 1", "ck_choice_side_chosen_known"),
    ("UPDATE choice SET decision_ms_server = -1 WHERE position = 1", "ck_choice_decision_ms_not_negative"),
    ("UPDATE choice SET decision_ms_browser = -1 WHERE position = 1", "ck_choice_decision_ms_not_negative"),
    ("UPDATE choice SET position = 2 WHERE position = 1", "pk_choice"),
    ("UPDATE choice SET position = 99 WHERE position = 1", "fk_choice_participation_id_assignment"),
    ("INSERT INTO choice SELECT * FROM choice", "pk_choice"),
    (
        "UPDATE assignment SET pair_id = (SELECT pair_id FROM assignment WHERE position = 2) WHERE position = 1",
        "uq_assignment_participation_id_pair_id",
    ),
    ("UPDATE assignment SET side_truthful = 'middle'", "ck_assignment_side_truthful_known"),
    ("DELETE FROM assignment WHERE position = 1", "fk_choice_participation_id_assignment"),
    ("DELETE FROM slot WHERE state = 'filled'", "slot is append-only"),
    ("DELETE FROM participation", "fk_"),
    ("UPDATE slot SET participation_id = NULL WHERE state = 'filled'", "ck_slot_held_by_someone"),
    ("UPDATE slot SET state = 'open' WHERE state = 'filled'", "ck_slot_held_by_someone"),
    ("UPDATE slot SET state = 'held' WHERE state = 'open'", "ck_slot_held_by_someone"),
    ("UPDATE slot SET state = 'lost' WHERE state = 'filled'", "ck_slot_state_known"),
    ("UPDATE slot SET side_truthful = 'middle'", "slot is append-only"),
    ("DELETE FROM choice", "choice is append-only"),
    ("UPDATE slot SET number = 1", "slot is append-only"),
    ("UPDATE vacancy SET open_left = -1", "ck_vacancy_open_not_negative"),
    ("UPDATE vacancy SET open_right = -1", "ck_vacancy_open_not_negative"),
    ("UPDATE participation SET n_answered = 9", "ck_participation_answered_of_planned"),
    ("UPDATE participation SET n_answered = -1", "ck_participation_answered_of_planned"),
    ("UPDATE participation SET stage = 'lost'", "ck_participation_stage_known"),
]


@pytest.fixture(scope="module")
async def judged(new_database: NewDatabase) -> AsyncIterator[People]:
    """A study of its own database, in which one person judged two pairs."""
    async with people_of(new_database(), "judged", **SMALL) as people:
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        await people.judge(annotator, most=2)
        yield people


@pytest.mark.parametrize(("statement", "constraint"), REFUSED)
async def test_the_database_refuses(judged: People, statement: str, constraint: str) -> None:
    async with judged.sessions() as session:
        with pytest.raises(DBAPIError, match=constraint):
            await session.execute(text(statement))
        await session.rollback()


async def test_the_database_lets_pass_what_the_study_does(judged: People) -> None:
    """The refusals above are not for want of rows."""
    assert await judged.n_slots("filled") == 2
    assert await judged.one("SELECT count(*) FROM choice WHERE counted") == 2
    assert await judged.one("SELECT count(*) FROM assignment") == 8
    await judged.assert_sound(2)
