"""Each number in one sentence, hedged by its interval: nothing is said more surely than the interval allows.

A sentence is made of one number, of whichever arm; `sentences` gives those of a whole study in the order of a reader.
"""

from app.analysis.aggregation import AggregationCurve
from app.analysis.contrasts import Difference
from app.analysis.curves import Curve
from app.analysis.exclusions import Flow, Results, Sensitivity
from app.analysis.intervals import Interval
from app.analysis.length import LengthAdjusted
from app.analysis.majority import MajorityRates
from app.analysis.paired import TwoByTwo
from app.analysis.position import PositionBias
from app.analysis.rates import Rate
from app.analysis.resampling import Resampled
from app.analysis.response_times import AtThreshold
from app.analysis.trend import Slope
from app.results.crossed.fit import ModelFit
from app.results.findings import ArmContrast, ArmFindings, Background, BackgroundGroup, Findings
from app.results.judged import AgainstPeople, VariantContrast

_HALF = 0.5
_SURE = 0.05
_MOST_JUDGES = 4

REASONS = {
    "surplus": "fills no slot (surplus)",
    "repeat": "swapped repeat",
    "withdrawn": "withdrawn by the person",
    "retired_pair": "pair retired as faulty",
    "failed_checks": "person failed checks",
    "incomplete": "person did not finish",
    "looked_up": "person looked something up",
    "easy_pairs": "person failed the easy pairs",
    "fastest_ms": "faster than the fastest plausible time",
    "words_a_minute": "faster than both can be read",
    "left_page": "left the page meanwhile",
}
"""Why a choice is left out, in words."""


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
        f"{whom} preferred the sycophantic response in {percent(rate.rate)} of choices, averaged over pairs "
        f"({interval_words(rate.interval)})"
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


def of_aggregation(curve: AggregationCurve) -> str:
    """Return what more people do to the vote."""
    first, last = min(curve.by_j), max(curve.by_j)
    one, many = curve.by_j[first], curve.by_j[last]
    way = _above(many.interval, one.rate) if _above(one.interval, many.rate) else 0
    said = {
        1: "more often sycophantic than one person",
        0: "not clearly more or less often sycophantic than one person",
        -1: "less often sycophantic than one person",
    }[way]
    told = f"{percent(many.rate)} ({interval_words(many.interval)}) and {percent(one.rate)}"
    return f"A majority of {last} is {said}: {told} ({interval_words(one.interval)})."


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
    reasons = "; ".join(f"{step.n_choices:,}: {reason(step.reason)}" for step in flow.excluded if step.n_choices)
    return f"{kept:,} of {_many(total, 'stored choice')} are analysed; left out: {reasons}."


def reason(code: str) -> str:
    """Return why a choice is left out; a reason that is not known here, such as one in a file, is left as it is."""
    return REASONS.get(code, code.replace("_", " "))


def of_analysed(flow: Flow) -> str:
    """Return how many choices are analysed."""
    total, kept = flow.total.n_choices, flow.kept.n_choices
    if total == kept:
        return f"All {_many(total, 'stored choice')} are analysed."
    return f"{kept:,} of {_many(total, 'stored choice')} are analysed."


def of_response_times(at: tuple[AtThreshold, ...]) -> str:
    """Return how the rate moves with the threshold."""
    found = [_overall(each.results) for each in at]
    rates = [rate.rate for rate in found if rate is not None]
    if not rates:
        return "Without fast choices nothing is left."
    if n_empty := len(found) - len(rates):
        if len(rates) == 1:
            return "Every choice is faster than every threshold: without fast choices nothing is left."
        return f"At {n_empty} of {len(found)} thresholds of the time to decide nothing is left."
    low, high = (percent(rate).removesuffix(" %") for rate in (min(rates), max(rates)))
    if low == high:
        return f"Leaving fast choices out does not move the rate: {low} % at every threshold."
    return f"Over all thresholds of the time to decide the rate is {low} to {high} %."


def of_sensitivity(found: Sensitivity | None, what: str, without: str) -> str:
    """Return how the overall rate moves: `what` is what is left out, `without` what to say where nothing is."""
    if found is None:
        return without
    one, other = (_overall(results) for results in (found.with_them, found.without))
    if one is None or other is None:
        return f"Without {what} nothing is left."
    return f"With {what} the preference is {percent(one.rate)}, without {percent(other.rate)}."


def of_looked_up(found: Sensitivity | None) -> str:
    """Return how the overall rate moves with those who looked something up."""
    if found is not None and found.with_them.n_choices == found.without.n_choices:
        return "Nobody said that they had looked something up."
    return of_sensitivity(found, "those who looked something up", "Nobody was asked whether they looked things up.")


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


