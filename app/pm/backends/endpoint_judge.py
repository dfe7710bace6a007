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
from typing import Any, NamedTuple

import httpx
import numpy as np

from app.pm.at_once import Gate, together
from app.pm.backends.http_calls import Pause, Server, ServerFailed, ask
from app.pm.dialogs import Dialog, as_messages, user
from app.pm.requests import ANSWERS, Request
from app.pm.resumption import SCORES, TOLERANCE
from app.pm.scorer import Batch, Floats, ModelIdentity, Rendered, SequenceRefused, Tokens
from app.pm.self_check import ROUGH, ModelUnfit
from app.study.canonical import canonical_json

_TOP = 20
_RESTARTED = 0.5
"""The same model may move a logit by this much from one day to the next, at least."""
_PROBE = (
    (user("Which is larger, 2 or 900? Response A: 900. Response B: 2. Answer with A or B, and nothing else."),),
    (user("Which is larger, 2 or 900? Response A: 2. Response B: 900. Answer with A or B, and nothing else."),),
)


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """Which endpoint and model: `url` of the server ends before /chat/completions, as in https://host/v1.

    `concurrency` requests are under way at once, over all batches.
    """

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


class _Said(NamedTuple):
    """Log P(A) and log P(B) of the next token, and which of them is only a bound: 0 none, 1 the first, 2 the second."""

    first: float
    second: float
    unlisted: int


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
        self._gate = Gate(spec.concurrency)
        told = asyncio.run(self._check())
        self._identity = ModelIdentity(
            scorer="judge",
            model=spec.model,
            backend="endpoint",
            dtype="server",
            attention="server",
            device="server",
            told=told
            | {
                "server": {"url": spec.server.url},
                "token_unit": "characters of the messages",
            },
        )

    def identity(self) -> ModelIdentity:
        """Return what is known of the model; its weights are the endpoint's to tell."""
        return self._identity

    async def compare(self, batch: Batch) -> Floats:
        """Return log P(A), log P(B) and which of them is a bound, shape (n, 3): of all dialogs, or of none.

        Raises
        ------
        SequenceRefused
            When the model names neither A nor B after a dialog.
        ServerFailed
            When the endpoint does not answer for every dialog.
        """

        async def one(client: httpx.AsyncClient, characters: Tokens) -> _Said:
            try:
                return await self._compared(client, characters)
            except ModelUnfit as unfit:
                raise SequenceRefused(
                    characters,
                    f"{unfit}. No figure is made up for it: leave it out and score into another folder, or choose "
                    "another model; what was finished before stays",
                ) from None

        async with self._spec.server.client() as client:
            found = await together(one(client, characters) for characters in batch.sequences)
        return np.array(found, dtype=np.float32).reshape(-1, len(_Said._fields))

    async def _check(self) -> dict[str, Any]:
        """Ask each probe twice; return what the record keeps of that."""
        probes = [as_characters(dialog) for dialog in _PROBE]
        async with self._spec.server.client() as client:
            said = [await together(self._compared(client, probe) for probe in probes) for _ in range(2)]
        first, again = (np.array(one, dtype=np.float32)[:, :2] for one in said)
        margins = first[:, 0] - first[:, 1]
        noise = float(np.abs(margins - (again[:, 0] - again[:, 1])).max())
        checked = {
            "canaries": len(probes),
            SCORES: [float(margin) for margin in margins],
            TOLERANCE: max(_RESTARTED, 2 * noise, ROUGH / 2 * float(margins.std())),
            "repeat": float(np.abs(first - again).max()),
        }
        return {"noise_floor": noise / 2, "self_check": checked}

    async def _compared(self, client: httpx.AsyncClient, characters: Tokens) -> _Said:
        body = {
            "model": self._spec.model,
            "messages": _messages(characters),
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": _TOP,
        }
        async with self._gate.here():
            answer = await ask(client, self._spec.server, "/chat/completions", body, self._pause)
        return _log_probabilities(answer)


def _log_probabilities(answer: dict[str, Any]) -> _Said:
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
    sums = [sum(exp(logprob) for token, logprob in known if token == answer) for answer in ANSWERS]
    if not any(sums):
        raise ModelUnfit(f"the model names neither A nor B as its next word{_instead(known)}, so it cannot judge by it")
    least = min(logprob for _, logprob in known)
    first, second = (log(total) if total else least for total in sums)
    if max(first, second) > 1e-3:
        raise ServerFailed(f"the endpoint gives probabilities above 1 ({first:.3g}, {second:.3g} as logarithms)")
    return _Said(first, second, 0 if all(sums) else 1 + sums.index(0))


def _instead(known: Sequence[tuple[str, float]]) -> str:
    if not known:
        return ""
    likeliest = max(known, key=lambda one: one[1])[0]
    return f" (of {len(known)} listed, {likeliest[:20]!r} is the likeliest)"
