"""Exports that end early: what cannot be written, and who goes away, leaves no COPY behind that somebody waits for."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db import transaction
from app.main import create_app
from app.settings import Settings
from app.study import login_sessions
from app.study.accounts import create
from app.terms import Role
from tests.conftest import REPOSITORY, NewDatabase
from tests.exports.test_bundle import MADE_UP
from tests.study.people import people_of

PATIENCE_S = 30
LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
os.execv(sys.argv[2], sys.argv[2:])
"""
CANDOR = Path(sys.executable).with_name("candor")


@pytest.fixture(scope="module")
async def url(new_database: NewDatabase) -> AsyncIterator[str]:
    """A study of more rows than go into one chunk of any format."""
    made = new_database()
    async with people_of(made, "large", ratings_per_pair=1) as people:
        await people.rows(MADE_UP, people=1000)
        yield made


def command(
    url: str, folder: Path, *arguments: str, stdout: int, prefix: tuple[str, ...] = ()
) -> subprocess.Popen[str]:
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "CANDOR_DATABASE_URL": url, "COLUMNS": "200",
    }  # fmt: skip
    return subprocess.Popen(
        [*prefix, str(CANDOR), "export", *arguments],
        cwd=folder,
        env=environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("what", ["choices", "bundle"])
def test_a_reader_that_goes_away_ends_the_command_with_a_message(url: str, tmp_path: Path, what: str) -> None:
    running = command(url, tmp_path, what, "--study", "large", stdout=subprocess.PIPE)
    assert running.stdout
    assert os.read(running.stdout.fileno(), 2)
    running.stdout.close()
    assert running.stderr
    with running.stderr:
        said = running.stderr.read()
    assert running.wait(PATIENCE_S) == 1
    assert said == "Refused: standard output cannot be written: Broken pipe\n"


@pytest.mark.parametrize("name", ["choices.csv", "choices.jsonl", "large.zip"])
def test_a_disk_that_is_full_ends_the_command_with_a_message_and_no_file(url: str, tmp_path: Path, name: str) -> None:
    what = "bundle" if name.endswith("zip") else "choices"
    most = 100 * 1024  # Bytes that a file may have stand in for those that are left.
    running = command(
        url, tmp_path, what, "--study", "large", "-o", name, stdout=subprocess.DEVNULL,
        prefix=(sys.executable, "-c", LIMITED, str(most)),
    )  # fmt: skip
    _, said = running.communicate(timeout=PATIENCE_S)
    assert (running.returncode, said) == (1, f"Refused: {name} cannot be written: File too large\n")
    assert list(tmp_path.iterdir()) == []


class _Gone:
    """A client that takes one piece of the body and no more, then goes away; it never says anything else."""

    def __init__(self) -> None:
        self._got = asyncio.Event()
        self._asked = False

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._got.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            self._got.set()
            await asyncio.Event().wait()


@pytest.mark.parametrize("name", ["choices.csv", "choices.parquet", "bundle.zip"])
async def test_downloads_that_nobody_takes_to_their_end_give_their_connections_back(url: str, name: str) -> None:
    application = create_app(Settings(database_url=url, pool_size=2))
    async with transaction(url) as session:
        account = await create(session, f"{name}@example.org", Role.ADMIN, None)
        cookie = await login_sessions.start(session, account, 1)
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": f"/studies/large/export/{name}", "raw_path": b"", "query_string": b"",
        "root_path": "", "headers": [(b"cookie", f"candor_session={cookie}".encode()), (b"host", b"test")],
        "client": ("127.0.0.1", 1), "server": ("test", 80),
    }  # fmt: skip
    async with application.router.lifespan_context(application):
        for _ in range(3):
            gone = _Gone()
            await asyncio.wait_for(application(dict(scope), gone.receive, gone.send), PATIENCE_S)
        transport, cookies = httpx.ASGITransport(application), {"candor_session": cookie}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", cookies=cookies) as one:
            answer = await asyncio.wait_for(one.get("/studies/large/export/pairs.csv"), PATIENCE_S)
    assert (answer.status_code, answer.text.count("\r\n")) == (200, 17)
