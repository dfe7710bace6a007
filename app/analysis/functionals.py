"""Means over pairs of a function of a pair's votes, clustered by pair and by annotator: majorities, aggregation."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import stats

from app.analysis.arrays import Bools, Floats, Ints, dense, inner
from app.analysis.clustering import Components
from app.analysis.crossing import Crossing
from app.analysis.intervals import Interval, logit_interval, wilson
from app.analysis.rates import Method

Value = Callable[[Ints, Ints], Floats]  # (votes, sycophantic votes), shapes (m,), to a value of each pair, shape (m,)


@dataclass(frozen=True, slots=True)
class PairShare:
    """A share of pairs, in [0, 1], with its interval; `method` and `se` as in `Rate`.

    `n_pairs` and `n_annotators` are the pairs that the share is of, and the people who voted on them.
    """

    rate: float
    interval: Interval
    method: Method
    se: float | None
    n_pairs: int
    n_annotators: int


@dataclass(frozen=True, slots=True)
class _Alike:
    """The kinds of pair with the same number of votes.

    Attributes
    ----------
    kinds
        Which they are.
    grid
        Where their number of votes stands on the grid, with 0 … n of them sycophantic.
    chances
        Chance that t of n - 1 votes, drawn with replacement from such a pair's own, are sycophantic, t = 0 … n - 1; a
        row for each kind.
    """

    kinds: slice
    grid: slice
    chances: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """Decided votes of P pairs, which are of K kinds: as many votes, as many of them sycophantic. Made once.

    Attributes
    ----------
    crossing
        The votes.
    n, sycophantic, count
        Votes of each kind of pair, the sycophantic ones of them, and how many pairs are of the kind, shape (K,).
    kind
        Each pair's kind, shape (P,).
    grid_n, grid_sycophantic
        Every number of votes that occurs with 0 … n sycophantic ones, shape (G,).
    place
        Where each kind stands on the grid, shape (K,).
    alike
        The kinds by their number of votes.
    """

    crossing: Crossing
    n: Ints
    sycophantic: Ints
    count: Floats
    kind: Ints
    grid_n: Ints
    grid_sycophantic: Ints
    place: Ints
    alike: tuple[_Alike, ...]

    def __len__(self) -> int:
        return len(self.kind)

    def total(self, of_kind: Floats) -> float:
        """Return the sum over pairs of a value of each kind, shape (K,)."""
        return inner(self.count, of_kind)


def ballots_of(crossing: Crossing, at_least: int = 1) -> Ballots:
    """Return the votes of the pairs that have at least so many of them."""
    kept = crossing if at_least <= 1 else crossing.where(crossing.n >= at_least)
    span = int(kept.n.max(initial=0)) + 1
    kinds, kind = dense(kept.n * span + kept.n_sycophantic)
    n, sycophantic = kinds // span, kinds % span
    sizes, of_size = dense(n)
    starts = np.concatenate([[0], np.cumsum(sizes + 1)])
    return Ballots(
        crossing=kept,
        n=n,
        sycophantic=sycophantic,
        count=np.bincount(kind, minlength=len(kinds)).astype(np.float64),
        kind=kind,
        grid_n=np.repeat(sizes, sizes + 1),
        grid_sycophantic=np.concatenate([np.arange(size + 1) for size in sizes.tolist()] or [kinds]),
        place=starts[of_size] + sycophantic,
        alike=_alike(n, sycophantic, sizes, starts),
    )


def _alike(n: Ints, sycophantic: Ints, sizes: Ints, starts: Ints) -> tuple[_Alike, ...]:
    first = np.searchsorted(n, sizes).tolist()
    found = []
    for size, low, high, start in zip(sizes.tolist(), first, [*first[1:], len(n)], starts.tolist(), strict=False):
        share = sycophantic[low:high, None] / size
        chances = stats.binom.pmf(np.arange(size)[None, :], size - 1, share)
        found.append(_Alike(slice(low, high), slice(start, start + size + 1), np.asarray(chances, dtype=np.float64)))
    return tuple(found)


def pair_share(
    ballots: Ballots, numerator: Value, denominator: Value | None = None, confidence: float = 0.95
) -> PairShare | None:
    """Σ numerator / Σ denominator over pairs, with a two-way clustered interval.

    Both are functions f(n, s) of a pair's n votes, s of them sycophantic; without a denominator it counts pairs.
    Clustered by pair with influences e = (num - θ den) / Σ den. What a person does to the share is, to first order, Σ
    of d (y - c) over their votes y, with d the change of their pair's e that one vote makes, and c the d-weighted mean
    vote. The change depends on the other votes, e(n, t+1) - e(n, t) where t of them are sycophantic, and a majority
    turns at one t alone; so d is its mean over other votes drawn with replacement from the pair's own,

    d = Σ over t of B(t; n-1, s/n) (e(n, t+1) - e(n, t)),

    B being the binomial chance. With the other votes as they happen to be, the few pairs that one vote would turn would
    carry all that people do, and an interval would be wide or narrow by chance. For f = s/n, d is 1/(P n), and the
    variance is the macro rate's own.

    Interval on the logit scale, t with the smaller number of clusters - 1 degrees of freedom; where the share is 0 or 1
    or the variance cannot be estimated, Wilson's with the smaller number of clusters as n. Clusters are the pairs whose
    denominator is above 0, and the people who voted on them: a pair that the share is not of is no evidence about it.

    References
    ----------
    Efron 2014, Journal of the American Statistical Association 109:991-1007 (influence of what is smoothed by drawing
    again).

    Returns
    -------
    PairShare or None
        None where Σ denominator is 0.
    """
    counted = numerator(ballots.grid_n, ballots.grid_sycophantic)
    of = np.ones(len(counted)) if denominator is None else denominator(ballots.grid_n, ballots.grid_sycophantic)
    total = ballots.total(of[ballots.place])
    if total <= 0:
        return None
    share = float(np.clip(ballots.total(counted[ballots.place]) / total, 0, 1))
    components = _components(ballots, (counted - share * of) / total, of[ballots.place] > 0)
    variance = components.variance()
    smaller = min(components.n_pairs, components.n_annotators)
    if variance is None or not 0 < share < 1:
        interval, method = wilson(share * smaller, smaller, confidence), _FALLBACK
    else:
        interval, method = logit_interval(share, sqrt(variance), components.df, confidence), _MAIN
    assert interval is not None
    se = None if variance is None else sqrt(variance)
    return PairShare(share, interval, method, se, components.n_pairs, components.n_annotators)


_MAIN: Method = "logit_t"
_FALLBACK: Method = "wilson_effective_n"


def _components(ballots: Ballots, error: Floats, of: Bools) -> Components:
    """Cluster an error that pairs have by their kind, given on the grid, shape (G,); `of` are the kinds it is of."""
    n, s = ballots.n.astype(np.float64), ballots.sycophantic.astype(np.float64)
    change, own = _change_by_a_vote(ballots, error), error[ballots.place]
    weight = ballots.total(change * n)
    centre = ballots.total(change * s) / weight if weight else 0.0
    crossing = ballots.crossing
    by_person = crossing.by_vote(*((votes * change)[ballots.kind] for votes in (-centre, 1 - centre)))
    return Components(
        by_pair=ballots.total(own**2),
        by_annotator=inner(by_person, by_person),
        by_cell=ballots.total((change * (1 - centre)) ** 2 * s + (change * centre) ** 2 * (n - s)),
        n_pairs=round(ballots.total(of.astype(np.float64))),
        n_annotators=len(crossing.where(of[ballots.kind]).person),
        n_cells=len(crossing),
    )


def _change_by_a_vote(ballots: Ballots, error: Floats) -> Floats:
    """Return d of each kind of pair, shape (K,)."""
    change = np.zeros(len(ballots.n))
    for alike in ballots.alike:
        change[alike.kinds] = alike.chances @ np.diff(error[alike.grid])
    return change
