"""The application, served to real browsers: studies in every state, people at every stage, accounts to sign in with."""

import asyncio
import hashlib
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import httpx
import psycopg
import uvicorn
from sqlalchemy.ext.asyncio import AsyncSession

from app import resources
from app.cli import simulate
from app.db import transaction
from app.main import create_app
from app.settings import Settings
from app.study import accounts, login_links, studies
from app.study.designs import check_design
from app.study.set_files import MisconceptionEntry, read_jsonl
from app.study.sets import find_set, import_set
from app.terms import Platform, Role
from tests.walker import Walker

T = TypeVar("T")
Walk = Callable[[Walker, str], Awaitable[object]]
PASSWORD = "a password that is long enough"
CODE = "QUIET-7391"
RESEARCHER = "ada@lab.example"
ADMIN = "root@lab.example"
_SYNTHETIC = 6

# The study that only `test_annotator_way` enters, so that its export holds exactly what was chosen there.
WAY = "way"
# The study that everybody else enters.
READING = "reading"


def starter_set() -> list[MisconceptionEntry]:
    """Return the bundled set."""
    return list(read_jsonl(resources.content("starter.jsonl")))


def apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine in a thread of its own: Playwright's loop may be running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result(timeout=120)


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Serve the application on a free port of this machine, in a thread, and stop it at the end."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(settings),
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="served", daemon=True)
    thread.start()
    try:
        assert server.answers.wait(30), "the server did not start"
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(15)
        listening.close()
        assert not thread.is_alive(), "the server did not stop"


@dataclass
class Served:
    """What the tests know of the server: its addresses, its database, and how to have somebody at a given page."""

    base: str
    demo: str
    database_url: str
    sessions: dict[str, Any] = field(default_factory=dict, repr=False)
    _links: dict[str, str] = field(default_factory=dict, repr=False)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what the database holds."""
        with psycopg.connect(self.database_url.replace("+psycopg", "")) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def count(self, query: str, *values: object) -> int:
        """Count rows."""
        (found,) = self.rows(f"SELECT count(*) FROM {query}", *values)
        return int(found[0])

    def login_link(self, email: str) -> str:
        """Return the address of a fresh link that signs in once."""

        async def make() -> str:
            async with transaction(self.database_url) as session:
                account_id = await accounts.id_of(session, email)
                assert account_id is not None
                return await login_links.make(session, account_id, timedelta(hours=1))

        return f"{self.base}/login/link/{apart(make)}"

    def link(self, slug: str, person: str) -> str:
        """Return the address that a person was sent."""
        return f"{self.base}/s/{slug}?{_query(slug, person)}"

    def someone(self, person: str, walk: Walk | None = None, slug: str = READING) -> str:
        """Have a person walk so far with a plain client, once, and return the link that takes a browser there."""
        if person not in self._links:
            self._links[person] = self.link(slug, person)
            if walk is not None:
                apart(lambda: self._walk(slug, person, walk))
        return self._links[person]

    async def _walk(self, slug: str, person: str, walk: Walk) -> None:
        async with httpx.AsyncClient(base_url=self.base, timeout=30) as client:
            await walk(Walker(client, slug), _query(slug, person))


def _query(slug: str, person: str) -> str:
    if slug == "prolific":
        return f"PROLIFIC_PID={person}&STUDY_ID=5f1c&SESSION_ID=9a2e"
    return f"pid={person}"


@contextmanager
def served(database_url: str) -> Iterator[Served]:
    """Fill a database and serve it, once as usual and once as the demo."""
    apart(lambda: _fill(database_url))
    settings = Settings(database_url=database_url, pool_size=4, login_attempts=10_000)
    with serving(settings) as base, serving(settings.model_copy(update={"demo": True, "pool_size": 1})) as demo:
        there = Served(base, demo, database_url)
        apart(lambda: _simulate(there))
        assert there.count("participation WHERE synthetic AND stage = 'complete'") == _SYNTHETIC
        for filler, slug in (("first of two", "full"), ("one in twenty", "shorter"), ("one who holds all", "held")):
            there.someone(filler, _all_of_it if slug == "full" else _enter, slug)
        yield there


async def _enter(walker: Walker, query: str) -> None:
    await walker.enter(query)


async def _all_of_it(walker: Walker, query: str) -> None:
    await walker.to_judging(query)
    await walker.judge_all()


async def _simulate(there: Served) -> None:
    async with transaction(there.database_url) as session:
        simulation = await simulate.prepare(session, "example", there.base, seed=1)
    finished = await simulate.run(simulation, 6, concurrency=2)
    assert [annotator.code for annotator in finished if not annotator.code] == []


async def _fill(url: str) -> None:
    async with transaction(url) as session:
        whole = starter_set()
        await import_set(session, whole, slug="starter", title="Starter set", licence="CC BY 4.0")
        await import_set(session, whole[:2], slug="two", title="Two easy ones", licence="CC BY 4.0")
        owner_id = await accounts.create(session, RESEARCHER, Role.RESEARCHER, PASSWORD)
        await accounts.create(session, ADMIN, Role.ADMIN, None)
        await accounts.create(session, "new@lab.example", Role.RESEARCHER, None)
        await accounts.create(session, "gone@lab.example", Role.RESEARCHER, None)
        await accounts.disable(session, "gone@lab.example")
        for slug, design in _STUDIES.items():
            await _study(session, slug, design, owner_id)
        await studies.pause_study(session, "paused")
        await studies.close_study(session, "closed")


_STUDIES: dict[str, dict[str, Any]] = {
    WAY: {"title": "What do people prefer?", "ratings_per_pair": 3},
    READING: {"title": "Reading closely", "ratings_per_pair": 60, "contact": "lab@university.example"},
    "prolific": {"title": "Which answer is better?", "platform": Platform.PROLIFIC, "pay": "£2.40"},
    "two-arms": {
        "title": "Told to prefer the truth, or not",
        "arms": [
            {"truthful_kind": "helpful", "instructions": "neutral"},
            {"truthful_kind": "helpful", "instructions": "prefer_truth"},
        ],
    },
    "example": {"title": "An example, filled by synthetic annotators", "ratings_per_pair": 2, "synthetic": True},
    "paused": {"title": "A study that is paused"},
    "closed": {"title": "A study that has ended"},
    "full": {"title": "A small study", "set": "two", "ratings_per_pair": 1, "pairs_per_annotator": 2},
    "held": {"title": "A small study, in use", "set": "two", "ratings_per_pair": 1, "pairs_per_annotator": 2},
    "shorter": {"title": "A study that is nearly full", "ratings_per_pair": 1, "pairs_per_annotator": 20},
    "draft": {"title": "A study that is being prepared"},
}


async def _study(session: AsyncSession, slug: str, design: dict[str, Any], owner_id: int) -> None:
    values: dict[str, Any] = {
        "slug": slug,
        "ratings_per_pair": 5,
        "pairs_per_annotator": 6,
        "expected_minutes": 12,
        "pay": "£2.50",
        "contact": "the study team, lab@university.example",
        "completion_code": CODE,
        "seed": 1,
    }
    values |= design
    chosen = await find_set(session, values.pop("set", "starter"))
    study = await studies.create_study(session, check_design(values), chosen, owner_id)
    study.key = hashlib.sha256(slug.encode()).digest()  # The same people see the same pairs in every run.
    if slug != "draft":
        await studies.open_study(session, slug)
