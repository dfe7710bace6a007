"""API tokens: what programs show instead of a password.

A token is 32 random bytes after a prefix, by which leaked ones can be found. It is stored as its SHA-256 and looked up
by that: how long the look-up takes tells nothing about the token.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.errors import CandorError
from app.models import Account, ApiToken
from app.study import accounts, login_limits
from app.study.canonical import text_hash
from app.study.events import record
from app.study.login_sessions import SignedIn, new_token
from app.study.logins import Refused
from app.terms import Role, TokenScope

PREFIX = "candor_"
LONGEST_DAYS = 366
_LONGEST_NAME = 60
# How exactly the last use is known: writing at every request would make reads cost a commit.
_USE_NOTED_EVERY = timedelta(minutes=1)


class TokenNameFaulty(CandorError):
    """A token needs a name by which its owner knows it again."""

    def __init__(self) -> None:
        super().__init__(f"give the token a name of at most {_LONGEST_NAME} characters, such as where it is used")


class TokenNameTaken(CandorError):
    """The account has a token of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a token called {name!r} already; choose another name, or revoke that one first")


class TokenExpiryFaulty(CandorError):
    """The token would have expired already, or would last for too long."""

    def __init__(self) -> None:
        super().__init__(f"choose an expiry from today on and at most {LONGEST_DAYS} days ahead")


class TokenUnknown(CandorError):
    """The account has no such token, or it was revoked."""

    def __init__(self, named: str) -> None:
        super().__init__(f"there is no token {named}; `candor account tokens EMAIL` shows those there are")


class TokenListed(NamedTuple):
    """One token that is not revoked. What it is cannot be shown again."""

    id: int
    name: str
    scope: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """What a token is to be: its name, what it may do, and until when."""

    name: str
    scope: TokenScope
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who shows a valid token, and what it may do under the account's rights."""

    who: SignedIn
    scope: TokenScope

    @property
    def may_control(self) -> bool:
        """Whether the token may change studies, not only read."""
        return self.scope is TokenScope.CONTROL


def in_days(days: int) -> datetime:
    """Return the moment that is some days from now."""
    return datetime.now(UTC) + timedelta(days=days)


async def make(session: AsyncSession, email: str, wanted: NewToken, *, by: int | None = None) -> str:
    """Return a new token of an account: the only time that it can be seen.

    Raises
    ------
    TokenNameFaulty, TokenNameTaken, TokenExpiryFaulty, AccountDisabled, AccountUnknown
        Before anything is stored.
    """
    name = " ".join(wanted.name.split())
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        raise TokenNameFaulty
    now = datetime.now(UTC)
    if not now < wanted.expires_at <= now + timedelta(days=LONGEST_DAYS):
        raise TokenExpiryFaulty
    account_id = await accounts.active_id(session, email)
    token = PREFIX + new_token()
    values: dict[str, Any] = {"name": name, "scope": wanted.scope, "expires_at": wanted.expires_at}
    made = await session.scalar(
        insert(ApiToken)
        .values(account_id=account_id, token_hash=text_hash(token), **values)
        .on_conflict_do_nothing(
            index_elements=[ApiToken.account_id, ApiToken.name], index_where=ApiToken.revoked_at.is_(None)
        )
        .returning(ApiToken.id)
    )
    if made is None:
        raise TokenNameTaken(name)
    await record(session, "token_made", account_id=by, about_account_id=account_id, **values)
    return token


async def listed(session: AsyncSession, account_id: int) -> list[TokenListed]:
    """Return an account's tokens that are not revoked, by name."""
    found = await session.execute(
        select(
            ApiToken.id,
            ApiToken.name,
            ApiToken.scope,
            ApiToken.created_at,
            ApiToken.expires_at,
            ApiToken.last_used_at,
            ApiToken.expires_at <= func.now(),
        )
        .where(ApiToken.account_id == account_id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.name)
    )
    return [TokenListed._make(row) for row in found]


async def seen(session: AsyncSession, account_id: int, token_id: int) -> TokenListed:
    """Return one token of an account; somebody else's looks like one that does not exist.

    Raises
    ------
    TokenUnknown
        When there is none, or no longer.
    """
    for token in await listed(session, account_id):
        if token.id == token_id:
            return token
    raise TokenUnknown(f"number {token_id}")


async def revoke(session: AsyncSession, account_id: int, name: str, *, by: int | None = None) -> None:
    """Make a token worthless at once.

    Raises
    ------
    TokenUnknown
        When the account has none of this name, or no longer.
    """
    revoked = await session.scalar(
        update(ApiToken)
        .where(ApiToken.account_id == account_id, ApiToken.name == name, ApiToken.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(ApiToken.id)
    )
    if revoked is None:
        raise TokenUnknown(repr(name))
    await record(session, "token_revoked", account_id=by, about_account_id=account_id, name=name)


async def bearer(reads: Sessions, token: str, address: str, *, attempts: int) -> Bearer | Refused:
    """Return whose token a program shows, and what it may do.

    A token that is unknown, expired, revoked or of a disabled account is refused in one way. Failures are counted for
    the address, as those of logins are. Each connection is given back before another is taken.
    """
    subject = login_limits.bearer_subject(address, attempts)
    async with reads() as reading:
        if wait := await login_limits.wait(reading, subject):
            return Refused(wait)
        row = (await reading.execute(_WHOSE.where(ApiToken.token_hash == text_hash(token)))).one_or_none()
    if row is None:
        return await _refuse(reads, subject)
    if row.unnoted:
        await _note_use(reads, row.token_id)
    return Bearer(SignedIn(row.id, row.email, Role(row.role)), TokenScope(row.scope))


def _unnoted() -> ColumnElement[bool]:
    return or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= func.now() - _USE_NOTED_EVERY)


_WHOSE: Any = (
    select(Account.id, Account.email, Account.role, ApiToken.scope, ApiToken.id.label("token_id"))
    .add_columns(_unnoted().label("unnoted"))
    .join(ApiToken, ApiToken.account_id == Account.id)
    .where(ApiToken.revoked_at.is_(None), ApiToken.expires_at > func.now(), Account.disabled_at.is_(None))
)


async def _refuse(reads: Sessions, subject: login_limits.Subject) -> Refused:
    async with reads.begin() as session:
        await login_limits.lock(session, subject)
        if wait := await login_limits.wait(session, subject):
            return Refused(wait)
        await login_limits.record_failure(session, subject)
    return Refused()


async def _note_use(reads: Sessions, token_id: int) -> None:
    async with reads.begin() as session:
        used = (ApiToken.id == token_id) & _unnoted()
        await session.execute(update(ApiToken).where(used).values(last_used_at=func.now()))
