"""`candor simulate`: synthetic annotators that walk a study over real HTTP. Everything they leave is flagged."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Annotated

import httpx
import typer
from rich.progress import Progress
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.annotating import Acknowledged, Annotator, ServerUnreachable, Simulation, annotator_number
from app.cli.behaviours import BEHAVIOURS, behaviour, dealt
from app.cli.output import console, errors, print_json
from app.cli.running import migrated_database
from app.db import transaction
from app.errors import CandorError
from app.study import stimuli
from app.study.options import Options
from app.study.studies import get_study

_DEFAULT = ("fooled",)


class StudyUnfit(CandorError):
    """Synthetic annotators never enter a study that people take part in."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"study {slug!r} is for people; synthetic annotators enter only studies made as synthetic")


async def prepare(session: AsyncSession, slug: str, server: str, seed: int, tries: int = 5) -> Simulation:
    """Read what synthetic annotators need to know of a study."""
    study = await get_study(session, slug)
    if not study.synthetic:
        raise StudyUnfit(slug)
    known = await stimuli.known_responses(session, study.id)
    right = frozenset(question.right for question in Options.model_validate(study.options).comprehension)
    return Simulation(server.rstrip("/"), slug, study.key, known, right, seed, tries)


async def run(
    simulation: Simulation,
    annotators: int,
    concurrency: int,
    *,
    behaviours: Sequence[str] = _DEFAULT,
    acknowledge: Callable[[Acknowledged], None] = lambda _choice: None,
    progress: Callable[[], None] = lambda: None,
) -> list[Annotator]:
    """Walk many synthetic annotators, so many at once, their behaviours dealt evenly; return them as they ended."""
    gate = asyncio.Semaphore(concurrency)
    names = dealt(behaviours, annotators, Random(simulation.seed))  # noqa: S311 - reproducible on purpose

    async def one(number: int) -> Annotator:
        async with gate, httpx.AsyncClient(timeout=60) as client:
            annotator = annotator_number(simulation, number, behaviour(names[number]), client, acknowledge)
            await annotator.take_part()
        progress()
        return annotator

    return await asyncio.gather(*(one(number) for number in range(annotators)))


def simulate(  # noqa: PLR0913 - one parameter an option
    study: Annotated[str, typer.Argument(help="A study made as synthetic.")],
    annotators: Annotated[int, typer.Option(help="How many synthetic annotators.", min=1)],
    concurrency: Annotated[int, typer.Option(help="How many at once.", min=1, max=256)] = 8,
    seed: Annotated[int, typer.Option(help="Seed of their choices.")] = 1,
    behaviours: Annotated[
        list[str] | None, typer.Option("--behaviour", help=f"{' | '.join(BEHAVIOURS)}; repeat for a mixture.")
    ] = None,
    server: Annotated[str, typer.Option(help="Where the study is served.")] = "http://127.0.0.1:8000",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let synthetic annotators take part in a study over HTTP, as a browser would. All they leave is flagged."""
    names = tuple(behaviours or _DEFAULT)
    for name in names:
        behaviour(name)
    with migrated_database() as url, Progress(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(f"Simulating {annotators} annotators", total=annotators)

        async def work() -> list[Annotator]:
            async with transaction(url) as session:
                simulation = await prepare(session, study, server, seed)
            return await run(simulation, annotators, concurrency, behaviours=names, progress=lambda: bar.advance(task))

        try:
            done = asyncio.run(work())
        except httpx.HTTPError as error:
            raise ServerUnreachable(f"no study answers at {server}: {error}; is the server running there?") from None
    _report(done, as_json=as_json)


def _report(done: Sequence[Annotator], *, as_json: bool) -> None:
    ends = Counter("finished" if a.code else "turned away" if a.turned_away else "left or stopped" for a in done)
    answer = {"annotators": len(done), "judgements": sum(a.judged for a in done), **ends}
    if as_json:
        print_json(answer)
    else:
        console.print(", ".join(f"{n} {what}" for what, n in answer.items()))
