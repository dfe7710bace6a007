"""The API's tables: pages that add up to the export, and tags that change when the data do, and only then."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.exports.paging import PAGED
from tests.walker import Walker
from tests.web.api_studies import OTHER, READS, Api, judge, two_studies

N_ROWS = {"choices": 19, "pairs": 32, "annotators": 3}


@pytest.fixture
async def api(client: httpx.AsyncClient, database: AsyncSession) -> Api:
    return await two_studies(client, database)


async def pages(api: Api, path: str) -> list[list[dict[str, Any]]]:
    """Every page from an address on, and how many rows each has."""
    found = []
    while path:
        answer = await api.get(path)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert set(page) == {"rows", "next"}
        found.append(page["rows"])
        path = page["next"]
    return found


async def test_pages_of_every_size_add_up_to_the_export(api: Api) -> None:
    assert [table for table in PAGED if not await _adds_up(api, table)] == []


async def _adds_up(api: Api, table: str) -> bool:
    exported = (await api.get(f"/api/studies/pilot/export/{table}.jsonl")).text
    whole = [json.loads(line) for line in exported.split("\n") if line]
    assert len(whole) == N_ROWS[table]
    for limit in (*range(1, 8), len(whole) // 2, len(whole) - 1, len(whole), len(whole) + 1):
        if not limit:
            continue
        found = await pages(api, f"/api/studies/pilot/{table}?limit={limit}")
        assert [row for page in found for row in page] == whole
        assert {len(page) for page in found[:-1]} <= {limit}
        assert 0 < len(found[-1]) <= limit
    return True


async def test_people_who_come_meanwhile_are_on_the_pages_to_come(api: Api) -> None:
    first = (await api.get("/api/studies/pilot/choices?limit=10")).json()
    await judge(api.client, "pilot", "late")
    rest = await pages(api, first["next"])
    assert len(first["rows"]) + sum(map(len, rest)) == N_ROWS["choices"] + 8


async def test_a_draft_has_empty_pages(api: Api) -> None:
    for table in PAGED:
        assert (await api.get(f"/api/studies/draft/{table}")).json() == {"rows": [], "next": None}


async def test_a_cursor_of_another_study_is_none(api: Api) -> None:
    for table in PAGED:
        following = (await api.get(f"/api/studies/pilot/{table}?limit=1")).json()["next"]
        answer = await api.get(following.replace("pilot", "beside"), OTHER)
        assert answer.json()["error"]["code"] == "cursor_unknown"


async def test_no_page_and_no_file_holds_a_platform_s_id(api: Api) -> None:
    for path in READS:
        assert b"sent-as-" not in (await api.get(path)).content


async def test_exports_are_files_and_bundles_are_whole(api: Api) -> None:
    answer = await api.get("/api/studies/pilot/export/preferences.jsonl?form=hh&unit=majority")
    assert answer.headers["content-disposition"] == 'attachment; filename="pilot-preferences_hh.jsonl"'
    assert answer.headers["content-type"] == "application/x-ndjson"
    codebook = (await api.get("/api/studies/pilot/export/codebook.csv")).text
    assert codebook.count("\r\n") - 1 == len((await api.get("/api/codebook")).json()["columns"])
    bundle = await api.get("/api/studies/pilot/export/bundle.zip")
    assert (bundle.headers["content-type"], bundle.content[:2]) == ("application/zip", b"PK")


# Tags.


async def tags(api: Api) -> dict[str, str]:
    found = {}
    for path in READS:
        answer = await api.get(path)
        assert answer.headers["etag"].startswith('W/"')
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["vary"] == "Authorization, Cookie"
        found[path] = answer.headers["etag"]
    return found


async def test_who_has_the_data_is_not_sent_them_again(api: Api) -> None:
    for path, tag in (await tags(api)).items():
        for known in (tag, f'"other", {tag.removeprefix("W/")}', "*"):
            again = await api.get(path, **{"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), path
        assert (await api.get(path, **{"If-None-Match": '"other"'})).status_code == 200
        assert (await api.client.get(path, headers={"If-None-Match": tag})).status_code == 401


async def test_each_address_has_a_tag_of_its_own(api: Api) -> None:
    paths = [
        "/api/studies/pilot/choices",
        "/api/studies/pilot/choices?limit=2",
        "/api/studies/pilot/export/choices.csv",
    ]
    paths += ["/api/studies/pilot/export/choices.jsonl", "/api/studies/pilot/pairs"]
    assert len({(await api.get(path)).headers["etag"] for path in paths}) == len(paths)


async def _sql(api: Api, written: str) -> None:
    await api.database.execute(text(written))
    await api.database.commit()


async def _one_more(api: Api) -> None:
    walker = await Walker(api.client, "pilot").enter("pid=sent-as-third")
    await walker.send(side="left")
    api.client.cookies.clear()


CHANGES: dict[str, Callable[[Api], Awaitable[Any]]] = {
    "somebody comes": lambda api: api.client.get("/s/pilot?pid=new", follow_redirects=True),
    "somebody judges": _one_more,
    "somebody ends": lambda api: judge(api.client, "pilot", "seventh"),
    "somebody withdraws": lambda api: judge(api.client, "pilot", "eighth", withdraw=True),
    "a pair is retired": lambda api: api.post("/api/studies/pilot/retire", {"key": "claim-000", "reason": "why"}),
    "ratings are raised": lambda api: api.post("/api/studies/pilot/raise", {"ratings": 5}),
    "a check is failed": lambda api: _sql(
        api, "UPDATE participation SET checks_failed = 1, n_checked = 1 WHERE id = 1"
    ),
    "a place is returned": lambda api: _sql(api, "UPDATE participation SET outcome = 'returned' WHERE id = 1"),
}


async def test_every_change_gives_the_tables_new_tags(api: Api) -> None:
    tables = [path for path in READS if path.endswith(("choices", "pairs", "annotators", ".csv", ".zip"))]
    assert len(tables) == 5
    first = before = await tags(api)
    for name, change in CHANGES.items():
        await change(api)
        after = await tags(api)
        assert [(name, path) for path in tables if before[path] == after[path]] == []
        before = after
    assert all(first[path] == before[path] for path in ("/api/codebook", "/api/sets/pilot-set/1"))


async def test_what_happens_in_another_study_changes_nothing(api: Api) -> None:
    before = await tags(api)
    await judge(api.client, "beside", "fifth", 1)
    assert await tags(api) == before
