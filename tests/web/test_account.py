"""One's own account over HTTP, and the links by which a password is set."""

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, ApiToken, LoginSession
from app.study import accounts, api_tokens, invitations, login_links, password_changes
from app.study.logins import Refused
from app.terms import Role, TokenScope
from tests.signing_in import ATTEMPTS, EMAIL, PASSWORD, cookie, log_in, make, session_cookie, token_in

NEW = "another long password"
CHANGE = {"current": PASSWORD, "new": NEW, "again": NEW}
TOKEN = {"name": "laptop", "scope": "read", "lasts": "30", "until": ""}


async def send(client: httpx.AsyncClient, path: str, data: dict[str, str]) -> httpx.Response:
    """Send a form with the token that its page carries."""
    return await client.post(path, data=data | {"form_token": token_in(await client.get("/account"))})


def plain(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


async def test_the_page_says_who_one_is(client: httpx.AsyncClient, account_id: int) -> None:
    await log_in(client)
    page = await client.get("/account")
    assert page.status_code == 200
    for said in (EMAIL, "Researcher: sees their own studies", "You have none.", 'href="/account/password"'):
        assert said in page.text
    assert 'href="/account"' in (await client.get("/studies")).text


async def test_who_has_no_password_is_told_how_to_get_one(client: httpx.AsyncClient, database: AsyncSession) -> None:
    account_id = await accounts.create(database, EMAIL, Role.RESEARCHER, None)
    link = await login_links.make(database, account_id, timedelta(hours=1))
    await database.commit()
    path = f"/login/link/{link}"
    await client.post(path, data={"form_token": token_in(await client.get(path))})
    assert "no password" in (await client.get("/account")).text


async def test_changing_the_password_keeps_this_browser_alone(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    await log_in(client)
    client.cookies.clear()
    await log_in(client)
    answer = await send(client, "/account/password", CHANGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?done=password")
    assert "Your password was changed." in (await client.get(answer.headers["location"])).text
    assert await database.scalar(select(func.count()).select_from(LoginSession)) == 1
    client.cookies.clear()
    assert (await log_in(client)).status_code == 403
    assert (await log_in(client, password=NEW)).status_code == 303


@pytest.mark.parametrize(
    ("typed", "status", "said", "field"),
    [
        ({"current": ""}, 422, "Enter your current password", "current"),
        ({"current": "a wrong guess"}, 403, "This is not your current password", "current"),
        ({"again": "something else here"}, 422, "The two passwords are not the same", "again"),
        ({"new": "tiny", "again": "tiny"}, 422, "The password is too short", "new"),
        ({"new": "password1234", "again": "password1234"}, 422, "guessed early", "new"),
        ({"new": "ada-example-ada1", "again": "ada-example-ada1"}, 422, "made of the email address", "new"),
        ({"new": PASSWORD, "again": PASSWORD}, 422, "the password that you have", "new"),
        ({"current": "\x00", "new": "\x00" * 20, "again": "\x00" * 20}, 422, "guessed early", "new"),
    ],
)
async def test_a_faulty_change_is_told_at_its_field_and_changes_nothing(
    client: httpx.AsyncClient, account_id: int, typed: dict[str, str], status: int, said: str, field: str
) -> None:
    await log_in(client)
    answer = await send(client, "/account/password", CHANGE | typed)
    assert answer.status_code == status
    assert said in answer.text
    assert f'href="#{field}"' in answer.text
    assert NEW not in answer.text
    assert PASSWORD not in answer.text
    client.cookies.clear()
    assert (await log_in(client)).status_code == 303


async def test_guesses_at_the_current_password_are_limited(client: httpx.AsyncClient, account_id: int) -> None:
    await log_in(client)
    for _ in range(ATTEMPTS):
        assert (await send(client, "/account/password", CHANGE | {"current": "a wrong guess"})).status_code == 403
    refused = await send(client, "/account/password", CHANGE)
    assert refused.status_code == 429
    assert "too many wrong attempts" in refused.text
    assert 0 < int(refused.headers["retry-after"]) <= 900


async def test_a_token_is_shown_once_and_works(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await log_in(client)
    page = await send(client, "/account/tokens/new", TOKEN)
    (token,) = re.findall(r"candor_[\w-]{43}", page.text)
    sessions = client._transport.app.state.database.sessions  # type: ignore[attr-defined]
    found = await api_tokens.bearer(sessions, token, "192.0.2.1", attempts=ATTEMPTS)
    assert isinstance(found, api_tokens.Bearer)
    assert (found.who.account_id, found.may_control) == (account_id, False)
    listed = await client.get("/account")
    assert "laptop" in listed.text
    assert token not in listed.text
    assert token not in caplog.text
    path = re.search(r'href="(/account/tokens/\d+/revoke)"', listed.text)
    assert path is not None
    asked = await client.get(path[1])
    assert "Revoke the token laptop?" in asked.text
    assert isinstance(await api_tokens.bearer(sessions, token, "192.0.2.1", attempts=ATTEMPTS), api_tokens.Bearer)
    assert (await send(client, path[1], {})).headers["location"] == "/account?done=token"
    assert await api_tokens.bearer(sessions, token, "192.0.2.1", attempts=ATTEMPTS) == Refused()
    assert (await client.get(path[1])).status_code == 404
    assert (await send(client, path[1], {})).status_code == 404


@pytest.mark.parametrize(
    ("typed", "said", "field"),
    [
        ({"name": " "}, "Give the token a name", "name"),
        ({"name": "x" * 61}, "at most 60 characters", "name"),
        ({"name": "taken"}, "a token called", "name"),
        ({"scope": ""}, "Choose what the token may do", "scope-read"),
        ({"scope": "all"}, "Choose what the token may do", "scope-read"),
        ({"lasts": "9999"}, "Choose how long the token lasts", "lasts-30"),
        ({"lasts": "date"}, "Enter the last day as a date", "until"),
        ({"lasts": "date", "until": "2020-01-01"}, "Choose a day from", "until"),
        ({"lasts": "date", "until": "9999-12-31"}, "Choose a day from", "until"),
    ],
)
async def test_a_faulty_token_is_told_at_its_field_and_what_was_typed_is_kept(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int, typed: dict[str, str], said: str, field: str
) -> None:
    wanted = api_tokens.NewToken(name="taken", scope=TokenScope.READ, expires_at=api_tokens.in_days(1))
    await api_tokens.make(database, EMAIL, wanted)
    await database.commit()
    await log_in(client)
    answer = await send(client, "/account/tokens/new", TOKEN | typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}"' in answer.text
    for name, value in (TOKEN | typed).items():
        if value.strip() and name in {"name", "until"}:
            assert f'value="{value}"' in answer.text
    assert await database.scalar(select(func.count()).select_from(ApiToken)) == 1


async def test_the_last_day_of_a_token_counts_whole(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    await log_in(client)
    today = datetime.now(UTC).date()
    assert (
        await send(client, "/account/tokens/new", TOKEN | {"lasts": "date", "until": f"{today}"})
    ).status_code == 200
    ends = await database.scalar(select(ApiToken.expires_at))
    assert ends is not None
    assert ends.astimezone(UTC).date() == today + timedelta(days=1)
    latest = {"name": "long", "lasts": "date", "until": f"{today + timedelta(days=365)}"}
    assert (await send(client, "/account/tokens/new", TOKEN | latest)).status_code == 200


async def test_somebody_else_s_token_is_out_of_reach(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    await make(database, "bob@example.org")
    wanted = api_tokens.NewToken(name="bobs", scope=TokenScope.READ, expires_at=api_tokens.in_days(1))
    await api_tokens.make(database, "bob@example.org", wanted)
    await database.commit()
    number = await database.scalar(select(ApiToken.id))
    await log_in(client)
    path = f"/account/tokens/{number}/revoke"
    assert (await client.get(path)).status_code == 404
    assert (await send(client, path, {})).status_code == 404
    assert await database.scalar(select(ApiToken.revoked_at)) is None


LINKS = ["invitation", "password"]


async def link_to(database: AsyncSession, kind: str) -> str:
    if kind == "invitation":
        token = await invitations.invite(database, EMAIL, Role.RESEARCHER)
    else:
        await make(database)
        token = await password_changes.make_link(database, EMAIL)
    await database.commit()
    return f"/login/{kind}/{token}"


@pytest.mark.parametrize("kind", LINKS)
async def test_a_link_sets_a_password_once_and_signs_in(
    client: httpx.AsyncClient, database: AsyncSession, kind: str
) -> None:
    path = await link_to(database, kind)
    await client.get(path)
    page = await client.get(path)
    assert page.status_code == 200
    assert EMAIL in page.text
    form = {"password": NEW, "again": NEW, "form_token": token_in(page)}
    assert (await client.post(path, data=form | {"form_token": "wrong"})).status_code == 403
    answer = await client.post(path, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/studies")
    assert session_cookie(answer)["httponly"] is True
    assert (await client.get("/studies")).status_code == 200
    for again in (
        await client.get(path),
        await client.post(path, data={**form, "form_token": await login_token(client)}),
    ):
        assert again.status_code == 410
        assert "Ask " in again.text
    client.cookies.clear()
    assert (await log_in(client, password=NEW)).status_code == 303


async def login_token(client: httpx.AsyncClient) -> str:
    return token_in(await client.get("/login"))


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize(
    ("typed", "field"),
    [({"password": ""}, "again"), ({"password": "tiny", "again": "tiny"}, "password"), ({"again": "other"}, "again")],
)
async def test_a_faulty_password_uses_no_link_up(
    client: httpx.AsyncClient, database: AsyncSession, kind: str, typed: dict[str, str], field: str
) -> None:
    path = await link_to(database, kind)
    form = {"password": NEW, "again": NEW, "form_token": token_in(await client.get(path))}
    answer = await client.post(path, data=form | typed)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert NEW not in answer.text
    assert cookie(answer, "candor_session") is None
    assert (await client.post(path, data=form | {"form_token": token_in(answer)})).status_code == 303


async def test_of_many_posts_of_an_invitation_at_once_one_makes_the_account(
    client: httpx.AsyncClient, database: AsyncSession
) -> None:
    path = await link_to(database, "invitation")
    form = {"password": NEW, "again": NEW, "form_token": token_in(await client.get(path))}
    answers = await asyncio.gather(*(client.post(path, data=form) for _ in range(6)))
    assert Counter(answer.status_code for answer in answers) == {303: 1, 410: 5}
    assert await database.scalar(select(func.count()).select_from(Account)) == 1


@pytest.mark.parametrize("path", ["/login/invitation/unknown", "/login/password/unknown"])
async def test_an_unknown_link_is_told_without_saying_why(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 410
    form = {"password": NEW, "again": NEW, "form_token": await login_token(client)}
    assert (await client.post(path, data=form)).status_code == 410
    assert (await client.post(path, data=form | {"again": "other"})).status_code == 410


async def test_no_secret_is_in_the_record_of_events(
    client: httpx.AsyncClient, database: AsyncSession, account_id: int
) -> None:
    await log_in(client)
    page = await send(client, "/account/tokens/new", TOKEN)
    await send(client, "/account/password", CHANGE)
    told = str((await database.execute(text("SELECT e::text FROM event e"))).scalars().all())
    for secret in (
        PASSWORD,
        NEW,
        re.findall(r"candor_[\w-]{43}", page.text)[0],
        client.cookies["candor_session"],
        EMAIL,
    ):
        assert secret not in told
