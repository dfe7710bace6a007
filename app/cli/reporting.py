"""`candor report STUDY`: the results of a study as one file, and its figures for papers."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from app.cli.export import whole_file
from app.cli.output import errors
from app.cli.running import migrated_database
from app.db import transaction
from app.exports.copying import see_one_moment
from app.study import data_versions, preregistrations
from app.study.preregistration_markdown import markdown
from app.study.studies import get_study

if TYPE_CHECKING:
    from app.results.crossed.fit import ModelFit
    from app.results.observed import Observed


@dataclass(frozen=True, slots=True)
class _Read:
    """What a report is made from, all of one moment."""

    observed: "Observed"
    models: "tuple[ModelFit, ...]"
    data_version: str
    preregistration: str


def report(
    study: Annotated[str, typer.Argument(help="The study.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = Path("report.html"),
    figures: Annotated[
        Path | None, typer.Option(help="Folder for the figures as PDF and PNG; needs the extra figures.")
    ] = None,
) -> None:
    """Write a study's results as one HTML file, with figures, tables, methods and hashes in it."""
    from app.results.finding.find import find  # noqa: PLC0415 - numpy and scipy take a while to import
    from app.results.report.document import report as written  # noqa: PLC0415 - as above

    if figures is not None:
        _refuse_without_figures()
    with migrated_database() as url, errors.status("Computing"):
        read = asyncio.run(_read(url, study))
        findings = find(read.observed, read.models)
    page = written(findings, read.data_version, made_at=datetime.now(UTC), preregistration=read.preregistration)
    with whole_file(output) as file:
        file.write(page.encode())
    errors.print(f"Wrote {escape(str(output))}")
    if figures is not None:
        from app.results.figures.paper import write_figures  # noqa: PLC0415 - matplotlib is an extra
        from app.results.report.contents import sketches  # noqa: PLC0415 - as above

        files = write_figures(sketches(findings), figures)
        errors.print(f"Wrote {len(files)} files to {escape(str(figures))}")


def _refuse_without_figures() -> None:
    """Say at once that matplotlib is missing, before anything is computed."""
    from app.results.figures.paper import require  # noqa: PLC0415 - matplotlib is an extra

    require()


async def _read(url: str, slug: str) -> _Read:
    from app.results.crossed.stored import models_of  # noqa: PLC0415 - as above
    from app.results.sources.from_database import from_database  # noqa: PLC0415 - as above

    async with transaction(url) as session:
        await see_one_moment(session)
        study = await get_study(session, slug)
        version = await data_versions.of_study(session, study.id)
        written = await preregistrations.find(session, study.id)
        told = "" if written is None else markdown(written.document, written.document_hash)
        models = await models_of(session, study.id)
        return _Read(await from_database(session, slug), models, version, told)
