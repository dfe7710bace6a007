"""A piece of a run: the requests of one shard, computed batch by batch, and what the model said of them as rows."""

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from app.pm import planning
from app.pm.requests import Request
from app.pm.scorer import Batch, BatchTooLarge, Floats, Judge, Rendered, Scorer, ScoringFailed
from app.pm.shards import Told

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Budget:
    """Tokens a batch. Halved when the device has no memory for one, for the rest of the run."""

    tokens: int
    halvings: int = field(default=0)

    def halve(self) -> None:
        """Take half, and say so."""
        self.tokens = max(1, self.tokens // 2)
        self.halvings += 1
        log.warning("out of memory: the token budget is now %d", self.tokens)


@dataclass(frozen=True, slots=True)
class Piece:
    """The requests of one shard, and the SHA-256 over all that they ask."""

    index: int
    requests: tuple[Request, ...]
    asked: str


def score_piece(
    piece: Piece,
    rendered: Sequence[Rendered],
    scorer: Scorer | Judge,
    budget: Budget,
    batch_done: Callable[[int], None] = lambda _: None,
) -> tuple[list[dict[str, Any]], Told]:
    """Return the rows of a shard, and what they cost; `batch_done` hears how many sequences each batch computed."""
    started, halved = time.perf_counter(), budget.halvings
    sequences = [one.ids for one in rendered]
    planned = planning.plan(sequences, budget.tokens, packed=scorer.packs)
    found, computed = _compute(planned, scorer, budget, batch_done)
    scores = found[planned.place]
    rows = [
        {**request.row, **_said(score, request), "n_tokens": len(one.ids), "truncated": one.truncated}
        for request, one, score in zip(piece.requests, rendered, scores, strict=True)
    ]
    told = Told(
        planned.n_tokens,
        computed,
        planned.unique_tokens,
        planned.attended,
        time.perf_counter() - started,
        budget.halvings - halved,
    )
    return rows, told


def _compute(
    planned: planning.Plan, scorer: Scorer | Judge, budget: Budget, batch_done: Callable[[int], None]
) -> tuple[Floats, int]:
    """Return the scores of a plan's distinct sequences and the tokens computed; a batch too large is planned anew."""
    found: dict[int, Floats] = {}
    left, numbers, computed = planned, list(range(len(planned.unique))), 0
    while True:
        try:
            for batch, scores in _outputs(left, scorer, batch_done):
                for place, score in zip(left.members(batch), scores, strict=True):
                    found[numbers[place]] = score
            computed += left.computed_tokens
            return np.stack([found[number] for number in range(len(planned.unique))]), computed
        except BatchTooLarge:
            if all(len(left.members(b)) == 1 for b in range(len(left.batches))):
                raise
            budget.halve()
            numbers = [number for number in range(len(planned.unique)) if number not in found]
            left = planning.plan([planned.unique[n] for n in numbers], budget.tokens, packed=scorer.packs)


def _outputs(
    planned: planning.Plan, scorer: Scorer | Judge, batch_done: Callable[[int], None]
) -> Iterator[tuple[int, Floats]]:
    give = _giving(scorer)
    if inspect.iscoroutinefunction(give):
        yield from asyncio.run(_all(planned, give, scorer.concurrency, batch_done))
        return
    for number in range(len(planned.batches)):
        scores = cast("Floats", give(planned.batch(number)))
        batch_done(len(scores))
        yield number, scores


async def _all(
    planned: planning.Plan,
    give: Callable[[Batch], Floats | Awaitable[Floats]],
    concurrency: int,
    batch_done: Callable[[int], None],
) -> list[tuple[int, Floats]]:
    gate = asyncio.Semaphore(concurrency)

    async def one(number: int) -> tuple[int, Floats]:
        async with gate:
            scores = await cast("Awaitable[Floats]", give(planned.batch(number)))
        batch_done(len(scores))
        return number, scores

    try:
        async with asyncio.TaskGroup() as tasks:
            begun = [tasks.create_task(one(number)) for number in range(len(planned.batches))]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None  # The first stopped the others; what it says is what went wrong.
    return [task.result() for task in begun]


def _giving(scorer: Scorer | Judge) -> Callable[[Batch], Floats | Awaitable[Floats]]:
    if scorer.identity().scorer == "judge":
        return cast("Judge", scorer).compare
    return cast("Scorer", scorer).score


def _said(score: Floats, request: Request) -> dict[str, float]:
    """Return what a model said, in the words of a score file."""
    values = np.asarray(score, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ScoringFailed(f"{request.label}: the score is no finite number; use --dtype float32, or another model")
    if values.ndim == 0:
        return {"score": float(values)}
    first, second = (float(value) for value in values)
    return {"logit_first": first - second, "p_a": float(np.exp(first)), "p_b": float(np.exp(second))}
