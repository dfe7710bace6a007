"""What admins do with accounts, over HTTP: every route for every kind of visitor, every form, the audit log."""

import csv
import io
import re
from html import unescape

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Account, ApiToken, Event, Invitation, LoginSession
from app.study import accounts, api_tokens, events, invitations, login_sessions
from app.terms import Role, TokenScope
from app.web.account import routes as own_routes
from app.web.admin import accounts as account_routes
from app.web.admin import audit as audit_routes
from app.web.admin import invitations as invitation_routes
from tests.signing_in import EMAIL, PASSWORD, log_in, make, token_in

ADMIN = "root@example.org"
NUMBERS = {"number": "1", "token_id": "1", "invitation_id": "1"}


def of(prefix: str, *routers: object) -> list[tuple[str, str]]:
    """Every method and path of some routers, with numbers filled in."""
    return [
        (method, prefix + route.path.format(**NUMBERS))
        for router in routers
        for route in router.routes  # type: ignore[attr-defined]
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]


FOR_ADMINS = of("/admin", account_routes.router, invitation_routes.router, audit_routes.router)
FOR_ALL = of("", own_routes.router)


async def enter(client: httpx.AsyncClient, database: AsyncSession, email: str, role: Role) -> int:
    account_id = await accounts.create(database, email, role, None)
    client.cookies.set("candor_session", await login_sessions.start(database, account_id, 1))
    await database.commit()
    return account_id


@pytest.fixture
async def admin(client: httpx.AsyncClient, database: AsyncSession) -> int:
    """The id of the admin who is signed in."""
    return await enter(client, database, ADMIN, Role.ADMIN)


@pytest.fixture
async def ada(database: AsyncSession, admin: int) -> str:
    """The page of a researcher."""
    account_id = await make(database)
    wanted = api_tokens.NewToken(name="laptop", scope=TokenScope.READ, expires_at=api_tokens.in_days(1))
    await api_tokens.make(database, EMAIL, wanted)
    await database.commit()
    return f"/admin/accounts/{account_id}"


async def send(client: httpx.AsyncClient, path: str, data: dict[str, str] | None = None) -> httpx.Response:
    token = token_in(await client.get("/account"))
    return await client.post(path, data=(data or {}) | {"form_token": token})


async def recorded(database: AsyncSession) -> list[tuple[str, int | None, int | None]]:
    found = await database.execute(select(Event.kind, Event.account_id, Event.about_account_id).order_by(Event.id))
    return [(row[0], row[1], row[2]) for row in found]


def test_there_are_routes_to_walk() -> None:
    assert len(FOR_ADMINS) >= 18
    assert len(FOR_ALL) >= 7


@pytest.mark.parametrize(("method", "path"), FOR_ADMINS + FOR_ALL)
async def test_who_is_not_signed_in_is_asked_to(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path, data={} if method == "POST" else None)
    if method == "POST":  # What was typed is sent again when the page is reloaded; a redirect would lose it.
        assert (answer.status_code, "reload this page" in answer.text) == (401, True)
        return
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize(("method", "path"), FOR_ADMINS)
async def test_a_researcher_is_refused_with_a_right_token_too(
    client: httpx.AsyncClient, database: AsyncSession, method: str, path: str
) -> None:
    await enter(client, database, EMAIL, Role.RESEARCHER)
    data = {"form_token": token_in(await client.get("/account")), "address": "x@example.org", "role": "admin"}
    answer = await client.request(method, path, data=data if method == "POST" else None)
    assert answer.status_code == 403
    assert "This page is for admins" in answer.text
    kept = (await database.execute(select(Account.role, Account.disabled_at))).one()
    assert kept == ("researcher", None)
    assert await database.scalar(select(func.count()).select_from(Invitation)) == 0


@pytest.mark.parametrize("path", [path for method, path in FOR_ADMINS + FOR_ALL if method == "POST"])
@pytest.mark.parametrize("sent", [{}, {"form_token": "wrong"}])
async def test_a_form_without_its_token_does_nothing(
    client: httpx.AsyncClient, database: AsyncSession, admin: int, path: str, sent: dict[str, str]
) -> None:
    before = await recorded(database)
    answer = await client.post(path, data=sent)
    assert answer.status_code == 403
    assert "Nothing was done" in answer.text
    assert await recorded(database) == before


