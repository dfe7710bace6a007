"""The API: who reaches what, what can be done, and the one shape of everything that goes wrong."""

from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from psycopg import OperationalError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.main import create_app
from app.models import Event, Study
from app.settings import Settings
from app.study import api_tokens
from app.study.canonical import content_hash
from app.study.set_files import MisconceptionEntry, set_hash
from app.terms import Role, TokenScope
from app.web.annotator import judging
from app.web.api import control, reading, sets, tables
from tests.signing_in import ATTEMPTS, log_in, token_in
from tests.web.api_studies import (
    ADMIN,
    CONTROLS,
    OTHER,
    OWNER,
    READS,
    Api,
    disable,
    expire,
    showing,
    token,
    two_studies,
)
from tests.web.desk import sign_in


@pytest.fixture
async def api(client: httpx.AsyncClient, database: AsyncSession) -> Api:
    return await two_studies(client, database)


def said(answer: httpx.Response) -> str:
    """The code of an error that has the one shape, and no other."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "details"}
    assert body["error"]["message"].endswith(".")
    return str(body["error"]["code"])


async def acts(database: AsyncSession) -> tuple[int, list[tuple[str, str]]]:
    """What a request may not have changed: the number of events, and every study's state."""
    n_events = await database.scalar(select(func.count()).select_from(Event))
    states = [(row[0], row[1]) for row in await database.execute(select(Study.slug, Study.state).order_by(Study.id))]
    await database.rollback()
    return n_events or 0, states


# Who reaches what.


def test_every_route_is_walked() -> None:
    routers = (reading.router, tables.router, control.router, sets.router)
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    assert sum("GET" in (route.methods or ()) for route in routes) == len(READS) == 12
    assert sum("POST" in (route.methods or ()) for route in routes) == len(CONTROLS) == 6
    assert len(routes) == len(READS) + len(CONTROLS)


async def test_nobody_and_annotators_reach_nothing(api: Api) -> None:
    before = await acts(api.database)
    for cookie in ("", "x" * 43):
        api.client.cookies.clear()
        if cookie:
            api.client.cookies.set("candor_pass", cookie)
            api.client.cookies.set("candor_session", cookie)
        for path in READS:
            answer = await api.client.get(path)
            assert (answer.status_code, said(answer)) == (401, "not_signed_in"), path
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for path, body in CONTROLS:
            answer = await api.client.post(path, json=body)
            assert (answer.status_code, said(answer)) == (401, "not_signed_in"), path
    assert await acts(api.database) == before


async def test_a_token_that_is_not_valid_is_refused_everywhere_in_one_way(api: Api, app_settings: Settings) -> None:
    patient = app_settings.model_copy(update={"login_attempts": 1000})
    api.client._transport.app.state.settings = patient  # type: ignore[attr-defined]
    shown = {name: await token(api.database, OWNER, name=name) for name in ("expired", "revoked", "disabled")}
    await expire(api.database, "expired")
    await api_tokens.revoke(api.database, 1, "revoked")
    await api.database.commit()
    kinds = [f"Basic {shown['disabled']}", "Bearer candor_\xff", "Bearer", f"Bearer {shown['expired']}"]
    kinds += [f"Bearer {shown['revoked']}", f"Bearer {shown['disabled']}"]
    answers = []
    for kind in kinds:
        if kind == kinds[-1]:
            await disable(api.database, OWNER)
        before = await acts(api.database)
        headers = {b"Authorization": kind.encode("latin-1")}
        answers += [await api.client.get(path, headers=headers) for path in READS]
        answers += [await api.client.post(path, json=body, headers=headers) for path, body in CONTROLS]
        assert await acts(api.database) == before
    assert {(answer.status_code, said(answer)) for answer in answers} == {(401, "token_wrong")}
    assert len({answer.content for answer in answers}) == 1


async def test_a_token_that_may_read_changes_nothing(api: Api) -> None:
    reading_only = showing(await token(api.database, OWNER, TokenScope.READ))
    before = await acts(api.database)
    for path in READS:
        assert (await api.client.get(path, headers=reading_only)).status_code == 200, path
    for path, body in CONTROLS:
        answer = await api.client.post(path, json=body, headers=reading_only)
        assert (answer.status_code, said(answer)) == (403, "token_reads_only"), path
    assert await acts(api.database) == before


