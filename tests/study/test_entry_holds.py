"""Places held before consent: capped, for links that may be signed, and held again by whoever let theirs lapse."""

from collections.abc import Iterable
from typing import Any

import pytest

from app.study import entering, participations, studies
from app.study.entering import (
    Arrival,
    LinkIncomplete,
    LinkNotOurs,
    NoPlaceNow,
    PeopleNotWanted,
    StudyFull,
    StudyNotOpen,
    TurnedAway,
)
from app.study.places import Place
from app.study.tokens import entry_signature, synthetic_proof
from app.terms import Stage
from tests.conftest import NewDatabase
from tests.study.people import People, at_once, people_of
from tests.study.steps import exported, walk


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    """A database for all of these tests, which commit; each uses a study of its own."""
    return new_database()


async def come(people: People, names: Iterable[str]) -> list[str]:
    """Who of these people got a place."""
    return [placed for name in names if (placed := await people.try_to_enter(name))]


# The cap.


async def test_so_many_people_hold_places_without_consent_and_no_more(url: str) -> None:
    async with people_of(url, "capped", entry_holds=3, ratings_per_pair=10) as people:
        assert len(await come(people, [f"made-up-{number}" for number in range(10)])) == 3
        assert await people.n_slots("held") == 24
        with pytest.raises(NoPlaceNow) as refused:
            await people.enter("a-person")
        assert refused.value.contact == "someone@example.org"
        assert len(await people.everyone()) == 3, "who was refused left nothing behind"
        await people.assert_sound(10)


async def test_consent_makes_room_below_the_cap(url: str) -> None:
    async with people_of(url, "consenting", entry_holds=1, ratings_per_pair=10) as people:
        first = await people.enter("first")
        assert await people.try_to_enter("second") is None
        await people.do(first, participations.consent)
        assert await people.try_to_enter("second")
        assert await people.try_to_enter("third") is None


@pytest.mark.parametrize("how", ["expires", "declines", "stops"])
async def test_a_hold_that_ended_makes_room_below_the_cap(url: str, how: str) -> None:
    async with people_of(url, f"leaving-{how}", entry_holds=1, ratings_per_pair=10) as people:
        first = await people.enter("first")
        if how == "expires":
            await people.expire([first])
        elif how == "declines":
            await people.do(first, participations.decline)
        else:
            await people.stop(first)
        assert await people.try_to_enter("second")


async def test_the_cap_turns_away_nobody_who_has_a_place(url: str) -> None:
    async with people_of(url, "placed", entry_holds=1, ratings_per_pair=10) as people:
        first = await people.enter("first")
        assert await people.enter("first") == first
        await people.do(first, participations.consent)
        await people.enter("second")
        assert await people.enter("first") == first


async def test_who_comes_in_the_instant_in_which_the_last_places_go_is_not_told_that_the_study_is_complete(
    url: str,
) -> None:
    """Those who took them have not consented: they may decline, and the places come back."""
    async with people_of(url, "last-places", connections=8, **ONE_EACH) as people:
        came = await at_once(*(how_it_went(people, f"p{number}") for number in range(8)))
        assert sorted(came) == ["NoPlaceNow"] * 7 + ["placed"]


async def how_it_went(people: People, person: str) -> str:
    try:
        await people.enter(person)
    except (NoPlaceNow, StudyFull) as away:
        return type(away).__name__
    return "placed"


async def test_in_a_rush_everybody_gets_a_whole_set_where_there_is_room_for_all(url: str) -> None:
    room: dict[str, Any] = {"per_level": 20, "ratings_per_pair": 1, "pairs_per_annotator": 20, "min_pairs": 20}
    async with people_of(url, "rush-for-sets", connections=8, **room) as people:
        came = await at_once(*(how_it_went(people, f"p{number}") for number in range(7)))
        assert came == ["placed"] * 7
        assert await people.n_slots("held") == 7 * 20
        await people.assert_sound(1)


async def test_a_rush_passes_the_cap_by_no_more_than_the_connections_there_are(url: str) -> None:
    async with people_of(url, "rushed", connections=4, entry_holds=5, ratings_per_pair=20) as people:
        placed = await at_once(*(people.try_to_enter(f"p{number}") for number in range(30)))
        n_placed = sum(annotator is not None for annotator in placed)
        assert 5 <= n_placed < 5 + 4
        await people.assert_sound(20)


