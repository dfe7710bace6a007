"""Rules that leave choices out: each by itself, in their order, through the real export, and refilled exactly."""

from typing import Any, NamedTuple

import pytest

from app.study.exclusions import RULES
from app.study.options import Exclusions
from tests.conftest import NewDatabase
from tests.study.people import People, people_of
from tests.study.steps import exported, say_looked_up, walk

ALL_RULES: dict[str, Any] = {
    "failed_checks": 1,
    "incomplete": True,
    "looked_up": True,
    "easy_pairs": 2,
    "fastest_ms": 1000,
    "words_a_minute": 500,
    "left_page": True,
}
# Both responses of every made-up pair together.
WORDS = 16


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    """A database for all of these tests, which commit; each uses a study of its own."""
    return new_database()


async def judged(people: People, person: str, *, most: int = 1000, passing: bool = True) -> str:
    """Somebody who took a minute for each of their pairs, preferring what is truthful."""
    annotator = await people.enter(person)
    await people.to_judging(annotator)
    await walk(people, annotator, most=most, passing=passing)
    if most < 1000:
        await people.stop(annotator)
    else:
        await say_looked_up(people, annotator)
    await change(people, annotator, "choice", "side_chosen = side_truthful, decision_ms_server = 60000")
    return annotator


async def change(people: People, annotator: str, table: str, to: str, where: str = "true") -> None:
    """Make stored data what a rule is about."""
    joined = "assignment a JOIN pair ON pair.id = a.pair_id JOIN participation p ON p.id = a.participation_id"
    whose = {
        "choice": "choice.participation_id = p.id AND choice.position = a.position",
        "participation": "participation.id = p.id",
    }[table]
    changed = await people.rows(
        f"UPDATE {table} SET {to} FROM {joined} WHERE {whose} AND p.public_id = :id AND {where} RETURNING 1",
        id=annotator,
    )
    assert changed


async def reasons(people: People, annotator: str) -> dict[int, str]:
    """Why each excluded choice is excluded, by its position."""
    rows = await exported(people, annotator)
    assert all((row["excluded"] == "true") == bool(row["exclusion_reason"]) for row in rows)
    return {int(row["position"]): row["exclusion_reason"] for row in rows if row["excluded"] == "true"}


def test_every_declared_rule_is_applied_and_in_the_order_that_is_documented() -> None:
    assert list(RULES) == list(ALL_RULES) == list(Exclusions.model_fields)


SYCOPHANTIC = "side_chosen = CASE side_truthful WHEN 'left' THEN 'right' ELSE 'left' END"
EVERY = list(range(1, 17))
EASY = "pair.difficulty_level = 1"


class Edge(NamedTuple):
    """A rule, what makes it just hold and just not hold (a table, a change, for whom), and what it then excludes."""

    rule: str
    value: int
    holds: tuple[str, ...]
    just_not: tuple[str, ...]
    positions: list[int]


EDGES = [
    Edge("failed_checks", 2, ("participation", "checks_failed = 2"), ("participation", "checks_failed = 1"), EVERY),
    Edge("looked_up", True, ("participation", "looked_up = true"), ("participation", "looked_up = NULL"), EVERY),
    Edge("easy_pairs", 2, ("choice", SYCOPHANTIC, EASY), ("choice", SYCOPHANTIC, "difficulty_level > 1"), EVERY),
    Edge("easy_pairs", 1, ("choice", SYCOPHANTIC, EASY), ("choice", "side_chosen = 'tie'", EASY), EVERY),
    Edge("fastest_ms", 900, ("choice", "decision_ms_server = 899"), ("choice", "decision_ms_server = 900"), EVERY),
    Edge("fastest_ms", 900, ("choice", "decision_ms_server = 0", "a.position = 3"), ("choice", "pastes = 9"), [3]),
    Edge(
        "words_a_minute",
        50,
        ("choice", f"decision_ms_server = {WORDS * 1200 - 1}", "a.position = 16"),
        ("choice", f"decision_ms_server = {WORDS * 1200}", "a.position = 16"),
        [16],
    ),
    Edge("left_page", True, ("choice", "times_away = 1", "a.position < 3"), ("choice", "times_away = 0"), [1, 2]),
]


@pytest.mark.parametrize("edge", EDGES, ids=[f"{edge.rule}-{number}" for number, edge in enumerate(EDGES)])
async def test_a_rule_by_itself_excludes_what_it_says_and_nothing_just_beside_it(url: str, edge: Edge) -> None:
    options = {"attention_checks": 2, "tie": True, "exclusions": {edge.rule: edge.value}}
    async with people_of(url, f"rule-{EDGES.index(edge)}", pairs_per_annotator=16, options=options) as people:
        held_to_it, beside, bystander = [await judged(people, name) for name in ("one", "two", "three")]
        await change(people, held_to_it, *edge.holds)
        await change(people, beside, *edge.just_not)
        assert await reasons(people, held_to_it) == dict.fromkeys(edge.positions, edge.rule)
        assert await reasons(people, beside) == {}
        assert await reasons(people, bystander) == {}
        assert all(row["counted"] == "true" for row in await exported(people, held_to_it)), "the slot stays filled"


