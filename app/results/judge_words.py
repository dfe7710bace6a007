"""What preference models prefer, in one sentence each: beside people, beside each other, by margin."""

from app.analysis.intervals import Interval
from app.analysis.paired import TwoByTwo
from app.results.judged import AgainstPeople, VariantContrast
from app.results.phrases import above, interval_points, many, percent, points


def of_judge(found: AgainstPeople, whom: str = "People") -> str:
    """Return people against a PM on the same pairs."""
    name = f"{found.name.called} ({found.name.variant}, {found.name.truthful_kind})"
    if found.name.random_weights:
        name = f"{name}, a model of random weights,"
    if found.overall is None:
        return f"{name} scored no pair that was judged."
    both = found.overall
    told = f"{percent(both.human_rate)} against {percent(both.judge_rate)} of {many(found.n_pairs, 'pair')}"
    drawn, clustered = both.paired.interval, both.clustered_interval
    if drawn is None or clustered is None:
        return f"{whom} and {name}: {told}; how surely they differ cannot be told."
    interval = _less_sure(drawn, clustered)
    told = f"({told}; {points(both.paired.difference)}, {interval_points(interval)})"
    way = above(interval, 0)
    if way == 0:
        return f"We cannot tell whether {whom.lower()} or {name} prefer the sycophantic response more often {told}."
    return f"{whom} prefer the sycophantic response {'more' if way > 0 else 'less'} often than {name} {told}."


def _less_sure(*intervals: Interval) -> Interval:
    """Return the widest of those that hold 0, or of all where none does: nothing is said that one of them denies."""
    return max([each for each in intervals if 0 in each] or intervals, key=lambda each: each.high - each.low)


def of_fooled(four: TwoByTwo) -> str:
    """Return on how many pairs people, a PM and both are fooled."""
    n = four.both + four.first_only + four.second_only + four.neither
    return (
        f"Of {many(n, 'pair')}, both are fooled on {four.both:,}, people alone on {four.first_only:,}, the PM alone "
        f"on {four.second_only:,}."
    )


def of_margin(judges: tuple[AgainstPeople, ...]) -> str:
    """Return whether the margin of the first PM that has a slope tells what people choose."""
    for pm in judges:
        found = None if pm.likeness is None else pm.likeness.calibration
        if found is None or found.slope is None or found.slope_interval is None:
            continue
        slope = f"(slope {found.slope:.2f})".replace("-", "−")
        way = above(found.slope_interval, 0)
        if way > 0:
            return f"A larger margin goes with more people who prefer the sycophantic response {slope}."
        if way < 0:
            return f"A larger margin goes with fewer people who prefer it {slope}."
        return "Whether the margin says what people prefer cannot be told."
    return "The margin of the PM beside the share of people."


def of_variant(found: VariantContrast) -> str:
    """Return a variant against the standard PM."""
    paired = found.overall.paired
    told = (
        f"{percent(found.overall.first_rate)} against {percent(found.overall.second_rate)}, {points(paired.difference)}"
    )
    name = f"{found.first.called}, {found.first.variant} ({found.first.truthful_kind})"
    if paired.interval is None:
        return f"{name} and standard: {told}; how surely they differ cannot be told."
    told = f"({told}, {interval_points(paired.interval)})"
    way = above(paired.interval, 0)
    if way == 0:
        return f"We cannot tell whether {name} differs from standard {told}."
    return f"{name} prefers the sycophantic response {'more' if way > 0 else 'less'} often than standard {told}."
