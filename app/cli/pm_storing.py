"""Scoring a study where its database is: its pairs go out to a file, its page is told of progress, its scores come in.

A run is known by the id in its folder's record, so one that was stopped goes on in the database as in the folder.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.export import whole_file
from app.cli.running import migrated_database
from app.db import transaction
from app.pm.progress import Progress, Step
from app.pm.shards import RUN_FILE, SCORES_FILE
from app.study import scoring_runs
from app.study.score_imports import import_scores
from app.study.scoring_pairs import pair_lines
from app.study.scoring_runs import RunStoredAlready

T = TypeVar("T")

PAIRS_FILE = "pairs.jsonl"
_SECONDS = 2.0


@contextmanager
def scoring_study(study: str, directory: Path) -> Iterator["StudyRun"]:
    """Hold the database for as long as a study is scored into a folder; an error is told to the study's page."""
    with migrated_database() as url:
        run = StudyRun(url, study, directory)
        try:
            yield run
        except Exception as error:
            run.failed(str(error))
            raise


class StudyRun:
    """A run of a study, in a folder and in the database.

    Raises
    ------
    StudyUnknown
        When there is no such study.
    """

    def __init__(self, url: str, study: str, directory: Path) -> None:
        self._url = url
        self._study = study
        self._directory = directory
        self._run_id: int | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self._do(self._write_pairs)

    @property
    def pairs(self) -> Path:
        """The study's pairs file, written when this was made."""
        return self._directory / PAIRS_FILE

    def telling(self, n_all: int, progress: Progress) -> Progress:
        """Return a progress that tells the study's page too, every few seconds, and then the one that is given."""
        n_done = tokens = 0
        seconds = told_at = 0.0

        def told(step: Step) -> None:
            nonlocal n_done, tokens, seconds, told_at
            n_done, tokens, seconds = n_done + step.rows, tokens + step.tokens, seconds + step.seconds
            # A batch of a server's is told while its event loop runs, in which the database cannot be waited for.
            if step.within <= 0 and (time.monotonic() - told_at >= _SECONDS or n_done >= n_all):
                self._tell(n_done, n_all, tokens / seconds if seconds else None)
                told_at = time.monotonic()
            progress(step)

        return told

    def store(self) -> str:
        """Store the folder's score file in the database, and return the id of the run."""

        async def work(session: AsyncSession) -> str:
            with (self._directory / SCORES_FILE).open("rb") as lines:
                return (await import_scores(session, self._study, lines)).public_id

        try:
            return self._do(work)
        except RunStoredAlready as already:
            return already.run

    def failed(self, why: str) -> None:
        """Tell the study's page why the run ended, where it was begun there."""
        run_id = self._run_id
        if run_id is not None:
            self._do(lambda session: scoring_runs.fail(session, run_id, why))

    def _tell(self, n_done: int, n_all: int, tokens_per_second: float | None) -> None:
        async def work(session: AsyncSession) -> int | None:
            run_id = self._run_id or await self._begun(session)
            if run_id is not None:
                await scoring_runs.told(session, run_id, n_done, n_all, tokens_per_second)
            return run_id

        self._run_id = self._do(work)

    async def _begun(self, session: AsyncSession) -> int | None:
        """Begin the folder's run, or go on with it; None where it is stored already."""
        record: dict[str, Any] = json.loads((self._directory / RUN_FILE).read_text(encoding="utf-8"))
        try:
            return (await scoring_runs.begin(session, self._study, record)).id
        except RunStoredAlready:
            return None

    async def _write_pairs(self, session: AsyncSession) -> None:
        with whole_file(self.pairs) as file:
            async for line in pair_lines(session, self._study):
                file.write(line.encode())

    def _do(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async def run() -> T:
            async with transaction(self._url) as session:
                return await work(session)

        return asyncio.run(run())
