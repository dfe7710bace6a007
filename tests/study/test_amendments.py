"""Amendments: raising k, retiring a pair; what else of a live design cannot change; and copies that count nothing."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.exports.choices import CHOICES
from app.exports.csv_files import table_csv
from app.study import amendments, copies, owners, participations, preregistrations, previews, studies
from app.study.amendments import CannotLower, PairUnknown, RatingsTooMany, ReasonMissing
from app.study.assignment import deal_more_sides, deal_sides
from app.study.copies import CopyOfCopy
from app.study.designs import check_design
from app.study.entering import StudyFull
from app.study.sets import find_set
from app.study.studies import StudyExists, StudyStateWrong
from tests.conftest import NewDatabase
from tests.signing_in import make
from tests.studies import draft_study, open_study
from tests.study.people import People, people_of

SMALL: dict[str, Any] = {"per_level": 1, "ratings_per_pair": 1, "pairs_per_annotator": 8}


@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.integers(0, 6), min_size=1, max_size=4), st.integers())
def test_sides_dealt_in_two_goes_are_balanced_as_if_dealt_in_one(
    k: int, more: int, sizes: list[int], seed: int
) -> None:
    levels = {level: [100 * level + n for n in range(size)] for level, size in enumerate(sizes, start=1)}
    first = deal_sides(levels, k, Random(seed))
    had = {
        level: {pair: (first[pair].count("left"), first[pair].count("right")) for pair in pairs}
        for level, pairs in levels.items()
    }
    added = deal_more_sides(had, k + more, Random(seed + 1))
    for pairs in levels.values():
        lefts = [(first[pair] + added[pair]).count("left") for pair in pairs]
        assert all(len(first[pair]) + len(added[pair]) == k + more for pair in pairs)
        assert all(n in {(k + more) // 2, (k + more + 1) // 2} for n in lefts)
        if pairs and k % 2 == 0:
            assert abs(2 * sum(lefts) - (k + more) * len(pairs)) <= 1, "the extra side is split over a level's pairs"


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    return new_database()


@pytest.fixture
async def people(url: str, request: pytest.FixtureRequest) -> AsyncIterator[People]:
    """A study of eight pairs with one rating each, which one person has filled."""
    slug = f"amended-{hashlib.sha256(request.node.name.encode()).hexdigest()[:20]}"
    async with people_of(url, slug, **SMALL) as people:
        await judge_all(people, "first")
        yield people


async def judge_all(people: People, person: str) -> str:
    annotator = await people.enter(person)
    await people.to_judging(annotator)
    await people.judge(annotator)
    await people.finish(annotator)
    return annotator


async def test_raising_k_makes_room_for_more_people(people: People) -> None:
    with pytest.raises(StudyFull):
        await people.enter("second")
    async with people.sessions.begin() as session:
        before = (await studies.get_study(session, people.slug)).design_hash
        raised = await amendments.raise_ratings(session, people.slug, 3, account_id=None)
        assert raised.ratings_per_pair == 3
        assert raised.design_hash != before
    await people.assert_sound(3)
    for person in ("second", "third"):
        await judge_all(people, person)
    await people.assert_sound(3)
    assert await people.n_slots("filled") == 24
    with pytest.raises(StudyFull):
        await people.enter("fourth")


async def test_choices_carry_the_hash_in_force_when_they_were_stored(people: People) -> None:
    async with people.sessions.begin() as session:
        await amendments.raise_ratings(session, people.slug, 2)
    await judge_all(people, "second")
    hashes = await people.rows(
        """
        SELECT p.public_id, min(choice.design_hash), count(DISTINCT choice.design_hash) FROM choice
        JOIN participation p ON p.id = participation_id JOIN study ON study.id = p.study_id
        WHERE slug = :slug GROUP BY p.id ORDER BY p.id
        """,
        slug=people.slug,
    )
    assert [n for _, _, n in hashes] == [1, 1]
    assert hashes[0][1] != hashes[1][1]
    recorded = (
        "SELECT a.design_hash, kind, detail FROM amendment a JOIN study ON study.id = study_id WHERE slug = :slug"
    )
    assert await people.rows(recorded, slug=people.slug) == [
        (hashes[1][1], "ratings_raised", {"before": 1, "after": 2, "n_slots": 8})
    ]


@pytest.mark.parametrize("k", [1, 0, -3])
async def test_k_is_never_lowered(people: People, k: int) -> None:
    async with people.sessions() as session:
        with pytest.raises(CannotLower, match="can be raised only"):
            await amendments.raise_ratings(session, people.slug, k)


async def test_k_has_the_bound_that_a_design_has(people: People) -> None:
    async with people.sessions() as session:
        with pytest.raises(RatingsTooMany, match="at most 1000"):
            await amendments.raise_ratings(session, people.slug, 1001)


async def test_a_retired_pair_is_offered_to_nobody_and_its_choices_are_excluded(people: People) -> None:
    async with people.sessions.begin() as session:
        await amendments.raise_ratings(session, people.slug, 2)
        await amendments.retire_pair(session, people.slug, "claim-003", "its fact is disputed")
        with pytest.raises(PairUnknown, match="retired already"):
            await amendments.retire_pair(session, people.slug, "claim-003", "again")
        with pytest.raises(PairUnknown, match="not one of its pairs"):
            await amendments.retire_pair(session, people.slug, "claim-999", "no such")
        with pytest.raises(PairUnknown, match="not one of its pairs"):
            await amendments.retire_pair(session, people.slug, "claim\x00", "no such")
        for reason in ("", " \n", "\x00"):
            with pytest.raises(ReasonMissing):
                await amendments.retire_pair(session, people.slug, "claim-004", reason)
    second = await judge_all(people, "second")
    async with people.sessions.begin() as session:
        lines = b"".join([chunk async for chunk in table_csv(session, CHOICES, people.slug)]).decode().splitlines()
    header = lines[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=True)) for line in lines[1:]]
    assert len([row for row in rows if row["annotator"] == second]) == 7
    reasons = {(row["misconception_key"] == "claim-003", row["excluded"], row["exclusion_reason"]) for row in rows}
    assert reasons == {(True, "true", "retired_pair"), (False, "false", "")}


AMENDMENTS: dict[str, Any] = {
    "raised": lambda session, slug: amendments.raise_ratings(session, slug, 2),
    "retired": lambda session, slug: amendments.retire_pair(session, slug, "claim-003", "its fact is disputed"),
}


@pytest.mark.parametrize("how", AMENDMENTS)
async def test_who_comes_back_and_an_amendment_do_not_wait_for_each_other(url: str, how: str) -> None:
    """Each needs what the other locks: the vacancies, and the study that a claim refers to."""
    design = SMALL | {"per_level": 2}
    async with people_of(url, f"met-{how}", 3, **design) as people:
        holder, away = [await people.enter(name) for name in ("holder", "away")]
        await people.to_judging(away)
        await people.expire([away])
        await people.to_judging(await people.enter("who takes what was away's"))
        await people.stop(holder)
        async with people.sessions.begin() as session:
            await studies.get_study(session, people.slug, lock=True)
            await asyncio.wait_for(people.do(away, participations.keep_holding), 10)
            await asyncio.wait_for(people.try_to_enter("newcomer"), 10)
            await AMENDMENTS[how](session, people.slug)
        returned = "SELECT detail FROM event JOIN study ON study.id = study_id WHERE slug = :slug AND kind = 'returned'"
        assert await people.one(returned, slug=people.slug) == {"retaken": 0, "replaced": 8, "missing": 0}
        await people.assert_sound(2 if how == "raised" else 1)


async def test_amendments_keep_the_vacancies_of_arms_in_step(url: str) -> None:
    arms = [{"truthful_kind": "helpful"}, {"truthful_kind": "baseline"}]
    async with people_of(url, "arms-amended", **SMALL, arms=arms) as people:
        await people.enter("somebody")
        async with people.sessions.begin() as session:
            await AMENDMENTS["raised"](session, people.slug)
            await assert_open_in_arms(session, people.slug, [8, 16])
            await AMENDMENTS["retired"](session, people.slug)
            await assert_open_in_arms(session, people.slug, [7, 14])
        await people.assert_sound(2)


async def assert_open_in_arms(session: AsyncSession, slug: str, n_open: list[int]) -> None:
    kept = """
        SELECT n_open FROM arm_vacancy JOIN arm ON arm.id = arm_id JOIN study ON study.id = study_id
        WHERE slug = :slug ORDER BY arm_id
    """
    assert list(await session.scalars(text(kept), {"slug": slug})) == n_open


async def test_a_preview_waits_for_what_is_just_changed_of_its_study(url: str) -> None:
    async with people_of(url, "handed-over", 3) as people:
        async with people.sessions.begin() as session:
            heir = await make(session, "heir@example.org")

        async def look() -> int | None:
            async with people.sessions.begin() as session:
                return (await previews.preview(session, people.slug)).owner_id

        async with people.sessions.begin() as session:
            await owners.give(session, people.slug, "heir@example.org")
            looking = asyncio.create_task(look())
            await people.somebody_waits()
        assert await looking == heir


async def test_a_draft_and_a_closed_study_cannot_be_amended(session: AsyncSession) -> None:
    await draft_study(session, "amended-draft")
    with pytest.raises(StudyStateWrong, match="must be live or paused"):
        await amendments.raise_ratings(session, "amended-draft", 9)
    await studies.open_study(session, "amended-draft")
    await studies.close_study(session, "amended-draft")
    with pytest.raises(StudyStateWrong):
        await amendments.retire_pair(session, "amended-draft", "claim-001", "late")


@pytest.mark.parametrize(
    "change",
    [
        "ratings_per_pair = ratings_per_pair + 1",
        "ratings_per_pair = ratings_per_pair + 1, design_hash = 'made up'",
        "design_hash = 'made up'",
        "ratings_per_pair = ratings_per_pair - 1, design_hash = (SELECT design_hash FROM amendment LIMIT 1)",
    ],
)
async def test_the_database_refuses_a_change_without_an_amendment_of_its_own(
    session: AsyncSession, change: str
) -> None:
    study = await open_study(session, "unamended")
    await amendments.raise_ratings(session, "unamended", 4)
    with pytest.raises(DBAPIError, match="is frozen"):
        await session.execute(text(f"UPDATE study SET {change} WHERE id = :id"), {"id": study.id})


@pytest.mark.parametrize("table", ["amendment", "retired_pair", "preregistration"])
async def test_records_of_amendments_cannot_be_changed(session: AsyncSession, table: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        await session.execute(text(f"DELETE FROM {table}"))


# Drafts, and copies.


async def test_a_draft_can_be_changed_in_everything_and_a_live_study_in_nothing(session: AsyncSession) -> None:
    draft = await draft_study(session, "changing")
    arms = [{"truthful_kind": "baseline"}, {"truthful_kind": "helpful", "instructions": "prefer_truth"}]
    design = check_design(
        {"slug": "changed", "title": "Other", "contact": "other", "arms": arms, "pairs_per_annotator": 4}
        | {"options": {"tie": True}}
    )
    chosen = await find_set(session, "changing-set")
    changed = await studies.change_draft(session, "changing", design, chosen)
    assert changed.id == draft.id
    found = await studies.get_study(session, "changed")
    assert [(arm.truthful_kind, arm.instructions) for arm in found.arms] == [
        ("baseline", "neutral"),
        ("helpful", "prefer_truth"),
    ]
    assert (found.pairs_per_annotator, found.options["tie"]) == (4, True)
    await draft_study(session, "taken")
    with pytest.raises(StudyExists):
        await studies.change_draft(session, "changed", design.model_copy(update={"slug": "taken"}), chosen)
    await studies.open_study(session, "changed")
    with pytest.raises(StudyStateWrong, match="can only be amended"):
        await studies.change_draft(session, "changed", design, chosen)
    with pytest.raises(DBAPIError, match="arm is append-only"):
        await session.execute(text("DELETE FROM arm WHERE study_id = :id"), {"id": draft.id})


async def test_a_clone_has_the_design_but_codes_and_a_seed_of_its_own(session: AsyncSession) -> None:
    original = await open_study(session, "original", options={"confidence": True}, hold_minutes=25)
    copy = await copies.clone(session, "original", "second-wave")
    assert (copy.state, copy.hold_minutes, copy.options["confidence"]) == ("draft", 25, True)
    assert copy.set_id == original.set_id
    assert copy.seed != original.seed
    assert copy.completion_code != original.completion_code
    assert copy.key != original.key
    with pytest.raises(StudyExists):
        await copies.clone(session, "original", "second-wave")


async def test_a_clone_of_a_draft_keeps_the_cap_of_holds_and_one_of_a_settled_study_has_none(
    session: AsyncSession,
) -> None:
    await draft_study(session, "capped", entry_holds=7)
    await draft_study(session, "free")
    assert (await copies.clone(session, "capped", "capped-2")).entry_holds == 7
    assert (await copies.clone(session, "free", "free-2")).entry_holds is None
    await preregistrations.preregister(session, "capped")
    assert (await copies.clone(session, "capped", "capped-3")).entry_holds is None
    await studies.open_study(session, "capped-2")
    assert (await copies.clone(session, "capped-2", "capped-4")).entry_holds is None


async def test_a_preview_walks_the_design_and_counts_nothing(session: AsyncSession) -> None:
    await draft_study(session, "looked-at", platform="prolific", options={"tie": True})
    shown = await previews.preview(session, "looked-at")
    assert (shown.state, shown.purpose, shown.platform) == ("live", "preview", "open")
    assert shown.options["tie"]
    original = await studies.get_study(session, "looked-at")
    assert (original.state, shown.copy_of_id) == ("draft", original.id)
    other = await previews.preview(session, "looked-at")
    assert other.slug != shown.slug
    assert await copies.original_of(session, shown) is original
    assert await copies.original_of(session, original) is None


@pytest.mark.parametrize(("per_level", "n", "k"), [(2, 8, 25), (1, 8, 50), (8, 1, 1)])
async def test_a_preview_has_places_for_fifty_walks_whatever_the_size_of_its_set(
    session: AsyncSession, per_level: int, n: int, k: int
) -> None:
    await draft_study(session, "sized", per_level, pairs_per_annotator=n, ratings_per_pair=900)
    assert (await previews.preview(session, "sized")).ratings_per_pair == k


async def test_who_acts_on_a_copy_is_on_record_and_its_owner_is_that_of_the_study(session: AsyncSession) -> None:
    owner, other = [await make(session, email) for email in ("owner@example.org", "other@example.org")]
    study = await draft_study(session, "recorded")
    study.owner_id = owner
    pilot = await copies.pilot(session, "recorded", other)
    assert pilot.owner_id == owner
    recorded = await session.execute(
        text("SELECT kind, account_id FROM event WHERE study_id IN (:study, :pilot) AND account_id IS NOT NULL"),
        {"study": study.id, "pilot": pilot.id},
    )
    assert {tuple(row) for row in recorded} == {
        ("study_created", other),
        ("study_live", other),
        ("pilot_opened", other),
    }


async def test_what_was_changed_but_not_yet_written_is_kept_when_a_study_is_locked(session: AsyncSession) -> None:
    study = await draft_study(session, "unwritten")
    study.title = "Another title"
    assert (await studies.get_study(session, "unwritten", lock=True)).title == "Another title"


async def test_resetting_a_pilot_closes_it_and_opens_another(session: AsyncSession) -> None:
    await draft_study(session, "rehearsed")
    first = await copies.pilot(session, "rehearsed")
    second = await copies.pilot(session, "rehearsed")
    original = await studies.get_study(session, "rehearsed")
    assert [(pilot.slug, pilot.state) for pilot in await copies.pilots(session, original.id)] == [
        ("rehearsed-pilot-2", "live"),
        ("rehearsed-pilot-1", "closed"),
    ]
    assert first.completion_code == second.completion_code == original.completion_code


async def test_a_pilot_and_a_preview_are_not_copied_again(session: AsyncSession) -> None:
    await draft_study(session, "once")
    for copied in (await copies.pilot(session, "once"), await previews.preview(session, "once")):
        for copy in (copies.pilot, previews.preview):
            with pytest.raises(CopyOfCopy, match=f"is a {copied.purpose} of 'once', .*; make one of 'once'"):
                await copy(session, copied.slug)
        assert (await copies.clone(session, copied.slug, f"own-{copied.purpose}")).purpose == "study"


async def test_a_pilot_takes_a_name_that_no_study_has(session: AsyncSession) -> None:
    long = ["a" * 56, "a" * 52 + "bbbb"]  # Cut to make room for the ending, both begin alike.
    for slug in ("taken", "taken-pilot-1", *long):
        await draft_study(session, slug)
    assert (await copies.pilot(session, "taken")).slug == "taken-pilot-2"
    assert [(await copies.pilot(session, slug)).slug for slug in long] == ["a" * 52 + "-pilot-1", "a" * 52 + "-pilot-2"]
