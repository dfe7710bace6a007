"""Accounts of researchers and admins: made, listed, disabled, given a role or a password. Every act leaves an event.

`by` is the account that acts; a command acts for nobody.
"""

import re
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.models import Account, ApiToken, Invitation, LoginSession, PasswordReset
from app.study import login_links, login_sessions, passwords, result_links
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


class AccountActive(CandorError):
    """The account is not disabled, so there is nothing to enable."""

    def __init__(self, email: str) -> None:
        super().__init__(f"the account of {email} is not disabled")
        self.email = email


class LastActiveAdmin(CandorError):
    """Without this admin nobody could look after the accounts."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is the last active admin; make somebody else an admin first")
        self.email = email


class AccountListed(NamedTuple):
    """One account, in how many browsers it is signed in, and how many API tokens of it work."""

    id: int
    email: str
    role: str
    created_at: datetime
    disabled_at: datetime | None
    last_signed_in_at: datetime | None
    has_password: bool
    n_sessions: int
    n_tokens: int


def normalised(email: str) -> str:
    """Return an email as it is stored: people do not mind the case of theirs."""
    return email.strip().lower()


def is_plausible(email: str) -> bool:
    """Say whether an email can be one; only sending to it would tell whether it is."""
    return len(email) <= _LONGEST_EMAIL and _PLAUSIBLE.fullmatch(email) is not None


def checked(email: str) -> str:
    """Return an email as it is stored.

    Raises
    ------
    EmailImplausible
        When it cannot be one.
    """
    if not is_plausible(found := normalised(email)):
        raise EmailImplausible(found)
    return found


async def create(session: AsyncSession, email: str, role: Role, password: str | None, *, by: int | None = None) -> int:
    """Make an account and return its id. Without a password only login links open it."""
    email = checked(email)
    password_hash = None if password is None else await passwords.hashed(password, email)
    account_id = await add(session, email, role, password_hash)
    with_password = password is not None
    await record(
        session, "account_created", account_id=by, about_account_id=account_id, role=role, with_password=with_password
    )
    return account_id


async def add(session: AsyncSession, email: str, role: Role, password_hash: str | None) -> int:
    """Store an account; an invitation that is pending for its email is no longer needed."""
    account_id: int | None = await session.scalar(
        insert(Account)
        .values(email=email, role=role, password_hash=password_hash)
        .on_conflict_do_nothing(index_elements=[Account.email])
        .returning(Account.id)
    )
    if account_id is None:
        raise EmailTaken(email)
    pending = Invitation.accepted_at.is_(None) & Invitation.withdrawn_at.is_(None)
    await session.execute(update(Invitation).where(Invitation.email == email, pending).values(withdrawn_at=func.now()))
    return account_id


def _listing() -> Select[Any]:
    signed_in = select(func.count()).where(LoginSession.account_id == Account.id, LoginSession.expires_at > func.now())
    usable = select(func.count()).where(
        ApiToken.account_id == Account.id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > func.now()
    )
    return select(
        Account.id,
        Account.email,
        Account.role,
        Account.created_at,
        Account.disabled_at,
        Account.last_signed_in_at,
        Account.password_hash.is_not(None),
        signed_in.scalar_subquery(),
        usable.scalar_subquery(),
    )


async def listed(session: AsyncSession) -> list[AccountListed]:
    """Return every account by email."""
    return [AccountListed._make(row) for row in await session.execute(_listing().order_by(Account.email))]


async def seen(session: AsyncSession, account_id: int) -> AccountListed:
    """Return one account.

    Raises
    ------
    AccountUnknown
        When there is none.
    """
    row = (await session.execute(_listing().where(Account.id == account_id))).one_or_none()
    if row is None:
        raise AccountUnknown(f"number {account_id}")
    return AccountListed._make(row)


async def disable(session: AsyncSession, email: str, *, by: int | None = None) -> int:
    """Close an account and return its id; its sessions and API tokens end at once, and every link by it or to it."""
    found = await _locked(session, email)
    if found.disabled:
        raise AccountDisabled(found.email)
    _refuse_without_admin(found)
    await session.execute(update(Account).where(Account.id == found.id).values(disabled_at=func.now()))
    await shut_out(session, found.id)
    still = (ApiToken.account_id == found.id) & ApiToken.revoked_at.is_(None)
    await session.execute(update(ApiToken).where(still).values(revoked_at=func.now()))
    await result_links.revoke_all_of(session, found.id, by)
    await record(session, "account_disabled", account_id=by, about_account_id=found.id)
    return found.id


async def enable(session: AsyncSession, email: str, *, by: int | None = None) -> int:
    """Open a closed account again and return its id. Its password works again; its sessions and tokens stay ended."""
    found = await _locked(session, email)
    if not found.disabled:
        raise AccountActive(found.email)
    await session.execute(update(Account).where(Account.id == found.id).values(disabled_at=None))
    await record(session, "account_enabled", account_id=by, about_account_id=found.id)
    return found.id


async def change_role(session: AsyncSession, email: str, role: Role, *, by: int | None = None) -> bool:
    """Give an account another role, from its next request on; say whether it had another one."""
    found = await _locked(session, email)
    if found.disabled:
        raise AccountDisabled(found.email)
    if found.role == role:
        return False
    _refuse_without_admin(found)
    await session.execute(update(Account).where(Account.id == found.id).values(role=role))
    await record(session, "role_changed", account_id=by, about_account_id=found.id, before=found.role, role=role)
    return True


class _Locked(NamedTuple):
    """An account whose row nobody else changes meanwhile, and how many other admins there are."""

    id: int
    email: str
    role: str
    disabled: bool
    n_other_admins: int


async def _locked(session: AsyncSession, email: str) -> _Locked:
    """Lock an account together with every active admin, in one order: two admins cannot close each other's accounts."""
    email = normalised(email)
    active_admin = (Account.role == Role.ADMIN) & Account.disabled_at.is_(None)
    found = await session.execute(
        select(Account.id, Account.email, Account.role, Account.disabled_at.is_not(None), active_admin)
        .where(or_(Account.email == email, active_admin))
        .order_by(Account.id)
        .with_for_update(key_share=True)
    )
    rows = found.all()
    others = sum(1 for row in rows if row.email != email and row[4])
    for row in rows:
        if row.email == email:
            return _Locked(row.id, row.email, row.role, row[3], others)
    raise AccountUnknown(email)


