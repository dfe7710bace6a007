"""Slots under real concurrency: exactly k, each at most once a person, none lost, and every claim replayable."""

import asyncio
import re
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import create_engine, sessions
from app.study import entering, participations, slots, studies, vacancies
from app.study.assignment import Candidate, Planned, plan
from app.study.choices import Judgement, submit_late
from app.study.entering import Arrival, NoPlaceNow, StudyFull
from app.study.places import find_place
from app.terms import Answer
from tests.conftest import NewDatabase
from tests.studies import draft_study, open_study
from tests.study.people import People, at_once, people_of, people_with

NEUTRAL = {"truthful_kind": "helpful", "instructions": "neutral"}
BASELINE = {"truthful_kind": "baseline", "instructions": "neutral"}


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    """A database for all of these tests, which commit; each uses a study of its own."""
    return new_database()


# Forty people at once.

SHAPES: list[Any] = [
    pytest.param({"ratings_per_pair": 3, "pairs_per_annotator": 8}, id="odd-k"),
    pytest.param({"ratings_per_pair": 4, "pairs_per_annotator": 8, "min_pairs": 5}, id="even-k"),
    pytest.param({"ratings_per_pair": 3, "pairs_per_annotator": 8, "arms": [NEUTRAL, BASELINE]}, id="two-arms"),
    pytest.param({"ratings_per_pair": 1, "pairs_per_annotator": 4, "min_pairs": 2}, id="k-of-one"),
]


@pytest.mark.parametrize("design", SHAPES)
async def test_forty_people_at_once_share_out_exactly_the_slots_there_are(
    url: str, request: pytest.FixtureRequest, design: dict[str, Any]
) -> None:
    k, n, least = design["ratings_per_pair"], design["pairs_per_annotator"], design.get("min_pairs", 1)
    async with people_of(url, f"rush-{request.node.callspec.id}", connections=24, **design) as people:
        placed = [a for a in await at_once(*(people.try_to_enter(f"p{number}") for number in range(40))) if a]
        await people.assert_sound(k)
        # Claims that came to nothing held slots for a moment, so some may be open still: for whoever comes next.
        while annotator := await people.try_to_enter(f"later{len(placed)}"):
            placed.append(annotator)
        await people.assert_sound(k)
        held = await people.rows(
            """
            SELECT p.public_id, p.n_planned, count(s.id), count(DISTINCT s.pair_id),
                   abs(count(*) FILTER (WHERE side_truthful = 'left') - count(*) FILTER (WHERE side_truthful = 'right'))
            FROM participation p JOIN study ON study.id = p.study_id LEFT JOIN slot s ON s.participation_id = p.id
            WHERE study.slug = :slug GROUP BY p.id ORDER BY p.id
            """,
            slug=people.slug,
        )
        assert sorted(row[0] for row in held) == sorted(placed), "who was refused left nothing behind"
        for _, n_planned, n_held, n_pairs, uneven in held:
            assert least <= n_planned == n_held == n_pairs <= n
            assert uneven <= n_planned
        open_pairs = await people.rows(
            """
            SELECT count(*) FROM vacancy v JOIN arm ON arm.id = v.arm_id JOIN study ON study.id = arm.study_id
            WHERE study.slug = :slug AND n_open > 0 GROUP BY v.arm_id
            """,
            slug=people.slug,
        )
        assert all(left < least for (left,) in open_pairs), "whoever could be given enough was"
        await at_once(*(_walk(people, annotator) for annotator in placed))
        await people.assert_sound(k)
        assert await people.n_slots("filled") == sum(row[1] for row in held)
        assert await people.n_slots("held") == 0


