"""Whole columns of numbers out of Postgres as bytes: a million rows at once, with nothing to be done for each."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import PLAN_FREELY

# A session plans for single people and pairs; here a study is read as a whole. Until the transaction ends.
_AS_A_WHOLE = text(f"""
    SELECT {PLAN_FREELY}, set_config('plan_cache_mode', 'auto', true), set_config('work_mem', '64MB', true)
""")


class Packed(NamedTuple):
    """A column: the SQL of its numbers, none of them null, and how many bytes each takes: 2, 4 or 8; a real one, 8."""

    sql: str
    n_bytes: int
    real: bool = False

    @property
    def form(self) -> str:
        """What Postgres calls such numbers."""
        return f"{'float' if self.real else 'int'}{self.n_bytes}"


async def read_as_a_whole(session: AsyncSession) -> None:
    """Let this transaction scan and hash whole tables."""
    await session.execute(_AS_A_WHOLE)


async def columns(
    session: AsyncSession, which: Mapping[str, Packed], rows: str, params: Mapping[str, Any]
) -> dict[str, Any]:
    """Return columns of the rows that this SQL, from `FROM` on, gives; in no order, but all in the same.

    `rows` names its parameters as `%(study)s`.
    """
    listed = ", ".join(
        f"string_agg({column.form}send(CAST({column.sql} AS {column.form})), '')" for column in which.values()
    )
    found = await _rows(session, f"SELECT {listed} {rows}", params)
    return {
        name: np.frombuffer(content or b"", dtype=f">{'f' if column.real else 'i'}{column.n_bytes}").astype(
            np.float64 if column.real else np.int64
        )
        for (name, column), content in zip(which.items(), found[0], strict=True)
    }


async def rows_of(session: AsyncSession, query: str, study_id: int) -> list[tuple[Any, ...]]:
    """Return the rows of a query that names the study as `%(study)s`, with nothing between them and the driver."""
    return await _rows(session, query, {"study": study_id})


async def _rows(session: AsyncSession, query: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    assert isinstance(driver, AsyncConnection)
    async with driver.cursor(binary=True) as cursor:
        await cursor.execute(query.encode(), params)
        return await cursor.fetchall()
