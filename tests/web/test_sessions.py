"""Login links, what a session opens, and signing out, over HTTP."""

import asyncio
import re
from collections import Counter
from html import unescape

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import LoginSession
from app.study import accounts, login_links
from app.terms import Role
from tests.signing_in import EMAIL, HOUR, PASSWORD, cookie, log_in, session_cookie, token_in


async def n_sessions(database: AsyncSession) -> int:
    return await database.scalar(select(func.count()).select_from(LoginSession)) or 0


async def test_who_is_not_signed_in_is_asked_to_and_then_led_back(client: httpx.AsyncClient, account_id: int) -> None:
    asked = await client.get("/studies/abc")
    assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=/studies/abc")
    form = await client.get(asked.headers["location"])
    assert 'name="next" value="/studies/abc"' in form.text


async def test_signing_out_ends_the_session_on_the_server(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    token = session_cookie(await log_in(client)).value
    form = {"form_token": token_in(await client.get("/studies"))}
    answer = await client.post("/logout", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert session_cookie(answer)["max-age"] == "0"
    assert await n_sessions(database) == 0
    client.cookies.set("candor_session", token, domain="testserver.local")
    assert (await client.get("/studies")).status_code == 303
    assert (await client.post("/logout", data=form)).status_code == 303, "signing out twice is no error"


async def test_signing_out_everywhere_ends_every_session_of_the_account_alone(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    bob = await accounts.create(database, "bob@example.org", Role.RESEARCHER, PASSWORD)
    await database.commit()
    for email in (EMAIL, "bob@example.org", EMAIL):
        client.cookies.clear()
        await log_in(client, email)
    assert await n_sessions(database) == 3
    form = {"form_token": token_in(await client.get("/studies"))}
    assert (await client.post("/logout-everywhere", data=form)).status_code == 303
    assert (await database.scalars(select(LoginSession.account_id))).all() == [bob]


@pytest.mark.parametrize("path", ["/logout", "/logout-everywhere"])
@pytest.mark.parametrize("sent", [{}, {"form_token": ""}, {"form_token": "wrong"}])
async def test_signing_out_needs_the_form_s_token(
    client: httpx.AsyncClient, account_id: int, path: str, sent: dict[str, str]
) -> None:
    await log_in(client)
    assert (await client.post(path, data=sent)).status_code == 403
    assert (await client.get("/studies")).status_code == 200


async def test_the_form_s_token_is_the_session_s_own_and_does_not_tell_it(
    client: httpx.AsyncClient, account_id: int
) -> None:
    cookies, tokens = [], []
    for _ in range(2):
        client.cookies.clear()
        cookies.append(session_cookie(await log_in(client)).value)
        page = await client.get("/studies")
        assert cookies[-1] not in page.text
        tokens.append(token_in(page))
    assert tokens[0] != tokens[1]
    assert (await client.post("/logout", data={"form_token": tokens[0]})).status_code == 403


@pytest.mark.parametrize("how", ["expired", "disabled", "planted"])
async def test_a_session_that_has_ended_opens_nothing(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int, how: str
) -> None:
    await log_in(client)
    if how == "expired":
        await database.execute(update(LoginSession).values(expires_at=func.now()))
    elif how == "disabled":
        await accounts.disable(database, EMAIL)
    else:
        client.cookies.clear()
        client.cookies.set("candor_session", "x" * 43, domain="testserver.local")
    await database.commit()
    answer = await client.get("/studies")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/studies")


async def test_a_link_shows_a_button_as_often_as_asked_and_signs_in_once(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    path = f"/login/link/{await login_links.make(database, account_id, HOUR)}"
    await database.commit()
    await client.get(path)
    page = await client.get(path)
    assert page.status_code == 200
    assert page.text.count("<button") == 1
    assert cookie(page, "candor_session") is None
    assert await n_sessions(database) == 0
    form = {"form_token": token_in(page)}
    assert (await client.post(path, data={"form_token": "wrong"})).status_code == 403
    answer = await client.post(path, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/studies")
    assert session_cookie(answer)["httponly"] is True
    assert (await client.get("/studies")).status_code == 200
    assert (await client.get(path)).status_code == 410
    again = token_in(await client.get("/login"))
    assert (await client.post(path, data={"form_token": again})).status_code == 410


@pytest.mark.parametrize(
    ("wanted", "to"), [("/admin/sets?a=1&b=2", "/admin/sets?a=1&b=2"), ("//evil.example", "/studies")]
)
async def test_a_link_may_lead_to_a_page_of_this_site(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int, wanted: str, to: str
) -> None:
    link = await login_links.make(database, account_id, HOUR)
    await database.commit()
    page = await client.get(f"/login/link/{link}", params={"next": wanted})
    action = re.search(r'action="([^"]+)"', page.text)
    assert action is not None
    answer = await client.post(unescape(action[1]), data={"form_token": token_in(page)})
    assert (answer.status_code, answer.headers["location"]) == (303, to)
    again = await login_links.make(database, account_id, HOUR)
    await database.commit()
    form = {"form_token": token_in(await client.get("/login"))}
    answer = await client.post(f"/login/link/{again}", params={"next": wanted}, data=form)
    assert answer.headers["location"] == to


async def test_of_many_posts_of_a_link_at_once_one_signs_in(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    path = f"/login/link/{await login_links.make(database, account_id, HOUR)}"
    await database.commit()
    form = {"form_token": token_in(await client.get(path))}
    answers = await asyncio.gather(*(client.post(path, data=form) for _ in range(10)))
    assert Counter(answer.status_code for answer in answers) == {303: 1, 410: 9}
    assert await n_sessions(database) == 1
