"""How commands reach the database: the one that CANDOR_DATABASE_URL names, or the embedded one, started if needed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from app import migrating
from app.db import transaction
from app.postgres import Cluster, hold
from app.settings import settings

T = TypeVar("T")


def cluster() -> Cluster:
    """Return the embedded cluster that the settings name."""
    return Cluster(settings().data_dir.resolve(), settings().pg_bin)


@contextmanager
def database() -> Iterator[str]:
    """Give the URL of the database, holding the embedded server for as long as the command runs."""
    given = settings().database_url
    if given is not None:
        yield given
        return
    with hold(cluster()) as server:
        yield server.sqlalchemy_url


@contextmanager
def migrated_database() -> Iterator[str]:
    """Give the URL of the database; an embedded one is brought up to date first."""
    with database() as url:
        if settings().database_url is None:
            migrating.upgrade(url)
        else:
            migrating.refuse_outdated(url)
        yield url


def run_in_transaction(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """Run a command's work in one transaction, committed when it ends well."""

    async def run(url: str) -> T:
        async with transaction(url) as session:
            return await work(session)

    with migrated_database() as url:
        return asyncio.run(run(url))
