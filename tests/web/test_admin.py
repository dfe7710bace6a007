"""The admins' pages: for admins alone, and true."""

import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import event, func, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import LoginSession
from app.study import accounts, login_sessions, progress_queries
from app.study.canonical import text_hash
from app.study.sets import import_set
from app.terms import Role
from tests.example_sets import entries, entry
from tests.studies import draft_study

PAGES = ["/admin/sets", "/admin/accounts", "/admin/audit"]


async def sign_in(client: httpx.AsyncClient, database: AsyncSession, role: Role) -> int:
    account_id = await accounts.create(database, f"{role}@example.org", role, None)
    client.cookies.set("candor_session", await login_sessions.start(database, account_id, 1))
    await database.commit()
    return account_id


@pytest.mark.parametrize("path", PAGES)
async def test_a_researcher_is_refused_and_told_nothing(
    client: httpx.AsyncClient, database: AsyncSession, path: str
) -> None:
    await draft_study(database, "secret")
    await sign_in(client, database, Role.RESEARCHER)
    answer = await client.get(path)
    assert answer.status_code == 403
    assert "secret" not in answer.text
    assert "researcher@example.org" not in answer.text
    assert "/admin" not in (await client.get("/studies")).text, "nor is it offered"


@pytest.mark.parametrize("path", PAGES)
async def test_who_is_not_signed_in_is_asked_to(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")


async def test_the_first_page_is_that_of_the_sets(client: httpx.AsyncClient, database: AsyncSession) -> None:
    answer = await client.get("/admin")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/sets")
    await sign_in(client, database, Role.ADMIN)
    for path in PAGES:
        page = await client.get(path)
        assert page.status_code == 200
        assert f'href="{path}"' in page.text


async def test_every_version_of_a_set_is_listed_with_its_studies(session: AsyncSession) -> None:
    await draft_study(session, "one")
    await import_set(session, [entry(1), entry(2, None)], slug="two-set", title="unlevelled", licence="none")
    await import_set(session, entries(1, 4), slug="one-set", title="second", licence="CC0-1.0")
    found = [
        (row.slug, row.version, row.title, row.licence, row.n_misconceptions, row.n_unlevelled, row.studies)
        for row in await progress_queries.sets(session)
        if row.slug in {"one-set", "two-set"}
    ]
    assert found == [
        ("one-set", 2, "second", "CC0-1.0", 4, 0, []),
        ("one-set", 1, "made up", "none", 16, 0, ["one"]),
        ("two-set", 1, "unlevelled", "none", 2, 1, []),
    ]


async def test_the_sets_page_links_the_studies(client: httpx.AsyncClient, database: AsyncSession) -> None:
    await draft_study(database, "one")
    await sign_in(client, database, Role.ADMIN)
    page = await client.get("/admin/sets")
    assert re.findall(r'href="/studies/([^"]+)"', page.text) == ["one"]


async def test_accounts_are_listed_and_their_secrets_are_not(client: httpx.AsyncClient, database: AsyncSession) -> None:
    await accounts.create(database, "bob@example.org", Role.RESEARCHER, "correct horse battery")
    await accounts.disable(database, "bob@example.org")
    admin = await sign_in(client, database, Role.ADMIN)
    ended = await login_sessions.start(database, admin, 1)
    await database.execute(
        update(LoginSession).filter_by(token_hash=text_hash(ended)).values(expires_at=func.now() - timedelta(hours=1))
    )
    await database.commit()
    page = (await client.get("/admin/accounts")).text
    rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)[1:]]
    told = [re.sub(r"\d+ \w{3} \d{4}", "DAY", row) for row in rows]
    assert told == ["admin@example.org admin Active DAY 1 0 DAY", "bob@example.org researcher Disabled Never 0 0 DAY"]
    assert "argon2" not in page
    assert text_hash(client.cookies["candor_session"]) not in page


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_takes_the_same_statements_however_much_there_is(
    client: httpx.AsyncClient, database: AsyncSession, path: str
) -> None:
    engine = client._transport.app.state.database.sessions.kw["bind"]  # type: ignore[attr-defined]
    statements: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    await sign_in(client, database, Role.ADMIN)
    counts = []
    for more in ("a", "bc"):
        for name in more:
            await draft_study(database, name)
            await accounts.create(database, f"{name}@example.org", Role.RESEARCHER, None)
        await database.commit()
        statements.clear()
        assert (await client.get(path)).status_code == 200
        counts.append(len(statements))
    of_its_own = {"/admin/sets": 1, "/admin/accounts": 2, "/admin/audit": 3}[path]
    assert counts == [2 + of_its_own] * 2, "who is signed in, that it is read-only, and the page's own"