def _refuse_without_admin(found: _Locked) -> None:
    if found.role == Role.ADMIN and found.n_other_admins == 0:
        raise LastActiveAdmin(found.email)


async def active_id(session: AsyncSession, email: str) -> int:
    """Return the id of an account that is not disabled, and keep it so until the transaction ends."""
    email = normalised(email)
    found = await session.execute(
        select(Account.id, Account.disabled_at).where(Account.email == email).with_for_update(read=True)
    )
    row = found.one_or_none()
    if row is None:
        raise AccountUnknown(email)
    if row.disabled_at is not None:
        raise AccountDisabled(email)
    account_id: int = row.id
    return account_id


async def set_hash(session: AsyncSession, account_id: int, password_hash: str, *, keep: str = "") -> bool:
    """Give an account another password; who knew the old one is signed out, but for the session `keep`.

    Returns whether there is such an account that is not disabled.
    """
    changed: int | None = await session.scalar(
        update(Account)
        .where(Account.id == account_id, Account.disabled_at.is_(None))
        .values(password_hash=password_hash)
        .returning(Account.id)
    )
    if changed is not None:
        await shut_out(session, account_id, keep=keep)
    return changed is not None


async def shut_out(session: AsyncSession, account_id: int, *, keep: str = "") -> None:
    """End every session but `keep`, and every link by which the account could be entered."""
    await login_sessions.end_all(session, account_id, keep=keep)
    await login_links.drop_all(session, account_id)
    await session.execute(delete(PasswordReset).where(PasswordReset.account_id == account_id))


async def id_of(session: AsyncSession, email: str) -> int | None:
    """Return the id of the account with this email, if there is one."""
    found: int | None = await session.scalar(select(Account.id).filter_by(email=normalised(email)))
    return found
