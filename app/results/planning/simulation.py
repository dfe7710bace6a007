"""What a planned study can be expected to show: power and widths, by simulating it and running the planned analysis.

Answers are drawn from the crossed model logit P = a(level) + pair + annotator, with a(level) such that the average over
pairs and people is the expected rate. What is then counted is what the results will run: `slope_of`, `rate_difference`
and `rates_of`. Nothing about the tests is written twice.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import optimize, special

from app.analysis.arrays import Bools, Floats, Ints
from app.analysis.choices import Choices
from app.analysis.contrasts import Difference, rate_difference
from app.analysis.intervals import Interval
from app.analysis.marginal import marginal_rate
from app.analysis.margins import margins_of
from app.analysis.rates import Rate, rates_of
from app.analysis.trend import Slope, slope_of
from app.results.planning.plans import Plan

ALPHA = 0.05
"""Two-sided; intervals are of 1 - ALPHA."""

Progress = Callable[[int, int], None]
"""Called with studies simulated so far, and wanted."""

_CELLS_AT_ONCE = 200_000
_STUDIES_AT_ONCE = 50
_FEWEST = 2  # Below this a Monte Carlo error cannot be told.


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number from the simulated studies, with its Monte Carlo standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class LevelExpected:
    """What to expect at one level.

    Attributes
    ----------
    level, n_pairs
        The level, and its pairs.
    planned, rate
        The rate that was planned with, and the mean of those estimated; the two agree but for simulation.
    low, high
        Mean ends of the interval.
    width
        Mean width of the interval, as a share: 0.16 is ± 8 points.
    """

    level: int
    n_pairs: int
    planned: float
    rate: Estimate
    low: float
    high: float
    width: Estimate


@dataclass(frozen=True, slots=True)
class Expected:
    """What to expect of a planned study.

    Attributes
    ----------
    plan
        What was simulated; `simulations` is what was asked for.
    simulations
        Studies that were simulated: fewer, if it was interrupted.
    slope_power, ends_power
        Share of studies in which the slope, and the hardest level against the easiest, differ from 0 at `ALPHA`.
    slope, slope_width
        Mean slope (change of the rate a level), and mean width of its interval; None where it could never be estimated.
    levels
        Each level's rate and interval.
    """

    plan: Plan
    simulations: int
    slope_power: Estimate
    ends_power: Estimate
    slope: Estimate | None
    slope_width: Estimate | None
    levels: tuple[LevelExpected, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the analysis finds in one simulated study."""

    slope: Slope | None
    ends: Difference | None
    rates: dict[int, Rate]


def expect(plan: Plan, progress: Progress | None = None) -> Expected:
    """Simulate a planned study as often as it asks for, and say what to expect.

    Interrupted (Ctrl-C, or a KeyboardInterrupt from `progress`), it says so of the studies that it has, if any.
    """
    found: list[Outcome] = []
    try:
        for outcome in simulate(plan):
            found.append(outcome)
            if progress is not None:
                progress(len(found), plan.simulations)
    except KeyboardInterrupt:
        if len(found) < _FEWEST:
            raise
    return summed_up(plan, found)


def simulate(plan: Plan) -> Iterator[Outcome]:
    """Simulate studies one after another; the same plan gives the same ones."""
    for shape, answers in studies(plan):
        yield analysed(shape, answers)


