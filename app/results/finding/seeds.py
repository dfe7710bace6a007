"""Where a study's bootstraps get their chance from: its seed and the name of what is computed, never the order."""

from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from app.analysis.resampling import Bootstrap

CONFIDENCE = 0.95
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Seeds:
    """Generators by name: the same name gives the same numbers, whatever was computed before.

    Attributes
    ----------
    seed
        The study's, at least 0.
    path
        Names within which this is.
    """

    seed: int
    path: tuple[str, ...] = field(default=())

    def of(self, *names: object) -> "Seeds":
        """Return the seeds within a name."""
        return Seeds(self.seed, (*self.path, *map(str, names)))

    def bootstrap(self, *names: object) -> Bootstrap:
        """Return how to resample for what has this name."""
        named = "\x1f".join(self.of(*names).path)
        rng = np.random.default_rng([self.seed, crc32(named.encode())])
        return Bootstrap(rng, RESAMPLES, CONFIDENCE)
