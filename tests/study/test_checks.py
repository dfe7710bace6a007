"""Checks: where attention checks come, that each stays the same, and what failing them, or the questions, does."""

from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.study import checks, participations
from app.study.checks import attention_check, due_after
from app.study.places import Place, Step
from app.terms import Outcome, Stage
from tests.conftest import NewDatabase
from tests.study.people import People, people_of
from tests.study.steps import answer_check, say_looked_up, walk


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    """A database for all of these tests, which commit; each uses a study of its own."""
    return new_database()


# Where they come.


@given(st.integers(1, 600), st.integers(0, 20))
def test_checks_come_between_two_pairs_each_at_its_own_place_and_evenly_spread(n_planned: int, n_checks: int) -> None:
    due = due_after(n_planned, n_checks)
    assert len(due) == max(0, min(n_checks, n_planned - 1))
    assert all(1 <= after <= n_planned - 1 for after in due)
    gaps = [later - earlier for earlier, later in pairwise([0, *due, n_planned])]
    assert all(gap >= 1 for gap in gaps)
    if due:
        assert max(gaps) - min(gaps) <= 1


def test_where_checks_come_in_a_usual_study() -> None:
    assert due_after(20, 0) == []
    assert due_after(20, 1) == [10]
    assert due_after(20, 3) == [5, 10, 15]
    assert due_after(2, 5) == [1]
    assert due_after(1, 5) == []


async def test_a_person_meets_each_check_when_it_is_due_and_no_pair_before_it(url: str) -> None:
    async with people_of(url, "due", options={"attention_checks": 3}) as people:
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        met: list[Step] = []
        while (step := (await people.place(annotator)).step).name != Stage.LOOKED_UP:
            met.append(step)
            if step.name == "check":
                assert await people.show_at(annotator, (await people.place(annotator)).next_position) is None
            await (answer_check(people, annotator, passing=True) if step.name == "check" else judge(people, annotator))
        names = [str(step) for step in met]
        assert names == [
            *("pair 1", "pair 2", "check 1", "pair 3", "pair 4", "check 2"),
            *("pair 5", "pair 6", "check 3", "pair 7", "pair 8"),
        ]


async def judge(people: People, annotator: str) -> None:
    assert await people.show(annotator)
    assert await people.choose(annotator)


async def test_no_choice_is_taken_while_a_check_is_due(url: str) -> None:
    async with people_of(url, "not-past", options={"attention_checks": 7}) as people:
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        await judge(people, annotator)
        assert (await people.place(annotator)).step == ("check", 1)
        assert await people.choose(annotator) is False
        assert (await people.place(annotator)).n_answered == 1


async def test_a_shorter_set_has_its_checks_between_its_own_pairs(url: str) -> None:
    """Of two pairs that are left, one check comes between them, though the study asks for three."""
    design: dict[str, Any] = {"per_level": 1, "ratings_per_pair": 1, "options": {"attention_checks": 3}}
    async with people_of(url, "shorter", pairs_per_annotator=8, **design) as people:
        first = await people.enter("first")
        await people.to_judging(first)
        await walk(people, first, most=6)
        await people.stop(first)
        second = await people.enter("second")
        await people.to_judging(second)
        place = await people.place(second)
        assert (place.n_planned, place.next_check) == (2, 1)
        await walk(people, second)
        place = await people.place(second)
        assert (place.stage, place.n_answered, place.n_checked) == (Stage.LOOKED_UP, 2, 1)


# What they ask.


@pytest.fixture(scope="module")
async def place(url: str) -> Place:
    """Somebody's place, of whom there can be many more."""
    async with people_of(url, "asked", options={"attention_checks": 2}) as people:
        return await people.place(await people.enter("someone"))


async def test_a_check_is_the_same_at_each_reload(place: Place) -> None:
    assert attention_check(place, 1) == attention_check(replace(place, n_answered=3), 1)


async def test_checks_differ_over_people_and_over_one_person_s_way(place: Place) -> None:
    everyone = [replace(place, annotator=f"annotator {number}") for number in range(200)]
    for number in (1, 2):
        asked = Counter(attention_check(person, number).legend for person in everyone)
        assert len(asked) == 4
        assert min(asked.values()) > 200 / 4 / 2
    assert len({attention_check(person, 1).asked_for for person in everyone}) > 10
    assert sum(attention_check(person, 1) == attention_check(person, 2) for person in everyone) < 40


async def test_a_check_says_which_of_its_answers_to_choose_and_asks_for_no_knowledge(place: Place) -> None:
    for number in range(300):
        check = attention_check(replace(place, annotator=f"annotator {number}"), 1)
        assert check.asked_for in check.answers
        told = [answer for answer in check.answers if f"“{answer}”" in " ".join(check.paragraphs)]
        assert told == [check.asked_for]
        assert "only a check that somebody is reading" in check.paragraphs[0]
        assert "{" not in " ".join(check.paragraphs)


# What answering them does.