async def _walk(people: People, annotator: str) -> None:
    await people.to_judging(annotator)
    await people.judge(annotator)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_people_do_at_once_nothing_is_lost_and_the_study_still_fills(url: str, seed: int) -> None:
    design: dict[str, Any] = {"ratings_per_pair": 3, "pairs_per_annotator": 6, "per_level": 1, "hold_minutes": 5}
    if seed == 2:
        design |= {"ratings_per_pair": 2, "arms": [NEUTRAL, BASELINE]}
    k = design["ratings_per_pair"]
    async with people_of(url, f"chaos-{seed}", connections=24, **design) as people:
        over = asyncio.Event()
        trouble = asyncio.create_task(_trouble(people, over, Random(seed)))
        try:
            await at_once(*(_wander(people, f"w{number}", Random(f"{seed}/{number}")) for number in range(40)))
        finally:
            over.set()
            await trouble
        await people.assert_sound(k)
        await people.expire(await people.everyone())
        while await people.sweep():
            pass
        await people.assert_sound(k)
        assert await people.n_slots("held") == 0
        number = 0
        while (annotator := await people.try_to_enter(f"last{number}")) is not None:
            await _walk(people, annotator)
            number += 1
        await people.assert_sound(k)
        assert await people.n_slots("open") == 0
        counted = await people.rows(
            """
            SELECT count(*) FROM choice JOIN slot ON slot.id = choice.slot_id JOIN arm ON arm.id = slot.arm_id
            JOIN study ON study.id = arm.study_id WHERE study.slug = :slug AND counted GROUP BY pair_id, arm_id
            """,
            slug=people.slug,
        )
        assert [row[0] for row in counted] == [k] * 8 * len(design.get("arms", [NEUTRAL]))


async def _trouble(people: People, over: asyncio.Event, rng: Random) -> None:
    """Let the holds of people end at random while they work, and sweep from two servers at once."""
    while not over.is_set():
        await people.expire([annotator for annotator in await people.everyone() if rng.random() < 0.3])
        await at_once(people.sweep(), people.sweep())


async def _wander(people: People, name: str, rng: Random) -> None:
    await asyncio.sleep(rng.random() / 4)
    annotator = await people.try_to_enter(name)
    if annotator is None:
        return
    way = rng.choice(("decline", "walk", "walk", "walk", "stop", "withdraw", "vanish", "two tabs"))
    if way == "decline":
        await people.do(annotator, participations.decline)
        return
    await people.to_judging(annotator)
    await people.judge(annotator, most=2)
    if way == "vanish":
        return
    if way == "two tabs":
        for _ in range(3):
            await people.expire([annotator])
            await people.sweep()
            await at_once(*(people.show(annotator) for _ in range(4)))
    if way == "stop":
        await people.stop(annotator)
    else:
        await people.judge(annotator)
    if way == "withdraw":
        await people.finish(annotator, withdraw=True)


# One after another.


async def test_two_tabs_of_one_person_enter_once(url: str) -> None:
    async with people_of(url, "two-tabs", connections=8) as people:
        assert len(set(await at_once(*(people.enter("same") for _ in range(8))))) == 1
        assert await people.n_slots("held") == 8
        await people.assert_sound(3)


async def test_releasing_opens_every_held_slot_with_its_side_and_keeps_the_filled(url: str) -> None:
    async with people_of(url, "released") as people:
        sides = """
            SELECT slot.id, side_truthful FROM slot JOIN pair ON pair.id = pair_id JOIN study ON study.id = study_id
            WHERE slug = 'released' ORDER BY slot.id
        """
        before = await people.rows(sides)
        annotator = await people.enter("p")
        await people.to_judging(annotator)
        await people.judge(annotator, most=3)
        assert (await people.n_slots("filled"), await people.n_slots("held")) == (3, 5)
        await people.stop(annotator)
        assert (await people.n_slots("filled"), await people.n_slots("held")) == (3, 0)
        assert await people.rows(sides) == before
        await people.assert_sound(3)


