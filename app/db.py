"""One pool of connections, used in two ways: by sessions, and for single statements on the hot path.

Web requests commit through `app.web.deps`, commands through `transaction`.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import TextClause, make_url, text
from sqlalchemy.dialects.postgresql import psycopg as dialect
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

Sessions = async_sessionmaker[AsyncSession]

_APPLICATION = "candor"
_PATIENCE_S = 30

PLAN_FREELY = "set_config('enable_seqscan', 'on', true), set_config('enable_mergejoin', 'on', true)"
"""Columns of a SELECT that undo, until the transaction ends, how connections of the pool plan."""


@lru_cache(maxsize=512)
def _driver_sql(written: str) -> str:
    """Return SQL with `:name` parameters in the driver's own form."""
    return str(text(written).compile(dialect=dialect.dialect()))  # type: ignore[no-untyped-call]


async def _look_up_by_index(driver: AsyncConnection[Any]) -> None:
    """Plan look-ups on an index from the first row on, and plan each statement once.

    A table that was small when a statement was prepared would be scanned, or its index walked to be merged, until its
    statistics are renewed, and a study that opens to many people grows faster than that. `PLAN_FREELY` lets what sums
    up a study do both. Planning a judgement anew for its parameters would cost more than running it.
    """
    await driver.execute("SET enable_seqscan = off")
    await driver.execute("SET enable_mergejoin = off")
    await driver.execute("SET plan_cache_mode = force_generic_plan")


async def _one_statement_at_a_time(driver: AsyncConnection[Any]) -> None:
    """Leave a connection that comes back as the hot path wants it: each statement a transaction of its own."""
    if not driver.autocommit:
        await driver.set_autocommit(True)


class _Lent(AsyncConnection[Any]):
    """A connection of the pool. The driver's own `close` leaves a broken one lent for ever, so that places run out."""

    async def close(self) -> None:
        """Give it back, broken or not; the pool replaces what is broken."""
        pool = getattr(self, "_pool", None)
        if pool is None:
            await super().close()
        else:
            await pool.putconn(self)


class Database:
    """A server process's database: a pool of fixed size, because one that overflows opens connections in bursts.

    Statements are prepared on the server after their fifth use; behind PgBouncer in transaction mode that needs
    PgBouncer 1.22 or newer.
    """

    def __init__(self, url: str, pool_size: int) -> None:
        conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._pool = AsyncConnectionPool(
            conninfo,
            connection_class=_Lent,
            kwargs={"application_name": _APPLICATION, "autocommit": True},
            min_size=pool_size,
            max_size=pool_size,
            timeout=_PATIENCE_S,
            configure=_look_up_by_index,
            reset=_one_statement_at_a_time,
            close_returns=True,
            open=False,
        )
        self._engine = create_async_engine(
            "postgresql+psycopg://", async_creator=self._session_connection, poolclass=NullPool
        )
        self.sessions: Sessions = sessions(self._engine)

    async def open(self) -> None:
        """Open the pool. Connections come up in the background, so a database that is away is waited for."""
        await self._pool.open()

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    async def fetch(self, statement: TextClause, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run one statement as a transaction of its own, and return its rows: one trip, not three."""
        async with self._pool.connection() as driver:
            cursor = await driver.execute(_driver_sql(statement.text), params)
            return await cursor.fetchall()

    async def _session_connection(self) -> AsyncConnection[Any]:
        driver = await self._pool.getconn()
        try:
            await driver.set_autocommit(False)
        except BaseException:
            await self._pool.putconn(driver)
            raise
        return driver


def create_engine(url: str, pool_size: int = 1) -> AsyncEngine:
    """Return an engine with a pool of its own, for a command or a test."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_PATIENCE_S,
        connect_args={"application_name": _APPLICATION},
    )


def sessions(engine: AsyncEngine) -> Sessions:
    """Return the factory of sessions; nothing is reloaded after a commit."""
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)


@asynccontextmanager
async def transaction(url: str) -> AsyncIterator[AsyncSession]:
    """Give a command one session on its own connection, and commit when it ends well."""
    engine = create_engine(url)
    try:
        async with sessions(engine).begin() as session:
            yield session
    finally:
        await engine.dispose()