def of_fooled(four: TwoByTwo) -> str:
    """Return on how many pairs people, a PM and both are fooled."""
    n = four.both + four.first_only + four.second_only + four.neither
    return (
        f"Of {_many(n, 'pair')}, both are fooled on {four.both:,}, people alone on {four.first_only:,}, the PM alone "
        f"on {four.second_only:,}."
    )


def of_margin(judges: tuple[AgainstPeople, ...]) -> str:
    """Return whether the margin of the first PM that has a slope tells what people choose."""
    for pm in judges:
        found = None if pm.likeness is None else pm.likeness.calibration
        if found is None or found.slope is None or found.slope_interval is None:
            continue
        slope = f"(slope {found.slope:.2f})".replace("-", "−")
        way = _above(found.slope_interval, 0)
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
    name = f"{found.first.model}, {found.first.variant} ({found.first.truthful_kind})"
    if paired.interval is None:
        return f"{name} and standard: {told}; how surely they differ cannot be told."
    told = f"({told}, {_interval_points(paired.interval)})"
    way = _above(paired.interval, 0)
    if way == 0:
        return f"We cannot tell whether {name} differs from standard {told}."
    return f"{name} prefers the sycophantic response {'more' if way > 0 else 'less'} often than standard {told}."


def of_confidence(found: Curve) -> str:
    """Return whether confidence and preference go together."""
    return _of_trend(found, "confidence", "Surer choices are")


def of_prior_belief(found: Curve) -> str:
    """Return whether belief and preference go together."""
    return _of_trend(found, "prior belief", "Choices of those who believed the claim are")


def _of_trend(found: Curve, name: str, lead: str) -> str:
    way = 0 if found.slope_interval is None else _above(found.slope_interval, 0)
    if way == 0:
        return f"Whether {name} goes with the preference cannot be told."
    return f"{lead} {'more' if way > 0 else 'less'} often sycophantic."


def of_background(found: Background) -> str:
    """Return whether any group differs from the reference."""
    surely = [group for group in found.groups if group.p_holm is not None and group.p_holm < _SURE]
    if not surely:
        return f"No group by “{found.question}” clearly differs from “{found.reference}”."
    return f"Differing from “{found.reference}”: {', '.join(map(_group, surely))}."


def _group(group: BackgroundGroup) -> str:
    return f"“{group.answer}”" + ("" if group.difference is None else f" ({points(group.difference.difference)})")


def of_arms(contrasts: tuple[ArmContrast, ...]) -> str:
    """Return how the other arms differ from the first."""
    told = []
    for one in contrasts:
        interval = one.difference.interval
        change = f"{points(one.difference.difference)}, {_interval_points(interval)}"
        told.append(f"{one.arm}: {change}{'' if _above(interval, 0) else ', no clear difference'}")
    return f"{'; '.join(told) or 'The arms share no pairs'}."


def of_model(fit: ModelFit) -> str:
    """Return the rate over all levels that the model implies, unless it did not sample well or is out of date."""
    overall = fit.marginal.get(0)
    if fit.warnings or overall is None:
        told = "The random-effects model did not sample well: its numbers are not to be relied on."
    else:
        told = f"By the random-effects model {percent(overall.rate)} of choices are for the sycophantic response"
        told += f" ({interval_words(overall.interval)})."
    return f"Out of date: {told[:1].lower()}{told[1:]}" if fit.outdated else told


def heading(sentence: str) -> str:
    """Return a sentence as a heading: without its full stop."""
    return sentence.removesuffix(".")


def answer(findings: Findings) -> tuple[str, ...]:
    """Return the question's answer in a few sentences: over all levels, by difficulty, and against each PM."""
    arm = findings.primary
    if arm is None:
        return (of_rate(None),)
    whom = people(findings)
    judges = (of_judge(judge, whom) for judge in arm.judges[:_MOST_JUDGES])
    return (of_rate(arm.rates.overall, whom), of_slope(arm.slope), *judges)


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
        of_looked_up(arm.looked_up),
        *(of_judge(judge, whom) for judge in arm.judges),
    )


def sentences(findings: Findings) -> dict[str, tuple[str, ...]]:
    """Return the sentences of each arm by its name, and those of the PMs' variants under `variants`."""
    told = {arm.arm.name: of_arm(arm, people(findings)) for arm in findings.arms}
    return told | {"variants": tuple(of_variant(each) for each in findings.judge_contrasts)}
