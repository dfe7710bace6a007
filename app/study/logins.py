"""Proving who one is with a password. An unknown email, a wrong one and a disabled account look and last the same."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.models import Account
from app.study import login_limits, login_sessions, passwords
from app.study.accounts import id_of, is_plausible, normalised
from app.study.events import record


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What someone typed, and the address that it came from."""

    email: str
    password: str
    address: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The token of a new session."""

    token: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A login that failed, or that was not tried because too many failed before: then `wait` says how long."""

    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """An account whose password was proved, locked until the transaction ends."""

    account_id: int
    password_hash: str


async def sign_in(
    reads: Sessions, session: AsyncSession, guess: Guess, *, attempts: int, hours: int
) -> Opened | Refused:
    """Check a password and open a session, within the limits."""
    proved = await prove(reads, session, guess, attempts=attempts, failure="sign_in_failed")
    if isinstance(proved, Refused):
        return proved
    return Opened(await login_sessions.start(session, proved.account_id, hours))


async def prove(
    reads: Sessions, session: AsyncSession, guess: Guess, *, attempts: int, failure: str
) -> Known | Refused:
    """Check a password, within the limits; `failure` is the kind of event that a wrong one leaves.

    A refusal is returned, not raised: the failure has to be stored with the session's transaction. The password is
    verified before the locks are taken and without a connection, because it takes long. So a guess may be right and
    still be refused: what counts is the room that is left when it is its turn.
    """
    email = normalised(guess.email)
    account = login_limits.account_subject(email, attempts)
    address = login_limits.address_subject(guess.address, attempts)
    async with reads() as reading:
        if wait := await login_limits.wait(reading, account, address):
            return Refused(wait)
        known = await _known(reading, email)
    right = await passwords.matches(guess.password, known.password_hash if known else None)
    await login_limits.lock(session, account, address)
    if wait := await login_limits.wait(session, account, address):
        return Refused(wait)
    if known is None or not right or not await _still(session, known):
        await login_limits.record_failure(session, account, address)
        await record(session, failure, about_account_id=await _about(session, email))
        return Refused()
    await login_limits.forget(session, account)
    return known


async def _about(session: AsyncSession, email: str) -> int | None:
    return await id_of(session, email) if is_plausible(email) else None


async def _known(session: AsyncSession, email: str) -> Known | None:
    if not is_plausible(email):
        return None
    found = await session.execute(
        select(Account.id, Account.password_hash).where(
            Account.email == email, Account.disabled_at.is_(None), Account.password_hash.is_not(None)
        )
    )
    row = found.one_or_none()
    return None if row is None else Known(row.id, row.password_hash)


async def _still(session: AsyncSession, known: Known) -> bool:
    """Say whether the account is as it was read. The lock makes a disabling wait, and then end the new session too."""
    unchanged = (
        select(Account.id)
        .where(
            Account.id == known.account_id,
            Account.password_hash == known.password_hash,
            Account.disabled_at.is_(None),
        )
        .with_for_update(key_share=True)
    )
    return await session.scalar(unchanged) is not None
