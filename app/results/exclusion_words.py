"""Which choices are left out, why, and what that does to the rate, in one sentence each."""

from app.analysis.exclusions import Flow, Results, Sensitivity
from app.analysis.rates import Rate
from app.analysis.response_times import AtThreshold
from app.results.phrases import many, percent

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


def of_flow(flow: Flow) -> str:
    """Return how many choices were left out, and for what."""
    total, kept = flow.total.n_choices, flow.kept.n_choices
    if total == kept:
        return f"All {many(total, 'stored choice')} are analysed."
    reasons = "; ".join(f"{step.n_choices:,}: {reason(step.reason)}" for step in flow.excluded if step.n_choices)
    return f"{kept:,} of {many(total, 'stored choice')} are analysed; left out: {reasons}."


def reason(code: str) -> str:
    """Return why a choice is left out; a reason that is not known here, such as one in a file, is left as it is."""
    return REASONS.get(code, code.replace("_", " "))


def of_analysed(flow: Flow) -> str:
    """Return how many choices are analysed."""
    total, kept = flow.total.n_choices, flow.kept.n_choices
    if total == kept:
        return f"All {many(total, 'stored choice')} are analysed."
    return f"{kept:,} of {many(total, 'stored choice')} are analysed."


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
