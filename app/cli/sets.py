"""`candor set …`: misconception sets."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.export import whole_file
from app.cli.output import console, errors, print_json, print_table
from app.cli.running import run_in_transaction
from app.study import progress_queries
from app.study.set_files import SetFileFaulty, read_jsonl, set_hash, to_jsonl
from app.study.sets import Imported, export_set, import_set

app = typer.Typer(no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="A set file, one misconception a line (docs/sets.md).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def check(file: File, *, as_json: AsJson = False) -> None:
    """Check a set file and say what is wrong, by line and field. Nothing is stored."""
    try:
        entries, faults = read_jsonl(file), []
    except SetFileFaulty as faulty:
        entries, faults = [], faulty.faults
    if as_json:
        print_json({"file": str(file), "misconceptions": len(entries), "faults": faults})
    elif faults:
        for fault in faults:
            errors.print(f"{file.name}: {fault}", markup=False)
    else:
        said = f"{file.name}: {len(entries)} misconceptions, no faults, hash {set_hash(entries)[:12]}"
        console.print(said, markup=False)
    if faults:
        raise typer.Exit(1)


@app.command("import")
def import_(
    file: File,
    slug: Annotated[str | None, typer.Option(help="Name of the set; the file's name if not given.")] = None,
    title: Annotated[str | None, typer.Option(help="Title in words.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the texts.")] = "not stated",
    *,
    as_json: AsJson = False,
) -> None:
    """Import a set file: all of it, as a new version, or nothing."""
    entries = read_jsonl(file)
    name = slug or file.stem.lower().replace("_", "-").replace(" ", "-")

    async def work(session: AsyncSession) -> Imported:
        return await import_set(session, entries, slug=name, title=title or name, licence=licence)

    with errors.status(f"Importing {len(entries)} misconceptions"):
        done = run_in_transaction(work)
    if as_json:
        print_json({field: getattr(done, field) for field in done.__slots__})
    else:
        verb = "Imported" if done.new else "Already there:"
        console.print(f"{verb} {done.slug} version {done.version}, {done.n_misconceptions} misconceptions")


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
