"""Crowds of synthetic annotators, what they were told was stored, and whether it was."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import httpx

from app.cli.annotating import Acknowledged, Annotator, Simulation, annotator_number
from app.cli.behaviours import behaviour, dealt
from app.cli.simulate import prepare
from app.study.tokens import public_id
from app.terms import Platform
from tests.study.people import People

_TURNED_AWAY = {503: "There is no place right now", 410: "This study is complete"}


@dataclass
class Seen:
    """What a crowd saw: the journal of acknowledged choices, connections that broke, and pages of failure."""

    journal: list[Acknowledged] = field(default_factory=list)
    n_broken: int = 0
    failures: Counter[str] = field(default_factory=Counter)


class _Network(httpx.AsyncHTTPTransport):
    """The network: counts the connections that break, and lets things happen as soon as a choice is acknowledged."""

    def __init__(self, seen: Seen, happens: Callable[[], None]) -> None:
        super().__init__(verify=False)
        self._seen = seen
        self._happens = happens

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await super().handle_async_request(request)
        except httpx.TransportError:
            self._seen.n_broken += 1
            raise
        if request.method == "POST" and "/pairs/" in request.url.path and response.is_redirect:
            self._happens()
        return response


class Crowd:
    """Synthetic annotators of one study, at a browser each, who try again for as long as a server fails."""

    def __init__(self, simulation: Simulation, behaviours: Sequence[str], at_once: int) -> None:
        self._simulation = simulation
        self._behaviours = behaviours
        self._gate = asyncio.Semaphore(at_once)
        self._n_sent = 0
        self.seen = Seen()

    async def send(self, n: int, happens: Callable[[], None] = lambda: None) -> list[Annotator]:
        """Let n more annotators take part; `happens` is called whenever one is told that a choice is stored."""
        first, self._n_sent = self._n_sent, self._n_sent + n
        names = dealt(self._behaviours, n, Random(f"{self._simulation.seed}/{first}"))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(first + i, names[i], happens)) for i in range(n)]
        return [task.result() for task in tasks]

    async def _one(self, number: int, name: str, happens: Callable[[], None]) -> Annotator:
        hooks = {"response": [self._note]}
        async with (
            self._gate,
            httpx.AsyncClient(transport=_Network(self.seen, happens), event_hooks=hooks, timeout=60) as client,
        ):
            annotator = annotator_number(self._simulation, number, behaviour(name), client, self.seen.journal.append)
            await annotator.take_part()
            return annotator

    async def _note(self, response: httpx.Response) -> None:
        """Note every page of an error but the two that tell a newcomer that they are not needed."""
        if response.status_code < 400:
            return
        await response.aread()
        if _TURNED_AWAY.get(response.status_code, "nothing") not in response.text:
            self.seen.failures[f"{response.status_code} {response.request.method}"] += 1


async def crowd_for(
    people: People, server: str, behaviours: Sequence[str], *, seed: int, at_once: int, tries: int
) -> Crowd:
    """Return a crowd for the study of `people`, which must have been made as synthetic."""
    async with people.sessions.begin() as session:
        simulation = await prepare(session, people.slug, server, seed, tries)
    return Crowd(simulation, behaviours, at_once)


class Stored(NamedTuple):
    """A choice as it is in the table."""

    side: str
    text: str


async def lost_or_changed(people: People, journal: Sequence[Acknowledged]) -> list[Acknowledged]:
    """Return the acknowledged choices that the table does not hold as they were acknowledged.

    A position that was acknowledged twice counts: the first was lost, and its annotator was asked again.
    """
    key = await people.one("SELECT key FROM study WHERE slug = :slug", slug=people.slug)
    rows = await people.rows(_CHOICES, slug=people.slug)
    stored = {(annotator, position): Stored(side, text) for annotator, position, side, text in rows}
    times = Counter((choice.person, choice.position) for choice in journal)
    return [
        choice
        for choice in journal
        if times[choice.person, choice.position] > 1
        or stored.get((public_id(key, f"{Platform.GENERIC}:{choice.person}"), choice.position))
        != Stored(choice.side, choice.text_chosen)
    ]


_CHOICES = """
    SELECT p.public_id, c.position, c.side_chosen, response.text
    FROM choice c
    JOIN assignment a USING (participation_id, position)
    JOIN participation p ON p.id = c.participation_id
    JOIN study ON study.id = p.study_id
    JOIN arm ON arm.id = p.arm_id
    JOIN pair ON pair.id = a.pair_id
    JOIN response ON response.misconception_id = pair.misconception_id
     AND response.kind = CASE WHEN c.side_chosen = a.side_truthful THEN arm.truthful_kind || '_truthful'
                              ELSE 'sycophantic' END
    WHERE study.slug = :slug
"""
