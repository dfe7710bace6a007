"""`candor export TABLE`: a table of a study as a file."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.markup import escape

from app.cli.output import errors
from app.cli.running import migrated_database
from app.db import transaction
from app.errors import CandorError
from app.exports.csv_files import choices_csv, codebook_csv
from app.study.studies import get_study


class Table(StrEnum):
    """The tables that can be exported."""

    CHOICES = "choices"
    CODEBOOK = "codebook"


class OutputUnwritable(CandorError):
    """The file named with --output cannot be written."""


def export(
    table: Annotated[Table, typer.Argument(help="What to export.")],
    study: Annotated[str | None, typer.Option(help="The study; not needed for the codebook.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; standard output if not.")
    ] = None,
) -> None:
    """Write a table as CSV. A file appears under its name only when it is whole."""
    if table is Table.CODEBOOK:
        asyncio.run(_write(codebook_csv(), output))
        return
    if study is None:
        raise typer.BadParameter(f"name the study whose {table} to export", param_hint="--study")
    with migrated_database() as url:
        asyncio.run(_export_choices(url, study, output))


async def _export_choices(url: str, slug: str, output: Path | None) -> None:
    async with transaction(url) as session:
        await get_study(session, slug)
        await _write(choices_csv(session, slug), output)


async def _write(chunks: AsyncIterator[bytes], output: Path | None) -> None:
    if output is None:
        await _pump(chunks, sys.stdout.buffer)
        return
    with whole_file(output) as file, errors.status(escape(f"Writing {output}")):
        await _pump(chunks, file)
    errors.print(f"Wrote {output}", markup=False)


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


async def _pump(chunks: AsyncIterator[bytes], into: BinaryIO) -> None:
    async for chunk in chunks:
        into.write(chunk)
    into.flush()
