"""Downloads over HTTP: who gets which, what they are called, what is recorded, and how one that is cut short looks."""

import asyncio
import io
import socket
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.exports import parquet_files
from app.exports.verifying import verify
from app.main import create_app
from app.models import Study
from app.settings import Settings
from app.study import accounts
from app.terms import Role
from tests.studies import draft_study, open_study
from tests.walker import Walker
from tests.web.desk import sign_in

TABLES = ("choices", "pairs", "annotators", "scores", "preferences", "codebook", "payments")
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
FILES = [f"{table}.{known}" for table in TABLES for known in MEDIA_TYPES] + ["bundle.zip"]


@pytest.fixture
async def pilot(client: httpx.AsyncClient, database: AsyncSession) -> httpx.AsyncClient:
    """A study of ada's that one person has finished."""
    await open_study(database, "pilot")
    await database.commit()
    walker = await Walker(client, "pilot").to_judging("pid=somebody")
    await walker.judge_all()
    await walker.send(looked_up="no")
    await walker.send(data="keep")
    client.cookies.clear()
    return client


async def own(database: AsyncSession, account_id: int) -> None:
    await database.execute(update(Study).values(owner_id=account_id))
    await database.commit()


async def recorded(database: AsyncSession) -> list[int | None]:
    found = list(
        await database.scalars(text("SELECT account_id FROM event WHERE kind = 'payments_exported' ORDER BY id"))
    )
    await database.rollback()
    return found


async def test_the_owner_and_admins_get_every_table_in_every_format(
    pilot: httpx.AsyncClient, database: AsyncSession
) -> None:
    first = await sign_in(pilot, database, "ada@example.org")
    await own(database, first)
    for name in FILES:
        answer = await pilot.get(f"/studies/pilot/export/{name}")
        assert answer.status_code == 200, name
        assert answer.headers["cache-control"] == "no-store"
        assert "content-length" not in answer.headers
        table, _, known = name.partition(".")
        assert answer.headers["content-type"] == MEDIA_TYPES.get(known, "application/zip")
        called = {"codebook": f"codebook.{known}", "bundle": "pilot.zip"}.get(table, f"pilot-{name}")
        assert answer.headers["content-disposition"] == f'attachment; filename="{called}"'
        assert (b"somebody" in answer.content) == (table == "payments")
    pilot.cookies.clear()
    second = await sign_in(pilot, database, "root@example.org", Role.ADMIN)
    for name in FILES:
        assert (await pilot.get(f"/studies/pilot/export/{name}")).status_code == 200
    assert await recorded(database) == [first] * 3 + [second] * 3, "the payments alone, each time"


async def test_nobody_else_gets_any_of_them_and_nothing_is_recorded(
    pilot: httpx.AsyncClient, database: AsyncSession
) -> None:
    await own(database, await accounts.create(database, "bob@example.org", Role.RESEARCHER, None))
    paths = [f"/studies/pilot/export/{name}" for name in FILES]
    for path in paths:
        answer = await pilot.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={path}")
    await sign_in(pilot, database, "eve@example.org")
    unknown = (await pilot.get("/studies/none/export/choices.csv")).content
    for path in paths:
        for slug in ("pilot", "none"):
            answer = await pilot.get(path.replace("pilot", slug))
            assert (answer.status_code, answer.content) == (404, unknown), path
        assert (await pilot.get(path.replace("pilot", "%00"))).status_code == 404
    assert await recorded(database) == []


@pytest.mark.parametrize(
    "name",
    ["nothing.csv", "choices.xlsx", "payments.zip", "payments.xlsx", "bundle.csv", "choices", "preferences_hh.csv"],
)
async def test_what_is_no_table_or_no_format_is_no_page(
    client: httpx.AsyncClient, database: AsyncSession, name: str
) -> None:
    await open_study(database, "pilot")
    await sign_in(client, database, "ada@example.org")
    assert (await client.get(f"/studies/pilot/export/{name}")).status_code == 404
    assert await recorded(database) == []


async def test_preferences_come_in_two_forms_and_units(pilot: httpx.AsyncClient, database: AsyncSession) -> None:
    await sign_in(pilot, database, "ada@example.org")
    path = "/studies/pilot/export/preferences.jsonl"
    explicit = await pilot.get(path)
    assert explicit.text.count("\n") == 8
    assert explicit.text.startswith('{"prompt":[{')
    strings = await pilot.get(path, params={"form": "hh", "unit": "majority"})
    assert strings.text.startswith('{"chosen":"\\n\\nHuman: ')
    assert strings.headers["content-disposition"] == 'attachment; filename="pilot-preferences_hh.jsonl"'
    assert (await pilot.get(path, params={"form": "other"})).status_code == 400


async def test_the_bundle_is_whole_and_its_page_s_links_lead_somewhere(
    pilot: httpx.AsyncClient, database: AsyncSession, tmp_path: Path
) -> None:
    await sign_in(pilot, database, "ada@example.org")
    answer = await pilot.get("/studies/pilot/export/bundle.zip")
    (tmp_path / "pilot.zip").write_bytes(answer.content)
    assert verify(tmp_path / "pilot.zip").rows["choices.csv"] == 8
    assert not [name for name in zipfile.ZipFile(io.BytesIO(answer.content)).namelist() if "payments" in name]
    page = (await pilot.get("/studies/pilot")).text
    links = {part.partition('"')[0].replace("&amp;", "&") for part in page.split('href="')[1:]}
    linked = {link for link in links if "/export/" in link}
    assert linked >= {f"/studies/pilot/export/{name}" for name in FILES}
    for link in linked:
        assert (await pilot.get(link)).status_code == 200, link


async def test_without_its_extra_parquet_is_neither_offered_nor_there(
    pilot: httpx.AsyncClient, database: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_files, "find_spec", lambda name: None)
    await sign_in(pilot, database, "ada@example.org")
    page = (await pilot.get("/studies/pilot")).text
    assert ("choices.csv" in page, "parquet" in page) == (True, False)
    for table in TABLES:
        assert (await pilot.get(f"/studies/pilot/export/{table}.parquet")).status_code == 404
    assert await recorded(database) == []


async def test_a_draft_offers_nothing(client: httpx.AsyncClient, database: AsyncSession) -> None:
    await draft_study(database, "draft")
    await sign_in(client, database, "ada@example.org")
    assert "/export/" not in (await client.get("/studies/draft")).text


@pytest.mark.parametrize("name", ["choices.csv", "bundle.zip"])
async def test_a_download_that_is_cut_short_is_seen_as_cut_short(
    pilot: httpx.AsyncClient,
    database: AsyncSession,
    own_database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """Over a real connection: the end of a chunked answer is never sent, and clients refuse it."""

    async def failing(*_: Any) -> AsyncIterator[bytes]:
        yield b"study,set_slug\r\n"
        await asyncio.sleep(0)
        raise ConnectionResetError("the database went away")

    for stream in ("table_file", "bundle"):
        monkeypatch.setattr(f"app.web.researcher.exports.{stream}", failing)
    await sign_in(pilot, database, "ada@example.org")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_app(Settings(database_url=own_database_url, pool_size=2))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        serving = asyncio.create_task(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110 - only the server knows
            await asyncio.sleep(0.02)
        async with httpx.AsyncClient(cookies=pilot.cookies, timeout=20) as client:
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
                await client.get(f"{address}/studies/pilot/export/{name}")
        server.should_exit = True
        await serving