@pytest.mark.parametrize(
    ("given", "ratings_per_pair", "holds"),
    [(None, 3, 20), (None, 50, 50), (7, 50, 7), (1, 3, 1)],
    ids=["at least twenty", "half of the places", "as the design says", "one"],
)
async def test_a_study_that_names_no_cap_gets_one_when_it_opens(
    url: str, given: int | None, ratings_per_pair: int, holds: int
) -> None:
    values: dict[str, Any] = {} if given is None else {"entry_holds": given}
    slug = f"opened-{given or 'unnamed'}-{ratings_per_pair}"
    async with people_of(url, slug, ratings_per_pair=ratings_per_pair, **values) as people:
        assert await people.one("SELECT entry_holds FROM study WHERE slug = :slug", slug=slug) == holds


async def test_who_comes_back_after_their_hold_ended_does_not_pass_the_cap(url: str) -> None:
    async with people_of(url, "capped-again", entry_holds=1, ratings_per_pair=10) as people:
        away = await lapsed(people)
        newcomer = await people.enter("newcomer")
        await assert_turned_away(people, away, NoPlaceNow)
        assert await people.n_slots("held") == 8
        await people.do(newcomer, participations.consent)
        await people.do(away, participations.keep_holding)
        assert await people.n_slots("held") == 16
        await people.assert_sound(10)


# Whoever let their hold lapse before they consented.


async def lapsed(people: People) -> str:
    """Somebody at the consent whose place was given back."""
    annotator = await people.enter("away")
    await people.expire([annotator])
    assert await people.sweep()
    return annotator


async def assert_turned_away(people: People, annotator: str, how: type[TurnedAway]) -> None:
    """Neither the page nor its form is taken, and nothing is held or stored."""
    for work in (participations.keep_holding, participations.consent):
        with pytest.raises(how):
            await people.do(annotator, work)
    place = await people.place(annotator)
    assert (place.stage, place.held_until) == (Stage.CONSENT, None)
    consented = "SELECT consented_at FROM participation WHERE public_id = :id"
    assert await people.one(consented, id=annotator) is None


ONE_EACH: dict[str, Any] = {"per_level": 1, "ratings_per_pair": 1}


async def test_who_lapsed_does_not_consent_to_pairs_that_others_hold(url: str) -> None:
    async with people_of(url, "lapsed-held", **ONE_EACH) as people:
        away = await lapsed(people)
        quick = await people.enter("quick")
        await assert_turned_away(people, away, NoPlaceNow)
        await people.to_judging(quick)
        await people.judge(quick)
        await assert_turned_away(people, away, StudyFull)
        await people.assert_sound(1)


@pytest.mark.parametrize("how", [studies.pause_study, studies.close_study])
async def test_who_lapsed_does_not_consent_to_a_study_that_takes_nobody(url: str, how: Any) -> None:
    async with people_of(url, f"lapsed-{how.__name__.replace('_', '-')}") as people:
        away = await lapsed(people)
        async with people.sessions.begin() as session:
            await how(session, people.slug)
        await assert_turned_away(people, away, StudyNotOpen)


async def leave_five_pairs(people: People) -> None:
    """Judge three of the eight pairs."""
    quick = await people.enter("quick")
    await people.to_judging(quick)
    await people.judge(quick, most=3)
    await people.stop(quick)


async def test_who_lapsed_consents_to_as_many_pairs_as_they_were_told_of_and_each_counts(url: str) -> None:
    checked = {"attention_checks": 1, "swapped_repeats": 2}
    async with people_of(url, "lapsed-shorter", **ONE_EACH, options=checked) as people:
        away = await lapsed(people)
        assert (await people.place(away)).n_planned == 10
        await leave_five_pairs(people)
        told = await people.do(away, participations.consent)
        assert (told.stage, told.n_planned) == (Stage.CONSENT, 7), "five pairs, and two of them once more"
        assert told.next_check is not None
        assert told.next_check < 7
        agreed = await people.do(away, participations.consent)
        assert (agreed.stage, agreed.n_planned) == (Stage.INSTRUCTIONS, 7)
        await people.do(away, participations.end_instructions)
        await people.do(away, participations.start_judging)
        await walk(people, away)
        rows = await exported(people, away)
        assert [row["counted"] for row in rows if not row["repeat_of"]] == ["true"] * 5
        assert len([row for row in rows if row["repeat_of"]]) == 2
        await people.assert_sound(1)


async def test_who_lapsed_is_not_kept_for_fewer_pairs_than_are_worth_their_time(url: str) -> None:
    async with people_of(url, "lapsed-few", **ONE_EACH, min_pairs=6) as people:
        away = await lapsed(people)
        await leave_five_pairs(people)
        await assert_turned_away(people, away, StudyFull)


