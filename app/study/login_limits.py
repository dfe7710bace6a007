"""How many failed logins an account and an address may have in a quarter of an hour, across all server processes."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import delete, func, insert, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import LoginAttempt

WINDOW = timedelta(minutes=15)
# Several people may share an address: an office, a university.
_PER_ADDRESS = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """What failures are counted for, as a hash, and how many it may have."""

    name: str
    allowed: int

    @property
    def lock(self) -> int:
        """The key of this subject's advisory lock."""
        return int.from_bytes(bytes.fromhex(self.name)[:8], signed=True)


def _hashed(purpose: str, text: str) -> str:
    return hashlib.sha256(f"login {purpose}\x1f{text}".encode()).hexdigest()


def _network(address: str) -> str:
    """Return what one customer holds: an IPv4 address, or the 64 bits that an IPv6 customer varies at will."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((int(parsed), 64), strict=False))


def account_subject(email: str, attempts: int) -> Subject:
    """Return the subject of an email, whether or not it has an account."""
    return Subject(_hashed("account", email), attempts)


def address_subject(address: str, attempts: int) -> Subject:
    """Return the subject of a client's address."""
    return Subject(_hashed("address", _network(address)), attempts * _PER_ADDRESS)


def bearer_subject(address: str, attempts: int) -> Subject:
    """Return the subject of an address whose programs show API tokens, apart from the people who sign in there."""
    return Subject(_hashed("bearer", _network(address)), attempts * _PER_ADDRESS)


async def lock(session: AsyncSession, *subjects: Subject) -> None:
    """Let one transaction at a time count and record, so that parallel guesses cannot all find room."""
    for key in sorted(subject.lock for subject in subjects):
        await session.execute(select(func.pg_advisory_xact_lock(key)))


async def wait(session: AsyncSession, *subjects: Subject) -> timedelta | None:
    """Return how long the next attempt has to wait, or None if it need not."""
    full = (
        select((LoginAttempt.at + WINDOW - func.now()).label("wait"))
        .where(LoginAttempt.subject == subject.name, LoginAttempt.at > func.now() - WINDOW)
        .order_by(LoginAttempt.at.desc())
        .offset(subject.allowed - 1)
        .limit(1)
        .subquery()
        for subject in subjects
    )
    waits = union_all(*(select(found.c.wait) for found in full)).subquery()
    longest: timedelta | None = await session.scalar(select(func.max(waits.c.wait)))
    return longest


async def record_failure(session: AsyncSession, *subjects: Subject) -> None:
    """Count a failed login, and forget those that no longer matter."""
    old = select(LoginAttempt.id).where(LoginAttempt.at <= func.now() - WINDOW).with_for_update(skip_locked=True)
    await session.execute(delete(LoginAttempt).where(LoginAttempt.id.in_(old)))
    await session.execute(insert(LoginAttempt), [{"subject": subject.name} for subject in subjects])


async def forget(session: AsyncSession, subject: Subject) -> None:
    """Forget a subject's failures: its owner has signed in."""
    await session.execute(delete(LoginAttempt).where(LoginAttempt.subject == subject.name))
