"""Links that sign in once. Like sessions they are stored as hashes."""

from datetime import timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.models import Account, LoginLink
from app.study.canonical import text_hash
from app.study.events import record
from app.study.login_sessions import new_token


class LinkUsedOrExpired(CandorError):
    """A login link that does not sign in, or no longer."""

    def __init__(self) -> None:
        super().__init__("this login link was used before or has expired; ask for a new one")


async def make(session: AsyncSession, account_id: int, lifetime: timedelta) -> str:
    """Return the token of a new link, to be sent as `/login/link/{token}`; links that have expired are cleared away."""
    token = new_token()
    expired = select(LoginLink.token_hash).where(LoginLink.expires_at <= func.now()).with_for_update(skip_locked=True)
    await session.execute(delete(LoginLink).where(LoginLink.token_hash.in_(expired)))
    await session.execute(
        insert(LoginLink).values(token_hash=text_hash(token), account_id=account_id, expires_at=func.now() + lifetime)
    )
    await record(session, "login_link_made", about_account_id=account_id, lifetime_s=round(lifetime.total_seconds()))
    return token


async def whose(session: AsyncSession, token: str) -> str:
    """Return the email of the account that a link would sign in, without using the link up."""
    email = await session.scalar(
        select(Account.email)
        .join(LoginLink, LoginLink.account_id == Account.id)
        .where(
            LoginLink.token_hash == text_hash(token),
            LoginLink.used_at.is_(None),
            LoginLink.expires_at > func.now(),
            Account.disabled_at.is_(None),
        )
    )
    if email is None:
        raise LinkUsedOrExpired
    return email


async def use(session: AsyncSession, token: str) -> int:
    """Use a link up and return the account that it signs in. Of two that try at once, one gets it.

    The account is locked first, as everywhere: a disabling that runs at the same time waits, and then finds the new
    session to end.
    """
    valid = (
        (LoginLink.token_hash == text_hash(token)) & LoginLink.used_at.is_(None) & (LoginLink.expires_at > func.now())
    )
    whose_link = select(LoginLink.account_id).where(valid).scalar_subquery()
    able = await session.scalar(
        select(Account.id)
        .where(Account.id == whose_link, Account.disabled_at.is_(None))
        .with_for_update(key_share=True)
    )
    used = await session.scalar(
        update(LoginLink).where(valid).values(used_at=func.now()).returning(LoginLink.account_id)
    )
    if able is None or used is None:
        raise LinkUsedOrExpired
    return able


async def drop_all(session: AsyncSession, account_id: int) -> None:
    """Make an account's unused links worthless."""
    await session.execute(delete(LoginLink).where(LoginLink.account_id == account_id))
