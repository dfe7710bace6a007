"""Annotators as load: each enters, consents and judges pair after pair without thinking."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode

from app.study.tokens import synthetic_proof
from benchmarks.judging.http_client import Answer, Connection

TOKEN = re.compile(rb'name="token"\s+value="([^"]+)"')


@dataclass
class Measured:
    """What was seen: judgements, the seconds of each request, and those of each entry, which claims the slots."""

    judgements: int = 0
    errors: int = 0
    seconds: list[float] = field(default_factory=list)
    entries: list[float] = field(default_factory=list)
    page_bytes: int = 0

    def note(self, answer: Answer, expected: int) -> None:
        self.seconds.append(answer.seconds)
        self.errors += answer.status != expected

    def percentile(self, share: float) -> float:
        """Milliseconds under which a share of the requests stayed."""
        return _percentile(self.seconds, share)

    def entry_percentile(self, share: float) -> float:
        """Milliseconds under which a share of the entries stayed."""
        return _percentile(self.entries, share)


def _percentile(seconds: list[float], share: float) -> float:
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def token_of(page: bytes) -> str:
    found = TOKEN.search(page)
    if found is None:
        raise SystemExit(f"no form on the page: {page[:300]!r}")
    return found[1].decode()


class _Clock:
    """Starts everybody at once, when all are ready, and says when the time is over."""

    def __init__(self, seconds: float, at_start: Callable[[], None]) -> None:
        self._seconds = seconds
        self._at_start = at_start
        self._ready = asyncio.Semaphore(0)
        self._started = asyncio.Event()
        self._deadline = 0.0

    async def begin(self) -> None:
        self._ready.release()
        await self._started.wait()

    def running(self) -> bool:
        return time.perf_counter() < self._deadline

    async def run(self, annotator: Callable[[], Awaitable[None]], annotators: int) -> None:
        tasks = [asyncio.ensure_future(annotator()) for _ in range(annotators)]
        for _ in range(annotators):
            await self._ready.acquire()
        self._at_start()
        self._deadline = time.perf_counter() + self._seconds
        self._started.set()
        await asyncio.gather(*tasks)


async def _enter(connection: Connection, slug: str, key: bytes, person: str, measured: Measured) -> str:
    """Walk to the first pair and return its address."""
    connection.cookie = ""
    query = urlencode({"pid": person, "synthetic": synthetic_proof(key, person)})
    entered = await connection.get(f"/s/{slug}?{query}")
    measured.entries.append(entered.seconds)
    address = entered.location
    for fields in ({"consent": "yes"}, {}, {"side": "left"}):
        page = await connection.get(address)
        address = (await connection.post(address, fields | {"token": token_of(page.body)})).location
    return address


@dataclass(frozen=True)
class Timing:
    """How long to judge, and what to do when everybody is ready."""

    seconds: float
    at_start: Callable[[], None] = lambda: None


async def candor(port: int, annotators: int, timing: Timing, slug: str, key: bytes, people: "count[int]") -> Measured:
    """Judge with so many annotators at once for some seconds; entering is not counted."""
    measured, clock = Measured(), _Clock(timing.seconds, timing.at_start)

    async def annotator() -> None:
        connection = Connection(port)
        address = await _enter(connection, slug, key, f"load-{next(people)}", measured)
        page = await connection.get(address)
        await clock.begin()
        while clock.running():
            if "/pairs/" not in address:
                address = await _enter(connection, slug, key, f"load-{next(people)}", measured)
                page = await connection.get(address)
            posted = await connection.post(
                address, {"token": token_of(page.body), "side": "left", "decision_ms": "900"}
            )
            measured.note(posted, 303)
            address = posted.location
            page = await connection.get(address)
            measured.note(page, 200)
            measured.judgements += 1
            measured.page_bytes = len(page.body)
        await connection.close()

    await clock.run(annotator, annotators)
    return measured


async def bare(port: int, annotators: int, timing: Timing) -> Measured:
    """The same load on the baseline."""
    measured, clock = Measured(), _Clock(timing.seconds, timing.at_start)

    async def annotator() -> None:
        connection = Connection(port)
        page = await connection.get("/bare/1")
        address = "/bare/1"
        await clock.begin()
        while clock.running():
            posted = await connection.post(
                address, {"token": token_of(page.body), "side": "left", "decision_ms": "900"}
            )
            measured.note(posted, 303)
            address = posted.location if len(posted.location) < 12 else "/bare/1"
            page = await connection.get(address)
            measured.note(page, 200)
            measured.judgements += 1
            measured.page_bytes = len(page.body)
        await connection.close()

    await clock.run(annotator, annotators)
    return measured