@pytest.mark.parametrize(("method", "path"), [found for found in FOR_ADMINS if "1" in found[1]])
@pytest.mark.parametrize("number", ["9223372036854775807", "9223372036854775808", "0", "x"])
async def test_what_is_not_there_is_not_found(
    client: httpx.AsyncClient, admin: int, method: str, path: str, number: str
) -> None:
    gone = path.replace("/1", f"/{number}", 1)
    answer = await client.get(gone) if method == "GET" else await send(client, gone, {"role": "admin"})
    assert answer.status_code == (404 if number == "9223372036854775807" else 400)


async def test_inviting_shows_the_link_once_and_lists_it(
    client: httpx.AsyncClient, database: AsyncSession, admin: int
) -> None:
    page = await send(client, "/admin/invitations/new", {"address": "Bob@example.org", "role": "researcher"})
    (link,) = re.findall(r"http://testserver(/login/invitation/[\w-]{43})", page.text)
    listed = await client.get("/admin/accounts")
    assert "bob@example.org" in listed.text
    assert link not in listed.text
    (number,) = re.findall(r'href="/admin/invitations/(\d+)/renew"', listed.text)
    assert "Renew the invitation of bob@example.org?" in (await client.get(f"/admin/invitations/{number}/renew")).text
    renewed = await send(client, f"/admin/invitations/{number}/renew")
    (fresh,) = re.findall(r"http://testserver(/login/invitation/[\w-]{43})", renewed.text)
    assert (await client.get(link)).status_code == 410
    assert (await client.get(fresh)).status_code == 200
    assert "stops working" in (await client.get(f"/admin/invitations/{number}/withdraw")).text
    done = await send(client, f"/admin/invitations/{number}/withdraw")
    assert "The invitation was withdrawn." in (await client.get(done.headers["location"])).text
    assert (await client.get(fresh)).status_code == 410
    assert [found for found in await recorded(database) if found[0].startswith("invitation")] == [
        ("invitation_made", admin, None),
        ("invitation_renewed", admin, None),
        ("invitation_withdrawn", admin, None),
    ]


async def test_the_link_starts_with_the_address_that_people_use(client: httpx.AsyncClient, admin: int) -> None:
    app = client._transport.app.state  # type: ignore[attr-defined]
    app.settings = app.settings.model_copy(update={"public_url": "https://study.example.org/"})
    page = await send(client, "/admin/invitations/new", {"address": "bob@example.org", "role": "admin"})
    assert "https://study.example.org/login/invitation/" in page.text


@pytest.mark.parametrize(
    ("typed", "said", "field"),
    [
        ({"address": " "}, "Enter an email address", "address"),
        ({"address": "nobody<b>"}, "is not an email address", "address"),
        ({"address": "a\x00@example.org"}, "is not an email address", "address"),
        ({"address": ADMIN}, "There is an account for", "address"),
        ({"address": "invited@example.org"}, "has been invited already", "address"),
        ({"role": ""}, "Choose a role", "role-researcher"),
        ({"role": "king"}, "Choose a role", "role-researcher"),
    ],
)
async def test_a_faulty_invitation_is_told_at_its_field_and_what_was_typed_is_kept(
    client: httpx.AsyncClient, database: AsyncSession, admin: int, typed: dict[str, str], said: str, field: str
) -> None:
    await invitations.invite(database, "invited@example.org", Role.RESEARCHER)
    await database.commit()
    form = {"address": "bob@example.org", "role": "admin"} | typed
    answer = await send(client, "/admin/invitations/new", form)
    assert answer.status_code == 422
    text = unescape(answer.text)
    assert text.count(said) == 2, "in the summary and at the field"
    assert f'href="#{field}"' in text
    assert f'id="{field}"' in text
    if "\x00" not in form["address"]:
        assert f'value="{form["address"]}"' in text
    assert "<b>" not in answer.text
    assert await database.scalar(select(func.count()).select_from(Invitation)) == 1


