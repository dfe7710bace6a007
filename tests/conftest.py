"""A real Postgres for every test: one embedded server, one migrated database for each test process."""

import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app import migrating
from app.db import create_engine
from app.main import create_app, furnish
from app.models import Base
from app.postgres import Cluster, PostgresInUse, hold, remove
from app.settings import Settings

REPOSITORY = Path(__file__).parent.parent
BUILD = REPOSITORY / "build"
_RUN = "CANDOR_TEST_RUN"

# The same examples every time, and none too slow for a busy machine: whether a change may land is no matter of luck.
# New ones are looked for with `--hypothesis-profile=search`.
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", settings.get_profile("same"), derandomize=False, print_blob=True)
settings.load_profile("same")


def pytest_configure(config: pytest.Config) -> None:
    """Give this run a server of its own, which its worker processes share; what killed runs left is cleared away."""
    _let_ctrl_c_through()
    if not _is_worker(config):
        os.environ[_RUN] = str(os.getpid())
        for left in BUILD.glob("test-postgres*"):
            _remove(left)


def _let_ctrl_c_through() -> None:
    """What a shell runs in the background ignores Ctrl-C, and so would each command that a test starts and stops."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the server with all its databases: dropping them one by one takes a minute."""
    if not _is_worker(config):
        _remove(_cluster_dir())


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _cluster_dir() -> Path:
    return BUILD / f"test-postgres-{os.environ[_RUN]}"


def _remove(cluster_dir: Path) -> None:
    with suppress(PostgresInUse, FileNotFoundError):  # Another run may be clearing it away.
        remove(Cluster(cluster_dir))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a server on which databases may be made: the embedded one, or what CANDOR_TEST_DATABASE_URL names."""
    given = os.environ.get("CANDOR_TEST_DATABASE_URL")
    if given:
        yield given
        return
    pg_bin = os.environ.get("CANDOR_PG_BIN")
    with hold(Cluster(_cluster_dir(), Path(pg_bin) if pg_bin else None)) as server:
        yield server.sqlalchemy_url


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def new_database(postgres_url: str, worker_id: str) -> Iterator["NewDatabase"]:
    makes = NewDatabase(postgres_url, worker_id)
    yield makes
    if "CANDOR_TEST_DATABASE_URL" in os.environ:
        makes.drop_all()


class NewDatabase:
    """Makes migrated databases, copied from one template."""

    def __init__(self, url: str, worker: str) -> None:
        self._url = url
        self._prefix = f"test_{worker}_{os.getpid()}"
        self._made: list[str] = []
        self._empty: list[str] = []
        self._template = self._make("template")
        migrating.upgrade(_named(url, self._template))

    def __call__(self) -> str:
        return _named(self._url, self._make(f"n{len(self._made)}", self._template))

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Lend one for a test, and empty it afterwards for the next: a new one writes 16 MB and hundreds of files."""
        url = self._empty.pop() if self._empty else self()
        yield url
        with suppress(psycopg.errors.LockNotAvailable):  # What a test left open keeps its database.
            _empty(url)
            self._empty.append(url)

    def _make(self, name: str, template: str = "template1") -> str:
        database = f"{self._prefix}_{name}"
        with psycopg.connect(self._url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
            # Thousands of commits need not wait for the disk: what a crash leaves is proved on servers of their own.
            connection.execute(f'ALTER DATABASE "{database}" SET synchronous_commit = off')
        self._made.append(database)
        return database

    def drop_all(self) -> None:
        """Leave a server that goes on after this run as it was."""
        with psycopg.connect(self._url.replace("+psycopg", ""), autocommit=True) as connection:
            for database in reversed(self._made):
                _drop(connection, database)


def _empty(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(_emptying(connection).encode())


def _emptying(connection: psycopg.Connection) -> str:
    """All that empties the tables, to be sent in one go."""
    there = {name for (name,) in connection.execute(_TABLES)}
    guards = connection.execute(_GUARDS).fetchall()
    off, on = ([f'ALTER TABLE "{table}" {how} TRIGGER "{guard}"' for table, guard in guards] for how in _HOW)
    emptied = [f'DELETE FROM "{table.name}"' for table in reversed(Base.metadata.sorted_tables) if table.name in there]
    return "; ".join(["SET LOCAL lock_timeout = '1s'", *off, *emptied, *on, _FROM_ONE])


_HOW = ("DISABLE", "ENABLE")
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_GUARDS = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
_FROM_ONE = "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"


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
def own_database_url(new_database: NewDatabase) -> Iterator[str]:
    """A migrated, empty database for one test alone, for tests that commit."""
    with new_database.lent() as url:
        yield url


@pytest.fixture
def app_settings(own_database_url: str) -> Settings:
    return Settings(database_url=own_database_url, pool_size=4)


@pytest.fixture(scope="session")
def application() -> FastAPI:
    """The application, made once for each test process: its routes take a fifth of a second."""
    return create_app(Settings(database_url="postgresql+psycopg:///nowhere"))


@pytest.fixture
async def client(application: FastAPI, app_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A plain client on the application, with a database of its own."""
    furnish(application, app_settings)
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://testserver") as client,
    ):
        yield client
