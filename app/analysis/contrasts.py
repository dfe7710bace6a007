"""Differences of preference rates: arms, background groups, two levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from app.analysis.arrays import Bools, Floats, Ints, dense, flags, inner, same_length, totals, whole
from app.analysis.choices import Choices
from app.analysis.clustering import Components, two_way
from app.analysis.intervals import Interval, newcombe_difference, student_interval, student_p
from app.analysis.margins import Margins, margins_of
from app.analysis.multiplicity import holm_of
from app.analysis.rates import Rate, Weighting, clustered_rate


@dataclass(frozen=True, slots=True)
class Difference:
    """The rate of the first set of choices minus that of the second.

    Attributes
    ----------
    difference
        In [-1, 1].
    interval
        Two-sided, within [-1, 1].
    se, p
        Two-way clustered standard error, and two-sided p from t; None where the variance cannot be estimated.
    df
        Smallest number of clusters in either set - 1.
    first, second
        The two rates.
    """

    difference: float
    interval: Interval
    se: float | None
    p: float | None
    df: int
    first: Rate
    second: Rate


def rate_difference(
    choices: Choices,
    first: ArrayLike,
    second: ArrayLike,
    weighting: Weighting = "pairs",
    confidence: float = 0.95,
) -> Difference | None:
    """Difference of the rates of two disjoint sets of choices, clustered by pair and by annotator.

    The influences w (y - rate) of the first set and those of the second, with their sign turned, are clustered
    together, so what the sets share (the same pairs, the same people) cancels or adds as it should. Interval: ± t se
    with the smallest number of pairs or annotators in either set - 1 degrees of freedom. Where the variance cannot be
    estimated: Newcombe's square-and-add with both effective numbers (see `clustered_rate`), and no p.

    Parameters
    ----------
    first, second
        Masks, shape (n,), that no choice has both of.
    weighting
        "pairs": every pair of a set counts the same; "choices": every choice does.

    Returns
    -------
    Difference or None
        None where a set has no choice that is not a tie.
    """
    sets = [flags("first", first) & choices.decided, flags("second", second) & choices.decided]
    rates = [clustered_rate(margins_of(choices.where(mask)), weighting, confidence) for mask in sets]
    one, other = rates
    if one is None or other is None:
        return None
    influence = _influence(choices, sets[0], one.rate, weighting) - _influence(choices, sets[1], other.rate, weighting)
    used = sets[0] | sets[1]
    components = two_way(influence[used], choices.pair[used], choices.annotator[used], one_a_cell=True)
    return _difference(one, other, components, confidence)


def _difference(one: Rate, other: Rate, components: Components, confidence: float) -> Difference:
    difference = one.rate - other.rate
    df = min(one.n_pairs, one.n_annotators, other.n_pairs, other.n_annotators) - 1
    variance = components.variance() if df >= 1 else None
    se = None if variance is None else sqrt(variance)
    return Difference(
        difference=difference,
        interval=_newcombe(one, other, confidence)
        if se is None
        else _bounded(student_interval(difference, se, df, confidence)),
        se=se,
        p=None if se is None else student_p(difference, se, df),
        df=df,
        first=one,
        second=other,
    )


def level_difference(sums: Margins, first: int, second: int, confidence: float = 0.95) -> Difference | None:
    """Macro rate at one level minus that at another; the same numbers as `rate_difference`, from sums by pair."""
    parts = [sums.at_level(level) for level in (first, second)]
    one, other = (clustered_rate(part, "pairs", confidence) for part in parts)
    if one is None or other is None:
        return None
    return _difference(one, other, _components(parts, (one.rate, other.rate)), confidence)


def _components(parts: Sequence[Margins], rates: Sequence[float]) -> Components:
    """Cluster the errors of the first rate and, their sign turned, of the second; they share no pair."""
    by_pair, by_person, by_cell = [], [], 0.0
    for part, rate, sign in zip(parts, rates, (1, -1), strict=True):
        weight = 1 / (part.pair_n * len(part.pair_n))
        by_pair.append(weight * (part.pair_yes - rate * part.pair_n))
        by_person.append(sign * (part.annotator_share_yes - rate * part.annotator_share) / len(part.pair_n))
        squares = part.pair_yes * (1 - rate) ** 2 + (part.pair_n - part.pair_yes) * rate**2
        by_cell += inner(weight**2, squares)
    people, of_person = dense(np.concatenate([part.annotator for part in parts]))
    pairs, persons = np.concatenate(by_pair), totals(of_person, np.concatenate(by_person), len(people))
    return Components(
        by_pair=inner(pairs, pairs),
        by_annotator=inner(persons, persons),
        by_cell=by_cell,
        n_pairs=len(pairs),
        n_annotators=len(people),
        n_cells=round(sum(part.pair_n.sum() for part in parts)),
    )


def _influence(choices: Choices, mask: Bools, rate: float, weighting: Weighting) -> Floats:
    influence = np.zeros(len(choices))
    pairs, of_pair = dense(choices.pair[mask])
    n = np.bincount(of_pair)
    weight = 1 / (n[of_pair] * len(pairs)) if weighting == "pairs" else 1 / len(of_pair)
    influence[mask] = weight * (choices.prefers_sycophantic[mask] - rate)
    return influence


def _newcombe(first: Rate, second: Rate, confidence: float) -> Interval:
    n, m = first.n_effective, second.n_effective
    interval = newcombe_difference(first.rate * n, n, second.rate * m, m, confidence)
    assert interval is not None
    return interval


def _bounded(interval: Interval) -> Interval:
    return Interval(max(interval.low, -1.0), min(interval.high, 1.0))


@dataclass(frozen=True, slots=True)
class GroupContrast:
    """One group against the reference, on the pairs that both judged; p adjusted by Holm over all groups."""

    group: int
    reference: int
    difference: Difference
    p_holm: float | None


def group_rates(choices: Choices, group: ArrayLike, confidence: float = 0.95) -> dict[int, Rate]:
    """Macro preference rate of each background group; `group` codes each choice, shape (n,)."""
    codes = _group_codes(choices, group)
    rates = {
        int(code): clustered_rate(margins_of(choices.where(codes == code)), "pairs", confidence)
        for code in _each(codes)
    }
    return {code: rate for code, rate in rates.items() if rate is not None}


def compare_groups(
    choices: Choices, group: ArrayLike, reference: int, confidence: float = 0.95
) -> tuple[GroupContrast, ...]:
    """Compare each group with the reference on the pairs that both have choices on.

    Macro rates over the same pairs, so that groups do not differ by what they were shown. A group that shares no pair
    with the reference is left out. Intervals are not adjusted for multiplicity; p_holm is, over all groups compared.
    """
    codes = _group_codes(choices, group)
    found: dict[int, Difference] = {}
    for code in _each(codes[codes != reference]):
        shared = _on_shared_pairs(choices, codes == code, codes == reference)
        difference = rate_difference(
            choices, shared & (codes == code), shared & (codes == reference), "pairs", confidence
        )
        if difference is not None:
            found[int(code)] = difference
    adjusted = holm_of({code: each.p for code, each in found.items()})
    return tuple(GroupContrast(code, reference, each, adjusted.get(code)) for code, each in found.items())


def compare_arms(choices: Choices, reference: int, confidence: float = 0.95) -> tuple[GroupContrast, ...]:
    """Compare each arm with the reference arm; see `compare_groups`. Without arms there is nothing to compare."""
    return () if choices.arm is None else compare_groups(choices, choices.arm, reference, confidence)


def _each(codes: Ints) -> list[int]:
    return [int(code) for code in np.unique(codes)]


def _group_codes(choices: Choices, group: ArrayLike) -> Ints:
    codes = whole("group", group)
    same_length({"group": codes, "pair": choices.pair})
    return codes


def _on_shared_pairs(choices: Choices, first: Bools, second: Bools) -> Bools:
    decided = choices.decided
    shared = np.intersect1d(choices.pair[first & decided], choices.pair[second & decided])
    return np.isin(choices.pair, shared)