def studies(plan: Plan) -> Iterator[tuple["Assignment", Bools]]:
    """Return who judges what, and what they answer, shape (C,), of one simulated study after another."""
    rng = np.random.default_rng(plan.seed)
    centre = centres(plan)
    left = plan.simulations
    while left:
        shape = deal(plan, rng)
        n = min(left, _STUDIES_AT_ONCE, max(1, _CELLS_AT_ONCE // plan.choices))
        for answers in _draw(plan, shape, centre, n, rng):
            yield shape, answers
        left -= n


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who judges which pair: codes by choice, shape (C,), with the pair's level."""

    pair: Ints
    level: Ints
    annotator: Ints


def deal(plan: Plan, rng: np.random.Generator) -> Assignment:
    """Give each annotator n distinct pairs, spread over the levels, and each pair exactly k annotators.

    All pairs are dealt out k times, each time in an order in which the levels alternate as evenly as their sizes
    allow and pairs of one level stand at random; people take the next n. Where one person's pairs run from one round
    into the next, those they have already come last in their level, so nobody meets a pair twice.
    """
    pattern = _alternating(plan.pairs)
    of_level = np.repeat(np.arange(len(plan.pairs)), plan.pairs)
    pools = [np.flatnonzero(of_level == level) for level in range(len(plan.pairs))]
    rounds: list[Ints] = []
    for number in range(plan.ratings_per_pair):
        begun = number * len(pattern) % plan.pairs_per_annotator
        held = rounds[-1][len(pattern) - begun :] if begun else np.empty(0, np.int64)
        rounds.append(_round(pattern, pools, held, rng))
    pair = np.concatenate(rounds)
    return Assignment(pair, of_level[pair] + 1, np.arange(len(pair)) // plan.pairs_per_annotator)


def _alternating(sizes: tuple[int, ...]) -> Ints:
    """Return one level for each pair (0 and up), each level's places spread evenly over all."""
    level = np.repeat(np.arange(len(sizes)), sizes)
    place = np.concatenate([(np.arange(size) + 0.5) / size for size in sizes])
    return level[np.lexsort((level, place))]


def _round(pattern: Ints, pools: list[Ints], held: Ints, rng: np.random.Generator) -> Ints:
    dealt = np.empty(len(pattern), np.int64)
    for level, pool in enumerate(pools):
        order = rng.permutation(pool)
        dealt[pattern == level] = order[np.argsort(np.isin(order, held), kind="stable")]
    return dealt


def centres(plan: Plan) -> Floats:
    """Return the logit at each level that makes the average over pairs and people the planned rate."""
    sd = sqrt(plan.sd_pair**2 + plan.sd_annotator**2)
    reach = 10 + 10 * sd  # Rates from 1e-4 to 1 - 1e-4 lie well within.

    def miss(logit: float, rate: float) -> float:
        return float(marginal_rate([logit], [sd])[0]) - rate

    return np.array([optimize.brentq(miss, -reach, reach, args=(rate,), xtol=1e-10) for rate in plan.rates])


def _draw(plan: Plan, shape: Assignment, centre: Floats, n: int, rng: np.random.Generator) -> Bools:
    """Draw the answers of n studies on one assignment, shape (n, C): whether the sycophantic response is preferred."""
    pairs = rng.normal(0, plan.sd_pair, (n, sum(plan.pairs)))
    people = rng.normal(0, plan.sd_annotator, (n, plan.annotators))
    logit = centre[shape.level - 1] + pairs[:, shape.pair] + people[:, shape.annotator]
    return np.less(rng.random(logit.shape), np.asarray(special.expit(logit), dtype=np.float64))


def choices_of(shape: Assignment, answers: Bools) -> Choices:
    """Return one study's answers as choices."""
    return Choices(
        pair=shape.pair,
        annotator=shape.annotator,
        level=shape.level,
        prefers_sycophantic=answers.astype(np.float64),
        truthful_left=np.zeros(len(answers), np.bool_),
    )


def analysed(shape: Assignment, answers: Bools) -> Outcome:
    """Run the planned analysis on one study's answers."""
    choices = choices_of(shape, answers)
    sums = margins_of(choices)
    easiest, hardest = (choices.level == level for level in (shape.level.min(), shape.level.max()))
    return Outcome(slope_of(sums), rate_difference(choices, hardest, easiest), rates_of(sums).by_level)


def summed_up(plan: Plan, outcomes: list[Outcome]) -> Expected:
    """Return what one or more simulated studies show together."""
    slopes = [outcome.slope for outcome in outcomes if outcome.slope is not None]
    widths = [_width(slope.interval) for slope in slopes if slope.interval is not None]
    return Expected(
        plan=plan,
        simulations=len(outcomes),
        slope_power=_share([_found(outcome.slope) for outcome in outcomes]),
        ends_power=_share([_found(outcome.ends) for outcome in outcomes]),
        slope=_mean([slope.slope for slope in slopes]),
        slope_width=_mean(widths),
        levels=tuple(
            _level(plan, level, [outcome.rates[level] for outcome in outcomes])
            for level in range(1, len(plan.pairs) + 1)
        ),
    )


def _level(plan: Plan, level: int, rates: list[Rate]) -> LevelExpected:
    rate, width = _mean([each.rate for each in rates]), _mean([_width(each.interval) for each in rates])
    assert rate is not None
    assert width is not None
    return LevelExpected(
        level=level,
        n_pairs=plan.pairs[level - 1],
        planned=plan.rates[level - 1],
        rate=rate,
        low=float(np.mean([each.interval.low for each in rates])),
        high=float(np.mean([each.interval.high for each in rates])),
        width=width,
    )


def _found(tested: Slope | Difference | None) -> bool:
    return tested is not None and tested.p is not None and tested.p < ALPHA


def _width(interval: Interval) -> float:
    return interval.high - interval.low


def _share(found: Iterable[bool]) -> Estimate:
    """Return a share with its error, by two more of each kind: a share of none or all is not known without error."""
    yes = list(found)
    n, x = len(yes), sum(yes)
    smoothed = (x + 2) / (n + 4)
    return Estimate(x / n, sqrt(smoothed * (1 - smoothed) / (n + 4)))


def _mean(values: list[float]) -> Estimate | None:
    if len(values) < _FEWEST:
        return None
    return Estimate(float(np.mean(values)), float(np.std(values, ddof=1)) / sqrt(len(values)))