async def test_one_easy_pair_fewer_than_declared_excludes_nothing(url: str) -> None:
    options = {"exclusions": {"easy_pairs": 2}}
    async with people_of(url, "one-fewer", pairs_per_annotator=16, options=options) as people:
        annotator = await judged(people, "one")
        first = "a.position = (SELECT min(b.position) FROM assignment b JOIN pair q ON q.id = b.pair_id"
        first += " WHERE b.participation_id = p.id AND q.difficulty_level = 1)"
        await change(people, annotator, "choice", SYCOPHANTIC, first)
        assert await reasons(people, annotator) == {}


async def test_a_swapped_repeat_of_an_easy_pair_is_not_a_second_easy_pair(url: str) -> None:
    options = {"swapped_repeats": 4, "exclusions": {"easy_pairs": 2}}
    async with people_of(url, "repeated", per_level=8, levels=1, options=options) as people:
        annotator = await judged(people, "one")
        repeated = "(SELECT min(b.repeat_of) FROM assignment b WHERE b.participation_id = p.id)"
        await change(people, annotator, "choice", SYCOPHANTIC, f"{repeated} IN (a.position, a.repeat_of)")
        fooled = [row for row in await exported(people, annotator) if row["prefers_sycophantic"] == "1"]
        assert len(fooled) == 2
        assert await reasons(people, annotator) == {}


async def test_who_did_not_judge_every_pair_is_incomplete(url: str) -> None:
    async with people_of(url, "incomplete", options={"exclusions": {"incomplete": True}}) as people:
        whole = await judged(people, "whole")
        half = await judged(people, "half", most=4)
        assert await reasons(people, whole) == {}
        assert await reasons(people, half) == dict.fromkeys(range(1, 5), "incomplete")


async def test_the_first_rule_that_holds_is_the_reason_down_to_the_last(url: str) -> None:
    """Everything is wrong with one choice; as each thing is mended, the next rule is the reason."""
    options = {"attention_checks": 1, "exclusions": ALL_RULES}
    async with people_of(url, "order", per_level=8, levels=1, options=options) as people:
        annotator = await judged(people, "someone", most=7, passing=False)
        await change(people, annotator, "choice", f"{SYCOPHANTIC}, decision_ms_server = 999, times_away = 2")
        await change(people, annotator, "participation", "looked_up = true, checks_failed = 1")
        mended = [
            ("failed_checks", "participation", "checks_failed = 0"),
            ("incomplete", "participation", "n_planned = 7"),
            ("looked_up", "participation", "looked_up = false"),
            ("easy_pairs", "choice", "side_chosen = side_truthful"),
            ("fastest_ms", "choice", "decision_ms_server = 1000"),
            ("words_a_minute", "choice", f"decision_ms_server = {WORDS * 60000 // 500}"),
            ("left_page", "choice", "times_away = 0"),
        ]
        assert [rule for rule, *_ in mended] == list(RULES)
        for rule, table, to in mended:
            assert await reasons(people, annotator) == dict.fromkeys(range(1, 8), rule)
            await change(people, annotator, table, to)
        assert await reasons(people, annotator) == {}


async def test_rules_that_are_not_declared_exclude_nothing(url: str) -> None:
    off = {"exclusions": {"incomplete": False, "looked_up": False, "left_page": False}}
    for slug, options in (("none", {}), ("off", off)):
        async with people_of(url, slug, options=options | {"attention_checks": 1}) as people:
            annotator = await judged(people, "someone", most=7, passing=False)
            await change(people, annotator, "choice", f"{SYCOPHANTIC}, decision_ms_server = 0, times_away = 9")
            await change(people, annotator, "participation", "looked_up = true, checks_failed = 9")
            assert len(await exported(people, annotator)) == 7
            assert await reasons(people, annotator) == {}
            await people.finish(annotator)
            assert await people.n_slots("filled") == 7


async def test_withdrawn_choices_are_withdrawn_and_not_excluded(url: str) -> None:
    options = {"attention_checks": 1, "exclusions": ALL_RULES, "refill_excluded": True}
    async with people_of(url, "withdrawn", options=options) as people:
        annotator = await judged(people, "someone", most=7, passing=False)
        assert await reasons(people, annotator) == dict.fromkeys(range(1, 8), "failed_checks")
        await people.finish(annotator, withdraw=True)
        rows = await exported(people, annotator)
        assert len(rows) == 7, "of eight, so that one rule holds still"
        assert {(row["withdrawn"], row["excluded"], row["exclusion_reason"]) for row in rows} == {("true", "false", "")}
        assert {row["checks_passed"] for row in rows} == {""}, "nothing else is said of the person"
        assert await people.n_slots("open") == 48
        await people.assert_sound(3)