async def test_the_sweep_frees_the_expired_alone_and_servers_share_it(url: str) -> None:
    async with people_of(url, "swept", connections=4) as people:
        everyone = [await people.enter(f"p{number}") for number in range(5)]
        await people.expire(everyone[:3])
        assert sum(await at_once(*(people.sweep() for _ in range(4)))) == 24
        assert await people.n_slots("held") == 16
        gone = [(await people.place(annotator)).held_until is None for annotator in everyone]
        assert gone == [True, True, True, False, False]
        assert await people.sweep() == 0
        await people.assert_sound(3)


async def test_who_comes_back_gets_the_same_pairs_and_sides_as_far_as_they_are_open(url: str) -> None:
    async with people_of(url, "back", per_level=1, ratings_per_pair=1, pairs_per_annotator=8) as people:
        first = await people.enter("first")
        await people.to_judging(first)
        await people.judge(first, most=2)
        await people.expire([first])
        second = await people.enter("second")
        await people.to_judging(second)
        await people.judge(second, most=2)
        await people.stop(second)
        planned = """
            SELECT position, pair_id, side_truthful FROM assignment JOIN participation p ON p.id = participation_id
            WHERE public_id = :id ORDER BY position
        """
        before = await people.rows(planned, id=first)
        await people.show(first)
        assert await people.rows(planned, id=first) == before
        assert await people.n_slots("held") == 4, "of the six still to be judged, two were filled by somebody else"
        returned = await people.one(
            "SELECT detail FROM event JOIN study ON study.id = study_id WHERE slug = 'back' AND kind = 'returned'"
        )
        assert returned == {"retaken": 4, "replaced": 0, "missing": 2}
        await people.judge(first)
        await people.assert_sound(1)
        assert await people.n_slots("filled") == 8
        surplus = "SELECT count(*) FROM choice JOIN participation p ON p.id = participation_id WHERE public_id = :id"
        assert await people.one(f"{surplus} AND NOT counted", id=first) == 2


async def test_who_comes_back_holds_nothing_for_what_they_answered_meanwhile(url: str) -> None:
    async with people_of(url, "answered") as people:
        annotator = await people.enter("p")
        await people.to_judging(annotator)
        await people.expire([annotator])
        await people.sweep()
        await people.choose(annotator)
        await people.show(annotator)
        assert (await people.n_slots("filled"), await people.n_slots("held")) == (1, 7)
        await people.assert_sound(3)


async def test_the_sweep_passes_over_a_person_who_is_just_answering(url: str) -> None:
    async with people_of(url, "passed-over") as people:
        annotator = await people.enter("p")
        await people.to_judging(annotator)
        await people.expire([annotator])
        at = await people.at(annotator)
        async with people.sessions.begin() as session:
            place = await find_place(session, people.slug, annotator, lock=True)
            assert place is not None
            assert await asyncio.wait_for(people.sweep(), timeout=10) == 0
            assert await submit_late(session, place, at, Judgement(Answer.LEFT))
        assert (await people.n_slots("filled"), await people.n_slots("held")) == (1, 7)
        assert await people.sweep() == 0, "the answer began a new hold"
        await people.assert_sound(3)


async def test_two_tabs_that_come_back_at_once_hold_each_pair_once(url: str) -> None:
    async with people_of(url, "back-twice", connections=8) as people:
        annotator = await people.enter("p")
        await people.to_judging(annotator)
        await people.expire([annotator])
        await people.sweep()
        gone = await people.place(annotator)
        assert gone.held_until is None

        async def keep() -> None:
            async with people.sessions.begin() as session:
                await participations.keep_holding(session, gone)

        await at_once(*(keep() for _ in range(8)))
        await people.assert_sound(3)
        assert await people.n_slots("held") == 8
        returned = "SELECT detail FROM event WHERE kind = 'returned' AND study_id = :study"
        assert await people.rows(returned, study=gone.study.id) == [({"retaken": 8, "replaced": 0, "missing": 0},)]


