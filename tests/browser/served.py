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

from app.cli import simulate
from app.db import transaction
from app.main import create_app
from app.settings import Settings
from app.study import (
    accounts,
    amendments,
    api_tokens,
    copies,
    invitations,
    login_links,
    password_changes,
    previews,
    scoring_runs,
    studies,
)
from app.study.api_tokens import NewToken, in_days
from app.study.designs import check_design
from app.study.score_imports import import_scores
from app.study.set_files import MisconceptionEntry, read_jsonl
from app.study.sets import find_set, import_set
from app.terms import Platform, Role, TokenScope
from tests.example_sets import STARTER
from tests.scored import VARIANTS, both_variants, judge_rows, pairs_of_study, reward_rows, run_record, score_file
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
# Studies with options: all of them at once, and a tie and a reading time alone.
EVERYTHING = "everything"
TIE = "tie"
# A study that was amended, and has a pilot and a preview.
AMENDED = "amended"


def starter_set() -> list[MisconceptionEntry]:
    """Return the bundled set."""
    return list(read_jsonl(STARTER))


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

    @property
    def preview(self) -> str:
        """The slug of the preview that there is."""
        ((slug,),) = self.rows("SELECT slug FROM study WHERE purpose = 'preview' ORDER BY id LIMIT 1")
        return str(slug)

    def login_link(self, email: str) -> str:
        """Return the address of a fresh link that signs in once."""

        async def make() -> str:
            async with transaction(self.database_url) as session:
                account_id = await accounts.id_of(session, email)
                assert account_id is not None
                return await login_links.make(session, account_id, timedelta(hours=1))

        return f"{self.base}/login/link/{apart(make)}"

    def account(self, email: str, rest: str = "") -> str:
        """Return the address of an admin's page about an account."""
        ((account_id,),) = self.rows("SELECT id FROM account WHERE email = %s", email)
        return f"{self.base}/admin/accounts/{account_id}{rest}"

    def invitation(self, rest: str) -> str:
        """Return the address of an admin's page about the invitation there is."""
        ((invitation_id,),) = self.rows("SELECT id FROM invitation WHERE email = 'invited@lab.example'")
        return f"{self.base}/admin/invitations/{invitation_id}{rest}"

    def invitation_link(self) -> str:
        """Return the address of a fresh link that makes an account."""

        async def make() -> str:
            async with transaction(self.database_url) as session:
                invitation_id = await invitations.pending_for(session, "invited@lab.example")
                return await invitations.renew(session, invitation_id)

        return f"{self.base}/login/invitation/{apart(make)}"

    def reset_link(self, email: str) -> str:
        """Return the address of a fresh link that sets a password."""

        async def make() -> str:
            async with transaction(self.database_url) as session:
                return await password_changes.make_link(session, email)

        return f"{self.base}/login/password/{apart(make)}"

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
        await _two_versions(session, whole[:5])
        owner_id = await accounts.create(session, RESEARCHER, Role.RESEARCHER, PASSWORD)
        await accounts.create(session, ADMIN, Role.ADMIN, None)
        await accounts.create(session, "new@lab.example", Role.RESEARCHER, None)
        await accounts.create(session, "gone@lab.example", Role.RESEARCHER, None)
        await accounts.disable(session, "gone@lab.example")
        await _programs_and_invited(session)
        for slug, design in _STUDIES.items():
            await _study(session, slug, design, owner_id)
        await studies.pause_study(session, "paused")
        await studies.close_study(session, "closed")
        await _amend_and_copy(session)
        await _score(session)


async def _two_versions(session: AsyncSession, first: list[MisconceptionEntry]) -> None:
    """Import a set twice: the second time one misconception is gone, one is new and one is changed."""
    changed = first[1].model_copy(update={"fact": f"{first[1].fact} So it is.", "difficulty_level": 8})
    for entries in (first[:4], [changed, *first[2:]]):
        await import_set(session, entries, slug="grown", title="A set that grew", licence="CC BY 4.0")


async def _amend_and_copy(session: AsyncSession) -> None:
    """Amend a study, and open a pilot and a preview of it."""
    await amendments.raise_ratings(session, AMENDED, 5)
    (first, *_) = starter_set()
    await amendments.retire_pair(session, AMENDED, first.key, "A reader wrote to us: its second source says otherwise.")
    await copies.pilot(session, AMENDED)
    await previews.preview(session, AMENDED)


async def _score(session: AsyncSession) -> None:
    """Store what made-up models say: two runs of the example; of another study one at random, under way and failed."""
    pairs = await pairs_of_study(session, "example")
    reward = both_variants(id="e" * 16, model="made-up/reward-model-small")
    await import_scores(session, "example", score_file(reward, reward_rows(pairs, VARIANTS)))
    judge = run_record("f" * 16, scorer="judge", model="made-up/judge-135m")
    await import_scores(session, "example", score_file(judge, judge_rows(pairs)))
    pairs = await pairs_of_study(session, READING)
    random = run_record("1" * 16, scorer="judge", model="made-up/judge-tiny", random_weights=True)
    await import_scores(session, READING, score_file(random, judge_rows(pairs, ["baseline"])))
    running = await scoring_runs.begin(session, READING, run_record("2" * 16, started_at=None))
    await scoring_runs.told(session, running.id, 40, 72, 1850.0)
    failed = await scoring_runs.begin(session, READING, run_record("3" * 16))
    await scoring_runs.fail(session, failed.id, "the model does not fit into memory at a batch of one text")


async def _programs_and_invited(session: AsyncSession) -> None:
    """Give two accounts API tokens, and somebody an invitation."""
    for email, name, scope in (
        (RESEARCHER, "the lab's server", TokenScope.CONTROL),
        (RESEARCHER, "notebook on my laptop", TokenScope.READ),
        (ADMIN, "nightly export", TokenScope.READ),
    ):
        wanted = NewToken(name=name, scope=scope, expires_at=in_days(90))
        await api_tokens.make(session, email, wanted)
    await invitations.invite(session, "invited@lab.example", Role.RESEARCHER)


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
    AMENDED: {"title": "Raised, and without one pair", "ratings_per_pair": 3},
    "closed": {"title": "A study that has ended"},
    "full": {"title": "A small study", "set": "two", "ratings_per_pair": 1, "pairs_per_annotator": 2},
    "held": {"title": "A small study, in use", "set": "two", "ratings_per_pair": 1, "pairs_per_annotator": 2},
    "shorter": {"title": "A study that is nearly full", "ratings_per_pair": 1, "pairs_per_annotator": 20},
    "draft": {"title": "A study that is being prepared"},
    EVERYTHING: {
        "title": "Everything that can be asked",
        "ratings_per_pair": 60,
        "screened_out_code": "SORRY-2210",
        "failed_checks_code": "CHECKS-4821",
        "options": {
            "tie": True,
            "confidence": True,
            "prior_belief": True,
            "reason": "optional",
            "background": [
                {
                    "key": "age",
                    "question": "How old are you?",
                    "answers": ["Under 18", "18 to 39", "40 to 64", "65 or older"],
                    "screens_out": ["Under 18"],
                },
                {"key": "english", "question": "Is English your first language?", "answers": ["Yes", "No"]},
            ],
            "comprehension": "default",
            "attention_checks": 2,
            "swapped_repeats": 1,
        },
    },
    TIE: {
        "title": "With no preference as an answer",
        "ratings_per_pair": 60,
        "options": {"tie": True, "min_reading_seconds": 60},
    },
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
