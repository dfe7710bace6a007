"""Importing a score file: all of it, or nothing where anything in it does not fit the study."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.models import ScoringRun
from app.study.score_files import ScoreFile, ScoreFileFaulty
from app.study.score_rows import Fitting, RowUnfit
from app.study.scoring_gaps import ScoresIncomplete
from app.study.scoring_pairs import pair_hashes, scored_study
from app.study.scoring_records import RecordFaulty, checked_record
from app.study.scoring_runs import BATCH, begin, finish, insert_rows

MOST_FAULTS = 20


async def import_scores(
    session: AsyncSession, study_slug: str, lines: Iterable[bytes | str], account_id: int | None = None
) -> ScoringRun:
    """Store a score file as a run of a study.

    Raises
    ------
    ScoreFileFaulty
        With each of the first faults by line and field: a text that is not the study's, a pair it does not have, a row
        given twice, a number that is not finite, scores that are missing, or a file that was cut off.
    RunStoredAlready
        When the run is there; nothing is changed.
    RunElsewhere
        When it is there, but another study's.
    """
    async with session.begin_nested():
        file = ScoreFile(lines)
        try:
            run = await begin(session, study_slug, file.record, account_id)
        except RecordFaulty as fault:
            raise ScoreFileFaulty([f"line 1: {fault}"]) from None
        study = await scored_study(session, study_slug)
        rows = _Rows(file, Fitting(checked_record(file.record), await pair_hashes(session, study)))
        fitted = iter(rows)
        while batch := list(islice(fitted, BATCH)):
            if not rows.faults:
                await insert_rows(session, run, batch)
        if rows.n_faults:
            raise ScoreFileFaulty(rows.faults, rows.n_faults)
        try:
            await finish(session, run.id, file.record, "scores_imported")
        except ScoresIncomplete as gap:
            raise ScoreFileFaulty([str(gap)]) from None
    return run


class _Rows:
    """The values of a file's rows that fit; of those that do not, the faults: so many of the first, and how many."""

    def __init__(self, file: ScoreFile, fitting: Fitting) -> None:
        self._file = file
        self._fitting = fitting
        self._seen: dict[tuple[str, ...], int] = {}
        self.faults: list[str] = []
        self.n_faults = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number, data in self._file.rows():
            try:
                row, values = self._fitting.fit(data)
            except RowUnfit as fault:
                self._note(number, str(fault))
                continue
            first = self._seen.setdefault(row.what, number)
            if first == number:
                yield values
            else:
                self._note(number, f"field key: {' '.join(row.what)} was given already in line {first}")

    def _note(self, number: int, fault: str) -> None:
        self.n_faults += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(f"line {number}, {fault}")
