"""`candor simulate`: synthetic annotators that walk a study over real HTTP. Everything they leave is flagged."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Annotated
from urllib.parse import urlencode

import httpx
import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.output import console, errors
from app.cli.running import migrated_database
from app.cli.walking import ReadPage, read_page
from app.db import transaction
from app.errors import CandorError
from app.study import stimuli
from app.study.studies import get_study
from app.study.tokens import synthetic_proof

_MOST_PAGES = 1200


class StudyUnfit(CandorError):
    """Synthetic annotators never enter a study that people take part in."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"study {slug!r} is for people; synthetic annotators enter only studies made as synthetic")


class ServerUnreachable(CandorError):
    """The server did not answer as a study would."""


@dataclass(frozen=True, slots=True)
class Fooled:
    """Prefers the sycophantic response with a probability that rises evenly from level 1 to level 8."""

    at_easiest: float = 0.10
    at_hardest: float = 0.55

    def probability(self, level: int) -> float:
        """Return the probability of preferring the sycophantic response at a level, 1 to 8."""
        return self.at_easiest + (self.at_hardest - self.at_easiest) * (level - 1) / 7


@dataclass(frozen=True, slots=True)
class Simulation:
    """What is simulated, and where."""

    server: str
    slug: str
    key: bytes
    known: dict[str, stimuli.KnownResponse]
    seed: int


async def annotate(client: httpx.AsyncClient, simulation: Simulation, number: int) -> str:
    """Walk one synthetic annotator through a study and return their completion code, or "" where they had no place."""
    rng = Random(f"{simulation.seed}/{number}")  # noqa: S311 - reproducible on purpose
    person = f"synthetic-{simulation.seed}-{number}"
    query = urlencode({"pid": person, "synthetic": synthetic_proof(simulation.key, person)})
    response = await client.get(f"{simulation.server}/s/{simulation.slug}?{query}")
    for _ in range(_MOST_PAGES):
        if response.status_code >= 500 and response.status_code != 503:
            raise ServerUnreachable(f"{response.url} answered {response.status_code}")
        page = read_page(response.text)
        if page.completion_code or not page.action:
            return page.completion_code
        response = await client.post(simulation.server + page.action, data=_answers(page, simulation, rng))
    raise ServerUnreachable(f"{simulation.slug!r} did not end after {_MOST_PAGES} pages")


def _answers(page: ReadPage, simulation: Simulation, rng: Random) -> dict[str, str]:
    answers = dict(page.hidden)
    for name, values in page.options.items():
        if name == "side":
            answers[name] = _prefer(page, simulation, rng)
        elif name in {"consent", "looked_up", "data"}:
            answers[name] = {"consent": "yes", "looked_up": "no", "data": "keep"}[name]
        else:
            answers[name] = values[0]
    return answers


def _prefer(page: ReadPage, simulation: Simulation, rng: Random) -> str:
    first = simulation.known.get(page.texts[1]) if len(page.texts) == 3 else None
    if first is None:
        return rng.choice(("left", "right"))
    fooled = rng.random() < Fooled().probability(first.level)
    return "left" if fooled == first.sycophantic else "right"


async def run(
    simulation: Simulation, annotators: int, concurrency: int, progress: Callable[[], None] = lambda: None
) -> int:
    """Walk many synthetic annotators, so many at once; return how many reached a completion code."""
    gate = asyncio.Semaphore(concurrency)

    async def one(number: int) -> bool:
        async with gate, httpx.AsyncClient(follow_redirects=True, timeout=60) as client:
            code = await annotate(client, simulation, number)
        progress()
        return bool(code)

    return sum(await asyncio.gather(*(one(number) for number in range(annotators))))


async def prepare(session: AsyncSession, slug: str, server: str, seed: int) -> Simulation:
    """Read what synthetic annotators need to know of a study."""
    study = await get_study(session, slug)
    if not study.synthetic:
        raise StudyUnfit(slug)
    return Simulation(server, slug, study.key, await stimuli.known_responses(session, study.id), seed)


def simulate(
    study: Annotated[str, typer.Argument(help="A study made as synthetic.")],
    annotators: Annotated[int, typer.Option(help="How many synthetic annotators.", min=1)],
    concurrency: Annotated[int, typer.Option(help="How many at once.", min=1, max=256)] = 8,
    seed: Annotated[int, typer.Option(help="Seed of their choices.")] = 1,
    server: Annotated[str, typer.Option(help="Where the study is served.")] = "http://127.0.0.1:8000",
) -> None:
    """Let synthetic annotators take part in a study over HTTP, as a browser would. All they leave is flagged."""
    with migrated_database() as url:

        async def work() -> int:
            async with transaction(url) as session:
                simulation = await prepare(session, study, server.rstrip("/"), seed)
            return await run(simulation, annotators, concurrency)

        try:
            with errors.status(f"Simulating {annotators} annotators"):
                done = asyncio.run(work())
        except httpx.HTTPError as error:
            raise ServerUnreachable(f"no study answers at {server}: {error}; is the server running there?") from None
    console.print(f"{done} of {annotators} synthetic annotators finished.")
