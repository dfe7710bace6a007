"""docs/api.md: its example runs, and it names every address and every code."""

import asyncio
import os
import re
import sys
from pathlib import Path

import httpx
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Study
from app.settings import Settings
from app.web.api import control, errors, reading, sets, tables
from tests.browser.served import serving
from tests.signing_in import make
from tests.studies import open_study
from tests.web.api_studies import OWNER, judge, token

DOCS = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLE = DOCS.split("```python\n")[1].split("```")[0]


async def test_the_example_has_ten_lines_and_runs(
    client: httpx.AsyncClient, database: AsyncSession, app_settings: Settings
) -> None:
    assert len([line for line in EXAMPLE.splitlines() if line]) == 10
    owner_id = await make(database, OWNER)
    await open_study(database, "pilot-1")
    await database.execute(update(Study).values(owner_id=owner_id))
    shown = await token(database, OWNER)
    await judge(client, "pilot-1", "somebody")
    with serving(app_settings) as address:
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-c", EXAMPLE, stdout=-1, env=os.environ | {"CANDOR": address, "CANDOR_TOKEN": shown}
        )
        said, _ = await running.communicate()
    assert running.returncode == 0
    assert re.fullmatch(r"8 choices, \d for the sycophantic response\n", said.decode())


def test_every_address_is_named() -> None:
    for router in (reading.router, tables.router, control.router, sets.router):
        for route in router.routes:
            method, path = next(iter(route.methods)), route.path  # type: ignore[attr-defined]
            assert f"`{method} /api{path.replace('{extension}', '{format}')}`" in DOCS


def test_every_code_is_named_with_its_status() -> None:
    named = {
        (status, code)
        for statuses, codes in re.findall(r"^\| ([0-9, ]+) \| (`.*) \|$", DOCS, re.MULTILINE)
        for status in statuses.split(", ")
        for code in re.findall(r"`(\w+)`", codes)
    }
    told = {(str(found.status), found.code) for found in errors._TOLD.values()}
    told |= {(str(status), code) for status, code in errors._CODES.items()}
    assert told - named == set()