async def test_disabling_asks_once_and_shuts_out(
    client: httpx.AsyncClient, database: AsyncSession, admin: int, ada: str
) -> None:
    ada_id = int(ada.rsplit("/", 1)[1])
    await login_sessions.start(database, ada_id, 1)
    await database.commit()
    asked = await client.get(f"{ada}/disable")
    assert f"Disable {EMAIL}?" in asked.text
    assert asked.text.count(f'action="{ada}/disable"') == 1
    done = await send(client, f"{ada}/disable")
    page = await client.get(done.headers["location"])
    assert "The account was disabled." in page.text
    assert f"{ada}/enable" in page.text
    assert f"{ada}/reset" not in page.text
    assert await database.scalar(select(func.count()).select_from(LoginSession).filter_by(account_id=ada_id)) == 0
    assert (await send(client, f"{ada}/disable")).status_code == 409
    assert (await send(client, f"{ada}/reset")).status_code == 409
    assert (await send(client, f"{ada}/role", {"role": "admin"})).status_code == 409
    assert (await send(client, f"{ada}/enable")).status_code == 303
    assert (await send(client, f"{ada}/enable")).status_code == 409
    kinds = [found for found in await recorded(database) if found[2] == ada_id][-2:]
    assert kinds == [("account_disabled", admin, ada_id), ("account_enabled", admin, ada_id)]


async def test_the_last_admin_stays_on_the_page_too(
    client: httpx.AsyncClient, database: AsyncSession, admin: int
) -> None:
    me = f"/admin/accounts/{admin}"
    refused = await send(client, f"{me}/disable")
    assert refused.status_code == 409
    assert "This is the last active admin" in refused.text
    refused = await send(client, f"{me}/role", {"role": "researcher"})
    assert refused.status_code == 422
    assert refused.text.count("is the last active admin") == 2
    assert (await client.get("/admin/accounts")).status_code == 200


async def test_a_changed_role_applies_at_once(
    client: httpx.AsyncClient, database: AsyncSession, admin: int, ada: str
) -> None:
    assert 'value="researcher" checked' in " ".join((await client.get(f"{ada}/role")).text.split())
    assert (await send(client, f"{ada}/role", {"role": "king"})).status_code == 422
    assert (await send(client, f"{ada}/role", {"role": "admin"})).status_code == 303
    assert (await send(client, f"/admin/accounts/{admin}/role", {"role": "researcher"})).status_code == 303
    assert (await client.get("/admin/accounts")).status_code == 403


async def test_a_reset_link_is_shown_once_and_sets_a_password(
    client: httpx.AsyncClient, database: AsyncSession, ada: str
) -> None:
    assert f"Let {EMAIL} set a new password?" in (await client.get(f"{ada}/reset")).text
    page = await send(client, f"{ada}/reset")
    (link,) = re.findall(r"http://testserver(/login/password/[\w-]{43})", page.text)
    client.cookies.clear()
    form = {"password": "another long password", "again": "another long password"}
    assert (await client.post(link, data=form | {"form_token": token_in(await client.get(link))})).status_code == 303
    client.cookies.clear()
    assert (await log_in(client, EMAIL, PASSWORD)).status_code == 403


async def test_an_admin_sees_and_revokes_a_token_of_another(
    client: httpx.AsyncClient, database: AsyncSession, admin: int, ada: str
) -> None:
    page = await client.get(ada)
    (path,) = re.findall(rf'href="({ada}/tokens/\d+/revoke)"', page.text)
    assert "Revoke the token laptop?" in (await client.get(path)).text
    other = path.replace(ada, f"/admin/accounts/{admin}")
    assert (await send(client, other)).status_code == 404, "a token belongs to its account"
    assert (await send(client, path)).status_code == 303
    assert await database.scalar(select(ApiToken.revoked_at)) is not None
    assert (await recorded(database))[-1] == ("token_revoked", admin, int(ada.rsplit("/", 1)[1]))


