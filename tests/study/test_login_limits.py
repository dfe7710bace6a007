"""How many wrong guesses an account and an address may have."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import LoginAttempt
from app.study import login_limits
from app.study.logins import Opened, Refused
from tests.signing_in import ATTEMPTS, PASSWORD, guess, make, quicken


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


async def test_an_account_is_closed_to_guesses_for_a_quarter_of_an_hour(session: AsyncSession) -> None:
    await make(session)
    for n in range(ATTEMPTS):
        assert await guess(session, address=f"192.0.2.{n}") == Refused()
    assert await guess(session, address="198.51.100.1") == Refused(timedelta(minutes=15))
    assert await guess(session, password=PASSWORD) == Refused(timedelta(minutes=15)), "the right one is no exception"
    assert await guess(session, "bob@example.org", address="198.51.100.1") == Refused(), "others are not held up"
    oldest = select(func.min(LoginAttempt.id)).scalar_subquery()
    await session.execute(update(LoginAttempt).values(at=func.now() - timedelta(minutes=5)))
    await session.execute(
        update(LoginAttempt).where(LoginAttempt.id <= oldest + 1).values(at=func.now() - timedelta(minutes=14))
    )
    assert await guess(session) == Refused(timedelta(minutes=1)), "room is made by the oldest of those that count"
    await session.execute(update(LoginAttempt).values(at=func.now() - timedelta(minutes=16)))
    assert isinstance(await guess(session, password=PASSWORD), Opened)


async def test_an_email_without_an_account_is_limited_alike(session: AsyncSession) -> None:
    for n in range(ATTEMPTS):
        assert await guess(session, "nobody@example.org", address=f"192.0.2.{n}") == Refused()
    assert await guess(session, "nobody@example.org") == Refused(timedelta(minutes=15))


async def test_an_address_may_fail_four_times_as_often(session: AsyncSession) -> None:
    for n in range(4 * ATTEMPTS):
        assert await guess(session, f"{n}@example.org") == Refused()
    await make(session)
    assert await guess(session, password=PASSWORD) == Refused(timedelta(minutes=15))
    assert isinstance(await guess(session, password=PASSWORD, address="192.0.2.2"), Opened)


async def test_signing_in_forgets_the_account_s_failures_but_not_the_address_s(session: AsyncSession) -> None:
    await make(session)
    for _ in range(ATTEMPTS - 1):
        await guess(session)
    assert isinstance(await guess(session, password=PASSWORD), Opened)
    left = Counter((await session.scalars(select(LoginAttempt.subject))).all())
    assert left == {login_limits.address_subject("192.0.2.1", ATTEMPTS).name: ATTEMPTS - 1}


async def test_old_failures_are_cleared_away_and_no_address_or_email_is_kept(session: AsyncSession) -> None:
    await guess(session, "old@example.org")
    await session.execute(update(LoginAttempt).values(at=func.now() - timedelta(minutes=15)))
    await guess(session)
    rows = (await session.execute(text("SELECT t::text FROM login_attempt t"))).scalars().all()
    assert len(rows) == 2
    assert not any("192.0.2.1" in row or "ada" in row for row in rows)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "192.0.2.2", False),
    ],
)
def test_an_ipv6_customer_counts_as_one_address(one: str, other: str, same: bool) -> None:
    assert (login_limits.address_subject(one, 8) == login_limits.address_subject(other, 8)) is same
