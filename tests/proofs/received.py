"""What an annotator's browser receives before the debrief, byte for byte: recorded, and stripped of the texts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

import httpx
from markupsafe import escape

from app.cli.walking import ReadPage, read_page
from app.study.stimuli import KnownResponse
from tests.proofs.starter_studies import PROMPTS

_PAIR = re.compile(r"/s/[^/]+/pairs/([0-9]+)")
_HEX = re.compile(rb"[0-9a-f]{16,}")
_FOREIGN = "1-" + "0" * 32
_PROMPT, _RESPONSE = b"\x01", b"\x02"


class Received(NamedTuple):
    """One response, and what it answers: the method and the kind of page."""

    asked: str
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass
class JudgingPage:
    """A pair as one browser met it: the page, what answered the choice and to prying, and what came before the next.

    `before` are the ids and tokens that the browser was given before its first pair, its cookie among them.
    """

    study: str
    position: int
    truthful_left: bool
    texts: Sequence[str]
    before: bytes
    received: list[Received] = field(default_factory=list)


class Browser(httpx.AsyncBaseTransport):
    """The way between one annotator and the application, recording all that passes until the debrief.

    One that pries also asks, at every pair, what an honest browser never would: for pages out of turn, and with posts
    that are stale, foreign or wrong.
    """

    def __init__(
        self, app: httpx.AsyncBaseTransport, study: str, known: Mapping[str, KnownResponse], *, pries: bool
    ) -> None:
        self._app = app
        self.study = study
        self._known = known
        self.pries = pries
        self._given = b""
        self._over = False
        self.pages: list[JudgingPage] = []
        self.before: list[Received] = []
        self.addresses: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._app.handle_async_request(request)
        await response.aread()
        self._over = self._over or (request.url.path.endswith("/debrief") and response.status_code == 200)
        if not self._over:
            await self._note(request, response)
        return response

    async def _note(self, request: httpx.Request, response: httpx.Response) -> None:
        received = received_from(request, response)
        self.addresses |= set(re.findall(r'(?:href|src|action)="([^"]*)"', response.text))
        pair = _PAIR.fullmatch(request.url.path)
        if pair and request.method == "POST" and self.pages:
            self.pages[-1].received.append(received)
            if self.pries:
                await self._send_again(request)
        elif pair and self._is_pair(page := read_page(response.text)):
            self.pages.append(self._meet(int(pair[1]), page, received))
            if self.pries:
                await self._pry(request, page)
        elif self.pages:
            self.pages[-1].received.append(received)
        else:
            self.before.append(received)
        if not self.pages:
            self._given += hexadecimals(payload_of(received))

    def _is_pair(self, page: ReadPage) -> bool:
        return len(page.texts) == 3 and page.texts[1] in self._known

    def _meet(self, position: int, page: ReadPage, received: Received) -> JudgingPage:
        # What is stripped later is what the set says, not what the page made of it.
        assert page.texts[0] in PROMPTS
        truthful_left = not self._known[page.texts[1]].sycophantic
        assert truthful_left == self._known[page.texts[2]].sycophantic
        return JudgingPage(self.study, position, truthful_left, page.texts, self._given, [received])

    async def _pry(self, request: httpx.Request, page: ReadPage) -> None:
        position = self.pages[-1].position
        await self._ask(request, "HEAD", page.action)
        for out_of_turn in ("debrief", "complete", f"pairs/{position + 1}"):
            await self._ask(request, "GET", f"/s/{self.study}/{out_of_turn}")
        token = page.hidden["token"]
        for wrong in ({"token": token}, {"token": token, "side": "middle"}, {"token": _FOREIGN, "side": "left"}):
            await self._ask(request, "POST", page.action, wrong)

    async def _send_again(self, request: httpx.Request) -> None:
        """Send the choice once more, as it was and differing."""
        sent = dict(httpx.QueryParams(request.content.decode()))
        for side in ("left", "right"):
            await self._ask(request, "POST", request.url.path, sent | {"side": side})

    async def _ask(self, honest: httpx.Request, method: str, path: str, data: Mapping[str, str] | None = None) -> None:
        headers = {"cookie": honest.headers["cookie"]}
        if data is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        content = None if data is None else urlencode(data).encode()
        request = httpx.Request(method, honest.url.copy_with(path=path), headers=headers, content=content)
        response = await self._app.handle_async_request(request)
        await response.aread()
        self.pages[-1].received.append(received_from(request, response, "prying"))


def received_from(request: httpx.Request, response: httpx.Response, how: str = "honest") -> Received:
    """Note a response, its address without the study and its numbers."""
    kind = re.sub("[0-9]+", "N", request.url.path.rpartition("/s/")[2].partition("/")[2])
    return Received(
        f"{how} {request.method} {kind}", response.status_code, tuple(response.headers.raw), response.content
    )


def payload_of(received: Received) -> bytes:
    """Return all of a response: its status, its headers, its body."""
    lines = [f"{received.status}".encode(), *(name + b": " + value for name, value in received.headers)]
    return b"\n".join(lines) + b"\n\n" + received.body


def stripped(received: Received, texts: Sequence[str]) -> bytes:
    """Return a response with its texts replaced by constants, and its length reduced by theirs.

    Only the texts themselves go: a space too much beside one stays.
    """
    body = received.body
    prompt = texts[0]
    for text in sorted(texts, key=len, reverse=True):
        body = body.replace(str(escape(text)).encode(), _PROMPT if text == prompt else _RESPONSE)
    headers = tuple(
        (name, str(int(value) - len(received.body) + len(body)).encode() if name == b"content-length" else value)
        for name, value in received.headers
    )
    return payload_of(received._replace(headers=headers, body=body))


def hexadecimals(payload: bytes) -> bytes:
    """Return every long hexadecimal string of a payload, one after the other: cookies, ids and tokens."""
    return b"".join(_HEX.findall(payload))


def without_hexadecimals(payload: bytes) -> bytes:
    """Return a payload with its ids and tokens replaced by a constant."""
    return _HEX.sub(b"#", payload)


def masked(payload: bytes, study: str) -> bytes:
    """Return what is left of a payload when its ids, its study and its numbers are hidden: its words and its form."""
    return re.sub(rb"[0-9]+", b"0", without_hexadecimals(payload).replace(study.encode(), b"STUDY"))
