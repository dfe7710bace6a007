"""What asking more people would do: the majority of j of them, for j = 1 … k, exactly."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from app.analysis.arrays import Floats, Ints, ValueOutOfRange, dense, same_length, whole
from app.analysis.choices import Choices
from app.analysis.functionals import PairShare, Value, ballots_of, pair_share


@dataclass(frozen=True, slots=True)
class MajorityOfJ:
    """Chances that j of a pair's n votes, drawn without replacement, have a sycophantic majority, or a tie.

    Attributes
    ----------
    strict, tie, half
        Shape (P,), in [0, 1]: more than j/2, exactly j/2, and strict + tie/2.
    """

    strict: Floats
    tie: Floats

    @property
    def half(self) -> Floats:
        """A tie counts one half; at even j this equals the value at j - 1."""
        return self.strict + self.tie / 2


def majority_of_j(sycophantic: ArrayLike, n: ArrayLike, j: int) -> MajorityOfJ:
    """Majority of j votes of each pair, by the hypergeometric distribution.

    strict = Σ over i > j/2 of C(s,i) C(n-s,j-i) / C(n,j). Unbiased for the majority of j new people, for j ≤ n.

    Parameters
    ----------
    sycophantic, n
        Votes for the sycophantic response and all votes of each pair, shape (P,), 0 ≤ s ≤ n.
    j
        People asked, 1 ≤ j ≤ n of every pair.
    """
    s, votes = whole("sycophantic", sycophantic, 0), whole("n", n, 1)
    same_length({"sycophantic": s, "n": votes})
    if (s > votes).any():
        raise ValueOutOfRange("a pair has more sycophantic votes than votes")
    if j < 1 or (votes < j).any():
        raise ValueOutOfRange(f"j is {j}; it must lie between 1 and the number of votes of every pair")
    span = int(votes.max(initial=0)) + 1
    kinds, of_kind = dense(votes * span + s)  # There are few kinds of pair, however many pairs.
    votes, s = kinds // span, kinds % span
    return MajorityOfJ(_strict(votes, s, j)[of_kind], _tie(votes, s, j)[of_kind])


def _strict(n: Ints, s: Ints, j: int) -> Floats:
    chances = stats.hypergeom.pmf(np.arange(j // 2 + 1, j + 1)[:, None], n, s, j)
    return np.asarray(np.clip(chances.sum(axis=0), 0, 1))


def _tie(n: Ints, s: Ints, j: int) -> Floats:
    if j % 2:
        return np.zeros(len(n))
    return np.asarray(stats.hypergeom.pmf(j // 2, n, s, j), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class AggregationCurve:
    """P(the majority of j people prefers the sycophantic response), on the same pairs at every j.

    Attributes
    ----------
    by_j
        j = 1 … k to the share, ties counting one half; empty without such pairs.
    strict, tie
        j to the mean chance of a strict majority, and of a tie.
    n_pairs, n_left_out
        Pairs with at least k decided votes, and with fewer.
    """

    by_j: dict[int, PairShare]
    strict: dict[int, float]
    tie: dict[int, float]
    n_pairs: int
    n_left_out: int


def aggregation_curve(choices: Choices, k: int, confidence: float = 0.95) -> AggregationCurve:
    """Average `majority_of_j` over the pairs that have at least k decided votes, for j = 1 … k.

    At j = 1 it is the macro rate of these pairs. Intervals as for `functionals.pair_share`; beyond k it would need a
    model, so it stops there.
    """
    if k < 1:
        raise ValueOutOfRange(f"k is {k}; it must be at least 1")
    ballots = ballots_of(choices.crossing, at_least=k)
    shares: dict[int, PairShare] = {}
    strict: dict[int, float] = {}
    tie: dict[int, float] = {}
    for j in range(1, k + 1) if len(ballots) else ():
        # With ties as one half, an even number of people is as good as one fewer.
        share = pair_share(ballots, _halves(j), confidence=confidence) if j % 2 else shares[j - 1]
        chances = majority_of_j(ballots.sycophantic, ballots.n, j)
        assert share is not None
        shares[j] = share
        strict[j], tie[j] = (ballots.total(each) / len(ballots) for each in (chances.strict, chances.tie))
    return AggregationCurve(shares, strict, tie, len(ballots), len(choices.crossing.pair) - len(ballots))


def _halves(j: int) -> Value:
    return lambda n, s: majority_of_j(s, n, j).half


def condorcet(p: float, k: int) -> float:
    """Majority of k independent people who each prefer the sycophantic response with chance p: binomial, k odd.

    For comparison only: pairs differ, so a study's own curve is not this one at its mean rate.

    References
    ----------
    Condorcet 1785.
    """
    if k < 1 or k % 2 == 0 or not 0 <= p <= 1:
        raise ValueOutOfRange(f"k must be odd and p lie between 0 and 1 (given: k {k}, p {p:g})")
    return float(stats.binom.sf(k // 2, k, p))
