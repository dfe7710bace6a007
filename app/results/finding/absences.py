"""Why a number of an arm cannot be had, in words."""

from app.results.finding.views import View
from app.results.findings import ArmFindings

_NOBODY = "nobody has made a choice yet that this arm's results are of"
_ONE_LEVEL = "fewer than two difficulty levels have choices"
_NO_TIMES = "no time to decide was measured"
_NO_WORDS = "the lengths of the responses are not known"


def absences(found: ArmFindings, view: View) -> dict[str, str]:
    """Return the name of each field that is None or empty, to the reason."""
    reasons = _reasons(view)
    absent = {name: reasons[name] for name in reasons if not _is_there(getattr(found, name))}
    if not found.counts.n_decided:
        return absent | {name: _NOBODY for name in absent if name not in _OF_THE_DESIGN}
    return absent


_OF_THE_DESIGN = {"consistency", "confidence", "prior_belief", "background", "judges"}


def _is_there(value: object) -> bool:
    return value is not None and value not in ((), {})


def _reasons(view: View) -> dict[str, str]:
    facts, missing = view.observed.facts, view.observed.source.missing
    declared = facts.declared
    asks = {
        "consistency": declared is None or declared.swapped_repeats > 0,
        "confidence": declared is None or declared.confidence,
        "prior_belief": declared is None or declared.prior_belief,
        "background": declared is None or bool(declared.background),
    }
    unasked = {
        "consistency": "the study shows nobody a pair again with the sides swapped",
        "confidence": "the study does not ask how sure people are",
        "prior_belief": "the study does not ask what people believed before",
        "background": "the study asks no background questions",
    }
    kind = facts.arms[view.arm].truthful_kind
    scored = any(scores.name.truthful_kind == kind for scores in view.observed.scores)
    return {
        "majority": _NOBODY,
        "majority_by_level": _NOBODY,
        "slope": _ONE_LEVEL,
        "ends": _ONE_LEVEL,
        "isotonic": "no choice is on a pair that has a difficulty level",
        "position": "the truthful response was shown on one side only",
        "length": _NO_WORDS if view.choices.words_truthful is None else _NOBODY,
        "aggregation": _NOBODY,
        "agreement": "no pair was judged by two people",
        "exclusions": "no rule left out a choice",
        "response_times": _NO_WORDS if view.all.words_truthful is None else _NO_TIMES,
        "looked_up": "nobody has answered whether they looked anything up",
        "ceiling": "no choice has a majority of others on its pair",
        **{name: "nobody has answered yet" if asked else unasked[name] for name, asked in asks.items()},
        "judges": f"no preference model scored the {kind} truthful responses"
        if scored or "scores" not in missing
        else missing["scores"],
    }
