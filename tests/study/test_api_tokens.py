"""API tokens: shown once, stored hashed, refused in one way."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions, create_engine, sessions
from app.models import ApiToken, LoginAttempt
from app.study import accounts, api_tokens, login_limits
from app.study.accounts import AccountDisabled
from app.study.api_tokens import (
    Bearer,
    NewToken,
    TokenExpiryFaulty,
    TokenNameFaulty,
    TokenNameTaken,
    TokenUnknown,
    in_days,
)
from app.study.canonical import text_hash
from app.study.logins import Refused
from app.terms import Role, TokenScope
from tests.signing_in import ATTEMPTS, EMAIL, PASSWORD, guess, make, quicken

LAPTOP = NewToken(name="laptop", scope=TokenScope.READ, expires_at=in_days(30))
ADDRESS = "192.0.2.1"


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


@pytest.fixture
async def pool(own_database_url: str) -> AsyncIterator[Sessions]:
    engine = create_engine(own_database_url, pool_size=4)
    yield sessions(engine)
    await engine.dispose()


async def made(pool: Sessions, wanted: NewToken = LAPTOP, role: Role = Role.RESEARCHER) -> str:
    async with pool.begin() as session:
        await make(session, role=role)
        return await api_tokens.make(session, EMAIL, wanted)


async def show(pool: Sessions, token: str, address: str = ADDRESS) -> Bearer | Refused:
    return await api_tokens.bearer(pool, token, address, attempts=ATTEMPTS)


async def test_a_token_is_stored_as_its_hash_alone(session: AsyncSession) -> None:
    account_id = await make(session)
    token = await api_tokens.make(session, EMAIL, LAPTOP)
    assert token.startswith("candor_")
    assert len(token) == len("candor_") + 43, "32 bytes"
    for table in ("api_token", "event"):
        stored = str((await session.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all())
        assert token not in stored
        assert token.removeprefix("candor_") not in stored
        assert (text_hash(token) in stored) == (table == "api_token")
    (listed,) = await api_tokens.listed(session, account_id)
    assert (listed.name, listed.scope, listed.last_used_at, listed.expired) == ("laptop", "read", None, False)


async def test_a_token_acts_for_its_account_within_its_scope(pool: Sessions) -> None:
    token = await made(pool, NewToken(name="control", scope=TokenScope.CONTROL, expires_at=in_days(1)), Role.ADMIN)
    found = await show(pool, token)
    assert isinstance(found, Bearer)
    assert (found.who.email, found.who.is_admin, found.may_control) == (EMAIL, True, True)
    async with pool.begin() as session:
        await accounts.create(session, "root@example.org", Role.ADMIN, None)
        await accounts.change_role(session, EMAIL, Role.RESEARCHER)
        reading = await api_tokens.make(session, EMAIL, LAPTOP)
    found = await show(pool, reading)
    assert isinstance(found, Bearer)
    assert (found.who.is_admin, found.may_control) == (False, False)


@pytest.mark.parametrize("how", ["unknown", "empty", "hash", "expired", "revoked", "disabled", "enabled again"])
async def test_every_token_that_does_not_work_is_refused_alike(pool: Sessions, how: str) -> None:
    token = await made(pool)
    async with pool.begin() as session:
        account_id = await accounts.active_id(session, EMAIL)
        if how == "expired":
            await session.execute(update(ApiToken).values(expires_at=func.now()))
        elif how == "revoked":
            await api_tokens.revoke(session, account_id, "laptop")
        elif how in {"disabled", "enabled again"}:
            await accounts.disable(session, EMAIL)
        if how == "enabled again":
            await accounts.enable(session, EMAIL)
    shown = {"unknown": "candor_" + "x" * 43, "empty": "", "hash": text_hash(token)}.get(how, token)
    assert await show(pool, shown) == Refused()


async def test_the_last_use_is_written_once_a_minute(pool: Sessions) -> None:
    token = await made(pool)
    await show(pool, token)
    async with pool.begin() as session:
        first = await session.scalar(select(ApiToken.last_used_at))
        assert first is not None
    await show(pool, token)
    async with pool.begin() as session:
        assert await session.scalar(select(ApiToken.last_used_at)) == first
        await session.execute(update(ApiToken).values(last_used_at=func.now() - timedelta(seconds=61)))
    await show(pool, token)
    async with pool() as session:
        later = await session.scalar(select(ApiToken.last_used_at))
    assert later is not None
    assert later > first


async def test_failures_are_limited_for_an_address_and_apart_from_logins(pool: Sessions) -> None:
    token = await made(pool)
    for _ in range(4 * ATTEMPTS):
        assert await show(pool, "candor_wrong") == Refused()
    for shown in ("candor_wrong", token):
        refused = await show(pool, shown)
        assert isinstance(refused, Refused)
        assert refused.wait is not None
    assert isinstance(await show(pool, token, "198.51.100.1"), Bearer)
    async with pool() as session:
        assert await session.scalar(select(func.count()).select_from(LoginAttempt)) == 4 * ATTEMPTS


async def test_people_at_an_address_are_not_held_up_by_its_programs(session: AsyncSession) -> None:
    await make(session)
    for _ in range(4 * ATTEMPTS):
        await login_limits.record_failure(session, login_limits.bearer_subject(ADDRESS, ATTEMPTS))
    assert not isinstance(await guess(session, password=PASSWORD, address=ADDRESS), Refused)


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b", "a\x1bb"])
async def test_a_token_has_a_name_that_can_be_read(session: AsyncSession, name: str) -> None:
    await make(session)
    with pytest.raises(TokenNameFaulty):
        await api_tokens.make(session, EMAIL, NewToken(name=name, scope=TokenScope.READ, expires_at=in_days(1)))


@pytest.mark.parametrize("days", [0, -1, 367])
async def test_a_token_lasts_for_a_year_at_most(session: AsyncSession, days: int) -> None:
    await make(session)
    with pytest.raises(TokenExpiryFaulty):
        await api_tokens.make(session, EMAIL, NewToken(name="x", scope=TokenScope.READ, expires_at=in_days(days)))


async def test_names_are_apart_until_a_token_is_revoked(session: AsyncSession) -> None:
    ada, bob = await make(session), await make(session, "bob@example.org")
    await api_tokens.make(session, EMAIL, LAPTOP)
    await api_tokens.make(session, "bob@example.org", LAPTOP)
    with pytest.raises(TokenNameTaken):
        await api_tokens.make(session, EMAIL, NewToken(name=" laptop ", scope=TokenScope.READ, expires_at=in_days(1)))
    (of_bob,) = await api_tokens.listed(session, bob)
    with pytest.raises(TokenUnknown):
        await api_tokens.seen(session, ada, of_bob.id)
    await api_tokens.revoke(session, ada, "laptop")
    with pytest.raises(TokenUnknown):
        await api_tokens.revoke(session, ada, "laptop")
    assert len(await api_tokens.listed(session, bob)) == 1
    await api_tokens.make(session, EMAIL, LAPTOP)


async def test_a_disabled_account_gets_no_token(session: AsyncSession) -> None:
    await make(session)
    await accounts.disable(session, EMAIL)
    with pytest.raises(AccountDisabled):
        await api_tokens.make(session, EMAIL, LAPTOP)


def test_a_day_is_counted_from_now() -> None:
    assert timedelta(days=30) - timedelta(minutes=1) < in_days(30) - datetime.now(UTC) < timedelta(days=30, minutes=1)
