"""Sessions, links and passwords that sign in: on real Postgres, at once where it matters."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions, create_engine, sessions
from app.models import LoginAttempt, LoginLink, LoginSession
from app.study import accounts, login_limits, login_links, login_sessions, logins, passwords
from app.study.canonical import text_hash
from app.study.login_links import LinkUsedOrExpired
from app.study.logins import Guess, Opened, Refused
from app.terms import Role
from tests.signing_in import ATTEMPTS, EMAIL, HOUR, PASSWORD, guess, make, quicken


@pytest.fixture
async def pool(own_database_url: str) -> AsyncIterator[Sessions]:
    """Sessions that commit, on several connections: for what happens at once."""
    engine = create_engine(own_database_url, pool_size=8)
    yield sessions(engine)
    await engine.dispose()


@pytest.fixture
async def stored(pool: Sessions) -> int:
    """The id of a committed account."""
    async with pool.begin() as session:
        return await make(session)


@pytest.mark.parametrize("case", ["unknown", "wrong", "disabled", "link only"])
async def test_every_refusal_costs_one_verification_of_the_same_kind(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    if case == "link only":
        await accounts.create(session, EMAIL, Role.ADMIN, None)
    elif case != "unknown":
        await make(session)
    if case == "disabled":
        await accounts.disable(session, EMAIL)
    verified: list[str] = []

    def verify(password: str, stored: str) -> bool:
        verified.append(stored)
        return False

    monkeypatch.setattr(passwords, "_verify", verify)
    assert await guess(session) == Refused()
    assert [extract_parameters(stored) for stored in verified] == [RFC_9106_LOW_MEMORY]


async def test_a_session_of_a_disabled_account_opens_nothing_even_if_it_was_left_behind(session: AsyncSession) -> None:
    ada = await make(session)
    await accounts.disable(session, EMAIL)
    token = await login_sessions.start(session, ada, 12)
    assert await login_sessions.signed_in(session, token) is None
    link = await login_links.make(session, ada, HOUR)
    with pytest.raises(LinkUsedOrExpired):
        await login_links.whose(session, link)
    with pytest.raises(LinkUsedOrExpired):
        await login_links.use(session, link)


async def test_no_token_is_stored(session: AsyncSession) -> None:
    account_id = await make(session)
    tokens = await login_sessions.start(session, account_id, 12), await login_links.make(session, account_id, HOUR)
    for table, token in zip(("login_session", "login_link"), tokens, strict=True):
        assert len(token) == 43, "32 bytes"
        rows = (await session.execute(text(f"SELECT t::text FROM {table} t WHERE account_id = {account_id}"))).scalars()
        stored = " ".join(rows)
        assert token not in stored
        assert text_hash(token) in stored


async def test_a_session_ends_by_itself_and_is_cleared_away_by_the_next(session: AsyncSession) -> None:
    account_id = await make(session)
    token = await login_sessions.start(session, account_id, 12)
    lasts = select(LoginSession.expires_at - func.now()).filter_by(token_hash=text_hash(token))
    assert await session.scalar(lasts) == timedelta(hours=12)
    await session.execute(update(LoginSession).values(expires_at=func.now()))
    assert await login_sessions.signed_in(session, token) is None
    await login_sessions.start(session, account_id, 12)
    assert await session.scalar(select(func.count()).select_from(LoginSession).filter_by(account_id=account_id)) == 1


async def test_a_link_signs_in_once_and_only_until_it_expires(session: AsyncSession) -> None:
    account_id = await make(session)
    link, late = [await login_links.make(session, account_id, HOUR) for _ in range(2)]
    await session.execute(update(LoginLink).filter_by(token_hash=text_hash(late)).values(expires_at=func.now()))
    assert await login_links.whose(session, link) == await login_links.whose(session, link) == EMAIL
    assert await login_links.use(session, link) == account_id
    for worthless in (link, late, "unknown"):
        with pytest.raises(LinkUsedOrExpired):
            await login_links.whose(session, worthless)
        with pytest.raises(LinkUsedOrExpired):
            await login_links.use(session, worthless)
    await login_links.make(session, account_id, HOUR)
    kept = (await session.scalars(select(LoginLink.token_hash).filter_by(account_id=account_id))).all()
    assert text_hash(late) not in kept, "cleared away by the next"
    assert text_hash(link) in kept


async def test_of_many_who_use_a_link_at_once_one_gets_in(pool: Sessions, stored: int) -> None:
    async with pool.begin() as session:
        link = await login_links.make(session, stored, HOUR)

    async def use() -> int | None:
        async with pool.begin() as session:
            try:
                return await login_links.use(session, link)
            except LinkUsedOrExpired:
                return None

    assert Counter(await asyncio.gather(*(use() for _ in range(12)))) == {None: 11, stored: 1}


async def test_parallel_guesses_cannot_all_find_room(
    pool: Sessions, stored: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    quicken(monkeypatch)

    async def try_one(n: int) -> Opened | Refused:
        typed = Guess(email=EMAIL, password=f"wrong guess {n}", address=f"192.0.2.{n}")
        async with pool.begin() as session:
            return await logins.sign_in(pool, session, typed, attempts=ATTEMPTS, hours=12)

    outcomes = await asyncio.gather(*(try_one(n) for n in range(30)))
    assert outcomes.count(Refused()) == ATTEMPTS
    assert sum(isinstance(outcome, Refused) and outcome.wait is not None for outcome in outcomes) == 30 - ATTEMPTS
    async with pool() as session:
        subject = login_limits.account_subject(EMAIL, ATTEMPTS).name
        assert (
            await session.scalar(select(func.count()).select_from(LoginAttempt).filter_by(subject=subject)) == ATTEMPTS
        )


@pytest.mark.parametrize("shared", ["account", "address"])
async def test_a_guess_waits_for_the_one_before_it_to_be_counted(
    pool: Sessions, stored: int, monkeypatch: pytest.MonkeyPatch, shared: str
) -> None:
    quicken(monkeypatch)
    counted = 0

    async def try_one(session: AsyncSession) -> Opened | Refused:
        nonlocal counted
        counted += 1
        email = EMAIL if shared == "account" else f"{counted}@example.org"
        address = "192.0.2.1" if shared == "address" else f"192.0.2.{counted}"
        typed = Guess(email=email, password="a wrong guess", address=address)
        return await logins.sign_in(pool, session, typed, attempts=1, hours=12)

    async def try_later() -> Opened | Refused:
        async with pool.begin() as session:
            return await try_one(session)

    for _ in range(3 if shared == "address" else 0):
        assert await try_later() == Refused()
    async with pool.begin() as session:
        assert await try_one(session) == Refused()
        later = asyncio.create_task(try_later())
        await asyncio.sleep(0.3)
        assert not later.done()
    outcome = await later
    assert isinstance(outcome, Refused)
    assert outcome.wait is not None


@pytest.mark.parametrize("change", ["disable", "set_password"])
async def test_a_login_under_way_is_refused_when_the_account_changes(
    pool: Sessions, stored: int, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    genuine = passwords.matches

    async def slowly(password: str, known: str | None) -> bool:
        right = await genuine(password, known)
        async with pool.begin() as session:
            if change == "disable":
                await accounts.disable(session, EMAIL)
            else:
                await accounts.set_hash(session, stored, await passwords.hashed("another long password"))
        return right

    monkeypatch.setattr(passwords, "matches", slowly)
    typed = Guess(email=EMAIL, password=PASSWORD, address="192.0.2.1")
    async with pool.begin() as session:
        assert await logins.sign_in(pool, session, typed, attempts=ATTEMPTS, hours=12) == Refused()


@pytest.mark.parametrize("way", ["password", "link"])
async def test_disabling_waits_for_a_login_and_ends_its_session(pool: Sessions, stored: int, way: str) -> None:
    async with pool.begin() as session:
        link = await login_links.make(session, stored, HOUR)

    async def disable() -> None:
        async with pool.begin() as session:
            await accounts.disable(session, EMAIL)

    async with pool.begin() as session:
        if way == "link":
            token = await login_sessions.start(session, await login_links.use(session, link), 12)
        else:
            typed = Guess(email=EMAIL, password=PASSWORD, address="192.0.2.1")
            opened = await logins.sign_in(pool, session, typed, attempts=ATTEMPTS, hours=12)
            assert isinstance(opened, Opened)
            token = opened.token
        disabling = asyncio.create_task(disable())
        await asyncio.sleep(0.2)
        assert not disabling.done()
    await disabling
    async with pool() as session:
        found = select(func.count()).select_from(LoginSession).filter_by(token_hash=text_hash(token))
        assert await session.scalar(found) == 0


async def test_no_connection_is_held_while_a_password_is_verified(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(database_url, pool_size=1)
    checked_out: list[int] = []

    async def matches(password: str, known: str | None) -> bool:
        checked_out.append(engine.pool.checkedout())  # type: ignore[attr-defined]
        return False

    monkeypatch.setattr(passwords, "matches", matches)
    one = sessions(engine)
    typed = Guess(email=EMAIL, password=PASSWORD, address="192.0.2.1")
    async with one() as session:
        await logins.sign_in(one, session, typed, attempts=ATTEMPTS, hours=12)
    await engine.dispose()
    assert checked_out == [0]
