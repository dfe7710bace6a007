"""Signed-in browsers. The cookie holds a random token, the table only its hash, so a stolen table opens no door."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, LoginSession
from app.study.canonical import text_hash
from app.study.events import record
from app.terms import Role


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The account of a signed-in person."""

    account_id: int
    email: str
    role: Role

    @property
    def is_admin(self) -> bool:
        """Whether the person sees every study, the sets and the accounts."""
        return self.role is Role.ADMIN


def new_token() -> str:
    """Return 32 random bytes in the letters that a cookie and a path allow."""
    return secrets.token_urlsafe(32)


async def start(session: AsyncSession, account_id: int, hours: int, *, way: str = "password") -> str:
    """Sign an account in for some hours and return the token; sessions that have ended are cleared away.

    `way` is for the record: how the person proved who they are.
    """
    token = new_token()
    ended = (
        select(LoginSession.token_hash).where(LoginSession.expires_at <= func.now()).with_for_update(skip_locked=True)
    )
    await session.execute(delete(LoginSession).where(LoginSession.token_hash.in_(ended)))
    await session.execute(
        insert(LoginSession).values(
            token_hash=text_hash(token), account_id=account_id, expires_at=func.now() + timedelta(hours=hours)
        )
    )
    await session.execute(update(Account).where(Account.id == account_id).values(last_signed_in_at=func.now()))
    await record(session, "signed_in", account_id=account_id, way=way)
    return token


async def signed_in(session: AsyncSession, token: str) -> SignedIn | None:
    """Return the account that a token signs in, or None when it has ended, was revoked or was never given out."""
    found = await session.execute(
        select(Account.id, Account.email, Account.role)
        .join(LoginSession, LoginSession.account_id == Account.id)
        .where(
            LoginSession.token_hash == text_hash(token),
            LoginSession.expires_at > func.now(),
            Account.disabled_at.is_(None),
        )
    )
    row = found.one_or_none()
    return None if row is None else SignedIn(row.id, row.email, Role(row.role))


async def end(session: AsyncSession, token: str) -> None:
    """Sign one browser out."""
    await session.execute(delete(LoginSession).where(LoginSession.token_hash == text_hash(token)))


async def end_all(session: AsyncSession, account_id: int, *, keep: str = "") -> None:
    """Sign an account out everywhere, but for the browser that holds the token `keep`."""
    ended = (LoginSession.account_id == account_id) & (LoginSession.token_hash != text_hash(keep))
    await session.execute(delete(LoginSession).where(ended))