def acts(page: httpx.Response) -> list[str]:
    rows = re.findall(r"<tr>(.*?)</tr>", page.text, re.DOTALL)[1:]
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()).partition("UTC ")[2] for row in rows]


async def test_the_audit_log_reads_in_plain_words(
    client: httpx.AsyncClient, database: AsyncSession, admin: int, ada: str
) -> None:
    await send(client, f"{ada}/role", {"role": "admin"})
    await send(client, "/admin/invitations/new", {"address": "bob@example.org", "role": "researcher"})
    await events.record(database, "study_preregistered", account_id=admin, document_hash="abc", design_hash="def")
    await events.record(database, "something_new", account_id=admin, secret="platform-id-1")
    await database.commit()
    page = await client.get("/admin/audit")
    assert acts(page) == [
        f"Something new {ADMIN}",
        f"Preregistered a study hash abc {ADMIN}",
        f"Invited somebody as researcher {ADMIN} bob@example.org",
        f"Changed a role from researcher to admin {ADMIN} {EMAIL}",
        f"Made an API token laptop, read a command {EMAIL}",
        f"Made an account as researcher a command {EMAIL}",
        f"Signed in by password {ADMIN}",
        f"Made an account as admin a command {ADMIN}",
    ]
    assert "platform-id-1" not in page.text


async def test_the_log_is_filtered_in_the_address_and_goes_on(
    client: httpx.AsyncClient, database: AsyncSession, admin: int
) -> None:
    for n in range(120):
        await events.record(database, "role_changed" if n % 2 else "token_made", account_id=admin, name=f"<{n}>")
    await database.commit()
    seen: list[str] = []
    page = await client.get("/admin/audit", params={"kind": "token_made", "account": str(admin)})
    while True:
        seen += acts(page)
        assert 'value="token_made" selected' in re.sub(r"\s+", " ", page.text)
        older = re.search(r'href="(/admin/audit\?[^"]*before=[^"]*)"', page.text)
        if older is None:
            break
        page = await client.get(unescape(older[1]))
    assert seen == [f"Made an API token <{n}>, {ADMIN}" for n in range(118, -1, -2)]
    assert ">Newest</a>" in page.text
    nothing = await client.get("/admin/audit", params={"until": "2020-01-01"})
    assert "Nothing that was done is like this." in nothing.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"since": "soon"}, 422),
        ({"until": "9999-12-31"}, 422),
        ({"account": "x"}, 422),
        ({"account": "9223372036854775808"}, 422),
        ({"account": "-1"}, 422),
        ({"before": "x"}, 400),
        ({"before": "9223372036854775808"}, 400),
        ({"before": "9223372036854775807"}, 200),
        ({"kind": "'; DROP TABLE event; --"}, 200),
        ({"kind": "x" * 201}, 400),
        ({"study": "nothing"}, 200),
        ({"since": "0001-01-01", "until": "9999-12-30"}, 200),
    ],
)
async def test_no_filter_is_an_error_of_the_server(
    client: httpx.AsyncClient, admin: int, query: dict[str, str], status: int
) -> None:
    page = await client.get("/admin/audit", params=query)
    assert page.status_code == status
    if status == 422:
        assert 'role="alert"' in page.text
    assert (await client.get("/admin/audit.csv", params=query)).status_code in {200, 400, 422}


async def test_the_download_holds_the_same_is_safe_and_is_recorded(
    client: httpx.AsyncClient, database: AsyncSession, admin: int
) -> None:
    await database.execute(update(Account).values(email="=cmd@example.org"))
    await events.record(database, "token_made", account_id=admin, name="=1+1", scope="read")
    await database.commit()
    answer = await client.get("/admin/audit.csv", params={"kind": "token_made"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    header, row = csv.reader(io.StringIO(answer.text, newline=""))
    assert header == ["at", "act", "kind", "by", "about", "study", "detail"]
    assert row[1:] == ["Made an API token", "token_made", "'=cmd@example.org", "", "", "'=1+1, read"]
    assert (await recorded(database))[-1] == ("audit_exported", admin, None)
    whole = await client.get("/admin/audit.csv")
    assert len(whole.text.splitlines()) == 1 + len(await recorded(database))