async def test_who_consents_after_the_entry_hold_was_swept_holds_again(url: str) -> None:
    async with people_of(url, "slow-reader") as people:
        annotator = await people.enter("p")
        await people.expire([annotator])
        await people.sweep()
        assert await people.n_slots("held") == 0
        await people.do(annotator, participations.consent)
        assert await people.n_slots("held") == 8
        await people.assert_sound(3)


async def test_consent_lengthens_the_hold_and_coming_back_without_it_does_not(url: str) -> None:
    async with people_of(url, "lengths", entry_hold_minutes=10, hold_minutes=40) as people:
        annotator = await people.enter("p")

        async def minutes() -> int:
            place = await people.place(annotator)
            assert place.held_until is not None
            return round((place.held_until - place.now).total_seconds() / 60)

        assert await minutes() == 10
        await people.expire([annotator])
        await people.sweep()
        await people.do(annotator, participations.keep_holding)
        assert await minutes() == 10
        await people.do(annotator, participations.consent)
        assert await minutes() == 40
        await people.rows(
            "UPDATE participation SET held_until = now() + interval '3 minutes' WHERE public_id = :id RETURNING id",
            id=annotator,
        )
        await people.do(annotator, participations.keep_holding)
        assert await minutes() == 40


async def test_a_hold_that_was_swept_meanwhile_is_not_extended_without_its_slots(url: str) -> None:
    async with people_of(url, "raced") as people:
        annotator = await people.enter("p")
        await people.do(annotator, participations.consent)
        seen = await people.place(annotator)
        await people.expire([annotator])
        await people.sweep()
        async with people.sessions.begin() as session:
            await participations.keep_holding(session, seen)
        await people.assert_sound(3)
        assert (await people.place(annotator)).held_until is None
        await people.do(annotator, participations.keep_holding)
        assert await people.n_slots("held") == 8


async def test_no_place_and_complete_are_told_apart(url: str) -> None:
    async with people_of(url, "fulls", ratings_per_pair=1, pairs_per_annotator=16) as people:
        annotator = await people.enter("p")
        with pytest.raises(NoPlaceNow, match="no place right now"):
            await people.enter("q")
        await people.to_judging(annotator)
        await people.judge(annotator, most=15)
        with pytest.raises(NoPlaceNow):
            await people.enter("q")
        await people.judge(annotator)
        with pytest.raises(StudyFull, match="complete"):
            await people.enter("q")


async def test_a_rest_too_small_to_ask_anybody_is_no_reason_to_wait(url: str) -> None:
    """The one who asks holds slots at that moment; they must not be told that somebody else may give some back."""
    async with people_of(url, "rest", ratings_per_pair=1, pairs_per_annotator=14, min_pairs=3) as people:
        annotator = await people.enter("p")
        await people.to_judging(annotator)
        await people.judge(annotator)
        assert await people.n_slots("open") == 2
        with pytest.raises(StudyFull):
            await people.enter("q")
        await people.assert_sound(1)


async def test_a_full_arm_does_not_turn_people_away_from_one_with_room(url: str) -> None:
    arms = [NEUTRAL, BASELINE]
    async with people_of(url, "arms", per_level=1, ratings_per_pair=1, pairs_per_annotator=8, arms=arms) as people:
        one, other = [await people.enter(name) for name in ("one", "other")]
        assert len({(await people.place(annotator)).arm_id for annotator in (one, other)}) == 2
        for annotator in (one, other):
            await people.to_judging(annotator)
            await people.judge(annotator)
        await people.finish(other, withdraw=True)
        third = await people.enter("third")
        assert (await people.place(third)).arm_id == (await people.place(other)).arm_id
        with pytest.raises(NoPlaceNow):
            await people.enter("fourth")
        await people.assert_sound(1)


