"""Any OpenAI-compatible chat endpoint with log-probabilities as a judge: how likely it is to name A, and B.

Such an endpoint takes words and not tokens, so a dialog's characters stand for its tokens: they are what batches are
planned by, and what a row's `n_tokens` counts; the run record says so. Written from
https://platform.openai.com/docs/api-reference/chat/create (logprobs, top_logprobs).
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import Any

import httpx
import numpy as np

from app.pm.backends.http_calls import Pause, Server, ServerFailed, ask
from app.pm.dialogs import Dialog, as_messages, user
from app.pm.requests import Request
from app.pm.scorer import Batch, Floats, ModelIdentity, Rendered, Tokens
from app.pm.self_check import ModelUnfit
from app.study.canonical import canonical_json

ANSWERS = ("A", "B")
_TOP = 20
_PROBE = (
    (user("Which is larger, 2 or 900? Response A: 900. Response B: 2. Answer with A or B, and nothing else."),),
    (user("Which is larger, 2 or 900? Response A: 2. Response B: 900. Answer with A or B, and nothing else."),),
)


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """Which endpoint and model: `url` of the server ends before /chat/completions, as in https://host/v1."""

    server: Server
    model: str
    concurrency: int = 8


class Characters:
    """Renders a request as the characters of its messages, written as canonical JSON."""

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """Return the characters of each request."""
        return [Rendered(as_characters(request.dialog(request.prompt))) for request in requests]


def as_characters(dialog: Dialog) -> Tokens:
    """Return the code points of a dialog's messages."""
    return np.frombuffer(canonical_json(as_messages(dialog)).encode("utf-32-le"), dtype=np.int32)


def _messages(characters: Tokens) -> Any:
    return json.loads(characters.astype("<i4").tobytes().decode("utf-32-le"))


class EndpointJudge:
    """A `Judge` behind an endpoint, checked when it was connected.

    Raises
    ------
    ServerFailed
        When the endpoint does not answer as documented.
    ModelUnfit
        When it gives no log-probabilities, or names neither A nor B.
    """

    def __init__(self, spec: EndpointSpec, pause: Pause = asyncio.sleep) -> None:
        self._spec = spec
        self._pause = pause
        self.rendering = Characters()
        self.packs = False
        self.concurrency = spec.concurrency
        probes = tuple(as_characters(dialog) for dialog in _PROBE)
        first, again = asyncio.run(self._twice(probes))
        self._identity = ModelIdentity(
            scorer="judge",
            model=spec.model,
            backend="endpoint",
            dtype="server",
            attention="server",
            device="server",
            told={
                "noise_floor": float(np.abs((first - again) @ np.array([1, -1])).max() / 2),
                "self_check": {"canaries": len(probes), "repeat": float(np.abs(first - again).max())},
                "server": {"url": spec.server.url},
                "token_unit": "characters of the messages",
            },
        )

    def identity(self) -> ModelIdentity:
        """Return what is known of the model; its weights are the endpoint's to tell."""
        return self._identity

    async def compare(self, batch: Batch) -> Floats:
        """Return log P(A) and log P(B) of each dialog's next token, shape (n, 2): of all of them, or of none."""
        gate = asyncio.Semaphore(self.concurrency)

        async def one(client: httpx.AsyncClient, characters: Tokens) -> tuple[float, float]:
            async with gate:
                return await self._compared(client, characters)

        async with self._spec.server.client() as client:
            found = await asyncio.gather(*(one(client, characters) for characters in batch.sequences))
        return np.array(found, dtype=np.float32).reshape(-1, len(ANSWERS))

    async def _twice(self, probes: tuple[Tokens, ...]) -> tuple[Floats, Floats]:
        batch = Batch(probes, ())
        return await self.compare(batch), await self.compare(batch)

    async def _compared(self, client: httpx.AsyncClient, characters: Tokens) -> tuple[float, float]:
        body = {
            "model": self._spec.model,
            "messages": _messages(characters),
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": _TOP,
        }
        answer = await ask(client, self._spec.server, "/chat/completions", body, self._pause)
        return _log_probabilities(answer)


def _log_probabilities(answer: dict[str, Any]) -> tuple[float, float]:
    """Return the log-probabilities of both answers: each the sum over the tokens that say it, with or without a space.

    An answer that is not among the likeliest tokens gets the probability of the unlikeliest of them: it has no more.
    """
    try:
        listed = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        pairs = [(str(one["token"]), float(one["logprob"])) for one in listed]
    except (KeyError, IndexError, TypeError, ValueError):
        raise ModelUnfit(
            "the endpoint gives no log-probabilities (logprobs, top_logprobs); choose a model or a server that does"
        ) from None
    known = [(token.strip(), logprob) for token, logprob in pairs if isfinite(logprob)]
    if not known or not any(token in ANSWERS for token, _ in known):
        raise ModelUnfit("the model names neither A nor B as its next word, so it cannot judge by that word")
    least = min(logprob for _, logprob in known)
    sums = [sum(exp(logprob) for token, logprob in known if token == answer) for answer in ANSWERS]
    first, second = (log(total) if total else least for total in sums)
    if max(first, second) > 1e-3:
        raise ServerFailed(f"the endpoint gives probabilities above 1 ({first:.3g}, {second:.3g} as logarithms)")
    return first, second
