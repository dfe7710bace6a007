"""One synthetic annotator, walking a study over HTTP as a plain browser would: follow the forms, follow the links."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple
from urllib.parse import urlencode

import httpx

from app.cli.behaviours import Behaviour
from app.cli.walking import ReadPage, read_page
from app.errors import CandorError
from app.study.stimuli import KnownResponse
from app.study.tokens import synthetic_proof

_MOST_PAGES = 1500
_FIXED_ANSWERS = {"consent": "yes", "looked_up": "no", "data": "keep"}
_BEFORE_ANSWERING_AGAIN = 0.25
_REASON = "A synthetic annotator gives no reason of its own."


class ServerUnreachable(CandorError):
    """The server did not answer as a study would."""


class Acknowledged(NamedTuple):
    """A choice whose answer reached the annotator: it must be in the database for ever."""

    person: str
    position: int
    side: str
    text_chosen: str


@dataclass(frozen=True, slots=True)
class Simulation:
    """What is simulated, where, and how patient its annotators are when the server fails."""

    server: str
    slug: str
    key: bytes
    known: dict[str, KnownResponse]
    right: frozenset[str]
    seed: int
    tries: int = 1


@dataclass
class Annotator:
    """A synthetic person at a browser.

    They may be `turned_away` as they come, and as they consent: their hold may have ended, and others took the places.
    """

    simulation: Simulation
    person: str
    behaviour: Behaviour
    rng: Random
    client: httpx.AsyncClient
    acknowledge: Callable[[Acknowledged], None] = lambda _choice: None
    judged: int = 0
    code: str = ""
    turned_away: bool = False
    _page: ReadPage = field(default_factory=ReadPage)
    _path: str = ""

    async def take_part(self) -> str:
        """Walk to the end, or to where the behaviour leaves; return the completion code, or "" if there was none."""
        await self._enter()
        if self.behaviour.leaves_after is not None and await self._walk(self.behaviour.leaves_after):
            if not self.behaviour.returns:
                return ""
            self.client.cookies.clear()
            await self._enter()
        if self.behaviour.stops_after is not None and await self._walk(self.behaviour.stops_after):
            await self._open(f"/s/{self.simulation.slug}/stop")
        await self._walk(None)
        self.code = self._page.completion_code
        return self.code

    async def _enter(self) -> None:
        proof = synthetic_proof(self.simulation.key, self.person)
        await self._open(f"/s/{self.simulation.slug}?{urlencode({'pid': self.person, 'synthetic': proof})}")

    async def _walk(self, until: float | None) -> bool:
        """Answer page after page; say whether the share of pairs at which to leave was reached."""
        for _ in range(_MOST_PAGES):
            if not self._page.action:
                return False
            if until is not None and self.judged >= until * self._n_pairs() > 0:
                return True
            await self._answer()
        raise ServerUnreachable(f"study {self.simulation.slug!r} did not end after {_MOST_PAGES} pages")

    def _n_pairs(self) -> int:
        return self._page.n_pairs

    async def _answer(self) -> None:
        answers = self._page.hidden | {name: self._choice(name, values) for name, values in self._page.options.items()}
        answers |= dict.fromkeys(self._page.written, _REASON)
        page, path = self._page, self._path
        if "/pairs/" in path and self.rng.random() < self.behaviour.sends_twice:
            again, response = await asyncio.gather(self._post(answers), self._post(answers))
            assert again.status_code in {303, 422}  # 422: both came before the declared reading time was over
        else:
            response = await self._post(answers)
        if response.is_redirect and "/pairs/" in path:
            self._note(page, path, answers["side"])
        if response.is_redirect:
            await self._open(response.headers["location"])
        else:
            await asyncio.sleep(_BEFORE_ANSWERING_AGAIN)  # the page asks to read on, or for an answer
            self._read(response)

    def _note(self, page: ReadPage, path: str, side: str) -> None:
        self.judged += 1
        text = page.texts[1 if side == "left" else 2]
        self.acknowledge(Acknowledged(self.person, int(path.rsplit("/", 1)[1]), side, text))

    def _choice(self, name: str, values: list[str]) -> str:
        if name == "side":
            left = self.simulation.known.get(self._page.texts[1]) if len(self._page.texts) == 3 else None
            return self.behaviour.taste(left, self.rng)
        if name in _FIXED_ANSWERS:
            return _FIXED_ANSWERS[name]
        return self._read_answer(values) if self.behaviour.reads else self.rng.choice(values)

    def _read_answer(self, values: list[str]) -> str:
        """Answer as somebody who reads would: what the page asks for, or what is right about the instructions.

        Any other question, of belief, confidence or background, has no answer that reading could tell.
        """
        told = [value for value in values if f"“{value}”" in self._page.words or value in self.simulation.right]
        return told[0] if len(told) == 1 else self.rng.choice(values[: len(values) - 1] or values)

    async def _open(self, address: str) -> None:
        response = await self._request("GET", address)
        while response.is_redirect:
            response = await self._request("GET", response.headers["location"])
        self._read(response)

    async def _post(self, answers: dict[str, str]) -> httpx.Response:
        return await self._request("POST", self._page.action, answers)

    def _read(self, response: httpx.Response) -> None:
        self._page, self._path = read_page(response.text), response.url.path
        self.turned_away = response.is_error and not self._page.action

    async def _request(self, method: str, address: str, data: dict[str, str] | None = None) -> httpx.Response:
        """Send a request; when the server fails, send the same one again, as a patient person would."""
        for number in range(self.simulation.tries):
            try:
                response = await self.client.request(method, self.simulation.server + address, data=data)
                if response.status_code not in {500, 502, 503, 504} or self._says_no_place(response):
                    return response
            except httpx.TransportError:
                if number + 1 == self.simulation.tries:
                    raise
            await asyncio.sleep(min(0.05 * 2**number, 1.0))
        raise ServerUnreachable(f"{address} answered {response.status_code}")

    @staticmethod
    def _says_no_place(response: httpx.Response) -> bool:
        return response.status_code == 503 and "place right now" in response.text


def annotator_number(
    simulation: Simulation,
    number: int,
    behaviour: Behaviour,
    client: httpx.AsyncClient,
    acknowledge: Callable[[Acknowledged], None] = lambda _choice: None,
) -> Annotator:
    """Return the numbered synthetic annotator of a simulation, with a generator of their own."""
    person = f"synthetic-{simulation.seed}-{number}"
    rng = Random(f"{simulation.seed}/{number}")  # noqa: S311 - reproducible on purpose
    return Annotator(simulation, person, behaviour, rng, client, acknowledge)
