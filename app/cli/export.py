"""`candor export TABLE`: a table of a study as a file; all of them as a bundle; and whether a bundle is whole."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.output import console, errors, print_json, print_table
from app.cli.running import migrated_database
from app.db import transaction
from app.errors import CandorError
from app.exports.annotators import ANNOTATORS
from app.exports.bundle import bundle
from app.exports.choices import CHOICES
from app.exports.columns import Table
from app.exports.copying import Chunks, see_one_moment
from app.exports.files import Format, codebook_file, table_file
from app.exports.pairs import PAIRS
from app.exports.payments import PAYMENTS
from app.exports.preferences import Form, Unit, preferences
from app.exports.scores import SCORES
from app.exports.verifying import verify
from app.study import events
from app.study.previews import refuse_preview
from app.study.studies import get_study

app = typer.Typer(no_args_is_help=True)

StudyOption = Annotated[str, typer.Option("--study", help="The study.")]
FormatOption = Annotated[
    Format | None, typer.Option("--format", help="csv, jsonl or parquet; what the file's name says, if not given.")
]
OutputOption = Annotated[Path | None, typer.Option("-o", "--output", help="File to write; standard output if not.")]


class OutputUnwritable(CandorError):
    """The file named with --output cannot be written."""


def _command(table: Table) -> Callable[..., None]:
    def export(study: StudyOption, known: FormatOption = None, output: OutputOption = None) -> None:
        export_table(table, study, _format(known, output, Format.CSV), output)

    return export


_TABLES = {
    CHOICES: "One row a stored choice.",
    PAIRS: "One row a pair and arm: what was shown, and how it was judged.",
    ANNOTATORS: "One row a person who consented; no personal ids.",
    SCORES: "What preference models make of the pairs.",
    PAYMENTS: "Who came, with the platform's ids, and the code each is due. Recorded as an event.",
}
for _table, _help in _TABLES.items():
    app.command(_table.name, help=f"{_help} A file appears under its name only when it is whole.")(_command(_table))


@app.command("preferences")
def export_preferences(
    study: StudyOption,
    form: Annotated[Form, typer.Option(help="TRL's explicit conversational form, or HH-RLHF's strings.")] = Form.TRL,
    unit: Annotated[Unit, typer.Option(help="A row a choice, or a row a pair and arm.")] = Unit.CHOICE,
    known: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Write what was chosen over what, for training; JSON Lines if nothing else is said."""
    export_table(preferences(form, unit), study, _format(known, output, Format.JSONL), output)


@app.command("codebook")
def export_codebook(known: FormatOption = None, output: OutputOption = None) -> None:
    """Write what every column of every table means."""
    asyncio.run(_write(codebook_file(_format(known, output, Format.CSV)), output))


@app.command("bundle")
def export_bundle(study: StudyOption, output: OutputOption = None) -> None:
    """Write a zip of every table but the payments, the codebook, the design, all hashes and a manifest."""
    _refuse_terminal(output)
    _run(study, lambda session: bundle(session, study), output)


@app.command("verify")
def verify_bundle(
    file: Annotated[Path, typer.Argument(help="The bundle.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Say whether a bundle is whole and as it was written."""
    manifest, rows = verify(file)
    if json:
        print_json(manifest | {"rows": rows})
        return
    print_table(["file", "rows"], [[name, "" if n is None else f"{n:,}"] for name, n in rows.items()])
    console.print(f"{escape(str(file))} is whole, and as it was written at {manifest['made_at']}")


def export_table(table: Table, slug: str, known: Format, output: Path | None) -> None:
    """Write a table of a study to a file, or to standard output."""
    if known is Format.PARQUET:
        _refuse_terminal(output)
    _run(slug, lambda session: table_file(session, table, slug, known), output, audited=table is PAYMENTS)


def _format(known: Format | None, output: Path | None, usual: Format) -> Format:
    """Return the format that was named, or the one that the file's name says, or the usual one."""
    if known is not None:
        return known
    said = output.suffix.removeprefix(".") if output else ""
    return Format(said) if said in set(Format) else usual


def _refuse_terminal(output: Path | None) -> None:
    if output is None and sys.stdout.isatty():
        raise typer.BadParameter("this is no text; name a file", param_hint="--output")


def _run(slug: str, chunks: Callable[[AsyncSession], Chunks], output: Path | None, *, audited: bool = False) -> None:
    with migrated_database() as url:
        asyncio.run(export_from(url, slug, chunks, output, audited=audited))


async def export_from(
    url: str, slug: str, chunks: Callable[[AsyncSession], Chunks], output: Path | None, *, audited: bool = False
) -> None:
    """Write what `chunks` gives of a study; personal data are recorded before any of it leaves."""
    async with transaction(url) as session:
        study = await get_study(session, slug)
        refuse_preview(study)
        if audited:
            await events.record(session, "payments_exported", study_id=study.id)
    async with transaction(url) as session:
        await see_one_moment(session)
        await _write(chunks(session), output)


async def _write(chunks: Chunks, output: Path | None) -> None:
    if output is None:
        with _standard_output() as file:
            await _pump(chunks, file)
        return
    with whole_file(output) as file, errors.status(escape(f"Writing {output}")):
        await _pump(chunks, file)
    errors.print(f"Wrote {output}", markup=False)


@contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    try:
        yield sys.stdout.buffer
    except OSError as error:
        # Python flushes it once more as it ends, and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputUnwritable(f"standard output cannot be written: {error.strerror or error}") from None


@contextmanager
def whole_file(output: Path) -> Iterator[BinaryIO]:
    """Give a file that takes its name only once all of it is on disk."""
    part = output.parent / f"{output.name}.part"
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(output)
    except OSError as error:
        raise OutputUnwritable(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


async def _pump(chunks: Chunks, into: BinaryIO) -> None:
    async with aclosing(chunks) as closed:  # Else what cannot be written leaves a COPY that the transaction waits for.
        async for chunk in closed:
            into.write(chunk)
    into.flush()
