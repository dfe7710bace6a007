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
from app.pm.at_once import together
from app.pm.requests import ANSWERS, Request
from app.pm.score_files import UNLISTED
from app.pm.scorer import (
    Batch,
    BatchTooLarge,
    Floats,
    Judge,
    Rendered,
    Scorer,
    ScoringFailed,
    SequenceRefused,
    Tokens,
)
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
    """Return the rows of a shard, and what they cost; `batch_done` hears how many sequences each batch computed.

    Raises
    ------
    ScoringFailed
        When the model has nothing to say of a row, or no number; says which row.
    """
    started, halved = time.perf_counter(), budget.halvings
    sequences = [one.ids for one in rendered]
    planned = planning.plan(sequences, budget.tokens, packed=scorer.packs, apart=_apart(scorer))
    try:
        found, computed = _compute(planned, scorer, budget, batch_done)
    except SequenceRefused as refused:
        raise ScoringFailed(f"{_label(piece, sequences, refused.ids)}: {refused}") from None
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


def _label(piece: Piece, sequences: Sequence[Tokens], ids: Tokens) -> str:
    """Return the first row that is this sequence."""
    asked = zip(piece.requests, sequences, strict=True)
    return next((request.label for request, own in asked if np.array_equal(own, ids)), f"shard {piece.index}")


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
                computed += _computed(left, batch, packed=scorer.packs and batch not in left.unpacked)
            return np.stack([found[number] for number in range(len(planned.unique))]), computed
        except BatchTooLarge:
            if all(len(left.members(b)) == 1 for b in range(len(left.batches))):
                raise
            budget.halve()
            # The new plan sorts as the first did, so that its distinct sequences keep their order.
            numbers = [number for number in range(len(planned.unique)) if number not in found]
            rest = [planned.unique[n] for n in numbers]
            left = planning.plan(rest, budget.tokens, packed=scorer.packs, apart=_apart(scorer))


def _apart(scorer: Scorer | Judge) -> planning.Apart:
    return scorer.apart if isinstance(scorer, planning.Parting) else planning.TOGETHER


def _computed(planned: planning.Plan, number: int, *, packed: bool) -> int:
    """Return the tokens of a batch, with padding: batches that were done before one had no room count too."""
    groups = planned.batches[number]
    return sum(group.cost for group in groups) if packed else len(groups) * groups[0].cost


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

    return await together(map(one, range(len(planned.batches))))


def _giving(scorer: Scorer | Judge) -> Callable[[Batch], Floats | Awaitable[Floats]]:
    if scorer.identity().scorer == "judge":
        return cast("Judge", scorer).compare
    return cast("Scorer", scorer).score


def _said(score: Floats, request: Request) -> dict[str, Any]:
    """Return what a model said, in the words of a score file."""
    values = np.asarray(score, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ScoringFailed(f"{request.label}: the score is no finite number; use --dtype float32, or another model")
    if values.ndim == 0:
        return {"score": float(values)}
    first, second, *more = (float(value) for value in values)
    said = {"logit_first": first - second, "p_a": float(np.exp(first)), "p_b": float(np.exp(second))}
    unlisted = int(more[0]) if more else 0
    return said | {UNLISTED: ANSWERS[unlisted - 1]} if unlisted else said
