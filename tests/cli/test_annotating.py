"""A synthetic annotator in a study that fills up while they are in it."""

from typing import Any

import httpx
from fastapi import FastAPI

from app.cli.annotating import annotator_number
from app.cli.behaviours import behaviour
from app.cli.simulate import prepare
from app.settings import Settings
from tests.study.people import people_of


async def test_who_finds_their_places_taken_as_they_consent_was_turned_away(
    application: FastAPI, client: httpx.AsyncClient, app_settings: Settings
) -> None:
    one_for_each: dict[str, Any] = {"per_level": 1, "ratings_per_pair": 1, "pairs_per_annotator": 8, "synthetic": True}
    async with (
        people_of(app_settings.database_url or "", "full", **one_for_each) as people,
        httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://testserver") as another,
    ):
        async with people.sessions.begin() as session:
            simulation = await prepare(session, people.slug, "http://testserver", seed=1)
        slow = annotator_number(simulation, 1, behaviour("attentive"), client)
        quick = annotator_number(simulation, 2, behaviour("attentive"), another)

        async def is_overtaken(request: httpx.Request) -> None:
            if request.url.path.endswith("/consent") and request.method == "POST":
                await people.expire(await people.everyone())
                assert await quick.take_part()

        client.event_hooks = {"request": [is_overtaken]}
        assert await slow.take_part() == ""
    assert (slow.judged, slow.turned_away) == (0, True)
    assert (quick.judged, quick.turned_away) == (8, False)
