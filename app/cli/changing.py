"""`candor study change|give|clone|pilot|raise|retire`: what happens to a study after it was made."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.output import console, print_json
from app.cli.running import run_in_transaction
from app.models import Study
from app.study import amendments, copies, owners, studies
from app.study.design_files import read_design
from app.study.designs import check_design, is_version
from app.study.sets import find_set

Slug = Annotated[str, typer.Argument(help="The study's slug.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _run(work: Callable[[AsyncSession], Awaitable[Study]], said: Callable[[Study], str], *, as_json: bool) -> None:
    """Do something in one transaction, and say what came of it."""
    study = run_in_transaction(work)
    if as_json:
        print_json(_facts(study))
    else:
        console.print(said(study), markup=False)


def _facts(study: Study) -> dict[str, Any]:
    return {
        "slug": study.slug,
        "state": study.state,
        "purpose": study.purpose,
        "ratings_per_pair": study.ratings_per_pair,
        "design_hash": study.design_hash,
        "entry": f"/s/{study.slug}",
    }


def change(
    slug: Slug,
    config: Annotated[Path, typer.Option(help="A design file in TOML (docs/designs.md).")],
    *,
    as_json: AsJson = False,
) -> None:
    """Change a draft: each field of the file replaces the draft's, tables as a whole; the others stay."""
    given = read_design(config)
    named, version = given.pop("set", None), given.pop("set_version", None)
    if not isinstance(named, str | None) or not is_version(version):
        raise typer.BadParameter("set is a slug and set_version a number", param_hint="--config")

    async def work(session: AsyncSession) -> Study:
        study = await studies.get_study(session, slug, lock=True)
        design = check_design(copies.design_of(study) | given | {"slug": slug})
        used = study.misconception_set
        if named is not None or version is not None:
            used = await find_set(session, named or used.slug, version)
        return await studies.change_draft(session, slug, design, used)

    _run(work, lambda _: f"Changed the draft {slug}.", as_json=as_json)


def give(
    slug: Slug,
    email: Annotated[str, typer.Argument(help="Email of the researcher whose study it is to be.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Make a study somebody's: the owner and admins alone see it."""
    _run(
        lambda session: owners.give(session, slug, email),
        lambda given: f"{given.slug} belongs to {email} now.",
        as_json=as_json,
    )


def clone(
    slug: Slug,
    new: Annotated[str, typer.Argument(help="Slug of the new study.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Make a draft with a study's design, but with codes and a seed of its own."""
    _run(
        lambda session: copies.clone(session, slug, new),
        lambda _: f"Created the draft {new}. Take people with: candor study open {new}",
        as_json=as_json,
    )


def pilot(slug: Slug, *, as_json: AsJson = False) -> None:
    """Open a pilot, a study of its own that counts for nothing; one that runs already is closed."""
    _run(
        lambda session: copies.pilot(session, slug),
        lambda opened: f"The pilot {opened.slug} is live. Its address: /s/{opened.slug}",
        as_json=as_json,
    )


def raise_(
    slug: Slug,
    k: Annotated[int, typer.Argument(help="Ratings of each pair from now on.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Ask for more ratings of each pair of a live or paused study."""
    _run(
        lambda session: amendments.raise_ratings(session, slug, k),
        lambda raised: f"{slug} asks for {k} ratings a pair now; design hash {raised.design_hash}.",
        as_json=as_json,
    )


def retire(
    slug: Slug,
    key: Annotated[str, typer.Argument(help="Key of the misconception.")],
    reason: Annotated[str, typer.Option(help="What is wrong with the pair; it is recorded.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Offer a faulty pair of a live or paused study to nobody any more."""
    _run(
        lambda session: amendments.retire_pair(session, slug, key, reason),
        lambda amended: f"The pair {key} of {slug} is retired; design hash {amended.design_hash}.",
        as_json=as_json,
    )
