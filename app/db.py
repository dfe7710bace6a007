"""The engine and its sessions. Web requests commit through `app.web.deps`, commands through `transaction`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

Sessions = async_sessionmaker[AsyncSession]


def create_engine(url: str, pool_size: int = 1) -> AsyncEngine:
    """Return an engine with a pool of fixed size: a pool that overflows opens and closes connections in bursts.

    Statements are prepared on the server after their fifth use; behind PgBouncer in transaction mode that needs
    PgBouncer 1.22 or newer.
    """
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=30,
        pool_use_lifo=True,
        connect_args={"application_name": "candor"},
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
