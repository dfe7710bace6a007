"""A reward model behind a vLLM server: token ids go out, raw scores come back, and canaries prove that they are raw.

The server's tokenizer renders each dialog once, by the model's own template (`/tokenize`); what it gives is sent as
token ids, so that nothing adds a second BOS or cuts anything. Written from vLLM's documentation of its pooling models,
https://docs.vllm.ai/en/latest/models/pooling_models.html
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import numpy as np

from app.pm.backends.http_calls import Pause, Server, ServerFailed, ask
from app.pm.backends.vllm_tokens import ServerTokenizer, model_of
from app.pm.canaries import CANARIES, CanaryScores
from app.pm.rendering import OverLong, Renderer
from app.pm.resumption import SCORES, TOLERANCE
from app.pm.scorer import Batch, Floats, ModelIdentity, Tokens
from app.pm.self_check import EXACT, ROUGH, ModelUnfit
from app.study.canonical import content_hash

_RESTARTED = 0.1
"""A server started anew may move a score by this share of the canaries' standard deviation: bf16 moves it by half."""

Route = Literal["classify", "pooling"]


@dataclass(frozen=True, slots=True)
class VllmSpec:
    """Which server and model, and how it is asked.

    Attributes
    ----------
    model
        As the server names it; empty takes the one that it serves.
    route
        `classify` is /classify; `pooling` is /pooling with the task classify.
    local
        The canaries' scores by the same model on this machine, from the record of a run: the surest check.
    concurrency
        Requests for scores under way at once; as many for tokens, of the shard that comes next.
    longest
        The most tokens a dialog may have, where that is fewer than the model reads; 0: what it reads.
    """

    server: Server
    model: str = ""
    route: Route = "classify"
    over_long: OverLong = OverLong.REFUSE
    local: CanaryScores | None = None
    concurrency: int = 8
    longest: int = 0


class VllmModel:
    """A `Scorer` behind a server, checked when it was connected.

    Raises
    ------
    ServerFailed
        When the server does not answer as vLLM does.
    ModelUnfit
        When its scores went through a sigmoid, are not those of the local model, or change from one time to the next.
    """

    def __init__(self, spec: VllmSpec, pause: Pause = asyncio.sleep) -> None:
        self._spec = spec
        self._pause = pause
        served = asyncio.run(model_of(spec.server, spec.model, pause))
        self._model = served.name
        self._tokenizer = ServerTokenizer(spec.server, served, pause, spec.concurrency)
        longest = min(spec.longest, served.longest) if spec.longest else served.longest
        self.rendering = Renderer(self._tokenizer, longest, spec.over_long)
        self.packs = True
        self.concurrency = spec.concurrency
        canaries = self._tokenizer.encode(CANARIES)
        told = asyncio.run(self._check(canaries))
        self._identity = ModelIdentity(
            scorer="reward",
            model=served.name,
            backend="vllm",
            # The server does not show its template: that it was changed shows in the tokens it makes of the same texts.
            template_hash=content_hash(canaries),
            dtype="server",
            attention="server",
            device="server",
            settled={"route": spec.route, "longest": longest, "server_version": served.version},
            told=told
            | {
                "server": {"url": spec.server.url, "version": served.version},
                "template_hash_of": "the canaries' tokens, as the server renders them",
            },
        )

    def identity(self) -> ModelIdentity:
        """Return what is known of the model; its weights are the server's to tell."""
        return self._identity

    async def score(self, batch: Batch) -> Floats:
        """Return the raw score of each sequence, shape (n,): of all of them, or of none.

        Raises
        ------
        ServerFailed
            When the server does not answer for every sequence.
        """
        async with self._spec.server.client() as client:
            return await self._scores(client, batch.sequences)

    def stop(self) -> None:
        """End what is being rendered now, however long the server wants that to wait."""
        self._tokenizer.stop()

    async def _scores(self, client: httpx.AsyncClient, sequences: Sequence[Tokens]) -> Floats:
        body: dict[str, Any] = {
            "model": self._model,
            "input": [ids.tolist() for ids in sequences],
            "use_activation": False,
        }
        if self._spec.route == "classify":
            body |= {"add_special_tokens": False, "truncate_prompt_tokens": None}
        else:
            body |= {"task": "classify"}
        answer = await ask(client, self._spec.server, f"/{self._spec.route}", body, self._pause)
        return _in_order(answer, sequences, self._spec.route)

    async def _check(self, encoded: Sequence[Sequence[int]]) -> dict[str, Any]:
        """Score the canaries together, each alone, and together again; return what the record keeps of that."""
        sequences = [np.asarray(ids, dtype=np.int32) for ids in encoded]
        async with self._spec.server.client() as client:
            together = await self._scores(client, sequences)
            alone = np.concatenate([await self._scores(client, [ids]) for ids in sequences])
            again = await self._scores(client, sequences)
        noise = float(max(np.abs(together - alone).max(), np.abs(together - again).max()))
        _refuse_restless(noise, float(together.std()))
        against_local = _refuse_squashed(together, noise, self._spec.local)
        checked = {
            "canaries": len(together),
            SCORES: [float(score) for score in together],
            TOLERANCE: max(_exact(together), 2 * noise, _RESTARTED * float(together.std())),
            "repeat": float(np.abs(together - again).max()),
            "against_local": against_local,
            "local_run": self._spec.local.run if self._spec.local else None,
        }
        return {"noise_floor": noise, "self_check": checked}


