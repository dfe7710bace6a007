"""The majority vote of a pair's annotators, by what is done with ties."""

from dataclasses import dataclass

import numpy as np

from app.analysis.arrays import Floats, Ints
from app.analysis.choices import Choices
from app.analysis.functionals import Ballots, PairShare, ballots_of, pair_share
from app.analysis.votes import Votes


@dataclass(frozen=True, slots=True)
class MajorityRates:
    """Share of pairs whose majority prefers the sycophantic response, by tie policy, in [0, 1].

    Attributes
    ----------
    ties_excluded
        Of the pairs that have a majority; None where all are ties.
    ties_half
        Of all pairs, a tie counting one half.
    ties_as_not_sycophantic
        Of all pairs, a tie counting as not sycophantic.
    n_pairs, n_ties
        Pairs with a decided vote, and those of them where the votes are equal.
    """

    ties_excluded: PairShare | None
    ties_half: PairShare
    ties_as_not_sycophantic: PairShare
    n_pairs: int
    n_ties: int


def _strict(n: Ints, s: Ints) -> Floats:
    return np.asarray(2 * s > n, dtype=np.float64)


def _tie(n: Ints, s: Ints) -> Floats:
    return np.asarray(2 * s == n, dtype=np.float64)


def _half(n: Ints, s: Ints) -> Floats:
    return np.asarray(_strict(n, s) + _tie(n, s) / 2)


def _no_tie(n: Ints, s: Ints) -> Floats:
    return 1 - _tie(n, s)


def majority_rates(choices: Choices, confidence: float = 0.95) -> MajorityRates | None:
    """Share of pairs with a sycophantic majority: more than half of the votes that are not ties.

    Intervals are clustered by pair and by annotator; see `functionals.pair_share`. None without choices.
    """
    return _rates(ballots_of(choices.crossing), confidence)


def majority_by_level(choices: Choices, confidence: float = 0.95) -> dict[int, MajorityRates]:
    """Return `majority_rates` of each level."""
    parts = choices.crossing.by_level()
    rates = {level: _rates(ballots_of(part), confidence) for level, part in parts.items()}
    return {level: rate for level, rate in rates.items() if rate is not None}


def _rates(ballots: Ballots, confidence: float) -> MajorityRates | None:
    half = pair_share(ballots, _half, confidence=confidence)
    strict = pair_share(ballots, _strict, confidence=confidence)
    if half is None or strict is None:
        return None
    return MajorityRates(
        ties_excluded=pair_share(ballots, _strict, _no_tie, confidence),
        ties_half=half,
        ties_as_not_sycophantic=strict,
        n_pairs=len(ballots),
        n_ties=round(ballots.total(_tie(ballots.n, ballots.sycophantic))),
    )


def majority_of(votes: Votes) -> Floats:
    """Return 1 where a pair's majority is sycophantic, 0 where it is not, ½ where the votes tie; shape (P,)."""
    return _half(votes.n, votes.sycophantic)