async def test_answers_are_stored_and_failures_counted(url: str) -> None:
    async with people_of(url, "stored", options={"attention_checks": 3, "failed_at": 2}) as people:
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        for number, passing in enumerate((True, False, False), start=1):
            await walk(people, annotator, until=f"check {number}")
            assert not (await people.place(annotator)).failed_checks
            await answer_check(people, annotator, passing=passing)
        place = await people.place(annotator)
        assert (place.n_checked, place.checks_failed, place.next_check) == (3, 2, None)
        assert place.failed_checks
        stored = await people.rows(
            """
            SELECT kind, number, attempt, passed, answer FROM check_answer
            WHERE participation_id = :id ORDER BY number
            """,
            id=place.participation_id,
        )
        assert [row[:4] for row in stored] == [
            ("attention", 1, 1, True),
            ("attention", 2, 1, False),
            ("attention", 3, 1, False),
        ]
        for _, number, _, passed, answer in stored:
            assert (answer == attention_check(place, number).asked_for) is passed
        logged = await people.rows(
            "SELECT detail FROM event WHERE kind = 'attention_check' AND participation_id = :id ORDER BY id",
            id=place.participation_id,
        )
        assert [detail for (detail,) in logged] == [{"number": number, "attempt": 1} for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("failed_at", "outcome"), [(1, Outcome.FAILED_CHECKS), (2, Outcome.FAILED_CHECKS), (3, Outcome.COMPLETE)]
)
async def test_who_fails_too_many_is_told_at_the_end_and_never_stopped_in_the_middle(
    url: str, failed_at: int, outcome: Outcome
) -> None:
    options = {"attention_checks": 2, "failed_at": failed_at}
    async with people_of(url, f"failed-at-{failed_at}", options=options) as people:
        annotator = await people.enter("someone")
        await people.to_judging(annotator)
        await walk(people, annotator, passing=False)
        assert (await people.place(annotator)).n_answered == 8
        await say_looked_up(people, annotator)
        await people.finish(annotator)
        assert (await people.place(annotator)).outcome == outcome
        assert await people.n_slots("filled") == 8, "choices are kept; leaving them out is for the declared rules"


# The questions about the instructions.

TASK = {"question": "What is asked?", "answers": ["This", "That"], "right": "This"}
KEYS = {"question": "And how?", "answers": ["So", "So so", "Not so"], "right": "So so"}


async def at_the_questions(people: People) -> str:
    annotator = await people.enter("someone")
    await people.do(annotator, participations.consent)
    await people.do(annotator, participations.end_instructions)
    return annotator


async def answer(people: People, annotator: str, *answers: str) -> None:
    await people.do(
        annotator, lambda session, place: participations.answer_comprehension(session, place, list(answers))
    )


async def attempts(people: People, annotator: str) -> list[tuple[Any, ...]]:
    return await people.rows(
        """
        SELECT attempt, number, answer, passed FROM check_answer JOIN participation p ON p.id = participation_id
        WHERE kind = 'comprehension' AND public_id = :id ORDER BY attempt, number
        """,
        id=annotator,
    )


async def test_who_understood_at_once_goes_on(url: str) -> None:
    async with people_of(url, "understood", options={"comprehension": [TASK, KEYS]}) as people:
        annotator = await at_the_questions(people)
        assert (await people.place(annotator)).stage == Stage.COMPREHENSION
        await answer(people, annotator, "This", "So so")
        assert (await people.place(annotator)).stage == Stage.PRACTICE
        assert await attempts(people, annotator) == [(1, 1, "This", True), (1, 2, "So so", True)]


async def test_who_understood_at_the_second_attempt_goes_on(url: str) -> None:
    async with people_of(url, "second", options={"comprehension": [TASK, KEYS]}) as people:
        annotator = await at_the_questions(people)
        await answer(people, annotator, "This", "So")
        place = await people.place(annotator)
        assert (place.stage, place.outcome) == (Stage.COMPREHENSION, None)
        await answer(people, annotator, "This", "So so")
        assert (await people.place(annotator)).stage == Stage.PRACTICE
        assert await people.n_slots("held") == 8
        assert [row[3] for row in await attempts(people, annotator)] == [True, False, True, True]


async def test_who_fails_twice_is_screened_out_and_their_places_are_free(url: str) -> None:
    async with people_of(url, "twice", options={"comprehension": [TASK, KEYS]}) as people:
        annotator = await at_the_questions(people)
        assert await people.n_slots("held") == 8
        await answer(people, annotator, "That", "So so")
        await answer(people, annotator, "That", "So so")
        place = await people.place(annotator)
        assert (place.stage, place.outcome, place.held_until) == (Stage.COMPLETE, Outcome.SCREENED_OUT, None)
        assert (await people.n_slots("held"), await people.n_slots("open")) == (0, 48)
        assert len(await attempts(people, annotator)) == 4
        await people.assert_sound(3)


async def test_a_background_answer_that_screens_out_frees_the_places_and_is_stored(url: str) -> None:
    age = {"key": "age", "question": "Age?", "answers": ["Under 18", "18 or older"], "screens_out": ["Under 18"]}
    async with people_of(url, "too-young", options={"background": [age]}) as people:
        outcomes = {}
        for said in ("Under 18", "18 or older", "Prefer not to say"):
            annotator = await people.enter(said)
            await people.do(annotator, participations.consent)
            assert (await people.place(annotator)).stage == Stage.BACKGROUND
            await people.do(annotator, partial(participations.answer_background, answers={"age": said}))
            place = await people.place(annotator)
            outcomes[said] = (place.stage, place.outcome)
            stored = await people.one("SELECT background FROM participation WHERE public_id = :id", id=annotator)
            assert stored == {"age": said}
        assert outcomes == {
            "Under 18": (Stage.COMPLETE, Outcome.SCREENED_OUT),
            "18 or older": (Stage.INSTRUCTIONS, None),
            "Prefer not to say": (Stage.INSTRUCTIONS, None),
        }
        assert await people.n_slots("held") == 16
        await people.assert_sound(3)


async def test_the_bundled_questions_have_each_their_right_answer_among_others() -> None:
    for question in checks.default_comprehension():
        assert question.answers.count(question.right) == 1
        assert len(question.answers) >= 3
