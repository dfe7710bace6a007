"""Invitations and links to set a password: once, in time, and of two at once one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.db import Sessions, create_engine, sessions
from app.errors import CandorError
from app.models import Account, Event, Invitation, PasswordReset
from app.study import accounts, api_tokens, invitations, login_links, login_sessions, password_changes
from app.study.accounts import AccountDisabled, EmailImplausible, EmailTaken
from app.study.canonical import text_hash
from app.study.invitations import AlreadyInvited, InvitationUnknown, InvitationUsedOrExpired
from app.study.logins import Guess, Opened, Refused
from app.study.password_changes import Changed, ResetUsedOrExpired
from app.study.password_rules import PasswordCommon, PasswordUnchanged
from app.terms import Role, TokenScope
from tests.signing_in import ATTEMPTS, EMAIL, HOUR, PASSWORD, guess, make, quicken

NEW = "another long password"


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


@pytest.fixture
async def pool(own_database_url: str) -> AsyncIterator[Sessions]:
    """Sessions that commit, on several connections: for what happens at once."""
    engine = create_engine(own_database_url, pool_size=8)
    yield sessions(engine)
    await engine.dispose()


async def on(session: AsyncSession) -> Sessions:
    """Sessions on the test's own connection, so that all of it is rolled back."""
    return async_sessionmaker(await session.connection(), join_transaction_mode="create_savepoint")


async def kinds(session: AsyncSession) -> list[tuple[str, int | None, int | None]]:
    found = await session.execute(select(Event.kind, Event.account_id, Event.about_account_id).order_by(Event.id))
    return [(row[0], row[1], row[2]) for row in found]


async def accept(session: AsyncSession, token: str, password: str = PASSWORD) -> int:
    return await invitations.accept(await on(session), session, token, password)


async def test_an_invitation_makes_one_account_with_its_role(session: AsyncSession) -> None:
    admin = await make(session, "root@example.org", Role.ADMIN)
    token = await invitations.invite(session, " Ada@Example.org", Role.RESEARCHER, by=admin)
    (pending,) = await invitations.listed(session)
    assert (pending.email, pending.role, pending.expired) == (EMAIL, "researcher", False)
    assert (pending.expires_at - pending.created_at).days == 7
    assert (await invitations.whose(session, token)).email == EMAIL
    account_id = await accept(session, token)
    assert isinstance(await guess(session, password=PASSWORD), Opened)
    assert await invitations.listed(session) == []
    for again in (token, "unknown"):
        with pytest.raises(InvitationUsedOrExpired):
            await accept(session, again)
    left = await kinds(session)
    assert ("invitation_made", admin, None) in left
    assert ("invitation_accepted", account_id, None) in left


async def test_an_invitation_is_made_for_one_who_has_none(session: AsyncSession) -> None:
    await make(session)
    for email, refused in ((EMAIL, EmailTaken), ("nobody", EmailImplausible), ("a\x00@b.org", EmailImplausible)):
        with pytest.raises(refused):
            await invitations.invite(session, email, Role.RESEARCHER)
    await invitations.invite(session, "bob@example.org", Role.RESEARCHER)
    with pytest.raises(AlreadyInvited, match="renew"):
        await invitations.invite(session, "BOB@example.org", Role.ADMIN)


async def test_a_withdrawn_a_renewed_and_an_expired_link_make_nothing(session: AsyncSession) -> None:
    first = await invitations.invite(session, EMAIL, Role.RESEARCHER)
    invitation_id = await invitations.pending_for(session, EMAIL)
    second = await invitations.renew(session, invitation_id)
    with pytest.raises(InvitationUsedOrExpired):
        await accept(session, first)
    await session.execute(update(Invitation).values(expires_at=func.now()))
    with pytest.raises(InvitationUsedOrExpired):
        await accept(session, second)
    (late,) = await invitations.listed(session)
    assert late.expired, "it can be renewed"
    third = await invitations.renew(session, invitation_id)
    await invitations.withdraw(session, invitation_id)
    with pytest.raises(InvitationUsedOrExpired):
        await accept(session, third)
    for act in (invitations.renew, invitations.withdraw, invitations.seen):
        with pytest.raises(InvitationUnknown):
            await act(session, invitation_id)
    assert await session.scalar(select(func.count()).select_from(Account).filter_by(email=EMAIL)) == 0
    await invitations.invite(session, EMAIL, Role.RESEARCHER)