async def test_arms_fill_evenly_and_who_leaves_is_made_up_for(url: str) -> None:
    arms = [NEUTRAL, BASELINE, {"truthful_kind": "helpful", "instructions": "prefer_truth"}]
    async with people_of(url, "even-arms", arms=arms, ratings_per_pair=10) as people:
        annotators = [await people.enter(f"p{number}") for number in range(6)]
        given = [(await people.place(annotator)).arm_id for annotator in annotators]
        assert given == sorted(set(given)) * 2
        await people.do(annotators[4], participations.decline)
        await people.expire([annotators[5]])
        await people.sweep()
        again = [(await people.place(await people.enter(f"q{number}"))).arm_id for number in range(3)]
        assert again == [given[4], given[5], given[0]]
        await people.assert_sound(10)


async def test_two_people_at_once_get_a_full_set_each_where_one_loses_its_side(url: str) -> None:
    """One rating a side: whoever comes second to a side is given the other one, not fewer pairs."""
    async with people_of(
        url, "sides", connections=3, per_level=5, ratings_per_pair=2, pairs_per_annotator=40
    ) as people:
        async with people.sessions.begin() as first:
            await entering.enter(first, "sides", Arrival("one"))
            second = asyncio.create_task(people.enter("other"))
            await people.somebody_waits()
        await second
        planned = "SELECT n_planned FROM participation p JOIN study ON study.id = study_id WHERE slug = 'sides'"
        assert await people.rows(planned) == [(40,), (40,)]
        await people.assert_sound(2)
        asked = await people.rows("SELECT asked FROM claim JOIN study ON study.id = study_id WHERE slug = 'sides'")
        assert len(asked) == 3, "the second was planned once more, for the sides it lost"


# Replaying.


async def test_every_recorded_claim_gives_the_same_plan_again(url: str) -> None:
    async with people_of(url, "recorded", connections=24, ratings_per_pair=2) as people:
        await at_once(*(people.try_to_enter(f"p{number}") for number in range(12)))
        claims = await people.rows(
            """
            SELECT claim.asked, claim.draw, claim.planned, p.id FROM claim
            JOIN study ON study.id = claim.study_id JOIN participation p ON p.id = claim.participation_id
            WHERE study.slug = 'recorded' ORDER BY claim.id
            """
        )
        assert len(claims) >= 4
        for asked, draw, planned, who in claims:
            candidates = [Candidate(*row) for row in asked["candidates"]]
            so_far = [Planned(*row) for row in asked["so_far"]]
            again = plan(candidates, asked["n"], Random(draw), so_far)
            assert again == [Planned(**pair) for pair in planned]
            assert re.fullmatch(rf"7/{who}/[0-9]+", draw)


async def test_the_same_seed_and_the_same_sequence_give_the_same_assignments(new_database: NewDatabase) -> None:
    told = await _story(new_database())
    assert len(told) == 8 * 8, "eight people stayed, with eight pairs each"
    assert await _story(new_database()) == told


async def _story(url: str) -> list[tuple[Any, ...]]:
    """Let people come and go in one fixed sequence; return all that was assigned."""
    async with people_with(url, "story") as people:
        async with people.sessions.begin() as session:
            study = await draft_study(session, "story", arms=[NEUTRAL, BASELINE])
            study.key = b"the same key"
            await session.flush()
            await studies.open_study(session, "story")
        ids = [await people.enter(f"p{number}") for number in range(5)]
        await people.do(ids[1], participations.decline)
        await people.to_judging(ids[2])
        await people.judge(ids[2], most=3)
        await people.stop(ids[2])
        await people.expire([ids[3]])
        ids += [await people.enter(f"q{number}") for number in range(4)]
        return await people.rows(
            """
            SELECT p.public_id, arm_id, position, pair_id, side_truthful FROM assignment a
            JOIN participation p ON p.id = a.participation_id ORDER BY p.id, position
            """
        )


# Cost.

N_SLOTS = 20_000
_LARGE = "SELECT arm.id FROM arm JOIN study ON study.id = arm.study_id WHERE slug = 'large'"