async def test_another_researcher_s_study_does_not_exist(api: Api) -> None:
    before = await acts(api.database)
    for path, study in READS.items():
        answer = await api.get(path, OTHER)
        if study is None:
            assert answer.status_code == 200
            continue
        nowhere = await api.get(path.replace("pilot", "nowhere"), OTHER)
        assert (answer.status_code, said(answer)) == (404, "study_unknown"), path
        assert answer.content == nowhere.content
    for path, body in CONTROLS:
        answer = await api.post(path, body, OTHER)
        assert (answer.status_code, said(answer)) == (404, "study_unknown"), path
    assert await acts(api.database) == before
    listed = (await api.get("/api/studies", OTHER)).json()["studies"]
    assert [study["slug"] for study in listed] == ["beside"]
    using = {row["slug"]: row["studies"] for row in (await api.get("/api/sets", OTHER)).json()["sets"]}
    assert using == {"pilot-set": [], "beside-set": ["beside"], "draft-set": []}


@pytest.mark.parametrize("by", [OWNER, ADMIN])
async def test_the_owner_and_admins_reach_everything(api: Api, by: str) -> None:
    for path in READS:
        assert (await api.get(path, by)).status_code == 200, path
    for path, body in CONTROLS:
        answer = await api.post(path, body, by)
        assert answer.status_code == (201 if path.endswith("/clone") else 200), answer.text
    slugs = {study["slug"] for study in (await api.get("/api/studies", by)).json()["studies"]}
    assert {"pilot", "another", "draft"} <= slugs
    assert ("beside" in slugs) == (by == ADMIN)


async def test_a_session_reads_and_changes_only_with_its_form_token(api: Api) -> None:
    await sign_in(api.client, api.database, "eve@example.org", Role.ADMIN)
    form = {"X-Form-Token": token_in(await api.client.get("/account"))}
    assert (await api.client.get("/api/studies/pilot")).status_code == 200
    for headers in ({b"X-Other": b""}, {b"X-Form-Token": b"wrong"}, {b"X-Form-Token": b"\xff"}):
        answer = await api.client.post("/api/studies/pilot/pause", headers=headers)
        assert (answer.status_code, said(answer)) == (403, "form_token_wrong")
    foreign = await api.client.post("/api/studies/pilot/pause", headers=form | {"Origin": "https://evil.example"})
    assert (foreign.status_code, said(foreign)) == (403, "from_elsewhere")
    assert (await api.client.post("/api/studies/pilot/pause", headers=form)).json()["state"] == "paused"
    beside = await api.client.get("/api/studies", headers=showing("candor_wrong"))
    assert beside.status_code == 401, "a wrong token is not made good by a session"


async def test_wrong_tokens_are_limited_and_say_for_how_long(api: Api) -> None:
    for _ in range(4 * ATTEMPTS):
        assert (await api.client.get("/api/studies", headers=showing("candor_wrong"))).status_code == 401
    for shown in ("candor_wrong", api.tokens[OWNER]):
        answer = await api.client.get("/api/studies", headers=showing(shown))
        assert (answer.status_code, said(answer)) == (429, "too_many_wrong_tokens")
        assert 0 < int(answer.headers["retry-after"]) <= 900
    assert (await log_in(api.client, OWNER)).status_code == 303
    assert (await api.client.get("/api/studies")).status_code == 200


# What is read and done.


async def test_a_study_says_all_that_its_hash_covers(api: Api) -> None:
    before = (await api.get("/api/studies/pilot")).json()
    assert content_hash(before["design"]) == before["design_hash"]
    assert (before["state"], before["amendments"], before["preregistration"]) == ("live", [], None)
    raised = (await api.post("/api/studies/pilot/raise", {"ratings": 4})).json()
    retired = (await api.post("/api/studies/pilot/retire", {"key": "claim-000", "reason": "why"})).json()
    assert (raised["design"]["ratings_per_pair"], retired["design"]["retired"]) == (4, ["claim-000"])
    for study in (raised, retired):
        assert content_hash(study["design"]) == study["design_hash"] == study["amendments"][-1]["design_hash"]
    assert [made["kind"] for made in retired["amendments"]] == ["ratings_raised", "pair_retired"]
    assert (await api.get("/api/studies/pilot")).json() == retired
    assert "DONE-1234" not in (await api.get("/api/studies/pilot")).text


