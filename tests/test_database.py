"""The pool of a server process: a connection that broke is replaced, however it was used."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db import Database
from tests.conftest import NewDatabase

SIZE = 2


@pytest.fixture(scope="module")
def url(new_database: NewDatabase) -> str:
    return new_database()


async def test_sessions_whose_connections_are_cut_leave_as_many_places_as_there_were(url: str) -> None:
    database, other = Database(url, SIZE), Database(url, 1)
    await database.open()
    await other.open()
    cut = text("SELECT pg_terminate_backend(:pid)")
    try:
        for _ in range(2 * SIZE):
            async with asyncio.timeout(20), database.sessions() as session:
                pid = await session.scalar(text("SELECT pg_backend_pid()"))
                assert await other.fetch(cut, {"pid": pid}) == [(True,)]
                with pytest.raises(DBAPIError):
                    await session.execute(text("SELECT 1"))
        async with asyncio.timeout(20):
            assert await database.fetch(text("SELECT 1"), {}) == [(1,)]
    finally:
        await database.close()
        await other.close()
