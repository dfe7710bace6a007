"""What tests over HTTP share: the client's database, and an account in it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import create_engine, sessions
from app.settings import Settings
from tests.signing_in import ATTEMPTS, make, quicken


@pytest.fixture
def app_settings(own_database_url: str) -> Settings:
    return Settings(database_url=own_database_url, pool_size=4, login_attempts=ATTEMPTS)


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


@pytest.fixture
async def database(own_database_url: str) -> AsyncIterator[AsyncSession]:
    """A session on the client's database; what it writes is seen by the client once it is committed."""
    engine = create_engine(own_database_url)
    async with sessions(engine)() as session:
        yield session
    await engine.dispose()


@pytest.fixture
async def account_id(database: AsyncSession) -> int:
    """The id of a researcher's account."""
    account_id = await make(database)
    await database.commit()
    return account_id
