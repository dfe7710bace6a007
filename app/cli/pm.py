"""`candor pm …`: preference models, and what they make of a study's pairs."""

import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.export import whole_file
from app.cli.output import console, errors, print_json, print_table
from app.cli.running import run_in_transaction
from app.errors import CandorError
from app.models import ScoringRun
from app.study import scoring_queries, studies
from app.study.score_files import ScoreFileFaulty
from app.study.score_imports import import_scores
from app.study.scoring_pairs import pair_lines
from app.study.scoring_queries import RunListed
from app.study.scoring_runs import RunStoredAlready

app = typer.Typer(no_args_is_help=True)
Study = Annotated[str, typer.Option("--study", help="The study's slug.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class ScoreFileUnreadable(CandorError):
    """The file cannot be read at all."""


@app.command("pairs")
def pairs(
    study: Study,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; standard output if not.")
    ] = None,
) -> None:
    """Write a study's pairs to a file, to be scored on a machine without the database."""

    async def work(session: AsyncSession) -> int:
        lines = pair_lines(session, study)
        if output is None:
            return await _write(lines, sys.stdout.buffer.write)
        with whole_file(output) as file:
            return await _write(lines, file.write)

    n = run_in_transaction(work)
    if output is not None:
        errors.print(f"Wrote {n:,} pairs to {output}", markup=False)


async def _write(lines: AsyncIterator[str], write: Any) -> int:
    """Write the lines, and return how many pairs there were."""
    n = -1
    async for line in lines:
        write(line.encode())
        n += 1
    return n


@app.command("import-scores")
def import_scores_(
    file: Annotated[Path, typer.Argument(help="The score file; - reads standard input.")],
    study: Study,
    *,
    as_json: AsJson = False,
) -> None:
    """Store a score file of a study's pairs: all of it, or nothing where a text was changed or a score is missing."""
    try:
        with errors.status(escape(f"Importing {file}")):
            run = _import(file, study)
    except RunStoredAlready as already:
        errors.print(f"Nothing to do: {already}.", markup=False)
        if as_json:
            print_json({"run": already.run, "study": already.study, "new": False})
        return
    except ScoreFileFaulty as faulty:
        for fault in faulty.faults[1:]:
            errors.print(fault, markup=False)
        raise
    if as_json:
        print_json({"run": run.public_id, "study": study, "new": True, "model": run.model, "pairs": run.n_all})
    else:
        console.print(f"Stored the scoring run {run.public_id} of {run.model} in {study}.", markup=False)


def _import(file: Path, study: str) -> ScoringRun:
    def stored(lines: Iterable[bytes]) -> ScoringRun:
        return run_in_transaction(lambda session: import_scores(session, study, lines))

    if str(file) == "-":
        return stored(sys.stdin.buffer)
    try:
        opened = file.open("rb")
    except OSError as error:
        raise ScoreFileUnreadable(f"{file} cannot be read: {error.strerror or error}") from None
    with opened as lines:
        return stored(lines)


@app.command("runs")
def runs(study: Study, *, as_json: AsJson = False) -> None:
    """List the scoring runs of a study, the newest first."""

    async def work(session: AsyncSession) -> list[RunListed]:
        return await scoring_queries.runs(session, (await studies.get_study(session, study)).id)

    found = run_in_transaction(work)
    if as_json:
        print_json([scoring_queries.facts(one.run) for one in found])
        return
    print_table(
        ["Run", "Model", "Scorer", "Variants", "State", "Scored"],
        [
            [
                one.run.public_id,
                one.run.model + (" (random weights)" if one.run.random_weights else ""),
                one.run.scorer,
                ", ".join(variant["name"] for variant in one.run.record["variants"]),
                one.run.state,
                f"{one.run.n_done:,} of {one.run.n_all:,}",
            ]
            for one in found
        ],
    )
