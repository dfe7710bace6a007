"""Accounts to sign in with, and ways to do it: for tests of the domain and over HTTP."""

import re
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.study import accounts, logins, passwords
from app.study.logins import Guess, Opened, Refused
from app.terms import Role

EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"
HOUR = timedelta(hours=1)
# Failures allowed in these tests.
ATTEMPTS = 5


def quicken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make passwords cheap where a test is not about their cost."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", quick)
    monkeypatch.setattr(passwords, "_NOBODY", quick.hash(b"nobody's"))


async def make(session: AsyncSession, email: str = EMAIL, role: Role = Role.RESEARCHER) -> int:
    return await accounts.create(session, email, role, PASSWORD)


async def guess(
    session: AsyncSession, email: str = EMAIL, password: str = "a wrong guess", address: str = "192.0.2.1"
) -> Opened | Refused:
    """Try to sign in on the test's own connection, so that all of it is rolled back."""
    reads = async_sessionmaker(await session.connection(), join_transaction_mode="create_savepoint")
    typed = Guess(email=email, password=password, address=address)
    return await logins.sign_in(reads, session, typed, attempts=ATTEMPTS, hours=12)


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="form_token"\s+value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


async def log_in(
    client: httpx.AsyncClient,
    email: str = EMAIL,
    password: str = PASSWORD,
    next: str = "",  # noqa: A002
) -> httpx.Response:
    token = token_in(await client.get("/login"))
    form = {"email": email, "password": password, "form_token": token, "next": next}
    return await client.post("/login", data=form)


def cookie(response: httpx.Response, name: str) -> Morsel[str] | None:
    for header in response.headers.get_list("set-cookie"):
        found: SimpleCookie = SimpleCookie(header)
        if name in found:
            return found[name]
    return None


def session_cookie(response: httpx.Response) -> Morsel[str]:
    found = cookie(response, "candor_session")
    assert found is not None
    return found