async def test_a_clone_is_the_caller_s_own_draft(api: Api) -> None:
    answer = await api.post("/api/studies/pilot/clone", {"slug": "another"}, ADMIN)
    assert (answer.status_code, answer.headers["location"]) == (201, "/api/studies/another")
    assert (answer.json()["state"], answer.json()["design_hash"]) == ("draft", None)
    assert (await api.get("/api/studies/another", OWNER)).status_code == 404
    assert (await api.get("/api/studies/another", ADMIN)).json() == answer.json()


async def test_every_act_is_recorded_with_its_account(api: Api) -> None:
    for path, body in CONTROLS:
        await api.post(path, body, ADMIN)
    found = await api.database.execute(
        select(Event.kind).where(Event.account_id == 3, Event.kind != "signed_in").order_by(Event.id)
    )
    assert [row[0] for row in found] == [
        "study_live",
        "ratings_raised",
        "pair_retired",
        "study_created",
        "study_paused",
        "study_closed",
    ]


async def test_progress_sums_up_what_the_tables_hold(api: Api) -> None:
    told = (await api.get("/api/studies/pilot/progress")).json()
    choices = (await api.get("/api/studies/pilot/choices?limit=1000")).json()["rows"]
    assert sum(level["n_filled"] for level in told["levels"]) == sum(row["counted"] for row in choices) == 11
    assert {level["arm"] for level in told["levels"]} == {"helpful/neutral", "baseline/neutral"}
    assert {(row["stage"], row["left"], row["n"]) for row in told["people"]} == {
        ("complete", None, 1),
        ("judging", None, 1),
        (None, "withdrew", 1),
    }


async def test_a_set_is_given_whole_and_with_its_hash(api: Api) -> None:
    (listed,) = [row for row in (await api.get("/api/sets")).json()["sets"] if row["slug"] == "pilot-set"]
    answer = await api.get("/api/sets/pilot-set/1")
    whole = answer.json()
    assert len(whole["misconceptions"]) == listed["n_misconceptions"] == 16
    entries = [MisconceptionEntry.model_validate(entry) for entry in whole["misconceptions"]]
    assert set_hash(entries) == whole["content_hash"] == listed["content_hash"]
    for path in ("/api/sets/pilot-set/2", "/api/sets/none/1"):
        assert said(await api.get(path)) == "set_unknown"


# What goes wrong.

WRONG: tuple[tuple[str, str, dict[str, Any], int, str], ...] = (
    ("GET", "/api/nothing", {}, 404, "not_found"),
    ("GET", "/api/", {}, 404, "not_found"),
    ("GET", "/api/studies/", {}, 404, "not_found"),
    ("GET", "/api/studies/%00", {}, 404, "not_found"),
    ("GET", "/api/studies/a%0Ab", {}, 404, "not_found"),
    ("GET", "/api/studies/%FF%FE", {}, 404, "study_unknown"),
    ("DELETE", "/api/studies/pilot", {}, 405, "method_not_allowed"),
    ("GET", "/api/studies/pilot/open", {}, 405, "method_not_allowed"),
    ("GET", "/api/studies/pilot/export/payments.csv", {}, 422, "not_valid"),
    ("GET", "/api/studies/pilot/export/choices.xlsx", {}, 422, "not_valid"),
    ("GET", "/api/studies/pilot/choices?limit=0", {}, 422, "not_valid"),
    ("GET", "/api/studies/pilot/choices?limit=1001", {}, 422, "not_valid"),
    ("GET", "/api/studies/pilot/choices?page=2", {}, 422, "not_valid"),
    ("GET", "/api/studies/pilot/choices?after=nobody.1", {}, 400, "cursor_unknown"),
    ("GET", "/api/studies/pilot/choices?after=x", {}, 400, "cursor_unknown"),
    ("GET", "/api/studies/pilot/annotators?after=x", {}, 400, "cursor_unknown"),
    ("GET", "/api/studies/pilot/pairs?after=999999999999999999.1", {}, 400, "cursor_unknown"),
    ("GET", "/api/sets/pilot-set/0", {}, 422, "not_valid"),
    ("GET", "/api/sets/pilot-set/99999999999999999999", {}, 422, "not_valid"),
    ("POST", "/api/studies/pilot/open", {}, 409, "state_wrong"),
    ("POST", "/api/studies/draft/pause", {}, 409, "state_wrong"),
    ("POST", "/api/studies/pilot/raise", {"json": {"ratings": 3}}, 409, "ratings_not_more"),
    ("POST", "/api/studies/pilot/raise", {"json": {"ratings": "4"}}, 422, "not_valid"),
    ("POST", "/api/studies/pilot/raise", {"json": {"ratings": 4, "more": 1}}, 422, "not_valid"),
    ("POST", "/api/studies/pilot/raise", {"json": {"ratings": 10**30}}, 422, "not_valid"),
    ("POST", "/api/studies/pilot/raise", {"content": b'{"ratings": 4}'}, 422, "not_valid"),
    ("POST", "/api/studies/pilot/raise", {"data": {"ratings": 4}}, 422, "not_valid"),
    ("POST", "/api/studies/pilot/retire", {"json": {"key": "x", "reason": "y"}}, 404, "pair_unknown"),
    ("POST", "/api/studies/pilot/retire", {"json": {"key": "claim-000", "reason": " "}}, 422, "reason_missing"),
    ("POST", "/api/studies/pilot/clone", {"json": {"slug": "No"}}, 422, "design_faulty"),
    ("POST", "/api/studies/pilot/clone", {"json": {"slug": "pilot"}}, 409, "study_exists"),
    ("POST", "/api/studies/pilot/clone", {"content": b"{"}, 422, "not_valid"),
    ("POST", "/api/studies/pilot/clone", {"content": b'{"slug": "' + b"x" * 2_000_000 + b'"}'}, 413, "too_large"),
)