def _in_order(answer: dict[str, Any], sequences: Sequence[Tokens], route: Route) -> Floats:
    """Return the scores of an answer in the order of what was asked, each of them there once."""
    rows = answer.get("data")
    if not isinstance(rows, list) or len(rows) != len(sequences):
        n = len(rows) if isinstance(rows, list) else 0
        raise ServerFailed(f"the server gives {n} scores where {len(sequences)} were asked for; nothing is counted")
    _refuse_other_tokens(answer, sequences)
    found: dict[int, float] = {}
    for row in rows:
        index, values = _row(row, route)
        if index in found or not 0 <= index < len(sequences):
            raise ServerFailed(f"the server gives number {index} twice, or unasked; nothing is counted")
        found[index] = values
    return np.array([found[index] for index in range(len(sequences))], dtype=np.float32)


def _row(row: Any, route: Route) -> tuple[int, float]:
    told = row if isinstance(row, dict) else {}
    index, values = told.get("index"), told.get("probs" if route == "classify" else "data")
    if type(index) is not int or not isinstance(values, list) or not all(type(v) in {int, float} for v in values):
        raise ServerFailed(f"the server's answer has no index and score: {str(row)[:80]}; is it vLLM's /{route}?")
    if len(values) != 1:
        raise ModelUnfit(f"the model gives {len(values)} scores for a text; a preference model has exactly one")
    return index, float(values[0])


def _refuse_other_tokens(answer: dict[str, Any], sequences: Sequence[Tokens]) -> None:
    """Refuse an answer for more or fewer tokens than were sent: something was added or cut."""
    usage = answer.get("usage")
    read = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    sent = sum(map(len, sequences))
    if isinstance(read, int) and read != sent:
        raise ModelUnfit(
            f"the server read {read} tokens where {sent} were sent: it adds or cuts some; use a newer vLLM"
        )


def _refuse_restless(noise: float, spread: float) -> None:
    if noise > max(EXACT, ROUGH * spread):
        raise ModelUnfit(
            f"the server gives the same text scores that differ by {noise:.2g}, while scores spread by {spread:.2g}; "
            "serve it in float32, or without prefix caching"
        )


def _exact(scores: Floats) -> float:
    return EXACT * max(1.0, float(np.abs(scores).max()))


def _refuse_squashed(scores: Floats, noise: float, local: CanaryScores | None) -> float | None:
    """Refuse scores that went through a sigmoid; return how far they are from the local model's, where there is one."""
    if local is not None:
        off = float(np.abs(scores - np.asarray(local.scores, dtype=np.float32)).max())
        allowed = max(_exact(scores), noise, ROUGH / 2 * float(np.std(local.scores)))
        if off > allowed:
            raise ModelUnfit(
                f"the server's scores are not those of the local model {local.model} in run {local.run} (they differ "
                f"by {off:.2g}): its sigmoid is on, or it serves other weights; serve that model, with a vLLM that "
                "knows use_activation"
            )
        return off
    if ((scores >= 0) & (scores <= 1)).all():
        raise ModelUnfit(
            "every canary's score lies between 0 and 1: the server's sigmoid is on, and differences would be ruined; "
            "use a vLLM that knows use_activation, or, if the model's scores really are so small, give --canary with a "
            "run of it on this machine"
        )
    return None
