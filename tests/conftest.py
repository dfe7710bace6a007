"""A real Postgres for every test: one embedded server, one migrated database for each test process."""

import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app import migrating
from app.db import create_engine
from app.main import create_app
from app.postgres import Cluster, hold
from app.settings import Settings

REPOSITORY = Path(__file__).parent.parent
BUILD = REPOSITORY / "build"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a server on which databases may be made: the embedded one, or what CANDOR_TEST_DATABASE_URL names."""
    given = os.environ.get("CANDOR_TEST_DATABASE_URL")
    if given:
        yield given
        return
    pg_bin = os.environ.get("CANDOR_PG_BIN")
    with hold(Cluster(BUILD / "test-postgres", Path(pg_bin) if pg_bin else None)) as server:
        yield server.sqlalchemy_url


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def new_database(postgres_url: str, worker_id: str) -> Iterator["NewDatabase"]:
    makes = NewDatabase(postgres_url, worker_id)
    yield makes
    makes.drop_all()


class NewDatabase:
    """Makes migrated databases, copied from one template, and drops them at the end."""

    def __init__(self, url: str, worker: str) -> None:
        self._url = url
        self._prefix = f"test_{worker}_{os.getpid()}"
        self._made: list[str] = []
        self._template = self._make("template")
        migrating.upgrade(_named(url, self._template))

    def __call__(self) -> str:
        return _named(self._url, self._make(f"n{len(self._made)}", self._template))

    def _make(self, name: str, template: str = "template1") -> str:
        database = f"{self._prefix}_{name}"
        with psycopg.connect(self._url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        self._made.append(database)
        return database

    def drop_all(self) -> None:
        with psycopg.connect(self._url.replace("+psycopg", ""), autocommit=True) as connection:
            for database in reversed(self._made):
                _drop(connection, database)


def _drop(connection: psycopg.Connection, database: str) -> None:
    """Drop a database, waiting for autovacuum to leave it: its workers cannot be ended by an ordinary role."""
    for _ in range(50):
        with suppress(psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse):
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
            return
        time.sleep(0.1)


@pytest.fixture(scope="session")
def database_url(new_database: NewDatabase) -> str:
    """A migrated database shared by the tests of this process; each test leaves it as it found it, or uses its own."""
    return new_database()


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url, pool_size=4)
    yield engine
    await engine.dispose()


@pytest.fixture
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """A session in a transaction that is rolled back after the test."""
    async with engine.connect() as connection:
        outer = await connection.begin()
        async with AsyncSession(
            connection, expire_on_commit=False, autoflush=False, join_transaction_mode="create_savepoint"
        ) as session:
            yield session
        await outer.rollback()


@pytest.fixture
def own_database_url(new_database: NewDatabase) -> str:
    """A migrated database for one test alone, for tests that commit."""
    return new_database()


@pytest.fixture
def app_settings(own_database_url: str) -> Settings:
    return Settings(database_url=own_database_url, pool_size=4)


@pytest.fixture
async def client(app_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A plain client on the application, with a database of its own."""
    app = create_app(app_settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client,
    ):
        yield client
