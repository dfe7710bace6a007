"""`candor set …`: misconception sets."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.check_output import print_report
from app.cli.export import whole_file
from app.cli.output import console, errors, print_json, print_table
from app.cli.running import run_in_transaction
from app.cli.set_output import import_summary, print_diff, print_import
from app.study import progress_queries
from app.study.importers.mapping import parse
from app.study.importers.reading import Format, open_set
from app.study.importers.tally import Tally, entries_of, read_whole
from app.study.set_diffs import diff
from app.study.set_files import MisconceptionEntry, SetFileFaulty, to_jsonl
from app.study.sets import ClaimListed, Imported, SetNamed, claims_of_sets, export_set, import_set
from app.study.stimuli_checks.checking import check_file
from app.study.stimuli_checks.report import Report, error

app = typer.Typer(no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="A file of misconceptions (docs/sets.md says in which forms).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
As = Annotated[Format | None, typer.Option("--as", help="What to read the file as; found by its content if not given.")]
Map = Annotated[list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column a field is in.")]
Fill = Annotated[list[str] | None, typer.Option("--fill", metavar="FIELD=TEXT", help="One text for every row.")]


@app.command()
def check(  # noqa: PLR0913 - a command's options
    file: File,
    *,
    as_: As = None,
    map_: Map = None,
    fill: Fill = None,
    against: Annotated[
        str | None, typer.Option(help="A set in the database whose claims the file should not repeat.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Name every finding, not five of a kind.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check a set file: its form, and what gives the sycophantic side away. Nothing is stored."""

    async def claims(session: AsyncSession) -> list[ClaimListed]:
        return await claims_of_sets(session, against)

    known = run_in_transaction(claims) if against else []
    try:
        with errors.status("Checking"):
            report = check_file(open_set(file, as_, parse(map_ or [], fill or [])), known)
    except SetFileFaulty as faulty:
        report = Report(file.name, 0, None, tuple(error("form", fault) for fault in faulty.faults))
    if as_json:
        print_json(report.as_dict())
    else:
        print_report(report, every=every)
    if report.errors:
        raise typer.Exit(1)


@app.command("import")
def import_(  # noqa: PLR0913 - a command's options
    file: File,
    *,
    slug: Annotated[str | None, typer.Option(help="Name of the set; the file's name if not given.")] = None,
    title: Annotated[str | None, typer.Option(help="Title in words.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the texts.")] = "not stated",
    as_: As = None,
    map_: Map = None,
    fill: Fill = None,
    skip_rejected: Annotated[
        bool, typer.Option("--skip-rejected", help="Import the other rows; a damaged file is refused all the same.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import a set file: all of it, as a new version, or nothing."""
    opened = open_set(file, as_, parse(map_ or [], fill or []))
    tally = Tally(opened.file, opened.format)
    name = slug or slug_of_file(file.stem)

    async def work(session: AsyncSession) -> Imported:
        entries = entries_of(opened, tally, skip_rejected=skip_rejected)
        return await import_set(session, entries, slug=name, title=title or name, licence=licence)

    with errors.status(escape(f"Importing {file.name}")):
        done = run_in_transaction(work)
    if as_json:
        print_json(import_summary(done, tally))
    else:
        print_import(done, tally)


def slug_of_file(stem: str) -> str:
    """Return the name that a set gets from its file's name."""
    return stem.lower().replace("_", "-").replace(" ", "-")


@app.command("diff")
def diff_(
    before: Annotated[str, typer.Argument(metavar="A", help="A file, or SLUG or SLUG@VERSION in the database.")],
    after: Annotated[str, typer.Argument(metavar="B", help="What to compare it with, named in the same way.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say what B adds, removes and changes, by key and field."""
    sides = [SetNamed.parse(given) for given in (before, after)]

    async def work(session: AsyncSession) -> list[list[MisconceptionEntry]]:
        return [await export_set(session, side.slug, side.version) for side in sides if isinstance(side, SetNamed)]

    stored = iter(run_in_transaction(work) if any(isinstance(side, SetNamed) for side in sides) else [])
    old, new = (next(stored) if isinstance(side, SetNamed) else read_whole(side) for side in sides)
    found = diff(old, new)
    if as_json:
        print_json({"a": before, "b": after} | asdict(found))
    else:
        print_diff(found)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List every set and version, with the studies that use it."""
    rows = run_in_transaction(progress_queries.sets)
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    print_table(
        ["Set", "Version", "Misconceptions", "Unlevelled", "Hash", "Studies"],
        [
            [
                row.slug,
                str(row.version),
                str(row.n_misconceptions),
                str(row.n_unlevelled),
                row.content_hash[:12],
                ", ".join(row.studies),
            ]
            for row in rows
        ],
    )


@app.command()
def export(
    slug: Annotated[str, typer.Argument(help="The set.")],
    version: Annotated[int | None, typer.Option(help="A version; the newest if not given.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; standard output if not.")
    ] = None,
) -> None:
    """Write a set as a file that imports to the same hash."""

    async def work(session: AsyncSession) -> str:
        return "".join(to_jsonl(await export_set(session, slug, version)))

    text = run_in_transaction(work)
    if output is None:
        sys.stdout.write(text)
    else:
        with whole_file(output) as whole:
            whole.write(text.encode())
        console.print(f"Wrote {output}", markup=False)
