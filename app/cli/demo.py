"""`candor demo`: the whole application on this machine, with real content, in one command."""

import asyncio
import os
import threading
import time
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import uvicorn
from sqlalchemy.ext.asyncio import AsyncSession

from app import resources
from app.cli import simulate
from app.cli.output import console, errors
from app.cli.running import migrated_database
from app.cli.serve import APPLICATION, Host, PortTaken, can_listen
from app.db import transaction
from app.errors import CandorError
from app.study import accounts, login_links, owners, studies
from app.study.designs import check_design
from app.study.score_imports import import_scores
from app.study.scoring_runs import RunElsewhere, RunStoredAlready
from app.study.set_files import read_jsonl
from app.study.sets import find_set, import_set
from app.study.studies import StudyUnknown
from app.terms import Platform, Role
from app.web.start import DEMO_STUDY, EXAMPLE_STUDY

_PORTS = range(8000, 8010)
_SET = "misconceptions"
RECORDED_SCORES = "recorded-scores.jsonl"
_EXAMPLE_ANNOTATORS = 68  # 272 pairs, 5 ratings each, 20 pairs a person
_LINK_HOURS = 24


class ScoresUnreadable(CandorError):
    """The score file that was named cannot be read."""


@dataclass(frozen=True, slots=True)
class Links:
    """One-time links, as paths."""

    researcher: str
    admin: str


def demo(
    host: Host = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port to listen on; the first free one from 8000.")] = None,
    scores: Annotated[
        Path | None,
        typer.Option(help="A score file of the example, to show in place of the recorded one (candor pm again)."),
    ] = None,
) -> None:
    """Serve a live study to take part in and an example filled by synthetic annotators, on an embedded Postgres."""
    chosen = _free_port(host, port)
    with migrated_database() as url:
        links = asyncio.run(_prepare(url, scores))
        base = f"http://{host}:{chosen}"
        os.environ |= {"CANDOR_DATABASE_URL": url, "CANDOR_DEMO": "true"}
        server = _Announced(
            uvicorn.Config(
                APPLICATION,
                factory=True,
                host=host,
                port=chosen,
                log_level="warning",
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=2,
            ),
            base,
            links,
        )
        threading.Thread(target=_fill_example, args=(url, base), daemon=True).start()
        with suppress(KeyboardInterrupt):  # Ctrl-C is how a demo ends
            server.run()


class _Announced(uvicorn.Server):
    """A server that prints the ways in once it answers."""

    def __init__(self, config: uvicorn.Config, base: str, links: Links) -> None:
        super().__init__(config)
        self.base = base
        self.links = links

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        console.print(f"\n[bold]Candor is running at {self.base}[/bold]\n")
        console.print(f"  Take part    {self.base}/s/{DEMO_STUDY}")
        console.print(f"  See results  {self.base}{self.links.researcher}")
        console.print(f"  Manage       {self.base}{self.links.admin}")
        console.print("\nThe last two sign you in, once each. Ctrl-C ends the demo; what you did in it is kept.\n")


def _free_port(host: str, port: int | None) -> int:
    for candidate in _PORTS if port is None else (port,):
        if can_listen(host, candidate):
            return candidate
    raise PortTaken(host, port or _PORTS.start)


async def _prepare(url: str, scores: Path | None) -> Links:
    """Bring the demo's content into the database, where it is not there yet, and make fresh one-time links."""
    async with transaction(url) as session:
        await _import_sets(session)
        links = Links(
            await _one_time_link(session, Role.RESEARCHER, f"/studies/{EXAMPLE_STUDY}/results"),
            await _one_time_link(session, Role.ADMIN, "/admin/sets"),
        )
        await _ensure_study(session, DEMO_STUDY, _DEMO_DESIGN)
        is_new = await _ensure_study(session, EXAMPLE_STUDY, _EXAMPLE_DESIGN)
        if scores is not None:
            await _store_scores(session, scores)
        elif is_new:
            with suppress(RunElsewhere):  # Somebody imported the file for a study of theirs; the demo does without.
                await _store_scores(session, resources.content(RECORDED_SCORES))
        return links


async def _import_sets(session: AsyncSession) -> None:
    with resources.content("sets.toml").open("rb") as file:
        bundled: dict[str, dict[str, str]] = tomllib.load(file)
    for slug, about in bundled.items():
        entries = read_jsonl(resources.content(about["file"]))
        await import_set(session, entries, slug=slug, title=about["title"], licence=about["licence"])


_DEMO_DESIGN: dict[str, Any] = {
    "title": "A study to take part in",
    "ratings_per_pair": 50,
    "pairs_per_annotator": 8,
    "expected_minutes": 10,
    "pay": "nothing: this is a demonstration",
    "contact": "whoever started this demonstration",
    "platform": Platform.OPEN,
}
_EXAMPLE_DESIGN: dict[str, Any] = {
    "title": "An example, filled by synthetic annotators",
    "ratings_per_pair": 5,
    "pairs_per_annotator": 20,
    "contact": "nobody: this study is synthetic",
    "synthetic": True,
    "seed": 1,
}


async def _store_scores(session: AsyncSession, file: Path) -> None:
    try:
        with file.open("rb") as lines, suppress(RunStoredAlready):
            await import_scores(session, EXAMPLE_STUDY, lines)
    except OSError as error:
        raise ScoresUnreadable(f"{file} cannot be read: {error.strerror}") from None


async def _ensure_study(session: AsyncSession, slug: str, design: dict[str, Any]) -> bool:
    """Make and open a study, unless it is there; say whether it was made."""
    try:
        await studies.get_study(session, slug)
    except StudyUnknown:
        newest = await find_set(session, _SET)
        owner_id = await owners.account_of(session, _email(Role.RESEARCHER))
        await studies.create_study(session, check_design({"slug": slug} | design), newest, owner_id)
        await studies.open_study(session, slug)
        return True
    return False


def _email(role: Role) -> str:
    return f"{role}@demo.example"


async def _one_time_link(session: AsyncSession, role: Role, then: str) -> str:
    email = _email(role)
    account_id = await accounts.id_of(session, email) or await accounts.create(session, email, role, None)
    token = await login_links.make(session, account_id, timedelta(hours=_LINK_HOURS))
    return f"/login/link/{token}?next={then}"


def _fill_example(url: str, base: str) -> None:
    """Fill the example once the server answers, unless it is filled already."""
    if not _answers(base):
        return
    try:
        asyncio.run(_fill(url, base))
    except (CandorError, httpx.HTTPError) as error:
        errors.print(f"The example could not be filled: {error}", markup=False)


def _answers(base: str) -> bool:
    for _ in range(200):
        try:
            if httpx.get(f"{base}/healthz", timeout=5).status_code == 200:
                return True
        except httpx.HTTPError:
            time.sleep(0.1)
    return False


async def _fill(url: str, base: str) -> None:
    async with transaction(url) as session:
        simulation = await simulate.prepare(session, EXAMPLE_STUDY, base, seed=1)
    await simulate.run(simulation, _EXAMPLE_ANNOTATORS, concurrency=2)
