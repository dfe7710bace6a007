"""What a platform's word does to a person's way: idempotent, whatever the order, and never at the cost of a slot."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from app.study import deliveries, entering, participations, platforms
from app.study.entering import Arrival
from app.study.platforms import Change, Report
from app.terms import Outcome, Platform, Side, Stage, SubmissionStatus
from tests.conftest import NewDatabase
from tests.study.people import People, at_once, people_of

ACTIVE, RETURNED, TIMED_OUT = SubmissionStatus.ACTIVE, SubmissionStatus.RETURNED, SubmissionStatus.TIMED_OUT
START = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    return new_database()


@pytest.fixture
async def people(url: str, request: pytest.FixtureRequest) -> AsyncIterator[People]:
    slug = request.node.name.replace("_", "-").replace("[", "-").replace("]", "")[-50:].strip("-").lower()
    async with people_of(url, slug, connections=6, platform="prolific") as people:
        yield people


async def arrive(people: People, name: str = "ann", session: str | None = None) -> str:
    async with people.sessions.begin() as opened:
        arrival = Arrival(f"person-{name}", "study-1", session or session_of(people, name))
        return await entering.enter(opened, people.slug, arrival)


def session_of(people: People, name: str = "ann") -> str:
    return f"{people.slug}-{name}"


def said(people: People, status: SubmissionStatus, after: int = 0, name: str = "ann", **more: Any) -> Report:
    """What Prolific says so many seconds after the start."""
    at = START + timedelta(seconds=after)
    return Report(Platform.PROLIFIC, session_of(people, name), status, at, more.get("person", f"person-{name}"))


async def note(people: People, report: Report, slug: str | None = None) -> list[Change]:
    async with people.sessions.begin() as session:
        return await platforms.note_status(session, report, slug)


async def stored(people: People, annotator: str) -> tuple[str | None, datetime | None]:
    ((status, at),) = await people.rows(
        """
        SELECT platform_status, platform_status_at FROM platform_identity i
        JOIN participation p ON p.id = i.participation_id WHERE p.public_id = :id
        """,
        id=annotator,
    )
    return status, at


async def events_of(people: People) -> list[dict[str, Any]]:
    rows = await people.rows(
        """
        SELECT detail FROM event JOIN study ON study.id = event.study_id
        WHERE kind = 'platform_status' AND slug = :slug ORDER BY event.id
        """,
        slug=people.slug,
    )
    return [detail for (detail,) in rows]


async def held(people: People, annotator: str) -> int:
    n: int = await people.one(
        """
        SELECT count(*) FROM slot JOIN participation p ON p.id = participation_id
        WHERE public_id = :id AND state = 'held'
        """,
        id=annotator,
    )
    return n


# Order and repetition.


async def test_a_status_is_stored_with_its_time_and_recorded_without_any_id(people: People) -> None:
    annotator = await arrive(people)
    assert await note(people, said(people, ACTIVE, 5)) == [Change(annotator, None, ACTIVE, "noted")]
    assert await stored(people, annotator) == ("active", START + timedelta(seconds=5))
    (event,) = await events_of(people)
    assert event == {"status": "active", "before": None, "told_at": "2026-11-21 12:00:05+00:00", "did": "noted"}
    assert "person-" not in str(event)
    assert people.slug not in str(event)


async def test_the_same_report_again_changes_nothing(people: People) -> None:
    annotator = await arrive(people)
    report = said(people, RETURNED)
    assert len(await note(people, report)) == 1
    assert await note(people, report) == []
    assert await note(people, said(people, RETURNED, 60)) == [], "told again later, by the polling"
    assert await stored(people, annotator) == ("returned", START + timedelta(seconds=60))
    assert len(await events_of(people)) == 1
    assert (await people.place(annotator)).outcome == Outcome.RETURNED


async def test_an_older_report_changes_nothing(people: People) -> None:
    annotator = await arrive(people)
    await note(people, said(people, SubmissionStatus.AWAITING_REVIEW, 10))
    assert await note(people, said(people, RETURNED, 9)) == []
    assert await note(people, said(people, TIMED_OUT, 9)) == []
    place = await people.place(annotator)
    assert (place.stage, place.outcome, await held(people, annotator)) == (Stage.CONSENT, None, 8)
    assert (await stored(people, annotator))[0] == "awaiting_review"


async def test_whatever_the_order_the_newest_report_holds(people: People) -> None:
    """Two of one second too: then the status that is further on its way."""
    reports = [
        (SubmissionStatus.RESERVED, 0),
        (ACTIVE, 1),
        (SubmissionStatus.AWAITING_REVIEW, 2),
        (SubmissionStatus.APPROVED, 2),
    ]
    for number, order in enumerate(permutations(reports)):
        annotator = await arrive(people, f"p{number}")
        for status, after in order:
            await note(people, said(people, status, after, f"p{number}"))
        assert await stored(people, annotator) == ("approved", START + timedelta(seconds=2)), order
        async with people.sessions.begin() as session:
            place = await people.place(annotator)
            await participations.decline(session, place)


async def test_a_submission_of_nobody_here_is_nothing(people: People) -> None:
    await arrive(people)
    assert await note(people, said(people, RETURNED, name="stranger")) == []
    assert await note(people, said(people, RETURNED), slug="another-study") == []
    assert await events_of(people) == []


async def test_who_came_with_another_s_session_id_is_not_meant(people: People) -> None:
    impostor = await arrive(people, "impostor", session=session_of(people))
    annotator = await arrive(people)
    assert [change.annotator for change in await note(people, said(people, RETURNED))] == [annotator]
    assert (await people.place(impostor)).outcome is None


async def test_one_session_id_in_two_studies_is_noted_in_both_or_in_the_one_that_is_named(
    url: str, people: People
) -> None:
    annotator = await arrive(people)
    async with people_of(url, f"also-{people.slug}"[:60].strip("-"), platform="prolific") as others:
        other = await arrive(others, session=session_of(people))
        assert [c.annotator for c in await note(people, said(people, ACTIVE), people.slug)] == [annotator]
        assert [c.annotator for c in await note(people, said(people, RETURNED, 1))] == [annotator, other]


# What follows.


async def test_returned_before_consent_frees_the_places(people: People) -> None:
    annotator = await arrive(people)
    assert [c.did for c in await note(people, said(people, RETURNED))] == ["ended"]
    place = await people.place(annotator)
    assert (place.stage, place.outcome, place.held_until) == (Stage.DEBRIEF, Outcome.RETURNED, None)
    assert await people.n_slots("held") == 0
    await people.assert_sound(3)


async def test_returned_while_judging_keeps_what_was_chosen_and_frees_the_rest(people: People) -> None:
    annotator = await arrive(people)
    await people.to_judging(annotator)
    await people.judge(annotator, most=3)
    token = await people.token(annotator, 4)
    await note(people, said(people, RETURNED))
    assert (await people.n_slots("filled"), await people.n_slots("held")) == (3, 0)
    assert not await people.submit(annotator, token, Side.LEFT), "a choice that comes after it is not stored"
    await people.finish(annotator)
    place = await people.place(annotator)
    assert (place.stage, place.outcome, place.n_answered) == (Stage.COMPLETE, Outcome.RETURNED, 3)
    await people.assert_sound(3)


@pytest.mark.parametrize("finished", [False, True])
async def test_returned_after_judging(people: People, finished: bool) -> None:
    """Who has finished has finished; who only has the last question or the debrief before them has returned."""
    annotator = await arrive(people)
    await people.to_judging(annotator)
    await people.judge(annotator)
    if finished:
        await people.finish(annotator)
    changes = await note(people, said(people, RETURNED))
    assert [change.did for change in changes] == ["noted" if finished else "ended"]
    assert (await people.place(annotator)).outcome == (Outcome.COMPLETE if finished else Outcome.RETURNED)
    assert await people.n_slots("filled") == 8
    assert (await stored(people, annotator))[0] == "returned"


async def test_who_stopped_and_then_returned_has_stopped(people: People) -> None:
    annotator = await arrive(people)
    await people.to_judging(annotator)
    await people.stop(annotator)
    assert [change.did for change in await note(people, said(people, RETURNED))] == ["noted"]
    assert (await people.place(annotator)).outcome == Outcome.STOPPED


async def test_timed_out_frees_the_places_and_lets_the_person_finish_counted(people: People) -> None:
    annotator = await arrive(people)
    await people.to_judging(annotator)
    await people.judge(annotator, most=2)
    assert [change.did for change in await note(people, said(people, TIMED_OUT))] == ["released"]
    assert (await people.n_slots("filled"), await people.n_slots("held")) == (2, 0)
    place = await people.place(annotator)
    assert (place.stage, place.outcome, place.held_until) == (Stage.JUDGING, None, None)
    await people.assert_sound(3)
    await people.judge(annotator)
    await people.finish(annotator)
    assert (await people.place(annotator)).outcome == Outcome.COMPLETE
    assert await people.one("SELECT count(*) FROM choice JOIN participation p ON p.id = participation_id "
                            "WHERE public_id = :id AND counted", id=annotator) == 8  # fmt: skip
    await people.assert_sound(3)


async def test_timed_out_and_replaced_meanwhile_finishes_as_surplus(url: str) -> None:
    design: dict[str, Any] = {"ratings_per_pair": 1, "pairs_per_annotator": 8, "per_level": 1, "platform": "prolific"}
    async with people_of(url, "replaced", **design) as people:
        late = await arrive(people, "late")
        await people.to_judging(late)
        await people.show(late)
        await note(people, said(people, TIMED_OUT, name="late"))
        other = await arrive(people, "other")
        await people.to_judging(other)
        await people.judge(other)
        await people.judge(late)
        await people.finish(late)
        counted = dict(await people.rows(
            """
            SELECT public_id, count(*) FILTER (WHERE counted) FROM choice
            JOIN participation p ON p.id = participation_id JOIN study ON study.id = study_id
            WHERE slug = 'replaced' GROUP BY public_id
            """
        ))  # fmt: skip
        assert counted == {late: 0, other: 8}
        assert (await people.place(late)).outcome == Outcome.COMPLETE
        await people.assert_sound(1)


@pytest.mark.parametrize("stage", ["finished", "stopped", "expired"])
async def test_timed_out_is_only_noted_where_nothing_is_held(people: People, stage: str) -> None:
    annotator = await arrive(people)
    await people.to_judging(annotator)
    if stage == "finished":
        await people.judge(annotator)
    elif stage == "stopped":
        await people.stop(annotator)
    else:
        await people.expire([annotator])
        await people.sweep()
    assert [change.did for change in await note(people, said(people, TIMED_OUT))] == ["noted"]
    await people.assert_sound(3)


@pytest.mark.parametrize("status", sorted(set(SubmissionStatus) - {RETURNED, TIMED_OUT}))
async def test_every_other_status_is_only_noted(people: People, status: SubmissionStatus) -> None:
    annotator = await arrive(people)
    assert [change.did for change in await note(people, said(people, status))] == ["noted"]
    assert (await people.place(annotator)).stage == Stage.CONSENT
    assert await held(people, annotator) == 8


async def test_many_words_at_once_leave_one_event_each_and_every_slot_sound(people: People) -> None:
    """Webhook and polling together, about people who are judging: nothing deadlocks, and nothing is done twice."""
    names = ["a", "b", "c", "d"]
    for name in names:
        await people.to_judging(await arrive(people, name))
    reports = [said(people, status, after, name) for name in names for status, after in ((TIMED_OUT, 1), (RETURNED, 2))]
    judging = [people.judge(annotator, most=2) for annotator in await people.everyone()]
    await at_once(*(note(people, report) for report in reports * 2), *judging)
    for annotator in await people.everyone():
        assert await stored(people, annotator) == ("returned", START + timedelta(seconds=2))
        assert (await people.place(annotator)).outcome == Outcome.RETURNED
    assert sum(event["status"] == "returned" for event in await events_of(people)) == len(names)
    assert await people.n_slots("held") == 0
    await people.assert_sound(3)


# Deliveries.


async def test_a_delivery_is_first_once_also_when_it_comes_twice_at_once(people: People) -> None:
    async def deliver(signature: str) -> bool:
        async with people.sessions.begin() as session:
            return await deliveries.is_first(session, signature)

    assert sorted(await at_once(*(deliver("the same") for _ in range(5)))) == [False, False, False, False, True]
    assert await deliver("another")


async def test_deliveries_are_forgotten_after_an_hour_and_hold_no_signature(people: People) -> None:
    async def deliver(signature: str) -> bool:
        async with people.sessions.begin() as session:
            return await deliveries.is_first(session, signature)

    await deliver("an old one")
    hashes = [value for (value,) in await people.rows("SELECT signature_hash FROM webhook_delivery")]
    assert not [value for value in hashes if "old" in value]
    await people.rows("UPDATE webhook_delivery SET delivered_at = now() - interval '59 minutes' RETURNING 1")
    assert not await deliver("an old one")
    await people.rows("UPDATE webhook_delivery SET delivered_at = now() - interval '61 minutes' RETURNING 1")
    await deliver("a new one")
    assert await people.one("SELECT count(*) FROM webhook_delivery") == 1
