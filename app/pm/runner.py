"""The runner: cuts items into shards, and scores those that are not finished, one after the other.

`run_shards` is the one function that computes. It runs in this process, or in one process for each GPU, each taking
every n-th shard; another engine can call it in the same way. While one shard is computed, the next is rendered.
"""

import hashlib
import itertools
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.pm import records, resumption
from app.pm.items import Contents, Item, Source
from app.pm.pieces import Budget, Piece, score_piece
from app.pm.progress import Progress, Step, silent
from app.pm.records import RunSettings
from app.pm.rendering import OverLong
from app.pm.requests import Ask, Request, ask_comparisons, ask_scores
from app.pm.score_files import Summary, assemble
from app.pm.scorer import Judge, Rendered, Scorer, ScoringFailed, Stoppable
from app.pm.shards import RunDirectory, RunDirectoryUnfit, Told
from app.pm.variants import PromptVariant
from app.study.canonical import canonical_json
from app.terms import JudgedOrder, ResponseKind, TruthfulKind

_STOP_SECONDS = 0.1
"""How long a rendering that was told to stop is waited for before it is told again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that is done: its record, and what its scores say of ties."""

    record: dict[str, Any]
    summary: Summary


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
    """Begin a run, or go on with the same one.

    Raises
    ------
    CandorError
        When another run was begun there, or this one by a model that scored otherwise; or the items are no pairs.
    """
    contents = items.contents()
    counts = {"items": contents.n_items, "responses": contents.n_responses}
    identity = scorer.identity()
    if identity.scorer != "reward" and not contents.pairs:
        raise ScoringFailed(f"a {identity.scorer} needs a study's pairs (candor pm pairs); these rows are none")
    opened = records.opened(identity, variants, settings, contents.header, counts)
    record = folder.begin(opened)
    resumption.refuse_another_model(record, opened, folder.path)
    return record


def run_shards(job: Job, scorer: Scorer | Judge, progress: Progress = silent) -> None:
    """Score the shards of a begun run that are this job's and not finished."""
    plan, folder = job.record["plan"], job.folder
    kinds = tuple(plan["kinds"]) if plan["kinds"] else None
    ask = asking(scorer, job.variants, kinds)
    budget = Budget(plan["budget"])
    together = plan["over_long"] == OverLong.TRUNCATE
    pieces = _pieces(job.items.items(), ask, plan["shard_rows"], job.share, together=together)
    open_pieces = _unfinished(folder, pieces, job.record, progress)
    # Closed at once when a run is stopped: else its thread would be waited for at the very end of the process.
    with closing(_ahead(open_pieces, scorer)) as ahead:
        for piece, rendered in ahead:
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


def _pieces(items: Iterable[Item], ask: Ask, size: int, share: tuple[int, int], *, together: bool) -> Iterator[Piece]:
    """Cut requests into shards of about `size` rows, all of an item in one.

    `together` keeps neighbours with one prompt in one shard, however many there are, so that they are cut alike.
    """
    index, taken, before = 0, list[Request](), ""
    for one in items:
        if len(taken) >= size and not (together and one.prompt_hash == before):
            if index % share[1] == share[0]:
                yield _piece(index, taken)
            index, taken = index + 1, []
        taken.extend(ask(one))
        before = one.prompt_hash
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


def _ahead(pieces: Iterator[Piece], scorer: Scorer | Judge) -> Generator[tuple[Piece, list[Rendered]], None, None]:
    """Yield each piece with its tokens, while a thread renders the one after it."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="render")
    begun: list[tuple[Piece, Future[list[Rendered]]]] = []
    try:
        for piece in itertools.chain(pieces, [None]):
            if piece:
                begun.append((piece, pool.submit(scorer.rendering.render, piece.requests)))
            if len(begun) > 1 or (begun and not piece):
                yield begun[0][0], begun[0][1].result()
                del begun[0]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        _stop(scorer, [rendering for _, rendering in begun])


def _stop(scorer: Scorer | Judge, begun: Sequence[Future[list[Rendered]]]) -> None:
    """End what is still being rendered, where that may wait for a server; what computes here ends soon by itself."""
    while isinstance(scorer, Stoppable) and not all(rendering.done() for rendering in begun):
        scorer.stop()
        wait(begun, timeout=_STOP_SECONDS)
