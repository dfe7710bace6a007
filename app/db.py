"""One pool of connections, used in two ways: by sessions, and bare on the hot path.

Web requests commit through `app.web.deps`, commands through `transaction`.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Protocol

from psycopg import AsyncConnection
from psycopg.rows import namedtuple_row
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import TextClause, make_url, text
from sqlalchemy.dialects.postgresql import psycopg as dialect
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

Sessions = async_sessionmaker[AsyncSession]

_APPLICATION = "candor"


class Rows(Protocol):
    """What a statement returned, as a session's result or a bare connection's."""

    def one(self) -> Any:
        """Return the only row; its columns are attributes."""

    def one_or_none(self) -> Any:
        """Return the only row, or None when there is none."""

    def __iter__(self) -> Iterator[Any]:
        """Go through the rows."""


class Statements(Protocol):
    """What runs written-out SQL in one transaction: a session, or a bare connection on the hot path."""

    async def execute(self, statement: TextClause, params: Mapping[str, Any], /) -> Rows:
        """Run a statement and return its rows."""

    async def scalar(self, statement: TextClause, params: Mapping[str, Any], /) -> Any:
        """Run a statement and return the first column of its first row, or None."""


@lru_cache(maxsize=512)
def _driver_sql(written: str) -> str:
    """Return SQL with `:name` parameters in the driver's own form."""
    return str(text(written).compile(dialect=dialect.dialect()))  # type: ignore[no-untyped-call]


class _BareRows(list[Any]):
    """Rows that a bare connection fetched."""

    def one(self) -> Any:
        (row,) = self
        return row

    def one_or_none(self) -> Any:
        return self.one() if self else None


class BareConnection:
    """A connection of the pool without SQLAlchemy's unit of work: a third of its cost."""

    def __init__(self, driver: AsyncConnection[Any]) -> None:
        self._driver = driver

    async def execute(self, statement: TextClause, params: Mapping[str, Any], /) -> Rows:
        """Run a statement and return its rows."""
        cursor = self._driver.cursor(row_factory=namedtuple_row)
        await cursor.execute(_driver_sql(statement.text), params)
        return _BareRows(await cursor.fetchall() if cursor.description else ())

    async def scalar(self, statement: TextClause, params: Mapping[str, Any], /) -> Any:
        """Run a statement and return the first column of its first row, or None."""
        cursor = await self._driver.execute(_driver_sql(statement.text), params)
        row = await cursor.fetchone() if cursor.description else None
        return None if row is None else row[0]


async def _look_up_by_index(driver: AsyncConnection[Any]) -> None:
    """Plan look-ups on an index from the first row on.

    A table that was empty when a statement was prepared would be scanned until its statistics are renewed, and a study
    that opens to many people grows faster than that. `app.web.deps.ReadSession` lets pages that sum up a study scan.
    """
    await driver.execute("SET enable_seqscan = off")
    await driver.commit()


class Database:
    """A server process's database: a pool of fixed size, because one that overflows opens connections in bursts.

    Statements are prepared on the server after their fifth use; behind PgBouncer in transaction mode that needs
    PgBouncer 1.22 or newer.
    """

    def __init__(self, url: str, pool_size: int) -> None:
        conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._pool = AsyncConnectionPool(
            conninfo,
            kwargs={"application_name": _APPLICATION},
            min_size=pool_size,
            max_size=pool_size,
            timeout=30,
            configure=_look_up_by_index,
            close_returns=True,
            open=False,
        )
        self._engine = create_async_engine(
            "postgresql+psycopg://", async_creator=self._pool.getconn, poolclass=NullPool
        )
        self.sessions: Sessions = sessions(self._engine)

    async def open(self) -> None:
        """Open the pool. Connections come up in the background, so a database that is away is waited for."""
        await self._pool.open()

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    @asynccontextmanager
    async def single(self) -> AsyncIterator[BareConnection]:
        """Give a bare connection on which each statement is a transaction: one trip to the server, not three."""
        async with self._pool.connection() as driver:
            await driver.set_autocommit(True)
            try:
                yield BareConnection(driver)
            finally:
                await driver.set_autocommit(False)


def create_engine(url: str, pool_size: int = 1) -> AsyncEngine:
    """Return an engine with a pool of its own, for a command or a test."""
    return create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=30, connect_args={"application_name": _APPLICATION}
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