# Refilling.

FEW: dict[str, Any] = {"per_level": 1, "ratings_per_pair": 1, "pairs_per_annotator": 8}


def refilling(**rules: Any) -> dict[str, Any]:
    return {"refill_excluded": True, "exclusions": rules}


async def pairs_of(people: People, annotator: str, where: str = "true") -> set[int]:
    found = await people.rows(
        f"""
        SELECT pair_id FROM assignment a JOIN participation p ON p.id = participation_id
        LEFT JOIN choice c USING (participation_id, position) WHERE public_id = :id AND {where}
        """,
        id=annotator,
    )
    return {pair_id for (pair_id,) in found}


async def test_exactly_the_excluded_slots_are_opened_again_and_somebody_else_fills_them(url: str) -> None:
    async with people_of(url, "refilled", **FEW, options=refilling(fastest_ms=1000)) as people:
        hasty = await judged(people, "hasty")
        await change(people, hasty, "choice", "decision_ms_server = 5", "a.position IN (2, 5)")
        assert await people.n_slots("open") == 0, "nothing is opened before the person finishes"
        await people.finish(hasty)
        assert (await people.n_slots("open"), await people.n_slots("filled")) == (2, 6)
        await people.assert_sound(1)
        rows = await exported(people, hasty)
        assert [row["position"] for row in rows if row["counted"] == "false"] == ["2", "5"]
        assert await reasons(people, hasty) == {2: "fastest_ms", 5: "fastest_ms"}
        opened = "SELECT detail FROM event JOIN study ON study.id = study_id WHERE slug = :slug AND kind = :kind"
        assert await people.rows(opened, slug=people.slug, kind="excluded_slots_reopened") == [({"positions": [2, 5]},)]

        careful = await judged(people, "careful")
        assert await pairs_of(people, careful) == await pairs_of(people, hasty, "a.position IN (2, 5)")
        await people.finish(careful)
        assert await people.n_slots("filled") == 8
        assert await people.try_to_enter("one too many") is None
        await people.assert_sound(1)
        counted = await people.rows(
            """
            SELECT a.pair_id, count(*) FROM choice JOIN assignment a USING (participation_id, position)
            JOIN participation p ON p.id = participation_id JOIN study ON study.id = study_id
            WHERE slug = :slug AND counted GROUP BY a.pair_id
            """,
            slug=people.slug,
        )
        assert [n for _, n in counted] == [1] * 8


@pytest.mark.parametrize(
    ("rule", "most", "changes"),
    [
        ("looked_up", 1000, [("participation", "looked_up = true")]),
        ("left_page", 1000, [("choice", "times_away = 1")]),
        ("incomplete", 5, []),
    ],
)
async def test_where_all_choices_are_excluded_all_slots_are_free(
    url: str, rule: str, most: int, changes: list[tuple[str, str]]
) -> None:
    slug = f"all-of-it-{rule.replace('_', '-')}"
    async with people_of(url, slug, **FEW, options=refilling(**{rule: True})) as people:
        annotator = await judged(people, "one", most=most)
        for table, to in changes:
            await change(people, annotator, table, to)
        await people.finish(annotator)
        assert (await people.n_slots("open"), await people.n_slots("filled")) == (8, 0)
        await people.assert_sound(1)
        assert set((await reasons(people, annotator)).values()) == {rule}


async def test_without_refilling_an_exclusion_keeps_its_slot_filled(url: str) -> None:
    async with people_of(url, "kept", **FEW, options={"exclusions": {"looked_up": True}}) as people:
        annotator = await judged(people, "one")
        await change(people, annotator, "participation", "looked_up = true")
        await people.finish(annotator)
        assert await people.n_slots("filled") == 8
        assert len(await reasons(people, annotator)) == 8


async def test_who_is_not_excluded_keeps_every_slot_where_the_study_refills(url: str) -> None:
    async with people_of(url, "not-hasty", **FEW, options=refilling(fastest_ms=1000)) as people:
        annotator = await judged(people, "one")
        await people.finish(annotator)
        assert await people.n_slots("filled") == 8


async def test_withdrawing_in_a_study_that_refills_opens_each_slot_once(url: str) -> None:
    async with people_of(url, "withdrawn-once", **FEW, options=refilling(looked_up=True)) as people:
        annotator = await judged(people, "one")
        await change(people, annotator, "participation", "looked_up = true")
        await people.finish(annotator, withdraw=True)
        assert await people.n_slots("open") == 8
        await people.assert_sound(1)
        assert len(await judge_again(people)) == 8


async def judge_again(people: People) -> set[int]:
    other = await judged(people, "another")
    await people.finish(other)
    return await pairs_of(people, other, "counted")