async def test_inviting_anew_replaces_an_expired_invitation(session: AsyncSession) -> None:
    await invitations.invite(session, EMAIL, Role.RESEARCHER)
    await session.execute(update(Invitation).values(expires_at=func.now()))
    await invitations.invite(session, EMAIL, Role.ADMIN)
    assert [found.role for found in await invitations.listed(session)] == ["admin"]


async def test_a_weak_password_uses_no_link_up(session: AsyncSession) -> None:
    token = await invitations.invite(session, EMAIL, Role.RESEARCHER)
    with pytest.raises(PasswordCommon):
        await accept(session, token, "password1234")
    await accept(session, token)
    link = await password_changes.make_link(session, EMAIL)
    with pytest.raises(PasswordCommon):
        await password_changes.reset(await on(session), session, link, "password1234")
    assert await password_changes.whose(session, link) == EMAIL


async def test_an_account_made_by_a_command_ends_its_invitation(session: AsyncSession) -> None:
    token = await invitations.invite(session, EMAIL, Role.RESEARCHER)
    await make(session)
    assert await invitations.listed(session) == []
    with pytest.raises(InvitationUsedOrExpired):
        await accept(session, token)


async def test_no_link_is_stored(session: AsyncSession) -> None:
    tokens = {"invitation": await invitations.invite(session, EMAIL, Role.RESEARCHER)}
    await make(session, "bob@example.org")
    tokens["password_reset"] = await password_changes.make_link(session, "bob@example.org")
    for table, token in tokens.items():
        stored = str((await session.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all())
        assert len(token) == 43, "32 bytes"
        assert token not in stored
        assert text_hash(token) in stored
        told = str((await session.execute(text("SELECT e::text FROM event e"))).scalars().all())
        assert token not in told
        assert text_hash(token) not in told


async def test_a_reset_sets_the_password_once_and_shuts_everybody_out(session: AsyncSession) -> None:
    admin, ada = await make(session, "root@example.org", Role.ADMIN), await make(session)
    signed_in, link = await login_sessions.start(session, ada, 1), await login_links.make(session, ada, HOUR)
    earlier = await password_changes.make_link(session, EMAIL)
    token = await password_changes.make_link(session, EMAIL, by=admin)
    assert isinstance(await guess(session, password=PASSWORD), Opened), "until it is used"
    pool = await on(session)
    with pytest.raises(ResetUsedOrExpired):
        await password_changes.reset(pool, session, earlier, NEW)
    assert await password_changes.reset(pool, session, token, NEW) == ada
    assert await guess(session, password=PASSWORD) == Refused()
    assert isinstance(await guess(session, password=NEW), Opened)
    assert await login_sessions.signed_in(session, signed_in) is None
    with pytest.raises(login_links.LinkUsedOrExpired):
        await login_links.use(session, link)
    with pytest.raises(ResetUsedOrExpired):
        await password_changes.reset(pool, session, token, PASSWORD)
    assert ("reset_link_made", admin, ada) in await kinds(session)
    assert ("password_reset", ada, None) in await kinds(session)


async def test_a_reset_link_expires_and_ends_with_the_account(session: AsyncSession) -> None:
    await make(session)
    token = await password_changes.make_link(session, EMAIL)
    await session.execute(update(PasswordReset).values(expires_at=func.now()))
    with pytest.raises(ResetUsedOrExpired):
        await password_changes.whose(session, token)
    await password_changes.make_link(session, EMAIL)
    await accounts.disable(session, EMAIL)
    assert await session.scalar(select(func.count()).select_from(PasswordReset)) == 0
    with pytest.raises(AccountDisabled):
        await password_changes.make_link(session, EMAIL)


async def change(session: AsyncSession, current: str, new: str, keep: str = "") -> Changed | Refused:
    typed = Guess(email=EMAIL, password=current, address="192.0.2.1")
    return await password_changes.change(await on(session), session, typed, new, keep=keep, attempts=ATTEMPTS)


async def test_changing_the_password_keeps_this_browser_and_the_tokens(session: AsyncSession) -> None:
    ada = await make(session)
    here, elsewhere = [await login_sessions.start(session, ada, 1) for _ in range(2)]
    wanted = api_tokens.NewToken(name="laptop", scope=TokenScope.READ, expires_at=api_tokens.in_days(30))
    await api_tokens.make(session, EMAIL, wanted)
    assert await change(session, "a wrong guess", NEW, here) == Refused()
    assert await change(session, PASSWORD, NEW, here) == Changed()
    assert await login_sessions.signed_in(session, here) is not None
    assert await login_sessions.signed_in(session, elsewhere) is None
    assert len(await api_tokens.listed(session, ada)) == 1
    assert isinstance(await guess(session, password=NEW), Opened)
    assert ("password_change_failed", None, ada) in await kinds(session)
    assert ("password_changed", ada, None) in await kinds(session)


async def test_a_new_password_is_another_and_a_good_one(session: AsyncSession) -> None:
    await make(session)
    with pytest.raises(PasswordUnchanged):
        await change(session, PASSWORD, PASSWORD)
    with pytest.raises(PasswordCommon):
        await change(session, PASSWORD, "password1234")


async def test_guesses_at_the_current_password_are_limited_with_those_at_the_login(session: AsyncSession) -> None:
    await make(session)
    for _ in range(ATTEMPTS):
        assert await change(session, "a wrong guess", NEW) == Refused()
    for outcome in (await change(session, PASSWORD, NEW), await guess(session, password=PASSWORD)):
        assert isinstance(outcome, Refused)
        assert outcome.wait is not None


async def at_once(pool: Sessions, work: Any, n: int = 8) -> Counter[str]:
    async def one() -> str:
        try:
            async with pool.begin() as session:
                await work(session)
        except CandorError as refused:
            return type(refused).__name__
        return "done"

    return Counter(await asyncio.gather(*(one() for _ in range(n))))


async def test_of_many_who_use_a_link_at_once_one_does(pool: Sessions) -> None:
    async with pool.begin() as session:
        invited = await invitations.invite(session, EMAIL, Role.RESEARCHER)
        await make(session, "bob@example.org")
        link = await password_changes.make_link(session, "bob@example.org")
    accepted = await at_once(pool, lambda session: invitations.accept(pool, session, invited, PASSWORD))
    assert accepted == {"done": 1, "InvitationUsedOrExpired": 7}
    reset = await at_once(pool, lambda session: password_changes.reset(pool, session, link, NEW))
    assert reset == {"done": 1, "ResetUsedOrExpired": 7}


async def test_of_many_invitations_of_one_person_at_once_one_is_made(pool: Sessions) -> None:
    made = await at_once(pool, lambda session: invitations.invite(session, EMAIL, Role.RESEARCHER))
    assert made == {"done": 1, "AlreadyInvited": 7}


async def test_two_admins_cannot_close_each_other_s_accounts(pool: Sessions) -> None:
    emails = ["ada@example.org", "bob@example.org", "eve@example.org"]
    async with pool.begin() as session:
        for email in emails:
            await accounts.create(session, email, Role.ADMIN, None)

    async def close(n: int) -> str:
        try:
            async with pool.begin() as session:
                if n % 2:
                    await accounts.disable(session, emails[n % 3])
                else:
                    await accounts.change_role(session, emails[n % 3], Role.RESEARCHER)
        except CandorError as refused:
            return type(refused).__name__
        return "done"

    await asyncio.gather(*(close(n) for n in range(12)))
    async with pool() as session:
        active = select(func.count()).where(Account.role == "admin", Account.disabled_at.is_(None))
        assert await session.scalar(active) == 1
