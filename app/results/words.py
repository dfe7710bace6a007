"""Each number in one sentence, hedged by its interval: nothing is said more surely than the interval allows.

A sentence is made of one number, of whichever arm; `sentences` gives those of a whole study in the order of a reader.
"""

from app.analysis.aggregation import AggregationCurve
from app.analysis.contrasts import Difference
from app.analysis.curves import Curve
from app.analysis.length import LengthAdjusted
from app.analysis.majority import MajorityRates
from app.analysis.position import PositionBias
from app.analysis.rates import Rate
from app.analysis.resampling import Resampled
from app.analysis.trend import Slope
from app.results.crossed.fit import ModelFit
from app.results.exclusion_words import of_flow, of_looked_up, of_sensitivity
from app.results.findings import ArmContrast, ArmFindings, Background, BackgroundGroup, Findings
from app.results.judge_words import of_judge, of_variant
from app.results.phrases import above, interval_points, interval_words, many, p_words, percent, points

_HALF = 0.5
_SURE = 0.05
_MOST_JUDGES = 4


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
    side = above(rate.interval, _HALF)
    if side == 0:
        return f"{told}; whether that is more or less than half we cannot tell."
    return f"{told}: {'more' if side > 0 else 'less'} often than the truthful one."


def of_slope(slope: Slope | None) -> str:
    """Return the primary test's result."""
    if slope is None:
        return "Whether preference changes with difficulty cannot be asked: fewer than two levels have choices."
    if slope.interval is None or slope.p is None:
        told = f"The preference changes by {points(slope.slope)} a level; how surely"
        if slope.n_pairs > 2 and slope.n_annotators > 1:
            return f"{told} cannot be told, as no pair and no person departs from that line."
        return f"{told}, so few choices cannot tell."
    told = f"{points(slope.slope)} a level, {interval_points(slope.interval)}, p {p_words(slope.p)}"
    way = above(slope.interval, 0)
    if way == 0:
        return f"We cannot tell whether the preference changes as misconceptions get harder ({told})."
    often = "more often" if way > 0 else "less often"
    return f"The sycophantic response is preferred {often} as misconceptions get harder ({told})."


def of_ends(ends: Difference | None) -> str:
    """Return the hardest level against the easiest."""
    if ends is None:
        return "The hardest level cannot be held against the easiest: fewer than two have choices."
    told = f"{percent(ends.first.rate)} and {percent(ends.second.rate)}, {points(ends.difference)}"
    way = above(ends.interval, 0)
    told = f"({told}, {interval_points(ends.interval)})"
    if way == 0:
        return f"We cannot tell whether the hardest and the easiest level differ {told}."
    return f"At the hardest level the preference is {'higher' if way > 0 else 'lower'} than at the easiest {told}."


def of_majority(found: MajorityRates | None) -> str:
    """Return the majority vote, and what ties do to it."""
    if found is None:
        return "There is no majority yet."
    if found.ties_excluded is None:
        return f"On none of {many(found.n_pairs, 'pair')} is there a majority: all votes tie."
    rate = found.ties_excluded
    told = f"The majority preferred the sycophantic response on {percent(rate.rate)} of pairs"
    told = f"{told} ({interval_words(rate.interval)}"
    if not found.n_ties:
        return f"{told}; no vote ties)."
    half, strict = percent(found.ties_half.rate), percent(found.ties_as_not_sycophantic.rate)
    ties = (
        f"{many(found.n_ties, 'tie')} left out; {half} if a tie counts half, {strict} if it counts as not sycophantic"
    )
    return f"{told}; {ties})."


def of_aggregation(curve: AggregationCurve) -> str:
    """Return what more people do to the vote."""
    first, last = min(curve.by_j), max(curve.by_j)
    one, most = curve.by_j[first], curve.by_j[last]
    way = above(most.interval, one.rate) if above(one.interval, most.rate) else 0
    said = {
        1: "more often sycophantic than one person",
        0: "not clearly more or less often sycophantic than one person",
        -1: "less often sycophantic than one person",
    }[way]
    told = f"{percent(most.rate)} ({interval_words(most.interval)}) and {percent(one.rate)}"
    return f"A majority of {last} is {said}: {told} ({interval_words(one.interval)})."


def of_position(found: PositionBias | None) -> str:
    """Return what the side does."""
    if found is None:
        return "What the side does cannot be told: the truthful response was shown on one side only."
    share = found.left_share
    way = above(share.interval, _HALF)
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
    surely = "how surely cannot be told" if raw.interval is None else interval_words(raw.interval)
    told = f"Two people agree on {percent(raw.estimate)} of pairs ({surely})"
    if alpha is None:
        return f"{told}; Krippendorff's alpha is not defined, as all choices are the same."
    told = f"{told}; Krippendorff's alpha is {alpha.estimate:.2f}".replace("-", "−")
    if raw.interval is None or alpha.interval is None:
        return f"{told}."
    way = above(alpha.interval, 0)
    said = {1: "more than chance", 0: "whether that is more than chance we cannot tell", -1: "less than chance"}[way]
    return f"{told}: {said}."


def of_confidence(found: Curve) -> str:
    """Return whether confidence and preference go together."""
    return _of_trend(found, "confidence", "Surer choices are")


def of_prior_belief(found: Curve) -> str:
    """Return whether belief and preference go together."""
    return _of_trend(found, "prior belief", "Choices of those who believed the claim are")


def _of_trend(found: Curve, name: str, lead: str) -> str:
    way = 0 if found.slope_interval is None else above(found.slope_interval, 0)
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
    """Return how the other arms differ from the first: clearly, where the interval and the adjusted p both say so."""
    told = []
    for one in contrasts:
        interval = one.difference.interval
        change = f"{points(one.difference.difference)}, {interval_points(interval)}"
        clear = above(interval, 0) and one.p_holm is not None and one.p_holm < _SURE
        told.append(f"{one.arm}: {change}{'' if clear else ', no clear difference'}")
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


def answer(findings: Findings) -> tuple[str, ...]:
    """Return the question's answer in a few sentences: over all levels, by difficulty, and against each PM."""
    arm = findings.primary
    if arm is None:
        return (of_rate(None),)
    if not arm.counts.n_decided:
        return _undecided(arm)
    whom = people(findings)
    judges = (of_judge(judge, whom) for judge in arm.judges[:_MOST_JUDGES])
    return (of_rate(arm.rates.overall, whom), of_slope(arm.slope), *judges)


def of_arm(arm: ArmFindings, whom: str = "People") -> tuple[str, ...]:
    """Return what one arm shows, sentence by sentence, the primary test second."""
    if not arm.counts.n_decided:
        return _undecided(arm)
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


def _undecided(arm: ArmFindings) -> tuple[str, ...]:
    """Return why there is no preference: nobody said one, or what they said is left out."""
    if arm.counts.n_stored and not arm.counts.n_analysed:
        return "No choice can be analysed yet.", of_flow(arm.flow)
    return (of_rate(None),)


def sentences(findings: Findings) -> dict[str, tuple[str, ...]]:
    """Return the sentences of each arm by its name, and those of the PMs' variants under `variants`."""
    told = {arm.arm.name: of_arm(arm, people(findings)) for arm in findings.arms}
    return told | {"variants": tuple(of_variant(each) for each in findings.judge_contrasts)}
