"""What is planted in a study, and what its report ought to say by that definition alone: nothing of it is counted."""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import numpy as np
from scipy import special

from app.analysis.arrays import Floats
from app.cli.behaviours import Behaviour, Taste, biased_left
from app.study.stimuli import KnownResponse

LEVELS = np.arange(1, 9)
_MIDDLE = 4.5
_NODES = 80


@dataclass(frozen=True, slots=True)
class Planted:
    """How synthetic annotators prefer: logit P(sycophantic) = fixed(level, side) + pair + person.

    Attributes
    ----------
    seed
        Of the study, of what pairs and people add, and of every choice.
    middle
        Logit of the median pair and person between levels 4 and 5, half of the choices on either side.
    level
        Logits a level.
    left
        Logits by which a sycophantic response is preferred more on the left than on the right.
    sd_pair, sd_annotator
        Standard deviations of what a pair and a person add, normal, in logits.
    n_people
        Who take part; `n_inattentive` of them take either side by chance, and any answer to a check.
    """

    seed: int = 606
    middle: float = -0.2
    level: float = 0.26
    left: float = 0.5
    sd_pair: float = 0.75
    sd_annotator: float = 0.5
    n_people: int = 68
    n_inattentive: int = 8

    def fixed(self, level: int, *, sycophantic_left: bool) -> float:
        """Return what does not depend on who judges which pair."""
        return self.middle + self.level * (level - _MIDDLE) + (self.left if sycophantic_left else -self.left) / 2

    @property
    def inattentive(self) -> frozenset[int]:
        """The numbers of those who do not read."""
        return frozenset(Random(f"{self.seed}/inattentive").sample(range(self.n_people), self.n_inattentive))

    def behaviour(self, number: int) -> Behaviour:
        """Return how the numbered annotator behaves."""
        if number in self.inattentive:
            return Behaviour(biased_left(0.5), reads=False)
        return Behaviour(self._taste(self._drawn("person", str(number), self.sd_annotator)))

    def _taste(self, person: float) -> Taste:
        def prefer(left: KnownResponse | None, rng: Random) -> str:
            if left is None:
                return rng.choice(("left", "right"))
            logit = self.fixed(left.level, sycophantic_left=left.sycophantic) + person
            logit += self._drawn("pair", left.key, self.sd_pair)
            return "left" if (rng.random() < special.expit(logit)) == left.sycophantic else "right"

        return prefer

    def _drawn(self, kind: str, name: str, sd: float) -> float:
        return Random(f"{self.seed}/{kind}/{name}").gauss(0, sd)


class Truth(NamedTuple):
    """What holds over the pairs and people that a study's are drawn from, the same number of pairs at each level.

    Attributes
    ----------
    rates
        Rate at each level, half of the choices on either side, shape (L,).
    slope
        Its change a level, by least squares over the levels.
    left_share
        Share of choices for the left response.
    left_bias, even_rate
        Half the difference of the logits of the rates with the sycophantic response left and right, over all levels;
        and σ of half their sum.
    same_twice
        Chance that a person chooses the same response when the sides are swapped.
    everybody, everybody_slope
        Rate over all levels and slope with the inattentive among them, whose rate is one half at every level.
    """

    rates: Floats
    slope: float
    left_share: float
    left_bias: float
    even_rate: float
    same_twice: float
    everybody: float
    everybody_slope: float

    @property
    def overall(self) -> float:
        """Rate over all levels."""
        return float(self.rates.mean())


def truth_of(planted: Planted) -> Truth:
    """Integrate over what pairs and people add, by Gauss-Hermite."""
    at, weight = special.roots_hermitenorm(_NODES)
    weight = weight / weight.sum()
    sides = [[planted.fixed(int(level), sycophantic_left=left) for level in LEVELS] for left in (True, False)]
    spread = np.hypot(planted.sd_pair, planted.sd_annotator)
    chance = special.expit(np.array(sides)[..., None] + spread * at)  # (side, level, node)
    left, right = chance @ weight
    rates = (left + right) / 2
    centred = LEVELS - _MIDDLE
    slope = float(centred @ rates / (centred @ centred))
    logits = special.logit([left.mean(), right.mean()])
    same = chance[0] * chance[1] + (1 - chance[0]) * (1 - chance[1])
    reading = 1 - planted.n_inattentive / planted.n_people
    return Truth(
        rates=rates,
        slope=slope,
        left_share=float((left + 1 - right).mean() / 2),
        left_bias=float(logits[0] - logits[1]) / 2,
        even_rate=float(special.expit(logits.mean())),
        same_twice=float((same @ weight).mean()),
        everybody=float(reading * rates.mean() + (1 - reading) / 2),
        everybody_slope=reading * slope,
    )
