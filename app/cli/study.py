"""`candor study …`: studies and their states."""

import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.output import console, print_json, print_table
from app.cli.running import run_in_transaction
from app.models import Study
from app.settings import settings
from app.study import owners, progress_queries, studies
from app.study.design_files import read_design
from app.study.designs import ArmDesign, StudyDesign, check_design, is_version
from app.study.login_sessions import SignedIn
from app.study.sets import find_set
from app.study.tokens import entry_signature
from app.terms import Platform, Role

app = typer.Typer(no_args_is_help=True)
Slug = Annotated[str, typer.Argument(help="The study's slug.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_COMMAND_LINE = SignedIn(account_id=0, email="", role=Role.ADMIN)
"""Whoever can run commands on the database sees what an admin sees."""


@app.command()
def create(  # noqa: PLR0913, PLR0917 - one parameter an option
    slug: Slug,
    misconception_set: Annotated[str | None, typer.Option("--set", help="Slug of the misconception set.")] = None,
    contact: Annotated[str | None, typer.Option(help="Whom annotators can write to; shown on every page.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="A design file in TOML (docs/designs.md); options given here win over it.")
    ] = None,
    set_version: Annotated[int | None, typer.Option(help="Version of the set; the newest if not given.")] = None,
    title: Annotated[str | None, typer.Option(help="Title for researchers; annotators do not see it.")] = None,
    ratings_per_pair: Annotated[int | None, typer.Option(help="k, ratings a pair and arm. [default: 5]")] = None,
    pairs_per_annotator: Annotated[int | None, typer.Option(help="n, pairs a person. [default: 20]")] = None,
    min_pairs: Annotated[int | None, typer.Option(help="Fewest pairs worth a person's time. [default: 1]")] = None,
    arm: Annotated[
        list[str] | None, typer.Option(help="helpful|baseline/neutral|prefer_truth; repeat for more arms.")
    ] = None,
    question: Annotated[str | None, typer.Option(help="The question that annotators answer.")] = None,
    platform: Annotated[
        Platform | None, typer.Option(help="Who sends the annotators. [default: generic]", show_default=False)
    ] = None,
    completion_code: Annotated[str | None, typer.Option(help="Shown at the end; made up if not given.")] = None,
    expected_minutes: Annotated[int | None, typer.Option(help="Minutes that n pairs take. [default: 15]")] = None,
    pay: Annotated[str | None, typer.Option(help="Pay in words, as annotators read it.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every random order; made up if not given.")] = None,
    owner: Annotated[
        str | None, typer.Option(help="Email of the researcher whose study it is; admins alone see it if not given.")
    ] = None,
    *,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="For synthetic annotators alone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create a draft of a study. Open it to take people."""
    given: dict[str, Any] = {
        "set": misconception_set,
        "set_version": set_version,
        "title": title,
        "contact": contact,
        "ratings_per_pair": ratings_per_pair,
        "pairs_per_annotator": pairs_per_annotator,
        "min_pairs": min_pairs,
        "arms": tuple(ArmDesign.named(name) for name in arm) if arm else None,
        "question": question,
        "platform": platform,
        "completion_code": completion_code,
        "expected_minutes": expected_minutes,
        "pay": pay,
        "seed": seed,
        "synthetic": synthetic or None,
    }
    design, from_set, version = _draft(slug, given, config)

    async def work(session: AsyncSession) -> dict[str, Any]:
        owner_id = None if owner is None else await owners.account_of(session, owner)
        study = await studies.create_study(session, design, await find_set(session, from_set, version), owner_id)
        return _facts(await studies.get_study(session, study.slug))

    facts = run_in_transaction(work)
    if as_json:
        print_json(facts)
    else:
        console.print(f"Created the draft {slug}. Take people with: candor study open {slug}", markup=False)


def _draft(slug: str, given: dict[str, Any], config: Path | None) -> tuple[StudyDesign, str, int | None]:
    """Return a design, and the set and version that it is of: what is given wins over the file."""
    values = {"title": slug} | (read_design(config) if config else {})
    values |= {name: value for name, value in given.items() if value is not None} | {"slug": slug}
    from_set, version = values.pop("set", None), values.pop("set_version", None)
    if not isinstance(from_set, str) or not is_version(version):
        raise typer.BadParameter(
            "name the misconception set here or in the design file; set_version is a number", param_hint="--set"
        )
    return check_design(values), from_set, version


@app.command()
def links(
    slug: Slug,
    people: Annotated[list[str] | None, typer.Argument(help="Ids to sign; made up if none is given.")] = None,
    count: Annotated[int, typer.Option(help="How many ids to make up.", min=1, max=100_000)] = 1,
) -> None:
    """Print signed entry links, one a line: the way in for a study whose design asks for signed links."""
    study = run_in_transaction(lambda session: studies.get_study(session, slug))
    base = str(settings().public_url or "http://127.0.0.1:8000").rstrip("/")
    for person in people or [secrets.token_hex(8) for _ in range(count)]:
        signed = urlencode({"pid": person, "sig": entry_signature(study.key, person)})
        sys.stdout.write(f"{base}/s/{slug}?{signed}\n")


def _facts(study: Study) -> dict[str, Any]:
    document = studies.design_document(study)
    document["arms"] = ["/".join(arm) for arm in document["arms"]]
    return document | {
        "title": study.title,
        "state": study.state,
        "set": f"{study.misconception_set.slug} version {study.misconception_set.version}",
        "completion_code": study.completion_code,
        "failed_checks_code": study.failed_checks_code,
        "screened_out_code": study.screened_out_code,
        "design_hash": study.design_hash,
        "opened_at": study.opened_at,
        "closed_at": study.closed_at,
        "entry": f"/s/{study.slug}",
    }


def _move(verb: Callable[[AsyncSession, str], Awaitable[Study]], slug: str, *, as_json: bool) -> None:
    async def work(session: AsyncSession) -> str:
        return (await verb(session, slug)).state

    state = run_in_transaction(work)
    if as_json:
        print_json({"slug": slug, "state": state})
    else:
        console.print(f"{slug} is {state}.", markup=False)


@app.command("open")
def open_(slug: Slug, *, as_json: AsJson = False) -> None:
    """Open a draft, freezing its design, or let a paused study go on."""
    _move(studies.open_study, slug, as_json=as_json)


@app.command()
def pause(slug: Slug, *, as_json: AsJson = False) -> None:
    """Take no newcomers for now; people who began may finish."""
    _move(studies.pause_study, slug, as_json=as_json)


@app.command()
def close(slug: Slug, *, as_json: AsJson = False) -> None:
    """Take no newcomers ever again; people who began may finish."""
    _move(studies.close_study, slug, as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List every study with its state and how much of it is filled."""
    rows = run_in_transaction(lambda session: progress_queries.studies(session, _COMMAND_LINE))
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    print_table(
        ["Study", "State", "Set", "Filled", "Slots"],
        [
            [row.slug, row.state, f"{row.set_title} v{row.set_version}", str(row.n_filled), str(row.n_slots)]
            for row in rows
        ],
    )


@app.command()
def show(slug: Slug, *, as_json: AsJson = False) -> None:
    """Show a study: its design, its hashes and its progress by level."""

    async def work(session: AsyncSession) -> tuple[dict[str, Any], list[progress_queries.LevelCounts]]:
        study = await studies.get_study(session, slug)
        return _facts(study), await progress_queries.levels(session, study.id)

    facts, levels = run_in_transaction(work)
    if as_json:
        print_json(facts | {"levels": [_level(row) for row in levels]})
        return
    for name, value in facts.items():
        if name != "texts":
            console.print(f"{name.replace('_', ' ')}: {value}", markup=False)
    if levels:
        print_table(
            ["Arm", "Level", "Pairs", "Filled", "Held", "Slots"],
            [[str(cell) for cell in _level(row).values()] for row in levels],
        )


def _level(row: progress_queries.LevelCounts) -> dict[str, Any]:
    return {
        "arm": f"{row.arm.truthful_kind}/{row.arm.instructions}",
        "level": row.level,
        "pairs": row.n_pairs,
        "filled": row.n_filled,
        "held": row.n_held,
        "slots": row.n_slots,
    }
