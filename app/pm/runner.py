"""The runner: cuts items into shards, and scores those that are not finished, one after the other.

`run_shards` is the one function that computes. It runs in this process, or in one process for each GPU, each taking
every n-th shard; another engine can call it in the same way. While one shard is computed, the next is rendered.
"""

import asyncio
import hashlib
import inspect
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from app.pm import planning, records
from app.pm.items import Contents, Item, Source
from app.pm.progress import Progress, Step, silent
from app.pm.records import RunSettings
from app.pm.requests import Ask, Request, ask_comparisons, ask_scores
from app.pm.score_files import Summary, assemble
from app.pm.scorer import Batch, BatchTooLarge, Floats, Judge, Rendered, Scorer, ScoringFailed
from app.pm.shards import RunDirectory, RunDirectoryUnfit, Told
from app.pm.variants import PromptVariant
from app.study.canonical import canonical_json
from app.terms import JudgedOrder, ResponseKind, TruthfulKind

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that is done: its record, and what its scores say of ties."""

    record: dict[str, Any]
    summary: Summary


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


@dataclass(frozen=True, slots=True)
class Job:
    """A begun run, and which of its shards to compute: of `share` (i, n) every n-th, from the i-th."""

    folder: RunDirectory
    items: Source
    variants: tuple[PromptVariant, ...]
    record: Mapping[str, Any]
    share: tuple[int, int] = (0, 1)


def score_items(
    items: Source,
    scorer: Scorer | Judge,
    variants: Sequence[PromptVariant],
    directory: Path,
    progress: Progress = silent,
    settings: RunSettings | None = None,
) -> Outcome:
    """Score every item under every variant into a run directory, and write its score file.

    A directory in which the same run was begun is gone on with: nothing finished is computed again.

    Raises
    ------
    CandorError
        When an item, a dialog or a score is wrong, or the directory holds another run.
    """
    settings = settings or RunSettings()
    folder = RunDirectory(directory)
    with folder.alone():
        record = begin(folder, items, scorer, variants, settings)
        run_shards(Job(folder, items, tuple(variants), record), scorer, progress)
        return close(folder, record)


def begin(
    folder: RunDirectory,
    items: Source,
    scorer: Scorer | Judge,
    variants: Sequence[PromptVariant],
    settings: RunSettings,
) -> dict[str, Any]:
    """Begin a run, or go on with the same one."""
    contents = items.contents()
    counts = {"items": contents.n_items, "responses": contents.n_responses}
    identity = scorer.identity()
    if identity.scorer != "reward" and not contents.pairs:
        raise ScoringFailed(f"a {identity.scorer} needs a study's pairs (candor pm pairs); these rows are none")
    return folder.begin(records.opened(identity, variants, settings, contents.header, counts))


def run_shards(job: Job, scorer: Scorer | Judge, progress: Progress = silent) -> None:
    """Score the shards of a begun run that are this job's and not finished."""
    plan, folder = job.record["plan"], job.folder
    kinds = tuple(plan["kinds"]) if plan["kinds"] else None
    ask = asking(scorer, job.variants, kinds)
    budget = Budget(plan["budget"])
    pieces = _pieces(job.items.items(), ask, plan["shard_rows"], job.share)
    open_pieces = _unfinished(folder, pieces, job.record, progress)
    for piece, rendered in _ahead(open_pieces, scorer.rendering.render):
        within = _Within(progress)
        rows, cost = score_piece(piece, rendered, scorer, budget, within.add)
        told = replace(cost, least_s=records.least_seconds(scorer, cost))
        folder.finish(piece.index, job.record["fingerprint"], piece.asked, rows, told)
        note = f"token budget halved to {budget.tokens:,}" if told.halvings else ""
        progress(Step(len(rows), 0, told.tokens, told.seconds, note, -within.sequences))


class _Within:
    """How many sequences of the shard under way are computed."""

    def __init__(self, progress: Progress) -> None:
        self.sequences = 0
        self._progress = progress

    def add(self, n: int) -> None:
        """Tell of a batch."""
        self.sequences += n
        self._progress(Step(0, within=n))


def asking(scorer: Scorer | Judge, variants: Sequence[PromptVariant], kinds: tuple[str, ...] | None) -> Ask:
    """Return what is asked of a scorer, or of a judge."""
    judges = scorer.identity().scorer == "judge"
    return ask_comparisons(variants, kinds) if judges else ask_scores(variants, kinds)


def asked_in_all(
    contents: Contents, variants: Sequence[PromptVariant], kinds: Sequence[str] | None, *, judges: bool
) -> int:
    """Return how many rows a run will have."""
    if not contents.pairs:
        return contents.n_responses * len(variants)
    wanted = set(kinds or ResponseKind)
    if judges:
        each = len(JudgedOrder) * sum(kind.response in wanted for kind in TruthfulKind)
    else:
        each = sum(kind in wanted for kind in ResponseKind)
    return contents.n_items * each * len(variants)


def close(folder: RunDirectory, record: Mapping[str, Any]) -> Outcome:
    """Write the record of a run whose shards are all finished, and its score file."""
    n_shards, told = 0, Told(least_s=0.0)
    while (heading := folder.heading(n_shards)) is not None:
        n_shards, told = n_shards + 1, told + heading.told
    # A run that was closed before keeps its record, so that its score file stays the same to the byte.
    before = {name: value for name, value in record.items() if name != "summary"}
    done = before if before.get("finished_at") else records.closed(before, told)
    summary = assemble(folder, done, n_shards)
    folder.keep({**done, "summary": summary.record()})
    return Outcome(done, summary)


def _pieces(items: Iterable[Item], ask: Ask, size: int, share: tuple[int, int]) -> Iterator[Piece]:
    """Cut requests into shards of about `size` rows, all of an item in one."""
    index, taken = 0, list[Request]()
    for one in items:
        taken.extend(ask(one))
        if len(taken) >= size:
            if index % share[1] == share[0]:
                yield _piece(index, taken)
            index, taken = index + 1, []
    if taken and index % share[1] == share[0]:
        yield _piece(index, taken)


def _piece(index: int, requests: list[Request]) -> Piece:
    digest = hashlib.sha256()
    for request in requests:
        digest.update(canonical_json(request.row).encode())
    return Piece(index, tuple(requests), digest.hexdigest())


def _unfinished(
    folder: RunDirectory, pieces: Iterable[Piece], record: Mapping[str, Any], progress: Progress
) -> Iterator[Piece]:
    for piece in pieces:
        heading = folder.heading(piece.index)
        if heading is None:
            yield piece
        elif heading.fingerprint != record["fingerprint"] or heading.asked != piece.asked:
            raise RunDirectoryUnfit(
                f"shard {piece.index} of {folder.path} is of other texts or another run: the input was changed since; "
                "choose another folder"
            )
        else:
            folder.lines(piece.index)
            progress(Step(heading.rows, heading.rows))


def _ahead(
    pieces: Iterator[Piece], render: Callable[[Sequence[Request]], list[Rendered]]
) -> Iterator[tuple[Piece, list[Rendered]]]:
    """Yield each piece with its tokens, while a thread renders the one after it."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="render")
    try:
        waiting: tuple[Piece, Future[list[Rendered]]] | None = None
        for piece in itertools.chain(pieces, [None]):
            coming = (piece, pool.submit(render, piece.requests)) if piece else None
            if waiting:
                yield waiting[0], waiting[1].result()
            waiting = coming
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


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
            # The plan sorts as the first did, so that its distinct sequences keep their order.


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
