"""Means over pairs of a function of a pair's votes, clustered by pair and by annotator: majorities, aggregation."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import sparse, stats

from app.analysis.arrays import Floats, Ints, dense, inner, totals
from app.analysis.choices import Choices
from app.analysis.clustering import Components
from app.analysis.intervals import Interval, logit_interval, wilson
from app.analysis.rates import Method

Value = Callable[[Ints, Ints], Floats]  # (votes, sycophantic votes), shapes (m,), to a value of each pair, shape (m,)


@dataclass(frozen=True, slots=True)
class PairShare:
    """A share of pairs, in [0, 1], with its interval; `method` and `se` as in `Rate`."""

    rate: float
    interval: Interval
    method: Method
    se: float | None
    n_pairs: int
    n_annotators: int


@dataclass(frozen=True, slots=True)
class _Alike:
    """The pairs with the same number of votes.

    Attributes
    ----------
    pairs
        Which they are, shape (m,).
    votes
        How many votes each of them has, n.
    chances
        Chance that t of n - 1 votes, drawn with replacement from a pair's own, are sycophantic, t = 0 … n - 1; a row
        for each share of votes that occurs.
    of_share
        The row of each pair, shape (m,).
    """

    pairs: Ints
    votes: int
    chances: Floats
    of_share: Ints


@dataclass(frozen=True, slots=True)
class Ballots:
    """Decided votes of P pairs by M people: made once, whatever is then asked of them.

    Attributes
    ----------
    n, sycophantic
        Votes of each pair, and the sycophantic ones of them, shape (P,).
    voted, voted_sycophantic
        1 where a person voted on a pair, and where that vote was sycophantic, shape (M, P).
    alike
        The pairs by their number of votes.
    """

    n: Ints
    sycophantic: Ints
    voted: sparse.csr_array
    voted_sycophantic: sparse.csr_array
    alike: tuple[_Alike, ...]

    def __len__(self) -> int:
        return len(self.n)


def ballots_of(choices: Choices, at_least: int = 1) -> Ballots:
    """Return the decided votes of the pairs that have at least so many of them."""
    kept = choices.without_ties
    pairs, of_pair = dense(kept.pair)
    n = np.bincount(of_pair, minlength=len(pairs))
    if at_least > 1 and len(n) and n.min() < at_least:
        kept = kept.where(n[of_pair] >= at_least)
        pairs, of_pair = dense(kept.pair)
        n = np.bincount(of_pair, minlength=len(pairs))
    sycophantic = np.rint(totals(of_pair, kept.prefers_sycophantic, len(pairs))).astype(np.int64)
    n = n.astype(np.int64, copy=False)
    return Ballots(n, sycophantic, *_by_person(kept, of_pair, len(pairs)), _alike(n, sycophantic))


def _by_person(choices: Choices, of_pair: Ints, n_pairs: int) -> tuple[sparse.csr_array, sparse.csr_array]:
    people, of_person = dense(choices.annotator)
    vote = choices.prefers_sycophantic
    if (of_person[1:] < of_person[:-1]).any():
        order = np.argsort(of_person, kind="stable")
        of_pair, vote = of_pair[order], vote[order]
    starts = np.concatenate([[0], np.cumsum(np.bincount(of_person, minlength=len(people)))])
    shape = (len(people), n_pairs)
    voted = sparse.csr_array((np.ones(len(vote)), of_pair, starts), shape=shape)
    return voted, sparse.csr_array((vote, of_pair, starts), shape=shape)


def _alike(n: Ints, s: Ints) -> tuple[_Alike, ...]:
    found = []
    for votes in np.unique(n).tolist():
        pairs = np.flatnonzero(n == votes)
        shares, of_share = dense(s[pairs])
        chances = stats.binom.pmf(np.arange(votes)[None, :], votes - 1, shares[:, None] / votes)
        found.append(_Alike(pairs, votes, np.asarray(chances, dtype=np.float64), of_share))
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
    or the variance cannot be estimated, Wilson's with the smaller number of clusters as n.

    References
    ----------
    Efron 2014, Journal of the American Statistical Association 109:991-1007 (influence of what is smoothed by drawing
    again).

    Returns
    -------
    PairShare or None
        None where Σ denominator is 0.
    """
    total = float(len(ballots)) if denominator is None else float(denominator(ballots.n, ballots.sycophantic).sum())
    if total <= 0:
        return None
    share = float(np.clip(numerator(ballots.n, ballots.sycophantic).sum() / total, 0, 1))

    def error(n: Ints, s: Ints) -> Floats:
        return (numerator(n, s) - share * (1.0 if denominator is None else denominator(n, s))) / total

    components = _components(ballots, error)
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


def _components(ballots: Ballots, error: Value) -> Components:
    n, s = ballots.n, ballots.sycophantic
    change = _change_by_a_vote(ballots, error)
    weight = inner(change, n.astype(np.float64))
    centre = inner(change, s.astype(np.float64)) / weight if weight else 0.0
    by_person = ballots.voted_sycophantic @ change - centre * (ballots.voted @ change)
    by_pair = error(n, s)
    return Components(
        by_pair=inner(by_pair, by_pair),
        by_annotator=inner(by_person, by_person),
        by_cell=float(((change * (1 - centre)) ** 2 * s + (change * centre) ** 2 * (n - s)).sum()),
        n_pairs=len(ballots),
        n_annotators=ballots.voted.shape[0],
        n_cells=int(n.sum()),
    )


def _change_by_a_vote(ballots: Ballots, error: Value) -> Floats:
    """Return d of each pair, shape (P,)."""
    sizes = [alike.votes for alike in ballots.alike]
    values = error(np.repeat(sizes, [size + 1 for size in sizes]), np.concatenate([np.arange(n + 1) for n in sizes]))
    change = np.zeros(len(ballots))
    start = 0
    for alike in ballots.alike:
        steps = np.diff(values[start : start + alike.votes + 1])
        change[alike.pairs] = (alike.chances @ steps)[alike.of_share]
        start += alike.votes + 1
    return change
