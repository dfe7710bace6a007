"""What heads each figure: its finding in a sentence, from `words` where it has one, no surer than its interval."""

from app.analysis.contrasts import Difference
from app.analysis.intervals import Interval
from app.results import words
from app.results.findings import AgainstPeople, ArmFindings, Background, Findings, ModelFit
from app.results.report_numbers import many, points, within

_MOST_JUDGES = 4


def _percent(rate: float) -> str:
    return f"{100 * rate:.0f} %"


def _between(interval: Interval) -> str:
    return f"95 % interval {100 * interval.low:.0f} to {100 * interval.high:.0f} %"


def _arm(findings: Findings) -> ArmFindings:
    assert findings.primary is not None
    return findings.primary


def _head(sentence: str) -> str:
    """Return a sentence as a heading: without its full stop."""
    return sentence.removesuffix(".")


def answer(findings: Findings) -> tuple[str, ...]:
    """Return the question's answer in a few sentences: over all levels, by difficulty, and against each PM."""
    arm = _arm(findings)
    whom = words.people(findings)
    judges = (words.of_judge(judge, whom) for judge in arm.judges[:_MOST_JUDGES])
    return (words.of_rate(arm.rates.overall, whom), words.of_slope(arm.slope), *judges)


def levels(findings: Findings) -> str:
    """Return the hardest level against the easiest."""
    arm = _arm(findings)
    if arm.ends is None:
        return _head(words.of_rate(arm.rates.overall, words.people(findings)))
    return _head(words.of_ends(arm.ends))


def slope(findings: Findings) -> str:
    """Return the primary test's result."""
    return _head(words.of_slope(_arm(findings).slope))


def overall(findings: Findings) -> str:
    """Return the rate over all levels."""
    return _head(words.of_rate(_arm(findings).rates.overall, words.people(findings)))


def aggregation(findings: Findings) -> str:
    """Return what more people do to the vote."""
    curve = _arm(findings).aggregation
    assert curve is not None
    first, last = min(curve.by_j), max(curve.by_j)
    one, many_ = curve.by_j[first], curve.by_j[last]
    if abs(one.rate - many_.rate) < 0.005:
        way = "leaves the preference as it is"
    else:
        way = "makes a sycophantic choice rarer" if many_.rate < one.rate else "makes a sycophantic choice more common"
    return f"A majority of {last} instead of one person {way}: {_percent(one.rate)} and {_percent(many_.rate)}"


def sides(findings: Findings) -> str:
    """Return what the side does, or where that cannot be told, the length."""
    arm = _arm(findings)
    return _head(words.of_length(arm.length) if arm.position is None else words.of_position(arm.position))


def agreement(findings: Findings) -> str:
    """Return how far people agree."""
    found = _arm(findings).agreement
    assert found is not None
    return _head(words.of_agreement(found.alpha, found.raw))


def exclusions(findings: Findings) -> str:
    """Return how many choices were left out."""
    arm = _arm(findings)
    out = arm.flow.total.n_choices - arm.flow.kept.n_choices
    if not out:
        return f"All {many(arm.flow.total.n_choices, 'stored choice')} are analysed"
    return f"{arm.flow.kept.n_choices:,} of {many(arm.flow.total.n_choices, 'stored choice')} are analysed"


def response_times(findings: Findings) -> str:
    """Return how the rate moves with the threshold."""
    times = _arm(findings).response_times
    assert times is not None
    rates = [at.results.rates.overall.rate for at in times.at if at.results.rates.overall is not None]
    if not rates:
        return "Without fast choices nothing is left"
    low, high = f"{100 * min(rates):.0f}", f"{100 * max(rates):.0f}"
    if low == high:
        return f"Leaving fast choices out does not move the rate: {low} % at every threshold"
    return f"Over all thresholds of the time to decide the rate is {low} to {high} %"


def looked_up(findings: Findings) -> str:
    """Return how the rate moves with those who looked something up."""
    return _head(words.of_sensitivity(_arm(findings).looked_up, "people who looked something up", ""))


def people_and_pms(findings: Findings) -> str:
    """Return how people and the first PM differ over all levels."""
    return _head(words.of_judge(_arm(findings).judges[0], words.people(findings)))


def fooled(_findings: Findings, pm: AgainstPeople) -> str:
    """Return on how many pairs both are fooled."""
    assert pm.likeness is not None
    four = pm.likeness.fooled
    n = four.both + four.first_only + four.second_only + four.neither
    return (
        f"Of {many(n, 'pair')}, both are fooled on {four.both:,}, people alone on {four.first_only:,}, the PM alone on "
        f"{four.second_only:,}"
    )


def calibration(findings: Findings) -> str:
    """Return whether the margin of the first PM tells what people choose."""
    for pm in _arm(findings).judges:
        found = None if pm.likeness is None else pm.likeness.calibration
        if found is None or found.slope is None or found.slope_interval is None:
            continue
        if found.slope_interval.low > 0:
            return (
                f"A larger margin goes with more people who prefer the sycophantic response (slope {found.slope:.2f})"
            )
        if found.slope_interval.high < 0:
            return f"A larger margin goes with fewer people who prefer it (slope {found.slope:.2f})".replace("-", "−")
        return "Whether the margin says what people prefer cannot be told"
    return "The margin of the PM beside the share of people"


def contrasts(findings: Findings) -> str:
    """Return what the first variant does."""
    return _head(words.of_variant(findings.judge_contrasts[0]))


def confidence(findings: Findings) -> str:
    """Return whether confidence and preference go together."""
    return _trend(findings, "confidence", "Surer choices are", "sycophantic")


def prior_belief(findings: Findings) -> str:
    """Return whether belief and preference go together."""
    return _trend(findings, "prior_belief", "Choices of those who believed the claim are", "sycophantic")


def _trend(findings: Findings, name: str, lead: str, what: str) -> str:
    curve = getattr(_arm(findings), name)
    interval = None if curve is None else curve.slope_interval
    if interval is None or interval.low <= 0 <= interval.high:
        return f"Whether {name.replace('_', ' ')} goes with the preference cannot be told"
    return f"{lead} {'more' if interval.low > 0 else 'less'} often {what}"


def background(_findings: Findings, found: Background) -> str:
    """Return whether any group differs from the reference."""
    surely = [group for group in found.groups if group.p_holm is not None and group.p_holm < 0.05]
    if not surely:
        return f"No group by “{found.question}” clearly differs from “{found.reference}”"
    named = ", ".join(f"“{group.answer}” ({_difference(group.difference)})" for group in surely)
    return f"Differing from “{found.reference}”: {named}"


def _difference(difference: Difference | None) -> str:
    return "" if difference is None else f"{points(difference.difference)} points"


def arms(findings: Findings) -> str:
    """Return how the other arms differ from the first."""
    told = []
    for one in findings.arms_compared:
        interval = one.difference.interval
        clear = not interval.low <= 0 <= interval.high
        change = f"{points(one.difference.difference)} points, 95 % interval {within(interval, sign=True)}"
        told.append(f"{one.arm}: {change}{'' if clear else ', no clear difference'}")
    return "; ".join(told) or "The arms share no pairs"


def model(_findings: Findings, fit: ModelFit) -> str:
    """Return the model's rate over all levels."""
    if 0 not in fit.marginal:
        return "The random-effects model"
    mean, interval = fit.marginal[0]
    told = f"By the random-effects model {_percent(mean)} of choices are for the sycophantic response"
    return f"{told} ({_between(interval)})"
