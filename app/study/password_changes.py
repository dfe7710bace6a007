"""Setting a password anew: by oneself, or by the link that an admin hands on."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.errors import CandorError
from app.models import Account, PasswordReset
from app.study import accounts, passwords
from app.study.canonical import text_hash
from app.study.events import record
from app.study.login_sessions import new_token
from app.study.logins import Guess, Refused, prove
from app.study.password_rules import PasswordUnchanged

RESET_LIFETIME = timedelta(hours=24)


class ResetUsedOrExpired(CandorError):
    """A link to set a password that does not work, or no longer."""

    def __init__(self) -> None:
        super().__init__("this link was used before or has expired; ask an admin for a new one")


@dataclass(frozen=True, slots=True)
class Changed:
    """The password is another one now."""


async def change(
    reads: Sessions, session: AsyncSession, guess: Guess, new: str, *, keep: str, attempts: int
) -> Changed | Refused:
    """Change one's own password, proving that one knows it; every session but `keep` ends.

    Raises
    ------
    PasswordRefused
        When the new one would not protect the account; nothing is counted then.
    """
    if new == guess.password:
        raise PasswordUnchanged
    password_hash = await passwords.hashed(new, guess.email)
    proved = await prove(reads, session, guess, attempts=attempts, failure="password_change_failed")
    if isinstance(proved, Refused):
        return proved
    await accounts.set_hash(session, proved.account_id, password_hash, keep=keep)
    await record(session, "password_changed", account_id=proved.account_id)
    return Changed()


async def make_link(
    session: AsyncSession, email: str, lifetime: timedelta = RESET_LIFETIME, *, by: int | None = None
) -> str:
    """Return the token of a link that sets an account's password once. An earlier one stops working.

    Until it is used, the old password and the sessions there are go on.
    """
    account_id = await accounts.active_id(session, email)
    token = new_token()
    values = {"token_hash": text_hash(token), "created_at": func.now(), "expires_at": func.now() + lifetime}
    await session.execute(
        insert(PasswordReset)
        .values(account_id=account_id, **values)
        .on_conflict_do_update(index_elements=[PasswordReset.account_id], set_=values)
    )
    lifetime_s = round(lifetime.total_seconds())
    await record(session, "reset_link_made", account_id=by, about_account_id=account_id, lifetime_s=lifetime_s)
    return token


async def whose(session: AsyncSession, token: str) -> str:
    """Return the email of the account whose password a link would set, without using the link up."""
    return (await _found(session, token)).email


async def reset(reads: Sessions, session: AsyncSession, token: str, password: str) -> int:
    """Use a link up, set the password and return the account. Of two that try at once, one does.

    Raises
    ------
    PasswordRefused
        When the password would not protect the account; the link can be used again.
    """
    async with reads() as reading:
        found = await _found(reading, token)
    password_hash = await passwords.hashed(password, found.email)
    locked = select(Account.id).where(Account.id == found.account_id).with_for_update(key_share=True)
    await session.execute(locked)
    used: int | None = await session.scalar(
        delete(PasswordReset)
        .where(PasswordReset.token_hash == text_hash(token), PasswordReset.expires_at > func.now())
        .returning(PasswordReset.account_id)
    )
    if used is None or not await accounts.set_hash(session, used, password_hash):
        raise ResetUsedOrExpired
    await record(session, "password_reset", account_id=used)
    return used


@dataclass(frozen=True, slots=True)
class _Found:
    account_id: int
    email: str


async def _found(session: AsyncSession, token: str) -> _Found:
    found = await session.execute(
        select(Account.id, Account.email)
        .join(PasswordReset, PasswordReset.account_id == Account.id)
        .where(
            PasswordReset.token_hash == text_hash(token),
            PasswordReset.expires_at > func.now(),
            Account.disabled_at.is_(None),
        )
    )
    row = found.one_or_none()
    if row is None:
        raise ResetUsedOrExpired
    return _Found(row.id, row.email)
