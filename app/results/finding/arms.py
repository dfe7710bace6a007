"""What one arm of a study shows."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from app.analysis.aggregation import AggregationCurve, aggregation_curve
from app.analysis.agreement import agreement
from app.analysis.ceiling import human_ceiling
from app.analysis.consistency import Consistency, consistency
from app.analysis.contrasts import Difference, level_difference
from app.analysis.curves import Curve, curve
from app.analysis.exclusions import Sensitivity
from app.analysis.length import length_adjusted_rate
from app.analysis.majority import majority_by_level, majority_rates
from app.analysis.position import position_bias
from app.analysis.rates import Rates
from app.analysis.response_times import AtThreshold, Threshold, too_fast
from app.analysis.trend import isotonic
from app.analysis.votes import Votes, votes_in
from app.results.finding.absences import absences
from app.results.finding.backgrounds import backgrounds
from app.results.finding.judges import Judged, against_people
from app.results.finding.seeds import CONFIDENCE, Seeds
from app.results.finding.views import View
from app.results.findings import ArmFindings, Counts, ResponseTimes
from app.results.observed import Observed

MOST_PEOPLE = 15
"""The majority of at most so many people is told: beyond, the curve is flat and the pairs with so many are few."""
USUAL = Threshold(0, 600)
"""What is too fast where no threshold was declared: less than both responses take at 600 words a minute."""
_FACTORS = (0.5, 2.0)


def arm_findings(observed: Observed, view: View, judges: Sequence[Judged], seeds: Seeds) -> ArmFindings:
    """Compute everything about one arm."""
    arm, results = observed.facts.arms[view.arm], view.main_results
    parts = {name: part() for name, part in _parts(view, arm.truthful_kind, judges, seeds).items()}
    found = ArmFindings(
        arm=arm,
        primary=arm.name == observed.facts.first_arm,
        counts=_counts(view),
        rates=results.rates,
        slope=results.slope,
        isotonic=_isotonic(results.rates),
        **parts,
    )
    found.why_not.update(absences(found, view))
    return found


def _parts(view: View, kind: str, judges: Sequence[Judged], seeds: Seeds) -> dict[str, Callable[[], Any]]:
    """Return what computes each field that does not need another."""
    choices, few, votes, raw = view.choices, view.slim, votes_in(view.crossing), view.main_results.rates.overall
    has_words = choices.words_truthful is not None and choices.words_sycophantic is not None
    several = bool((votes.n >= 2).any())
    return {
        "judges": lambda: against_people(view.crossing, kind, judges, seeds),
        "length": lambda: length_adjusted_rate(choices, CONFIDENCE, raw) if has_words else None,
        "response_times": lambda: _response_times(view),
        "aggregation": lambda: _aggregation(view, votes),
        "looked_up": lambda: _looked_up(view),
        "position": lambda: position_bias(few, CONFIDENCE),
        "majority_by_level": lambda: majority_by_level(few, CONFIDENCE),
        "ceiling": lambda: human_ceiling(few, None, CONFIDENCE),
        "majority": lambda: majority_rates(few, CONFIDENCE),
        "exclusions": lambda: _exclusions(view),
        "ends": lambda: _ends(view),
        "flow": view.flow,
        "agreement": lambda: agreement(votes, seeds.bootstrap("agreement")) if several else None,
        "consistency": lambda: _consistency(view),
        "confidence": lambda: _curve(view, "confidence"),
        "prior_belief": lambda: _curve(view, "prior_belief"),
        "background": lambda: backgrounds(view),
    }


def _counts(view: View) -> Counts:
    stored, sums = view.observed.stored, view.sums
    levels, n = np.unique(sums.pair_level, return_counts=True)
    synthetic = view.observed.annotators.synthetic[view.choices.annotator]
    n_decided = round(sums.pair_n.sum())
    return Counts(
        n_stored=int(view.in_arm.sum()),
        n_analysed=len(view.choices),
        n_decided=n_decided,
        n_ties=len(view.choices) - n_decided,
        n_late=int((stored.late[view.rows] & view.main).sum()),
        n_pairs=len(sums.pair_n),
        n_annotators=len(view.crossing.person),
        n_pairs_by_level={int(level): int(count) for level, count in zip(levels, n, strict=True) if level > 0},
        n_synthetic=int(synthetic.sum()),
    )


def _ends(view: View) -> Difference | None:
    levels = view.sums.levels
    if len(levels) < 2:
        return None
    return level_difference(view.sums, levels[-1], levels[0], CONFIDENCE)


def _isotonic(rates: Rates) -> dict[int, float]:
    levels = sorted(rates.by_level)
    fitted = isotonic(
        [rates.by_level[level].rate for level in levels], [rates.by_level[level].n_pairs for level in levels]
    )
    return dict(zip(levels, fitted.tolist(), strict=True))


def _consistency(view: View) -> Consistency | None:
    stored = view.observed.stored
    repeats = np.flatnonzero(view.in_arm & (stored.repeat_of > 0) & ~stored.withdrawn & (stored.reason == 0))
    if not len(repeats):
        return None
    span = int(stored.position.max()) + 1
    key = stored.annotator * span + stored.position  # Rising: people in order, and each one's positions.
    wanted = stored.annotator[repeats] * span + stored.repeat_of[repeats]
    first = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    there = (key[first] == wanted) & (stored.reason[first] == 0)
    first, repeats = first[there], repeats[there]
    return consistency(
        stored.prefers_sycophantic[first],
        stored.prefers_sycophantic[repeats],
        stored.truthful_left[first],
        stored.pair[first],
        stored.annotator[first],
        CONFIDENCE,
    )


def _aggregation(view: View, votes: Votes) -> AggregationCurve | None:
    """Return the curve up to k, or to as many people as at least half of the pairs were judged by, if that is fewer."""
    if not len(votes):
        return None
    asked = view.observed.facts.ratings_per_pair or int(votes.n.max())
    half = int(np.sort(votes.n)[(len(votes) - 1) // 2])
    return aggregation_curve(view.slim, max(1, min(asked, half, MOST_PEOPLE)), CONFIDENCE)


def _exclusions(view: View) -> Sensitivity | None:
    everybody = np.ones(len(view.all), dtype=np.bool_)
    if view.main.all():
        return None
    return Sensitivity(with_them=view.results(everybody), without=view.main_results)


def _response_times(view: View) -> ResponseTimes | None:
    every = view.all
    if every.words_truthful is None or every.words_sycophantic is None or not _measured(view):
        return None
    declared = view.observed.facts.declared
    rules = {} if declared is None else declared.exclusions
    fastest, words = rules.get("fastest_ms"), rules.get("words_a_minute")
    threshold = USUAL if not (fastest or words) else Threshold(fastest or 0, words or np.inf)
    base = view.without_rules("fastest_ms", "words_a_minute")
    at = [AtThreshold(None, 0, view.results(base))]
    for each in (threshold, *(threshold.scaled(factor) for factor in _FACTORS)):
        fast = too_fast(every, each) & base
        at.append(AtThreshold(each, int(fast.sum()), view.results(base & ~fast)))
    return ResponseTimes(declared=bool(fastest or words), at=tuple(at))


def _measured(view: View) -> bool:
    times = view.all.decision_ms
    return times is not None and not bool(np.isnan(times).all())


def _looked_up(view: View) -> Sensitivity | None:
    said = view.all.looked_up
    if said is None or np.isnan(said).all():
        return None
    base = view.without_rules("looked_up")
    return Sensitivity(with_them=view.results(base), without=view.results(base & ~(said == 1)))


def _curve(view: View, column: str) -> Curve | None:
    answers = getattr(view.choices, column)
    if answers is None or np.isnan(answers[view.choices.decided]).all():
        return None
    return curve(view.choices, answers, None, CONFIDENCE)
