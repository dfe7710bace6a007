"""Accounts of researchers and admins: made, listed, disabled, given a password. Every act leaves an event."""

import re
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.models import Account, LoginSession
from app.study import login_links, login_sessions, passwords
from app.study.events import record
from app.terms import Role

_PLAUSIBLE = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s.\x00-\x1f\x7f]+(\.[^@\s.\x00-\x1f\x7f]+)+")
_LONGEST_EMAIL = 254


class EmailImplausible(CandorError):
    """What was given cannot be an email address."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email!r} is not an email address; give one like name@example.org")
        self.email = email


class EmailTaken(CandorError):
    """The email has an account."""

    def __init__(self, email: str) -> None:
        super().__init__(f"there is an account for {email} already; choose another email")
        self.email = email


class AccountUnknown(CandorError):
    """The email has no account."""

    def __init__(self, email: str) -> None:
        super().__init__(f"there is no account for {email}; `candor account list` shows those there are")
        self.email = email


class AccountDisabled(CandorError):
    """The account was disabled, so nothing can be done with it."""

    def __init__(self, email: str) -> None:
        super().__init__(f"the account of {email} is disabled")
        self.email = email


class AccountListed(NamedTuple):
    """One account, and in how many browsers it is signed in."""

    email: str
    role: str
    created_at: datetime
    disabled_at: datetime | None
    n_sessions: int


def normalised(email: str) -> str:
    """Return an email as it is stored: people do not mind the case of theirs."""
    return email.strip().lower()


def is_plausible(email: str) -> bool:
    """Say whether an email can be one; only sending to it would tell whether it is."""
    return len(email) <= _LONGEST_EMAIL and _PLAUSIBLE.fullmatch(email) is not None


async def create(session: AsyncSession, email: str, role: Role, password: str | None) -> int:
    """Make an account and return its id. Without a password only login links open it."""
    email = normalised(email)
    if not is_plausible(email):
        raise EmailImplausible(email)
    password_hash = None if password is None else await passwords.hashed(password)
    account_id: int | None = await session.scalar(
        insert(Account)
        .values(email=email, role=role, password_hash=password_hash)
        .on_conflict_do_nothing(index_elements=[Account.email])
        .returning(Account.id)
    )
    if account_id is None:
        raise EmailTaken(email)
    await record(session, "account_created", account_id=account_id, role=role, with_password=password is not None)
    return account_id


async def listed(session: AsyncSession) -> list[AccountListed]:
    """Return every account by email."""
    live = (LoginSession.account_id == Account.id) & (LoginSession.expires_at > func.now())
    n_sessions = func.count(LoginSession.token_hash)
    found = await session.execute(
        select(Account.email, Account.role, Account.created_at, Account.disabled_at, n_sessions)
        .outerjoin(LoginSession, live)
        .group_by(Account.id)
        .order_by(Account.email)
    )
    return [AccountListed._make(row) for row in found]


async def disable(session: AsyncSession, email: str) -> int:
    """Close an account and return its id; its sessions and links end at once."""
    account_id = await _change(session, email, {"disabled_at": func.now()})
    await _shut_out(session, account_id)
    await record(session, "account_disabled", account_id=account_id)
    return account_id


async def set_password(session: AsyncSession, email: str, password: str) -> int:
    """Give an account another password and return its id; who knew the old one is signed out."""
    password_hash = await passwords.hashed(password)
    account_id = await _change(session, email, {"password_hash": password_hash})
    await _shut_out(session, account_id)
    await record(session, "password_set", account_id=account_id)
    return account_id


async def _change(session: AsyncSession, email: str, values: dict[str, str | ColumnElement[datetime]]) -> int:
    email = normalised(email)
    account_id: int | None = await session.scalar(
        update(Account)
        .where(Account.email == email, Account.disabled_at.is_(None))
        .values(**values)
        .returning(Account.id)
    )
    if account_id is not None:
        return account_id
    if await id_of(session, email) is not None:
        raise AccountDisabled(email)
    raise AccountUnknown(email)


async def _shut_out(session: AsyncSession, account_id: int) -> None:
    await login_sessions.end_all(session, account_id)
    await login_links.drop_all(session, account_id)


async def id_of(session: AsyncSession, email: str) -> int | None:
    """Return the id of the account with this email, if there is one."""
    found: int | None = await session.scalar(select(Account.id).filter_by(email=normalised(email)))
    return found
