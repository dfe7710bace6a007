"""Signing in with a password over HTTP."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import LoginAttempt, LoginSession
from app.study.canonical import text_hash
from tests.signing_in import ATTEMPTS, EMAIL, PASSWORD, cookie, log_in, session_cookie, token_in


async def n_sessions(database: AsyncSession) -> int:
    return await database.scalar(select(func.count()).select_from(LoginSession)) or 0


async def n_attempts(database: AsyncSession) -> int:
    return await database.scalar(select(func.count()).select_from(LoginAttempt)) or 0


async def test_signing_in_leads_to_the_studies(client: httpx.AsyncClient, account_id: int) -> None:
    answer = await log_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/studies")
    page = await client.get("/studies")
    assert page.status_code == 200
    assert EMAIL in page.text


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_cookies_are_out_of_reach_of_scripts_and_other_sites(
    client: httpx.AsyncClient, account_id: int, scheme: str
) -> None:
    client.base_url = httpx.URL(f"{scheme}://testserver")
    form = cookie(await client.get("/login"), "candor_login")
    given = session_cookie(await log_in(client))
    assert form is not None
    for found, path, seconds in ((form, "/login", "3600"), (given, "/", str(12 * 3600))):
        assert found["httponly"] is True
        assert found["samesite"] == "lax"
        assert (found["path"], found["max-age"]) == (path, seconds)
        assert bool(found["secure"]) is (scheme == "https")


async def test_each_login_has_a_new_token_and_ends_the_browser_s_old_one(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    tokens = [session_cookie(await log_in(client)).value for _ in range(2)]
    assert len({*tokens}) == 2
    kept = (await database.scalars(select(LoginSession.token_hash).filter_by(account_id=account_id))).all()
    assert kept == [text_hash(tokens[1])]


async def test_a_token_that_the_browser_brings_is_never_taken_over(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    client.cookies.set("candor_session", "planted", domain="testserver.local")
    assert session_cookie(await log_in(client)).value != "planted"


async def test_a_wrong_password_and_an_unknown_email_read_the_same(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    pages = [await log_in(client, EMAIL, "a wrong guess"), await log_in(client, "bob@example.org", "a wrong guess")]
    assert [page.status_code for page in pages] == [403, 403]
    assert pages[0].text.replace(EMAIL, "bob@example.org") == pages[1].text
    assert "The email address or the password is wrong." in pages[0].text
    assert "a wrong guess" not in pages[0].text
    assert not any(cookie(page, "candor_session") for page in pages)
    assert await n_attempts(database) == 4, "stored although the login was refused"


async def test_a_failed_form_can_be_sent_again_as_it_is(client: httpx.AsyncClient, account_id: int) -> None:
    failed = await log_in(client, EMAIL, "a wrong guess", "/studies/abc")
    assert 'value="/studies/abc"' in failed.text
    form = {"email": EMAIL, "password": PASSWORD, "form_token": token_in(failed), "next": "/studies/abc"}
    answer = await client.post("/login", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/studies/abc")


async def test_too_many_failures_are_told_when_to_try_again(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    for _ in range(ATTEMPTS):
        assert (await log_in(client, EMAIL, "a wrong guess")).status_code == 403
    refused = await log_in(client)
    assert refused.status_code == 429
    assert 880 < int(refused.headers["retry-after"]) <= 900
    assert "There were too many wrong attempts. Try again in 15 minutes." in refused.text
    assert cookie(refused, "candor_session") is None
    await database.execute(update(LoginAttempt).values(at=func.now() - timedelta(minutes=14, seconds=30)))
    await database.commit()
    assert "Try again in 1 minute." in (await log_in(client)).text


@pytest.mark.parametrize("sent", [None, "", "wrong"])
async def test_a_login_form_without_its_token_is_refused_and_nothing_is_done(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int, sent: str | None
) -> None:
    await client.get("/login")
    for password in (PASSWORD, "a wrong guess"):
        form = {"email": EMAIL, "password": password} | ({} if sent is None else {"form_token": sent})
        answer = await client.post("/login", data=form)
        assert answer.status_code == 403
        assert cookie(answer, "candor_session") is None
    assert (await n_sessions(database), await n_attempts(database)) == (0, 0)


async def test_a_login_form_from_a_browser_that_was_not_given_it_is_refused(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    token = token_in(await client.get("/login"))
    client.cookies.clear()
    form = {"email": EMAIL, "password": PASSWORD, "form_token": token}
    assert (await client.post("/login", data=form)).status_code == 403
    assert (await client.post("/login", data={**form, "form_token": ""})).status_code == 403
    assert await n_sessions(database) == 0


async def test_two_tabs_share_one_form_token(client: httpx.AsyncClient) -> None:
    assert token_in(await client.get("/login")) == token_in(await client.get("/login"))
    client.cookies.set("candor_login", '"><script>', domain="testserver.local", path="/login")
    assert len(token_in(await client.get("/login"))) == 43


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_form_from_another_site_is_refused(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int, headers: dict[str, str]
) -> None:
    token = token_in(await client.get("/login"))
    form = {"email": EMAIL, "password": PASSWORD, "form_token": token}
    assert (await client.post("/login", data=form, headers=headers)).status_code == 403
    assert await n_sessions(database) == 0
    assert (await client.post("/login", data=form, headers={"Origin": "http://testserver"})).status_code == 303


@pytest.mark.parametrize(
    ("wanted", "to"),
    [
        ("/studies/abc?x=1", "/studies/abc?x=1"),
        ("", "/studies"),
        ("https://evil.example", "/studies"),
        ("//evil.example", "/studies"),
        ("/\\evil.example", "/studies"),
        ("\\\\evil.example", "/studies"),
        ("/\t/evil.example", "/studies"),
        ("/\n/evil.example", "/studies"),
        (" //evil.example", "/studies"),
        ("javascript:alert(1)", "/studies"),
    ],
)
async def test_the_way_on_stays_on_this_site(client: httpx.AsyncClient, account_id: int, wanted: str, to: str) -> None:
    assert (await log_in(client, next=wanted)).headers["location"] == to


async def test_thirty_guesses_at_once_get_no_more_answers_than_one_after_another(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    form = {"email": EMAIL, "form_token": token_in(await client.get("/login"))}
    guesses = (client.post("/login", data={**form, "password": f"wrong guess {n}"}) for n in range(30))
    answers = await asyncio.gather(*guesses)
    assert Counter(answer.status_code for answer in answers) == {403: ATTEMPTS, 429: 30 - ATTEMPTS}
    assert (await client.post("/login", data={**form, "password": PASSWORD})).status_code == 429
    assert await n_attempts(database) == 2 * ATTEMPTS, "for the account and for the address"


@pytest.mark.parametrize("email", ["", "\x00", "a\x00@example.org", "x" * 100_000, "'; DROP TABLE account; --"])
async def test_what_cannot_be_an_email_is_a_wrong_login(client: httpx.AsyncClient, email: str) -> None:
    assert (await log_in(client, email, "\x00" * 20)).status_code == 403


async def test_the_login_page_of_the_demo_points_to_the_terminal(client: httpx.AsyncClient) -> None:
    assert "terminal" not in (await client.get("/login")).text
    app = client._transport.app.state  # type: ignore[attr-defined]
    app.settings = app.settings.model_copy(update={"demo": True})
    assert "terminal" in (await client.get("/login")).text


def multipart(charset: str, **fields: bytes) -> dict[str, Any]:
    parts = [
        b'--XX\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value)
        for name, value in fields.items()
    ]
    return {
        "content": b"".join(parts) + b"--XX--\r\n",
        "headers": {"Content-Type": f"multipart/form-data; boundary=XX{charset}"},
    }


@pytest.mark.parametrize(
    ("charset", "email"),
    [
        ("; charset=utf-7", b"+2AA-"),
        ("; Charset=UNICODE_ESCAPE", b"\\ud800"),
        ('; charset="utf-16"', b"\x00\xd8"),
    ],
)
async def test_a_form_that_is_not_utf_8_is_refused_before_half_a_character_comes_in(
    client: httpx.AsyncClient, database: AsyncSession, charset: str, email: bytes
) -> None:
    token = token_in(await client.get("/login")).encode()
    refused = await client.post("/login", **multipart(charset, form_token=token, email=email, password=b"x"))
    assert refused.status_code == 415
    assert refused.text == "This form is not sent as UTF-8, so nothing was stored."
    urlencoded = {"Content-Type": "application/x-www-form-urlencoded; charset=latin-1"}
    assert (await client.post("/login", content=b"email=x", headers=urlencoded)).status_code == 415
    assert await n_attempts(database) == 0


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="UTF-8"', "; charset=utf8"])
async def test_a_form_that_says_it_is_utf_8_is_taken(client: httpx.AsyncClient, account_id: int, charset: str) -> None:
    token = token_in(await client.get("/login")).encode()
    fields = {"form_token": token, "email": EMAIL.encode(), "password": PASSWORD.encode()}
    assert (await client.post("/login", **multipart(charset, **fields))).status_code == 303