@pytest.fixture(scope="module")
async def large(url: str) -> Any:
    """A study with 20,000 slots, half of them filled and some held, as it may be in the middle of its life."""
    engine = create_engine(url)
    async with sessions(engine)() as session:
        study = await open_study(session, "large", per_level=250, ratings_per_pair=10, pairs_per_annotator=20)
        for statement in _HALF_FULL:
            await session.execute(text(statement), {"study": study.id})
        await session.commit()
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("ANALYZE"))
        n_slots = await session.scalar(text(f"SELECT count(*) FROM slot WHERE arm_id = ({_LARGE})"))
        assert n_slots == N_SLOTS
        yield session
    await engine.dispose()


_HALF_FULL = (
    """
    INSERT INTO participation (study_id, arm_id, public_id, synthetic, held_until)
    SELECT :study, arm.id, 'made-up-' || number, true, now() + interval '1 hour'
    FROM arm, generate_series(0, 599) AS number WHERE arm.study_id = :study
    """,
    """
    UPDATE slot SET state = CASE WHEN number <= 5 THEN 'filled' ELSE 'held' END, participation_id = p.id
    FROM participation p, arm
    WHERE arm.study_id = :study AND slot.arm_id = arm.id AND slot.number <= 6 AND p.study_id = :study
      AND p.public_id = 'made-up-' || (slot.pair_id * 6 + slot.number) % 600
    """,
    """
    UPDATE vacancy SET open_left = l, open_right = r FROM (
        SELECT pair_id, slot.arm_id, count(*) FILTER (WHERE state = 'open' AND side_truthful = 'left') AS l,
               count(*) FILTER (WHERE state = 'open' AND side_truthful = 'right') AS r
        FROM slot JOIN arm ON arm.id = slot.arm_id WHERE study_id = :study GROUP BY pair_id, slot.arm_id
    ) AS found WHERE (found.pair_id, found.arm_id) = (vacancy.pair_id, vacancy.arm_id)
    """,
)

HOT: dict[str, tuple[Any, dict[str, str]]] = {
    "open pairs": (vacancies.OPEN_PAIRS, {"arm": "bigint", "n": "int", "besides": "bigint[]"}),
    "hold": (
        slots._HOLD,
        {"participation": "bigint", "arm": "bigint", "pairs": "bigint[]", "sides": "text[]"},
    ),
    "release": (slots._RELEASE, {"participations": "bigint[]"}),
}
VALUES = {
    "arm": f"({_LARGE})",
    "n": "20",
    "besides": "'{}'",
    "participation": "(SELECT max(id) FROM participation)",
    "pairs": f"ARRAY(SELECT pair_id FROM vacancy WHERE arm_id = ({_LARGE}) ORDER BY pair_id LIMIT 20)",
    "sides": "array_fill('left'::text, '{20}')",
    "participations": "ARRAY(SELECT id FROM participation ORDER BY id DESC LIMIT 1)",
}


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", HOT)
async def test_the_hot_path_reads_slots_and_vacancies_by_index_alone(large: AsyncSession, name: str, mode: str) -> None:
    """Both plans that a prepared statement may get; the driver prepares after five uses."""
    statement, types = HOT[name]
    query = statement.text
    for number, parameter in enumerate(types, start=1):
        query = re.sub(rf"(?<!:):{parameter}\b", f"${number}", query)
    values = [await large.scalar(text(f"SELECT CAST(({VALUES[p]}) AS {kind})::text")) for p, kind in types.items()]
    driver = (await (await large.connection()).get_raw_connection()).driver_connection
    assert driver is not None
    await driver.execute(f"SET LOCAL plan_cache_mode = {mode}")
    await driver.execute(f"PREPARE hot ({', '.join(types.values())}) AS {query}".encode())
    try:
        given = ", ".join(f"'{value}'" for value in values)
        explained = await driver.execute(f"EXPLAIN (ANALYZE OFF) EXECUTE hot ({given})".encode())
        lines = "\n".join(row[0] for row in await explained.fetchall())
    finally:
        await driver.execute("DEALLOCATE hot")
        await large.rollback()
    assert re.search(r"(Index|Bitmap Heap) Scan.* on (slot|vacancy)\b", lines), lines
    assert not re.search(r"Seq Scan on (slot|vacancy|participation)\b", lines), lines


