"""Made-up ids and previews cannot drain a study: holds without consent are capped, and links may be signed."""

from collections.abc import Iterable
from typing import Any

import pytest

from app.study import entering, participations
from app.study.entering import Arrival, LinkIncomplete, LinkNotOurs, NoPlaceNow, PeopleNotWanted
from app.study.tokens import entry_signature, synthetic_proof
from tests.conftest import NewDatabase
from tests.study.people import People, at_once, people_of


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
