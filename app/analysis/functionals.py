"""Means over pairs of a function of a pair's votes, clustered by pair and by annotator: majorities, aggregation."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from app.analysis.arrays import Floats, Ints, dense, totals
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
class Ballots:
    """Decided choices with the votes of their pair: `n` and `sycophantic` by pair (P,), the rest by choice (n,)."""

    n: Ints
    sycophantic: Ints
    of_pair: Ints
    of_person: Ints
    n_people: int
    vote: Ints

    def __len__(self) -> int:
        return len(self.n)


def ballots_of(choices: Choices, at_least: int = 1) -> Ballots:
    """Return the decided votes of the pairs that have at least so many of them."""
    decided = choices.where(choices.decided)
    _, of_pair = dense(decided.pair)
    kept = decided.where(np.bincount(of_pair)[of_pair] >= at_least)
    pairs, of_pair = dense(kept.pair)
    people, of_person = dense(kept.annotator)
    vote = kept.prefers_sycophantic.astype(np.int64)
    n = np.bincount(of_pair, minlength=len(pairs)).astype(np.int64)
    return Ballots(
        n, np.rint(totals(of_pair, vote, len(pairs))).astype(np.int64), of_pair, of_person, len(people), vote
    )


def pair_share(
    ballots: Ballots, numerator: Value, denominator: Value | None = None, confidence: float = 0.95
) -> PairShare | None:
    """Σ numerator / Σ denominator over pairs, with a two-way clustered interval.

    Both are functions f(n, s) of a pair's n votes, s of them sycophantic; without a denominator it counts pairs.
    Clustered by pair with influences (num - θ den) / Σ den. What a person does to the share is, to first order, Σ of
    d (y - c) over their votes y, with d = f(n, s₋+1) - f(n, s₋) the change of their pair's num - θ den that their vote
    makes given the other votes s₋, and c the d-weighted mean vote; for f = s/n that is the macro rate's own influence.
    Interval on the logit scale, t with the smaller number of clusters - 1 degrees of freedom; where the share is 0 or 1
    or the variance cannot be estimated, Wilson's with the smaller number of clusters as n.

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
    n, s = ballots.n[ballots.of_pair], ballots.sycophantic[ballots.of_pair]
    others = s - ballots.vote
    by_type = _Once(error)
    change = by_type(n, others + 1) - by_type(n, others)
    weight = float(change.sum())
    centre = float(change @ ballots.vote) / weight if weight else 0.0
    influence = change * (ballots.vote - centre)
    by_person = totals(ballots.of_person, influence, ballots.n_people)
    by_pair = by_type(ballots.n, ballots.sycophantic)
    return Components(
        by_pair=float(by_pair @ by_pair),
        by_annotator=float(by_person @ by_person),
        by_cell=float(influence @ influence),
        n_pairs=len(ballots),
        n_annotators=ballots.n_people,
        n_cells=len(ballots.vote),
    )


class _Once:
    """Calls a function once for each kind of (n, s) that occurs: there are few, however many choices."""

    def __init__(self, value: Value) -> None:
        self._value = value

    def __call__(self, n: Ints, s: Ints) -> Floats:
        span = int(n.max(initial=0)) + 2
        kinds, of_kind = dense(n * span + s)
        return self._value(kinds // span, kinds % span)[of_kind]
