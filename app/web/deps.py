"""What handlers are given: the settings and the kinds of transaction.

A `WriteSession` is one transaction, committed before the response is sent (`scope="function"`). A `ReadSession` is
read-only and lives until the response has been streamed (the default scope); a `SnapshotSession` too, and all that it
reads is of one moment.
"""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import PLAN_FREELY, Sessions
from app.exports.copying import see_one_moment
from app.settings import Settings


# These are coroutines only because FastAPI would run plain functions in a thread, at twice the cost of the page.
async def app_settings(request: Request) -> Settings:
    """Return the settings this application was made with."""
    found: Settings = request.app.state.settings
    return found


async def app_sessions(request: Request) -> Sessions:
    """Return the factory of this application's sessions."""
    found: Sessions = request.app.state.database.sessions
    return found


async def _write(sessions: Annotated[Sessions, Depends(app_sessions)]) -> AsyncIterator[AsyncSession]:
    async with sessions.begin() as session:
        yield session


_READ_ONLY = text(f"SELECT set_config('transaction_read_only', 'on', true), {PLAN_FREELY}")


async def _read(sessions: Annotated[Sessions, Depends(app_sessions)]) -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        await session.execute(_READ_ONLY)
        yield session


async def _one_moment(sessions: Annotated[Sessions, Depends(app_sessions)]) -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        await see_one_moment(session)
        yield session


WriteSession = Annotated[AsyncSession, Depends(_write, scope="function")]
ReadSession = Annotated[AsyncSession, Depends(_read)]
SnapshotSession = Annotated[AsyncSession, Depends(_one_moment)]
AppSettings = Annotated[Settings, Depends(app_settings)]
