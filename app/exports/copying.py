"""Rows out of Postgres by COPY: one message a row, so that memory does not grow with the study."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection, sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import PLAN_FREELY
from app.exports.columns import Table

CHUNK_BYTES = 64 * 1024

Chunks = AsyncGenerator[bytes, None]
"""A file in pieces. A COPY is open meanwhile and holds its connection: whoever stops before the end closes them."""

_CSV = "FORMAT csv, ENCODING 'UTF8'"
# Control characters are escaped in JSON, so none of these is ever in it and Postgres quotes nothing.
_RAW = r"FORMAT csv, ENCODING 'UTF8', QUOTE E'\x01', DELIMITER E'\x02'"
_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_SCAN = text(f"SELECT {PLAN_FREELY}")


@dataclass(slots=True)
class Tally:
    """How many rows have gone by, headers not counted."""

    rows: int = 0


async def see_one_moment(session: AsyncSession) -> None:
    """Let all that a transaction reads be of one moment. The first thing in it, and it can write nothing then."""
    await session.execute(_SNAPSHOT)
    await session.execute(_SCAN)


def csv_query(table: Table, values: Sequence[str]) -> str:
    """Return the COPY that gives these values of each row as CSV."""
    return f"COPY (SELECT {', '.join(values)} {table.rows}) TO STDOUT ({_CSV})"


def json_query(table: Table) -> str:
    """Return the COPY that gives each row as a JSON object in a line.

    It is put together as text, because row_to_json looks every column's type up again for each row.
    """
    pairs = (f"""'"{column.name}":' || coalesce({column.in_json}, 'null')""" for column in table.columns)
    line = " || ',' || ".join(pairs)
    return f"COPY (SELECT '{{{{' || {line} || '}}}}' {table.rows}) TO STDOUT ({_RAW})"


async def copied(session: AsyncSession, query: str, slug: str) -> AsyncGenerator[memoryview, None]:
    """Yield what a COPY gives of a study, a row at a time, each ended by a line feed."""
    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    assert isinstance(driver, AsyncConnection)
    statement = sql.SQL(query).format(slug=sql.Literal(slug))
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        async for row in copy:
            yield memoryview(row)
