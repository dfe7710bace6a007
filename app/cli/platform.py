"""`candor platform poll`: asks the platform what became of its people's submissions, where no webhook tells it."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated

import httpx
import typer

from app.cli.output import console, errors
from app.cli.prolific import PlatformStudyUnknown, PlatformUnreachable, ProlificApi
from app.cli.running import migrated_database
from app.db import Sessions, create_engine
from app.db import sessions as sessions_of
from app.errors import CandorError
from app.models import Study
from app.settings import settings
from app.study.platforms import Change, Submissions, known_statuses, note_status, platform_studies
from app.study.studies import get_study
from app.terms import Platform

app = typer.Typer(no_args_is_help=True)

_THEN = {
    "ended": "; their judging has ended, and what they held is free",
    "released": "; what they held is free, and they may still finish",
    "noted": "",
}


class TokenMissing(CandorError):
    """Nothing can be asked without a token."""

    def __init__(self) -> None:
        super().__init__("set CANDOR_PROLIFIC_TOKEN to a token of Prolific's API (docs/prolific.md); there is none")


class NotOnProlific(CandorError):
    """The study's people do not come from a platform that can be asked."""

    def __init__(self, study: Study) -> None:
        super().__init__(
            f"study {study.slug!r} takes people from {study.platform!r}, not from Prolific: nobody to ask about"
        )


@dataclass
class Polled:
    """What one round found. `n_elsewhere` submissions belong to nobody who came here."""

    study: str
    n_submissions: int = 0
    n_elsewhere: int = 0
    changes: list[Change] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


async def poll_once(sessions: Sessions, slug: str, platform: Submissions) -> Polled:
    """Ask about every submission of a study, and note each status that is new, in a transaction of its own."""
    async with sessions() as session:
        study = await get_study(session, slug)
        if study.platform != Platform.PROLIFIC:
            raise NotOnProlific(study)
        known = await known_statuses(session, study.id)
        of_platform = await platform_studies(session, study.id)
    polled = Polled(slug)
    for platform_study in of_platform:
        try:
            await _ask(sessions, polled, platform_study, platform, known)
        except PlatformStudyUnknown as unknown:
            polled.unknown.append(str(unknown))
    return polled


async def _ask(
    sessions: Sessions, polled: Polled, platform_study: str, platform: Submissions, known: dict[str, str | None]
) -> None:
    async for report in platform.of_study(platform_study):
        polled.n_submissions += 1
        if report.session not in known:
            polled.n_elsewhere += 1
        elif known[report.session] != report.status:
            async with sessions.begin() as session:
                polled.changes += await note_status(session, report, polled.study)


@app.command()
def poll(
    study: Annotated[str, typer.Argument(help="The study's slug.")],
    every: Annotated[int | None, typer.Option(help="Ask again every so many seconds, until Ctrl-C.", min=1)] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one line a round.")] = False,
) -> None:
    """Ask Prolific what became of a study's submissions; free what returned and timed-out people hold."""
    if not settings().prolific_token.get_secret_value():
        raise TokenMissing
    report = _print_json if as_json else _print_lines
    with migrated_database() as url:
        try:
            asyncio.run(_keep_polling(url, study, every, report))
        except KeyboardInterrupt:
            if every is None:
                raise
            errors.print("Stopped.")


async def _keep_polling(url: str, slug: str, every: int | None, report: Callable[[Polled], None]) -> None:
    engine = create_engine(url)
    try:
        async with client() as http:
            platform = ProlificApi(http, say=errors.print)
            await keep_asking(lambda: poll_once(sessions_of(engine), slug, platform), every, report)
    finally:
        await engine.dispose()


async def keep_asking(
    ask: Callable[[], Awaitable[Polled]], every: int | None, report: Callable[[Polled], None]
) -> None:
    """Ask once, or for ever: then a platform that is away is waited for."""
    while True:
        try:
            report(await ask())
        except PlatformUnreachable as away:
            if every is None:
                raise
            errors.print(f"{away}.", markup=False)
        if every is None:
            return
        if _was_stopped():
            raise asyncio.CancelledError
        await asyncio.sleep(every)


def _was_stopped() -> bool:
    """Say whether Ctrl-C came while an answer did: what waits for both may take the answer and forget the other."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def client() -> httpx.AsyncClient:
    """Return a client of Prolific's API. It follows no redirect, so that the token goes nowhere else."""
    token = settings().prolific_token.get_secret_value()
    return httpx.AsyncClient(
        base_url=settings().prolific_api,
        headers={"Authorization": f"Token {token}"},
        timeout=30,
        follow_redirects=False,
    )


def _print_lines(polled: Polled) -> None:
    for line in polled.unknown:
        errors.print(f"{line}.", markup=False)
    for change in polled.changes:
        before = change.before or "nothing told"
        console.print(f"{change.annotator}: {before} -> {change.status}{_THEN[change.did]}", markup=False)
    elsewhere = f", {polled.n_elsewhere} of them of people who never came here" if polled.n_elsewhere else ""
    console.print(f"{polled.n_submissions} submissions{elsewhere}; {len(polled.changes)} changed.")


def _print_json(polled: Polled) -> None:
    answer = {
        "study": polled.study,
        "submissions": polled.n_submissions,
        "elsewhere": polled.n_elsewhere,
        "changes": [change._asdict() for change in polled.changes],
        "unknown": polled.unknown,
    }
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    sys.stdout.flush()
