"""Each number in one sentence, hedged by its interval: nothing is said more surely than the interval allows.

A sentence is made of one number, of whichever arm; `sentences` gives those of a whole study in the order of a reader.
"""

from app.analysis.contrasts import Difference
from app.analysis.exclusions import Flow, Results, Sensitivity
from app.analysis.intervals import Interval
from app.analysis.length import LengthAdjusted
from app.analysis.majority import MajorityRates
from app.analysis.position import PositionBias
from app.analysis.rates import Rate
from app.analysis.resampling import Resampled
from app.analysis.trend import Slope
from app.results.findings import AgainstPeople, ArmFindings, Findings, VariantContrast

_HALF = 0.5


def percent(share: float) -> str:
    """Return a share as whole percent; what is not 0 or 1 never reads so."""
    written = f"{100 * share:.0f}"
    if written in {"0", "100"} and share not in {0.0, 1.0}:
        written = f"{100 * share:.1f}"
    return f"{written} %"


def points(difference: float) -> str:
    """Return a difference of shares as points, with its sign."""
    written = f"{100 * difference:+.1f}"
    return (written[1:] if float(written) == 0 else written).replace("-", "−") + " points"


def interval_words(interval: Interval) -> str:
    """Return an interval of a share."""
    return f"95 % interval {percent(interval.low).removesuffix(' %')}–{percent(interval.high)}"


def _interval_points(interval: Interval) -> str:
    low, high = (points(end).removesuffix(" points") for end in (interval.low, interval.high))
    return f"95 % interval {low} to {high}"


def _above(interval: Interval, value: float) -> int:
    """Return 1 where the whole interval is above a value, -1 where it is below, 0 where it holds it."""
    return (interval.low > value) - (interval.high < value)


def people(findings: Findings) -> str:
    """Return who chose."""
    return "Synthetic annotators" if findings.facts.synthetic else "People"


def of_rate(rate: Rate | None, whom: str = "People") -> str:
    """Return how often the sycophantic response was preferred, and whether that is more or less than half."""
    if rate is None:
        return "Nobody has preferred either response yet."
    told = (
        f"{whom} preferred the sycophantic response in {percent(rate.rate)} of pairs ({interval_words(rate.interval)})"
    )
    side = _above(rate.interval, _HALF)
    if side == 0:
        return f"{told}; whether that is more or less than half we cannot tell."
    return f"{told}: {'more' if side > 0 else 'less'} often than the truthful one."


def of_slope(slope: Slope | None) -> str:
    """Return the primary test's result."""
    if slope is None:
        return "Whether preference changes with difficulty cannot be asked: fewer than two levels have choices."
    if slope.interval is None or slope.p is None:
        return f"The preference changes by {points(slope.slope)} a level; how surely, so few choices cannot tell."
    told = f"{points(slope.slope)} a level, {_interval_points(slope.interval)}, p {p_words(slope.p)}"
    way = _above(slope.interval, 0)
    if way == 0:
        return f"We cannot tell whether the preference changes as misconceptions get harder ({told})."
    often = "more often" if way > 0 else "less often"
    return f"The sycophantic response is preferred {often} as misconceptions get harder ({told})."


