"""Asking a server over HTTP until it answers: what is busy or broken is asked again, what refuses is not."""

import asyncio
import json
import random
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx

from app.pm.scorer import ScoringFailed

_LONGEST_WAIT_SECONDS = 60.0
_SHOWN = 200


class ServerFailed(ScoringFailed):
    """A server did not answer, or not as its interface says; says which address, and what it said."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server: its address without the path, a key where it asks for one, and how patiently it is asked.

    Attributes
    ----------
    tries
        How often a request is sent at most.
    wait_s
        The first pause in seconds; each later one is twice as long, up to a minute.
    timeout_s
        How long one answer may take.
    """

    url: str
    key: str = field(default="", repr=False)
    tries: int = 6
    wait_s: float = 1.0
    timeout_s: float = 300.0

    def client(self) -> httpx.AsyncClient:
        """Return a client for one event loop."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return httpx.AsyncClient(
            base_url=self.url.rstrip("/"), headers=headers, timeout=self.timeout_s, verify=_certificates()
        )


@lru_cache
def _certificates() -> ssl.SSLContext:
    """Return the trusted certificates, which take long to read, once."""
    return httpx.create_ssl_context()


Pause = Callable[[float], Awaitable[None]]


async def ask(
    client: httpx.AsyncClient,
    server: Server,
    path: str,
    body: dict[str, Any] | None = None,
    pause: Pause = asyncio.sleep,
) -> dict[str, Any]:
    """Return a server's answer to a POST, or to a GET where there is no body.

    Answers 429 and 5xx, and connections that fail, are tried again after a growing pause with jitter; `Retry-After` is
    kept to.

    Raises
    ------
    ServerFailed
        When it refuses, does not answer with JSON, or after the last try.
    """
    reason, wanted = "", 0.0
    for number in range(server.tries):
        if number:
            await pause(wanted)
        wanted = min(server.wait_s * 2**number, _LONGEST_WAIT_SECONDS) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        try:
            answer = await (client.get(path) if body is None else client.post(path, json=body))
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            continue
        if answer.status_code != 429 and answer.status_code < 500:
            return _object(server, path, answer)
        reason = f"status {answer.status_code}"
        wanted = max(wanted, _retry_after(answer))
    raise ServerFailed(
        f"{server.url}{path} did not answer after {server.tries} tries ({reason}); is the server running?"
    )


def _object(server: Server, path: str, answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error or answer.is_redirect:
        said = " ".join(answer.text.split())[:_SHOWN]
        raise ServerFailed(f"{server.url}{path} refuses with status {answer.status_code}: {said}")
    try:
        data = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        data = None
    if not isinstance(data, dict):
        raise ServerFailed(f"{server.url}{path} does not answer with a JSON object; is it the right address?")
    return data


def _retry_after(answer: httpx.Response) -> float:
    """Return how many seconds the answer asks us to wait, within reason; 0 where it does not say."""
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT_SECONDS) if asked.isascii() and asked.isdigit() else 0.0
