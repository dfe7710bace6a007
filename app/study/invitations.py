"""Invitations: a link by which a person makes their own account, with the role that an admin gave it."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.errors import CandorError
from app.models import Invitation
from app.study import accounts, passwords
from app.study.canonical import text_hash
from app.study.events import record
from app.study.login_sessions import new_token
from app.terms import Role

LIFETIME = timedelta(days=7)


class AlreadyInvited(CandorError):
    """The person has an invitation that they can still accept."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} has been invited already; renew that invitation, or withdraw it")
        self.email = email


class InvitationUnknown(CandorError):
    """There is no such invitation, or it was accepted or withdrawn."""

    def __init__(self, named: str) -> None:
        super().__init__(f"there is no pending invitation {named}; `candor account invitations` shows those there are")


class InvitationUsedOrExpired(CandorError):
    """An invitation's link that makes no account, or no longer."""

    def __init__(self) -> None:
        super().__init__("this invitation was used or withdrawn, or has expired; ask for a new one")


class Invited(NamedTuple):
    """A pending invitation. An expired one can be renewed."""

    id: int
    email: str
    role: str
    created_at: datetime
    expires_at: datetime
    expired: bool


def _pending() -> ColumnElement[bool]:
    return Invitation.accepted_at.is_(None) & Invitation.withdrawn_at.is_(None)


def _valid(token: str) -> ColumnElement[bool]:
    return (Invitation.token_hash == text_hash(token)) & (Invitation.expires_at > func.now()) & _pending()


async def invite(
    session: AsyncSession, email: str, role: Role, lifetime: timedelta = LIFETIME, *, by: int | None = None
) -> str:
    """Invite somebody and return the token of their link, to be handed on as `/login/invitation/{token}`.

    Raises
    ------
    EmailImplausible, EmailTaken, AlreadyInvited
        When there is nobody to invite.
    """
    email = accounts.checked(email)
    if await accounts.id_of(session, email) is not None:
        raise accounts.EmailTaken(email)
    over = (Invitation.email == email) & _pending() & (Invitation.expires_at <= func.now())
    await session.execute(update(Invitation).where(over).values(withdrawn_at=func.now()))
    token = new_token()
    invitation_id: int | None = await session.scalar(
        insert(Invitation)
        .values(email=email, role=role, token_hash=text_hash(token), expires_at=func.now() + lifetime)
        .on_conflict_do_nothing(index_elements=[Invitation.email], index_where=_pending())
        .returning(Invitation.id)
    )
    if invitation_id is None:
        raise AlreadyInvited(email)
    await record(session, "invitation_made", account_id=by, invitation=invitation_id, role=role)
    return token


async def listed(session: AsyncSession) -> list[Invited]:
    """Return the pending invitations, the newest first."""
    found = await session.execute(_listing().where(_pending()).order_by(Invitation.id.desc()))
    return [Invited._make(row) for row in found]


def _listing() -> Any:
    over = Invitation.expires_at <= func.now()
    return select(Invitation.id, Invitation.email, Invitation.role, Invitation.created_at, Invitation.expires_at, over)


async def seen(session: AsyncSession, invitation_id: int) -> Invited:
    """Return one pending invitation.

    Raises
    ------
    InvitationUnknown
        When there is none, or no longer.
    """
    row = (await session.execute(_listing().where(Invitation.id == invitation_id, _pending()))).one_or_none()
    if row is None:
        raise InvitationUnknown(f"number {invitation_id}")
    return Invited._make(row)


async def renew(
    session: AsyncSession, invitation_id: int, lifetime: timedelta = LIFETIME, *, by: int | None = None
) -> str:
    """Return the token of a fresh link for a pending invitation; the earlier link stops working."""
    token = new_token()
    values = {"token_hash": text_hash(token), "expires_at": func.now() + lifetime}
    await _update(session, invitation_id, values)
    await record(session, "invitation_renewed", account_id=by, invitation=invitation_id)
    return token


async def withdraw(session: AsyncSession, invitation_id: int, *, by: int | None = None) -> None:
    """Take a pending invitation back: its link stops working."""
    await _update(session, invitation_id, {"withdrawn_at": func.now()})
    await record(session, "invitation_withdrawn", account_id=by, invitation=invitation_id)


async def _update(session: AsyncSession, invitation_id: int, values: dict[str, Any]) -> None:
    pending = (Invitation.id == invitation_id) & _pending()
    changed = await session.scalar(update(Invitation).where(pending).values(**values).returning(Invitation.id))
    if changed is None:
        raise InvitationUnknown(f"number {invitation_id}")


async def pending_for(session: AsyncSession, email: str) -> int:
    """Return the id of the pending invitation for an email.

    Raises
    ------
    InvitationUnknown
        When there is none.
    """
    email = accounts.normalised(email)
    found: int | None = await session.scalar(select(Invitation.id).where(Invitation.email == email, _pending()))
    if found is None:
        raise InvitationUnknown(f"for {email}")
    return found


async def whose(session: AsyncSession, token: str) -> Invited:
    """Return the invitation of a link, without using it up."""
    row = (await session.execute(_listing().where(_valid(token)))).one_or_none()
    if row is None:
        raise InvitationUsedOrExpired
    return Invited._make(row)


async def accept(reads: Sessions, session: AsyncSession, token: str, password: str) -> int:
    """Use an invitation up, make the account and return its id. Of two that try at once, one does.

    Raises
    ------
    PasswordRefused
        When the password would not protect the account; the link can be used again.
    """
    async with reads() as reading:
        invited = await whose(reading, token)
    password_hash = await passwords.hashed(password, invited.email)
    accepted = await session.execute(
        update(Invitation)
        .where(_valid(token))
        .values(accepted_at=func.now())
        .returning(Invitation.id, Invitation.email, Invitation.role)
    )
    row = accepted.one_or_none()
    if row is None:
        raise InvitationUsedOrExpired
    account_id = await accounts.add(session, row.email, Role(row.role), password_hash)
    await record(session, "invitation_accepted", account_id=account_id, invitation=row.id, role=row.role)
    return account_id
