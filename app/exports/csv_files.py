"""Tables as CSV: UTF-8, RFC 4180, one header, streamed by COPY so that memory does not grow with the study."""

import csv
import io
from collections.abc import AsyncIterator, Sequence

from psycopg import AsyncConnection, sql
from sqlalchemy.ext.asyncio import AsyncSession

from app.exports.columns import CODEBOOK, FROM_CHOICES, TABLES, Column

_CHUNK_BYTES = 64 * 1024


def _header(names: Sequence[str]) -> bytes:
    return (",".join(names) + "\r\n").encode()


def _copy(columns: Sequence[Column], rows_from: str, slug: str) -> sql.Composed:
    listed = ", ".join(f"{column.expression} AS {column.name}" for column in columns)
    query = sql.SQL(f"COPY (SELECT {listed} {rows_from}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')")
    return query.format(slug=sql.Literal(slug))


async def choices_csv(session: AsyncSession, slug: str) -> AsyncIterator[bytes]:
    """Yield the choices of a study, one row a stored choice, in chunks of about 64 KB."""
    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    assert isinstance(driver, AsyncConnection)
    buffer = bytearray(_header([column.name for column in TABLES["choices"]]))
    async with (
        driver.cursor() as cursor,
        cursor.copy(_copy(TABLES["choices"], FROM_CHOICES, slug)) as copy,
    ):
        # The server sends one row a message, ended by a bare line feed; RFC 4180 wants a carriage return before it.
        async for row in copy:
            buffer += row[:-1]
            buffer += b"\r\n"
            if len(buffer) >= _CHUNK_BYTES:
                yield bytes(buffer)
                buffer.clear()
    yield bytes(buffer)


async def codebook_csv() -> AsyncIterator[bytes]:
    """Yield the description of every column of every table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CODEBOOK)
    for table, columns in TABLES.items():
        writer.writerows((table, column.name, column.type, column.meaning) for column in columns)
    yield text.getvalue().encode()
