"""Any table in any format: what pages, commands and the API ask for."""

from collections.abc import Callable
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from app.exports.columns import Table
from app.exports.copying import Chunks, Tally
from app.exports.csv_files import codebook_csv, table_csv
from app.exports.jsonl_files import codebook_jsonl, table_jsonl
from app.exports.parquet_files import codebook_parquet, is_there, refuse_without, table_parquet


class Format(StrEnum):
    """The formats that every table can be had in; their names are the files' extensions."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """What such a file is called in HTTP."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSONL: "application/x-ndjson",
    Format.PARQUET: "application/vnd.apache.parquet",
}
_TABLES: dict[Format, Callable[[AsyncSession, Table, str, Tally | None], Chunks]] = {
    Format.CSV: table_csv,
    Format.JSONL: table_jsonl,
    Format.PARQUET: table_parquet,
}
_CODEBOOKS: dict[Format, Callable[[Tally | None], Chunks]] = {
    Format.CSV: codebook_csv,
    Format.JSONL: codebook_jsonl,
    Format.PARQUET: codebook_parquet,
}


def formats() -> tuple[Format, ...]:
    """Return the formats that this installation can write."""
    return tuple(known for known in Format if known is not Format.PARQUET or is_there())


def table_file(
    session: AsyncSession, table: Table, slug: str, known: Format = Format.CSV, tally: Tally | None = None
) -> Chunks:
    """Return a table of a study in a format, in chunks; refuse before the first one what cannot be written.

    Raises
    ------
    ParquetMissing
        When Parquet is asked for and its extra is not installed.
    """
    _refuse_unwritable(known)
    return _TABLES[known](session, table, slug, tally)


def codebook_file(known: Format = Format.CSV, tally: Tally | None = None) -> Chunks:
    """Return the codebook in a format, as `table_file` does a table."""
    _refuse_unwritable(known)
    return _CODEBOOKS[known](tally)


def _refuse_unwritable(known: Format) -> None:
    if known is Format.PARQUET:
        refuse_without()