async def test_everything_that_goes_wrong_has_the_one_shape(api: Api) -> None:
    before = await acts(api.database)
    for method, path, sent, status, code in WRONG:
        answer = await api.client.request(method, path, headers=showing(api.tokens[OWNER]), **sent)
        assert (answer.status_code, said(answer)) == (status, code), (method, path, answer.text[:300])
    assert await acts(api.database) == before


async def test_what_is_not_valid_is_named_and_not_repeated(api: Api) -> None:
    headers = showing(api.tokens[OWNER]) | {"Content-Type": "application/json"}
    for half in (rb'{"key": "\ud800 secret", "reason": "r"}', rb'{"half a \ud800": "secret"}'):
        answer = await api.client.post("/api/studies/pilot/retire", content=half, headers=headers)
        assert (answer.status_code, said(answer)) == (422, "not_valid")
        assert "secret" not in answer.text
    sent = b'{"key": "k", "more": "secret"}'
    answer = await api.client.post("/api/studies/pilot/retire", content=sent, headers=headers)
    found = [fault["at"] for fault in answer.json()["error"]["details"]]
    assert found == [["body", "reason"], ["body", "more"]]
    assert "secret" not in answer.text
    answer = await api.post("/api/studies/pilot/clone", {"slug": "A B"})
    (fault,) = answer.json()["error"]["details"]
    assert fault == {"at": ["slug"], "said": "must be lower-case letters and digits, with hyphens"}


@pytest.mark.parametrize(
    ("failure", "status", "code"), [(OperationalError, 503, "unavailable"), (ValueError, 500, "failed")]
)
async def test_a_failure_on_our_side_has_the_shape_too(
    api: Api, app_settings: Settings, monkeypatch: pytest.MonkeyPatch, failure: type[Exception], status: int, code: str
) -> None:
    async def failing(*_: Any) -> Any:
        raise failure("a detail of ours")

    monkeypatch.setattr("app.web.api.reading.study_document", failing)
    app = create_app(app_settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        answer = await client.get("/api/studies/pilot", headers=showing(api.tokens[OWNER]))
    assert (answer.status_code, said(answer)) == (status, code)
    assert "a detail of ours" not in answer.text


# The description, and what it costs others.


async def test_the_description_is_of_the_api_alone(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/openapi.json")
    described = answer.json()
    assert (answer.status_code, described["openapi"][:3]) == (200, "3.1")
    assert described["servers"] == [{"url": "/api"}]
    assert len(described["paths"]) == len(READS) + len(CONTROLS)
    for path, operations in described["paths"].items():
        assert path.startswith(("/studies", "/sets", "/codebook"))
        for operation in operations.values():
            assert operation["security"] == [{"token": []}, {"session": []}]
            assert operation["description"]
            assert {"4XX", "5XX"} < set(operation["responses"])
            assert "422" not in operation["responses"]
    assert (await client.get("/api/docs")).status_code == 404


async def test_judging_keeps_the_first_place(app_settings: Settings) -> None:
    app = create_app(app_settings)
    assert app.routes[: len(judging.ROUTES)] == list(judging.ROUTES)
    assert [getattr(route, "path", "") for route in app.routes[-2:]] == ["/api", "/static"]
