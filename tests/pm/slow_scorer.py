"""A scorer that takes its time, made anew in each process, which leaves its number in a folder."""

import os
import time
from pathlib import Path

from app.pm.scorer import Batch, Floats
from tests.pm.fake_scorers import FakeScorer


class SlowScorer(FakeScorer):
    """A tenth of a second a batch."""

    def score(self, batch: Batch) -> Floats:
        time.sleep(0.1)
        return super().score(batch)


class MakeSlow:
    """Makes the scorer of a process."""

    def __init__(self, folder: Path, n: int) -> None:
        self.n = n
        self._folder = folder

    def __call__(self, number: int) -> SlowScorer:
        (self._folder / f"worker-{os.getpid()}").touch()
        return SlowScorer()