async def rows_read(session: AsyncSession) -> dict[str, int]:
    """How many rows of each table this transaction has read so far, by whatever way."""
    found = await session.execute(
        text("SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables")
    )
    return dict(found.all())


@pytest.mark.parametrize("scans", ["on", "off"])
@pytest.mark.usefixtures("large")
async def test_choosing_an_arm_costs_the_same_however_many_came(url: str, scans: str) -> None:
    arms = [NEUTRAL, BASELINE]
    async with people_of(url, f"crowded-{scans}", arms=arms, entry_holds=None) as people:
        await people.enter("first")
        await people.rows(
            """
            INSERT INTO participation (study_id, arm_id, public_id, synthetic)
            SELECT study.id, arm.id, 'made-up-' || arm.id || '-' || number, true
            FROM study JOIN arm ON arm.study_id = study.id, generate_series(1, 2000) AS number
            WHERE slug = :slug RETURNING id
            """,
            slug=people.slug,
        )
        async with people.sessions.begin() as session:
            study = await studies.get_study(session, people.slug)
            await session.execute(text(f"SET LOCAL enable_seqscan = {scans}"))
            before = await rows_read(session)
            chosen = await entering._choose_arm(session, study)
            read = {table: n - before.get(table, 0) for table, n in (await rows_read(session)).items()}
        assert read.get("participation", 0) == 0
        assert {table: n for table, n in read.items() if n > 100} == {}
        second = await people.enter("second")
        assert (await people.place(second)).arm_id == chosen


async def test_declining_reads_what_the_person_holds_alone(large: AsyncSession) -> None:
    """A reference without an index is looked for in its whole table when what it refers to is deleted."""
    for setting in ("enable_seqscan = off", "enable_mergejoin = off", "plan_cache_mode = force_generic_plan"):
        await large.execute(text(f"SET LOCAL {setting}"))
    await large.execute(text("UPDATE participation SET consented_at = now() WHERE public_id LIKE 'made-up-%'"))
    annotator = await entering.enter(large, "large", Arrival("who declines"))
    place = await find_place(large, "large", annotator, lock=True)
    assert place is not None
    before = await rows_read(large)
    await participations.decline(large, place)
    read = {table: n - before.get(table, 0) for table, n in (await rows_read(large)).items()}
    await large.rollback()
    assert read["slot"] >= 20
    assert {table: n for table, n in read.items() if n > 200} == {}


async def test_filling_a_held_slot_changes_no_index(large: AsyncSession) -> None:
    """Or every judgement would write an entry in each index of the slots, whichever of them names the state."""
    indexes = text("SELECT indexdef FROM pg_indexes WHERE tablename = 'slot'")
    definitions = list(await large.scalars(indexes))
    await large.rollback()
    assert len(definitions) == 5
    assert [definition for definition in definitions if re.search(r"\bstate\b", definition)] == []


async def test_a_claim_reads_no_more_pairs_than_one_person_can_use(large: AsyncSession) -> None:
    arm_id = await large.scalar(text(_LARGE))
    candidates = await vacancies.open_pairs(large, arm_id, 20, [])
    by_level = {level: [c for c in candidates if c.level == level] for level in range(1, 9)}
    for level, offered in by_level.items():
        assert 20 <= len(offered) <= 40
        seen = await large.execute(
            text(
                "SELECT n_open FROM vacancy WHERE arm_id = :arm AND difficulty_level = :level ORDER BY 1 DESC LIMIT 20"
            ),
            {"arm": arm_id, "level": level},
        )
        most_open = [n_open for (n_open,) in seen]
        assert sorted((c.n_open for c in offered), reverse=True)[:20] == most_open
    await large.rollback()