async def test_who_lapsed_and_finds_as_many_pairs_as_before_consents_at_once(url: str) -> None:
    async with people_of(url, "lapsed-same", ratings_per_pair=1) as people:
        away = await lapsed(people)
        other = await people.enter("other")
        after = await people.do(away, participations.consent)
        assert (after.stage, after.n_planned) == (Stage.INSTRUCTIONS, 8)
        await people.to_judging(other)
        await people.do(away, participations.end_instructions)
        await people.do(away, participations.start_judging)
        for annotator in (away, other):
            await people.judge(annotator)
        assert await people.n_slots("filled") == 16
        await people.assert_sound(1)


async def test_who_lapsed_gets_a_place_in_an_arm_that_has_one(url: str) -> None:
    arms = [
        {"truthful_kind": "helpful", "instructions": "neutral"},
        {"truthful_kind": "baseline", "instructions": "neutral"},
    ]
    async with people_of(url, "lapsed-arm", **ONE_EACH, arms=arms) as people:
        away = await lapsed(people)
        before = (await people.place(away)).arm_id
        quick = [await people.enter("quick"), await people.enter("quicker")]
        taken = {(await people.place(annotator)).arm_id for annotator in quick}
        assert before in taken
        assert len(taken) == 2
        (elsewhere,) = [annotator for annotator in quick if (await people.place(annotator)).arm_id != before]
        await people.stop(elsewhere)
        again = await people.do(away, participations.keep_holding)
        assert (again.arm_id == before, again.n_planned) == (False, 8)
        await people.assert_sound(1)


async def test_of_many_tabs_at_the_consent_that_come_back_one_holds_again(url: str) -> None:
    async with people_of(url, "lapsed-tabs", connections=8, ratings_per_pair=1) as people:
        away = await lapsed(people)
        seen = await people.place(away)

        async def keep() -> Place:
            async with people.sessions.begin() as session:
                return await participations.keep_holding(session, seen)

        held = await at_once(*(keep() for _ in range(8)))
        assert {place.held_until for place in held} == {(await people.place(away)).held_until}
        assert await people.n_slots("held") == 8
        await people.assert_sound(1)


# Signed links.


async def signed(people: People, person: str) -> str:
    key = await people.one("SELECT key FROM study WHERE slug = :slug", slug=people.slug)
    return entry_signature(bytes(key), person)


async def arrive(people: People, arrival: Arrival) -> str:
    async with people.sessions.begin() as session:
        return await entering.enter(session, people.slug, arrival)


@pytest.mark.parametrize("platform", ["generic", "open"])
async def test_a_signed_link_takes_the_person_that_it_was_made_for(url: str, platform: str) -> None:
    async with people_of(url, f"signed-{platform}", platform=platform, options={"signed_links": True}) as people:
        right = await signed(people, "ada")
        annotator = await arrive(people, Arrival("ada", signature=right))
        assert await arrive(people, Arrival("ada", signature=right)) == annotator
        for person, signature in (("ada", ""), ("bo", right), ("ada", right[:-1]), ("ada", "é" * 32), ("Ada", right)):
            with pytest.raises(LinkNotOurs):
                await arrive(people, Arrival(person, signature=signature))
        with pytest.raises(LinkIncomplete):
            await arrive(people, Arrival("", signature=await signed(people, "")))
        assert await people.everyone() == [annotator]
        assert await people.n_slots("held") == 8


async def test_a_link_signed_for_another_study_is_not_ours(url: str) -> None:
    on = {"signed_links": True}
    async with people_of(url, "its-own", options=on) as people, people_of(url, "another", options=on) as others:
        with pytest.raises(LinkNotOurs):
            await arrive(people, Arrival("ada", signature=await signed(others, "ada")))


async def test_links_need_no_signature_where_the_study_does_not_ask(url: str) -> None:
    async with people_of(url, "unsigned") as people:
        assert await arrive(people, Arrival("ada", signature="anything"))


async def test_synthetic_annotators_bring_a_proof_and_need_no_signature(url: str) -> None:
    async with people_of(url, "programs", synthetic=True, options={"signed_links": True}) as people:
        key = bytes(await people.one("SELECT key FROM study WHERE slug = 'programs'"))
        assert await arrive(people, Arrival("p1", proof=synthetic_proof(key, "p1")))
        with pytest.raises(PeopleNotWanted):
            await arrive(people, Arrival("p2", signature=entry_signature(key, "p2")))