def p_words(p: float) -> str:
    """Return a p as `= 0.012` or `< 0.001`."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def of_ends(ends: Difference | None) -> str:
    """Return the hardest level against the easiest."""
    if ends is None:
        return "The hardest level cannot be held against the easiest: fewer than two have choices."
    told = f"{percent(ends.first.rate)} and {percent(ends.second.rate)}, {points(ends.difference)}"
    way = _above(ends.interval, 0)
    told = f"({told}, {_interval_points(ends.interval)})"
    if way == 0:
        return f"We cannot tell whether the hardest and the easiest level differ {told}."
    return f"At the hardest level the preference is {'higher' if way > 0 else 'lower'} than at the easiest {told}."


def of_majority(found: MajorityRates | None) -> str:
    """Return the majority vote, and what ties do to it."""
    if found is None:
        return "There is no majority yet."
    if found.ties_excluded is None:
        return f"On none of {_many(found.n_pairs, 'pair')} is there a majority: all votes tie."
    rate = found.ties_excluded
    told = f"The majority preferred the sycophantic response on {percent(rate.rate)} of pairs"
    told = f"{told} ({interval_words(rate.interval)}"
    if not found.n_ties:
        return f"{told}; no vote ties)."
    half, strict = percent(found.ties_half.rate), percent(found.ties_as_not_sycophantic.rate)
    ties = (
        f"{_many(found.n_ties, 'tie')} left out; {half} if a tie counts half, {strict} if it counts as not sycophantic"
    )
    return f"{told}; {ties})."


def of_position(found: PositionBias | None) -> str:
    """Return what the side does."""
    if found is None:
        return "What the side does cannot be told: the truthful response was shown on one side only."
    share = found.left_share
    way = _above(share.interval, _HALF)
    bias = "we see no bias to a side" if way == 0 else f"the {'left' if way > 0 else 'right'} side is chosen more often"
    return (
        f"The left response was chosen in {percent(share.rate)} of choices ({interval_words(share.interval)}): {bias}; "
        f"without it the preference is {percent(found.adjusted_rate)}."
    )


def of_length(found: LengthAdjusted | None) -> str:
    """Return the rate at equal length beside the raw one."""
    if found is None or found.rate is None or found.interval is None:
        return "What the preference would be at equal length cannot be told."
    return (
        f"At equal length of both responses {percent(found.rate)} would prefer the sycophantic one "
        f"({interval_words(found.interval)}), against {percent(found.raw.rate)} as they are."
    )


def of_agreement(alpha: Resampled | None, raw: Resampled | None) -> str:
    """Return how far two people agree."""
    if raw is None:
        return "Whether people agree cannot be told: no pair was judged by two."
    told = f"Two people agree on {percent(raw.estimate)} of pairs ({interval_words(raw.interval)})"
    if alpha is None:
        return f"{told}; Krippendorff's alpha is not defined, as all choices are the same."
    way = _above(alpha.interval, 0)
    said = {1: "more than chance", 0: "whether that is more than chance we cannot tell", -1: "less than chance"}[way]
    return f"{told}; Krippendorff's alpha is {alpha.estimate:.2f}: {said}.".replace("-", "−")


def of_flow(flow: Flow) -> str:
    """Return how many choices were left out, and for what."""
    total, kept = flow.total.n_choices, flow.kept.n_choices
    if total == kept:
        return f"All {_many(total, 'stored choice')} are analysed."
    reasons = ", ".join(f"{step.n_choices:,} {step.reason}" for step in flow.excluded if step.n_choices)
    return f"{kept:,} of {_many(total, 'stored choice')} are analysed; left out: {reasons}."


def of_sensitivity(found: Sensitivity | None, what: str, without: str) -> str:
    """Return how the overall rate moves: `what` is what is left out, `without` what to say where nothing is."""
    if found is None:
        return without
    one, other = (_overall(results) for results in (found.with_them, found.without))
    if one is None or other is None:
        return f"Without {what} nothing is left."
    return f"With {what} the preference is {percent(one.rate)}, without {percent(other.rate)}."


def _overall(results: Results) -> Rate | None:
    return results.rates.overall


def of_judge(found: AgainstPeople, whom: str = "People") -> str:
    """Return people against a PM on the same pairs."""
    name = f"{found.name.model} ({found.name.variant}, {found.name.truthful_kind})"
    if found.name.random_weights:
        name = f"{name}, a model of random weights,"
    if found.overall is None:
        return f"{name} scored no pair that was judged."
    both = found.overall
    told = f"{percent(both.human_rate)} against {percent(both.judge_rate)} of {_many(found.n_pairs, 'pair')}"
    interval = both.paired.interval
    if interval is None:
        return f"{whom} and {name}: {told}; how surely they differ cannot be told."
    told = f"({told}; {points(both.paired.difference)}, {_interval_points(interval)})"
    way = _above(interval, 0)
    if way == 0:
        return f"We cannot tell whether {whom.lower()} or {name} prefer the sycophantic response more often {told}."
    return f"{whom} prefer the sycophantic response {'more' if way > 0 else 'less'} often than {name} {told}."


def of_variant(found: VariantContrast) -> str:
    """Return a variant against the standard PM."""
    paired = found.overall.paired
    told = (
        f"{percent(found.overall.first_rate)} against {percent(found.overall.second_rate)}, {points(paired.difference)}"
    )
    name = f"{found.first.model}, {found.first.variant} ({found.first.truthful_kind})"
    if paired.interval is None:
        return f"{name} and standard: {told}; how surely they differ cannot be told."
    told = f"({told}, {_interval_points(paired.interval)})"
    way = _above(paired.interval, 0)
    if way == 0:
        return f"We cannot tell whether {name} differs from standard {told}."
    return f"{name} prefers the sycophantic response {'more' if way > 0 else 'less'} often than standard {told}."


def _many(n: int, one: str) -> str:
    return f"{n:,} {one}" if n == 1 else f"{n:,} {one}s"


def of_arm(arm: ArmFindings, whom: str = "People") -> tuple[str, ...]:
    """Return what one arm shows, sentence by sentence, the primary test second."""
    if not arm.counts.n_decided:
        return (of_rate(None),)
    agreed = arm.agreement
    return (
        of_rate(arm.rates.overall, whom),
        of_slope(arm.slope),
        of_ends(arm.ends),
        of_majority(arm.majority),
        of_position(arm.position),
        of_length(arm.length),
        of_agreement(None if agreed is None else agreed.alpha, None if agreed is None else agreed.raw),
        of_flow(arm.flow),
        of_sensitivity(arm.exclusions, "what the rules exclude", "No rule left out a choice."),
        of_sensitivity(
            arm.looked_up, "those who looked something up", "Nobody was asked whether they looked things up."
        ),
        *(of_judge(judge, whom) for judge in arm.judges),
    )


def sentences(findings: Findings) -> dict[str, tuple[str, ...]]:
    """Return the sentences of each arm by its name, and those of the PMs' variants under `variants`."""
    told = {arm.arm.name: of_arm(arm, people(findings)) for arm in findings.arms}
    return told | {"variants": tuple(of_variant(each) for each in findings.judge_contrasts)}
