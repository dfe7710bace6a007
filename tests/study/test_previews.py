"""Previews leave nothing behind: each goes when its opener opens another, or once it is a day old."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import create_engine, sessions
from app.models import Base
from app.study import amendments, claims, copies, events, participations, previews, studies
from app.study.entering import Arrival, enter
from app.study.places import find_place
from app.study.previews import PreviewKeepsNothing, refuse_preview
from app.study.slots import PlannedRound
from app.study.studies import StudyUnknown
from app.terms import Side
from tests.conftest import NewDatabase
from tests.signing_in import make
from tests.studies import draft_study, open_study
from tests.study.people import People, at_once
from tests.study.steps import say_looked_up, walk

WHOSE = {"attention_checks": 1, "tie": True}


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    return new_database()


@pytest.fixture
async def session(url: str) -> AsyncIterator[AsyncSession]:
    """A session on a database of this module, which commits."""
    engine = create_engine(url)
    async with sessions(engine)() as session:
        yield session
    await engine.dispose()


async def counts(session: AsyncSession) -> dict[str, int]:
    """How many rows each table has, but for the record of what was done to studies."""
    counted = {}
    for table in Base.metadata.sorted_tables:
        only = "WHERE participation_id IS NOT NULL" if table.name == "event" else ""
        counted[table.name] = await session.scalar(text(f"SELECT count(*) FROM {table.name} {only}")) or 0
    await session.rollback()
    return counted


async def open_and_walk(session: AsyncSession, url: str, slug: str, account_id: int | None) -> str:
    """Open a preview, and let somebody walk all of it."""
    shown = (await previews.preview(session, slug, account_id)).slug
    await session.commit()
    people = People(url, shown, 2)
    annotator = await people.enter("somebody")
    await people.to_judging(annotator)
    await walk(people, annotator, side=Side.LEFT)
    await say_looked_up(people, annotator)
    await people.close()
    return shown


async def test_opening_another_removes_all_that_the_first_left(session: AsyncSession, url: str) -> None:
    ada, bob = [await make(session, f"{name}@example.org") for name in ("ada", "bob")]
    await open_study(session, "kept", options=WHOSE)
    await draft_study(session, "looked-at", options=WHOSE)
    await open_and_walk(session, url, "kept", bob)
    people = People(url, "kept", 2)
    annotator = await people.enter("a person")
    await people.to_judging(annotator)
    await walk(people, annotator, most=3)
    await people.close()
    before = await counts(session)
    first = await open_and_walk(session, url, "looked-at", ada)
    grown = await counts(session)
    left = {"participation", "assignment", "choice", "check_answer", "claim", "slot", "pair", "vacancy", "arm", "event"}
    assert {table for table in before if grown[table] > before[table]} == left | {"study"}
    second = (await previews.preview(session, "looked-at", ada)).slug
    await session.commit()
    with pytest.raises(StudyUnknown):
        await studies.get_study(session, first)
    now = await counts(session)
    assert {table: now[table] for table in left - {"arm", "slot", "pair", "vacancy"}} == {
        table: before[table] for table in left - {"arm", "slot", "pair", "vacancy"}
    }, "nobody has walked the second one"
    assert (now["study"], now["pair"], now["slot"]) == (grown["study"], grown["pair"], grown["slot"])
    told = await session.execute(text("SELECT kind FROM event WHERE detail ->> 'copy' = :copy"), {"copy": first})
    assert list(told.scalars()) == ["preview_opened"], "that it was opened stays on record"
    async with session.begin_nested():
        annotator = await enter(session, second, Arrival("somebody else"))
    assert await find_place(session, second, annotator) is not None
    await session.rollback()
    slug = await session.scalar(text("SELECT slug FROM study WHERE purpose = 'preview' AND slug <> :s"), {"s": second})
    assert slug is not None, "bob's is still there"


async def test_a_day_later_anybody_s_next_preview_removes_it_unless_something_was_made_of_it(
    session: AsyncSession,
) -> None:
    await open_study(session, "dated")
    old = [(await previews.preview(session, "dated")).slug for _ in range(3)]
    await session.execute(
        text("UPDATE study SET opened_at = now() - make_interval(hours => 25) WHERE slug = ANY(:old)"),
        {"old": old[:2]},
    )
    await amendments.raise_ratings(session, old[0], 900)
    assert await previews.remove_old(session) == 1
    there = set(await session.scalars(text("SELECT slug FROM study WHERE slug = ANY(:old)"), {"old": old}))
    assert there == {old[0], old[2]}
    await session.rollback()


async def open_old(session: AsyncSession, slug: str, n: int = 1, **design: Any) -> str:
    """Open previews of a new study that are a day old already; return the first."""
    await open_study(session, slug, **design)
    shown = [(await previews.preview(session, slug)).slug for _ in range(n)]
    await session.execute(
        text("UPDATE study SET opened_at = now() - make_interval(hours => 25) WHERE slug = ANY(:slugs)"),
        {"slugs": shown},
    )
    await session.commit()
    return shown[0]


async def test_one_in_which_somebody_is_doing_something_is_left_and_let_go_of(session: AsyncSession, url: str) -> None:
    people = People(url, await open_old(session, "walked-in"), 2)
    one, other = [await people.enter(name) for name in ("one", "other")]
    async with people.sessions.begin() as acting:
        place = await find_place(acting, people.slug, one, lock=True)
        assert place is not None
        async with asyncio.timeout(10):
            assert await previews.remove_old(session) == 0
            await people.do(other, participations.consent)
            claimed = [PlannedRound("a draw", [], 0, [], [])]
            await claims.record(acting, place.study.id, place.arm_id, place.participation_id, claimed)
    async with people.sessions.begin() as entering, asyncio.timeout(10):
        await enter(entering, people.slug, Arrival("a newcomer"))
        assert await previews.remove_old(session) == 0
    assert await previews.remove_old(session) == 1
    await session.commit()
    assert await people.everyone() == []
    await people.close()


async def test_who_enters_one_that_is_just_being_removed_finds_no_study(session: AsyncSession, url: str) -> None:
    people = People(url, await open_old(session, "just-gone"), 2)
    assert await previews.remove_old(session) == 1
    async with asyncio.TaskGroup() as group:
        entering = group.create_task(refused(people))
        await people.somebody_waits()
        await session.commit()
    assert entering.result() == people.slug
    await people.close()


async def refused(people: People) -> str:
    """Enter where there is no such study; return its name."""
    async with people.sessions.begin() as session:
        with pytest.raises(StudyUnknown) as told:
            await enter(session, people.slug, Arrival("a newcomer"))
    return told.value.slug


async def test_two_who_remove_at_once_share_what_there_is(session: AsyncSession, url: str) -> None:
    people = People(url, await open_old(session, "shared", 3), 2)
    await people.enter("somebody")

    async def remove() -> int:
        async with people.sessions.begin() as removing:
            return await previews.remove_old(removing)

    assert sum(await at_once(remove(), remove())) == 3
    assert await people.everyone() == []
    await people.close()


async def test_a_removal_reads_no_table_whole(session: AsyncSession, url: str) -> None:
    """What has no index for a reference is read whole once for each person, pair or arm that goes."""
    arms = [{"truthful_kind": "helpful"}, {"truthful_kind": "baseline"}]
    people = People(url, await open_old(session, "costly", arms=arms), 2)
    for name in ("one", "other"):
        annotator = await people.enter(name)
        await people.to_judging(annotator)
        await walk(people, annotator, most=2)
    await people.close()
    await session.execute(text("SET LOCAL enable_seqscan = off"))
    before = await scans(session)
    assert await previews.remove_old(session) == 1
    whole = {table for table, n in (await scans(session)).items() if n > before.get(table, 0)}
    assert whole <= {"study", "scoring_run", "model_fit", "result_link"}, "of studies and what is made of them are few"
    await session.commit()


async def test_what_goes_is_looked_for_by_an_index_that_begins_with_it(session: AsyncSession) -> None:
    """Whatever refers to it. One that has it further back is gone through whole, though no table is."""
    goes = ["participation", "arm", "pair", "slot", "assignment"]
    found = await session.execute(text(_UNINDEXED), {"goes": goes})
    assert [tuple(row) for row in found] == []
    await session.rollback()


_UNINDEXED = """
    SELECT f.conrelid::regclass::text, a.attname::text
    FROM pg_constraint f JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
    WHERE f.contype = 'f' AND f.confrelid = ANY(CAST(CAST(:goes AS text[]) AS regclass[]))
      AND NOT EXISTS (
          SELECT 1 FROM pg_index i WHERE i.indrelid = f.conrelid AND i.indkey[0] = a.attnum
            AND coalesce(pg_get_expr(i.indpred, i.indrelid) = '(' || a.attname || ' IS NOT NULL)', true)
      )
    ORDER BY 1, 2
