"""Accounts and their passwords."""

import threading
from typing import Any

import pytest
from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, Event, LoginLink, LoginSession
from app.study import accounts, login_links, login_sessions, passwords, result_links
from app.study.accounts import (
    AccountActive,
    AccountDisabled,
    AccountUnknown,
    EmailImplausible,
    EmailTaken,
    LastActiveAdmin,
)
from app.study.canonical import text_hash
from app.study.login_links import LinkUsedOrExpired
from app.study.logins import Opened, Refused
from app.study.password_rules import PasswordTooShort
from app.terms import Role
from tests.signing_in import EMAIL, HOUR, PASSWORD, guess, make
from tests.studies import draft_study


async def events(session: AsyncSession) -> list[tuple[str, int | None, int | None, dict[str, Any]]]:
    """What happened: the kind, who did it, to which account, and the detail."""
    columns = (Event.kind, Event.account_id, Event.about_account_id, Event.detail)
    return [(*row,) for row in await session.execute(select(*columns).order_by(Event.id))]


async def test_an_email_is_stored_in_lower_case_and_found_in_any(session: AsyncSession) -> None:
    account_id = await make(session, " Ada.Lovelace@Example.ORG ")
    stored = (await session.execute(select(Account.email, Account.role).filter_by(id=account_id))).one()
    assert stored == ("ada.lovelace@example.org", "researcher")
    with pytest.raises(EmailTaken):
        await make(session, "ADA.lovelace@example.org")
    assert isinstance(await guess(session, "Ada.LOVELACE@example.org ", PASSWORD), Opened)


@pytest.mark.parametrize(
    "email",
    ["", "ada", "ada@", "@example.org", "ada@example", "a b@example.org", "a@b@c.org", "a\x00@b.org", "a@b..org"],
)
async def test_an_implausible_email_is_refused(session: AsyncSession, email: str) -> None:
    with pytest.raises(EmailImplausible):
        await make(session, email)
    assert await guess(session, email, PASSWORD) == Refused()


@pytest.mark.parametrize("n", [0, 11])
async def test_a_short_password_is_refused(session: AsyncSession, n: int) -> None:
    with pytest.raises(PasswordTooShort):
        await accounts.create(session, EMAIL, Role.ADMIN, "x" * n)
    await accounts.create(session, EMAIL, Role.ADMIN, "xylophones!!")


async def test_a_password_is_stored_as_argon2id_with_the_library_s_defaults(session: AsyncSession) -> None:
    account_id = await make(session)
    stored = await session.scalar(select(Account.password_hash).filter_by(id=account_id))
    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored
    assert extract_parameters(stored) == RFC_9106_LOW_MEMORY


async def test_the_hash_is_computed_outside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    class Hasher:
        def hash(self, password: bytes) -> str:
            threads.append(threading.current_thread())
            return "hash"

        def verify(self, stored: int, password: bytes) -> bool:
            threads.append(threading.current_thread())
            return True

    monkeypatch.setattr(passwords, "_HASHER", Hasher())
    await passwords.hashed(PASSWORD)
    await passwords.matches(PASSWORD, "hash")
    assert len(threads) == 2
    assert threading.main_thread() not in threads


async def test_a_password_may_be_typed_in_any_unicode_form() -> None:
    stored = await passwords.hashed("Schlüssel für alle")
    assert await passwords.matches("Schlu\u0308ssel fu\u0308r alle", stored)
    assert not await passwords.matches("Schlussel fur alle", stored)


async def test_a_hash_that_cannot_be_read_opens_nothing() -> None:
    assert not await passwords.matches(PASSWORD, "not a hash")


async def test_the_hash_that_nobody_has_is_verified_like_any_other_and_opens_nothing() -> None:
    assert not await passwords.matches(PASSWORD, None)
    assert passwords._HASHER.check_needs_rehash(passwords._NOBODY) is False


async def test_every_act_leaves_an_event_without_secrets(session: AsyncSession) -> None:
    admin = await make(session, "root@example.org", Role.ADMIN)
    before = len(await events(session))
    account_id = await make(session)
    link = await login_links.make(session, account_id, HOUR)
    await accounts.change_role(session, EMAIL, Role.ADMIN, by=admin)
    await accounts.change_role(session, EMAIL, Role.ADMIN, by=admin)
    await accounts.disable(session, EMAIL, by=admin)
    await accounts.enable(session, EMAIL)
    left = (await events(session))[before:]
    assert left == [
        ("account_created", None, account_id, {"role": "researcher", "with_password": True}),
        ("login_link_made", None, account_id, {"lifetime_s": 3600}),
        ("role_changed", admin, account_id, {"before": "researcher", "role": "admin"}),
        ("account_disabled", admin, account_id, {}),
        ("account_enabled", None, account_id, {}),
    ]
    for secret in (PASSWORD, link, text_hash(link), "argon2", EMAIL):
        assert secret not in str(left)


