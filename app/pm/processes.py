"""One process for each GPU, all over the same shard function: process i of n takes every n-th shard, from the i-th."""

import multiprocessing
import os
import queue
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from app.errors import CandorError
from app.pm.backends.local import LocalModel, LocalSpec
from app.pm.items import Source
from app.pm.progress import Progress, Step, silent
from app.pm.records import RunSettings
from app.pm.runner import Job, Outcome, begin, close, run_shards
from app.pm.scorer import Judge, Scorer, ScoringFailed
from app.pm.shards import RunDirectory, RunDirectoryUnfit
from app.pm.variants import PromptVariant

_DONE = "done"


class Make(Protocol):
    """Makes the model of process number i of n."""

    @property
    def n(self) -> int: ...

    def __call__(self, number: int) -> Scorer | Judge: ...


class EachDevice:
    """Makes the model of process number i: on GPU i, where the spec leaves the device open or says cuda."""

    def __init__(self, spec: LocalSpec, n_devices: int, n: int) -> None:
        self.n = n
        self._spec = spec
        self._n_devices = n_devices

    def __call__(self, number: int) -> Scorer | Judge:
        """Load it."""
        on_gpu = self._n_devices and self._spec.device in {"auto", "cuda"}
        return LocalModel(replace(self._spec, device=f"cuda:{number % self._n_devices}") if on_gpu else self._spec)


def score_in_processes(
    items: Source,
    make: Make,
    variants: Sequence[PromptVariant],
    directory: Path,
    progress: Progress = silent,
    settings: RunSettings | None = None,
) -> Outcome:
    """Score as `score_items` does, in as many processes as `make` is for; it and the items must be picklable.

    Raises
    ------
    CandorError
        What a process refused, in its words; the others are stopped, and what is finished stays.
    """
    folder = RunDirectory(directory)
    spawning = multiprocessing.get_context("spawn")
    with folder.alone():
        told: Any = spawning.Queue()
        given = (items, make, variants, directory, settings or RunSettings(), told)
        shares = [(number, make.n) for number in range(make.n)]
        started = [spawning.Process(target=_work, args=(*given, share), daemon=True) for share in shares]
        try:
            for process in started:
                process.start()
            _listen(started, told, progress)
        finally:
            for process in started:
                process.terminate()
                process.join()
        record = folder.record()
        if record is None:
            raise RunDirectoryUnfit(f"{directory} was emptied while the run was under way")
        return close(folder, record)


def _listen(started: Sequence[Any], told: Any, progress: Progress) -> None:
    left = len(started)
    while left:
        try:
            word = told.get(timeout=1)
        except queue.Empty:
            if any(process.exitcode not in {None, 0} for process in started):
                raise ScoringFailed("a process was killed; run the same command again to go on") from None
            continue
        if isinstance(word, Step):
            progress(word)
        elif word == _DONE:
            left -= 1
        else:
            raise ScoringFailed(str(word))


def _work(  # noqa: PLR0913, PLR0917 - what one process is given
    items: Source,
    make: Make,
    variants: Sequence[PromptVariant],
    directory: Path,
    settings: RunSettings,
    told: Any,
    share: tuple[int, int],
) -> None:
    _end_with_parent()
    try:
        folder, scorer = RunDirectory(directory), make(share[0])
        record = begin(folder, items, scorer, variants, settings)
        run_shards(Job(folder, items, tuple(variants), record, share), scorer, told.put)
        told.put(_DONE)
    except CandorError as refusal:
        told.put(str(refusal))
    except KeyboardInterrupt:
        return


def _end_with_parent() -> None:
    """End this process at once when its parent does, be it killed: only the parent holds the folder for this run."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