"""


async def scans(session: AsyncSession) -> dict[str, int]:
    """How often each table was read whole."""
    return dict((await session.execute(text("SELECT relname, seq_scan FROM pg_stat_xact_user_tables"))).all())


@pytest.mark.parametrize("table", ["choice", "slot", "pair", "arm", "event"])
@pytest.mark.parametrize("purpose", ["study", "pilot"])
async def test_of_a_study_and_of_a_pilot_nothing_can_be_deleted(
    session: AsyncSession, url: str, table: str, purpose: str
) -> None:
    slug = f"{purpose}-{table}"
    await open_study(session, slug)
    if purpose == "pilot":
        slug = (await copies.pilot(session, slug)).slug
    await session.commit()
    people = People(url, slug, 2)
    annotator = await people.enter("a person")
    await people.to_judging(annotator)
    await walk(people, annotator, most=2)
    await people.close()
    of_it = {
        "choice": "participation_id IN (SELECT id FROM participation WHERE study_id = study.id)",
        "slot": "pair_id IN (SELECT id FROM pair WHERE study_id = study.id)",
    }.get(table, f"{table}.study_id = study.id")
    with pytest.raises(DBAPIError, match=f"{table} is append-only"):
        await session.execute(
            text(f"DELETE FROM {table} USING study WHERE study.slug = :slug AND {of_it}"), {"slug": slug}
        )
    await session.rollback()


async def test_what_was_done_to_a_preview_stays_on_record(session: AsyncSession) -> None:
    await open_study(session, "recorded")
    shown = await previews.preview(session, "recorded")
    await events.record(session, "study_paused", study_id=shown.id)
    with pytest.raises(DBAPIError, match="event is append-only"):
        await session.execute(text("DELETE FROM event WHERE study_id = :study"), {"study": shown.id})
    await session.rollback()


async def test_a_preview_is_not_exported_and_its_study_is(session: AsyncSession) -> None:
    study = await open_study(session, "released")
    shown = await previews.preview(session, "released")
    with pytest.raises(PreviewKeepsNothing, match="start a pilot to rehearse with data"):
        refuse_preview(shown)
    refuse_preview(study)
    refuse_preview(await copies.pilot(session, "released"))
    await session.rollback()