async def test_disabling_ends_sessions_and_links_of_that_account_alone(session: AsyncSession) -> None:
    ada, bob = await make(session), await make(session, "bob@example.org")
    tokens = [await login_sessions.start(session, account, 12) for account in (ada, ada, bob)]
    links = [await login_links.make(session, account, HOUR) for account in (ada, bob)]
    await accounts.disable(session, "Ada@example.org")
    assert [await login_sessions.signed_in(session, token) is None for token in tokens] == [True, True, False]
    assert await session.scalar(select(func.count()).select_from(LoginSession).filter_by(account_id=ada)) == 0
    with pytest.raises(LinkUsedOrExpired):
        await login_links.use(session, links[0])
    assert (await session.scalars(select(LoginLink.account_id))).all() == [bob]
    assert await login_links.use(session, links[1]) == bob
    assert await guess(session, password=PASSWORD) == Refused()
    with pytest.raises(AccountDisabled):
        await accounts.disable(session, EMAIL)
    with pytest.raises(AccountUnknown):
        await accounts.disable(session, "eve@example.org")


async def test_disabling_revokes_the_links_to_results_that_the_account_made(session: AsyncSession) -> None:
    ada, bob = await make(session), await make(session, "bob@example.org")
    drafts = [await draft_study(session, slug) for slug in ("hers", "also-hers", "his")]
    links = [await result_links.make(session, draft.id, by) for draft, by in zip(drafts, (ada, ada, bob), strict=True)]
    assert await accounts.set_hash(session, ada, await passwords.hashed("another long password"))
    assert [await result_links.shown_by(session, link) is None for link in links] == [False, False, False]
    await accounts.disable(session, EMAIL, by=bob)
    assert [await result_links.shown_by(session, link) is None for link in links] == [True, True, False]
    revoked = await session.execute(select(Event.study_id, Event.account_id).filter_by(kind="result_link_revoked"))
    assert [tuple(row) for row in revoked] == [(drafts[0].id, bob), (drafts[1].id, bob)]
    await accounts.enable(session, EMAIL)
    assert await result_links.shown_by(session, links[0]) is None


async def test_a_new_password_replaces_the_old_one_and_signs_out(session: AsyncSession) -> None:
    account_id = await make(session)
    token = await login_sessions.start(session, account_id, 12)
    link = await login_links.make(session, account_id, HOUR)
    assert await accounts.set_hash(session, account_id, await passwords.hashed("another long password"))
    with pytest.raises(LinkUsedOrExpired):
        await login_links.use(session, link)
    assert await login_sessions.signed_in(session, token) is None
    assert await guess(session, password=PASSWORD) == Refused()
    assert isinstance(await guess(session, password="another long password"), Opened)


async def test_accounts_are_listed_with_their_live_sessions(session: AsyncSession) -> None:
    ada, bob = await make(session, role=Role.ADMIN), await make(session, "bob@example.org")
    await login_sessions.start(session, ada, 12)
    await login_sessions.start(session, ada, 12)
    await login_sessions.start(session, bob, 12)
    ended = await login_sessions.start(session, ada, 12)
    await session.execute(
        update(LoginSession).filter_by(token_hash=text_hash(ended)).values(expires_at=func.now() - HOUR)
    )
    await accounts.disable(session, "bob@example.org")
    listed = {found.email: found for found in await accounts.listed(session)}
    assert (listed[EMAIL].role, listed[EMAIL].n_sessions) == ("admin", 2)
    assert (listed["bob@example.org"].n_sessions, listed[EMAIL].disabled_at) == (0, None)
    assert listed["bob@example.org"].disabled_at is not None


async def test_the_last_active_admin_stays(session: AsyncSession) -> None:
    await make(session, role=Role.ADMIN)
    with pytest.raises(LastActiveAdmin):
        await accounts.disable(session, EMAIL)
    with pytest.raises(LastActiveAdmin):
        await accounts.change_role(session, EMAIL, Role.RESEARCHER)
    await make(session, "bob@example.org", Role.ADMIN)
    await accounts.disable(session, "bob@example.org")
    with pytest.raises(LastActiveAdmin):
        await accounts.disable(session, EMAIL)
    await accounts.enable(session, "bob@example.org")
    await accounts.change_role(session, EMAIL, Role.RESEARCHER)
    with pytest.raises(LastActiveAdmin):
        await accounts.disable(session, "bob@example.org")


async def test_enabling_brings_back_the_password_and_nothing_else(session: AsyncSession) -> None:
    account_id = await make(session)
    token = await login_sessions.start(session, account_id, 12)
    with pytest.raises(AccountActive):
        await accounts.enable(session, EMAIL)
    await accounts.disable(session, EMAIL)
    with pytest.raises(AccountDisabled):
        await accounts.change_role(session, EMAIL, Role.ADMIN)
    await accounts.enable(session, EMAIL)
    assert isinstance(await guess(session, password=PASSWORD), Opened)
    assert await login_sessions.signed_in(session, token) is None
    with pytest.raises(AccountUnknown):
        await accounts.enable(session, "eve@example.org")


async def test_sign_ins_are_recorded_and_so_are_failures_without_what_was_typed(session: AsyncSession) -> None:
    account_id = await make(session)
    assert (await accounts.seen(session, account_id)).last_signed_in_at is None
    before = len(await events(session))
    await guess(session)
    await guess(session, "nobody@example.org")
    await guess(session, "no\x00body")
    await guess(session, password=PASSWORD)
    assert (await events(session))[before:] == [
        ("sign_in_failed", None, account_id, {}),
        ("sign_in_failed", None, None, {}),
        ("sign_in_failed", None, None, {}),
        ("signed_in", account_id, None, {"way": "password"}),
    ]
    assert (await accounts.seen(session, account_id)).last_signed_in_at is not None
