"""Preference by what people said of themselves, question by question."""

import numpy as np

from app.analysis.arrays import Ints
from app.analysis.contrasts import compare_groups, group_rates
from app.results.finding.seeds import CONFIDENCE
from app.results.finding.views import View
from app.results.findings import Background, BackgroundGroup
from app.results.observed import NO_ANSWER


def backgrounds(view: View) -> tuple[Background, ...]:
    """Compare the groups of each background question with its most frequent answer; without answers, none."""
    declared = view.observed.facts.declared
    questions = {} if declared is None else declared.background
    found = (
        _background(view, key, questions.get(key, key), codes)
        for key, codes in view.observed.annotators.background.items()
    )
    return tuple(each for each in found if each is not None)


def _background(view: View, key: str, question: str, codes: Ints) -> Background | None:
    choices = view.choices
    here = codes[np.unique(choices.annotator)]
    sizes = np.bincount(here[here != NO_ANSWER])
    if not sizes.any():
        return None
    order = [int(code) for code in np.argsort(-sizes, kind="stable") if sizes[code]]
    group = codes[choices.annotator]
    answered = choices.where(group != NO_ANSWER)
    group = group[group != NO_ANSWER]
    rates = group_rates(answered, group, CONFIDENCE)
    contrasts = {each.group: each for each in compare_groups(answered, group, order[0], CONFIDENCE)}
    answers = view.observed.annotators.answers[key]
    groups = []
    for code in order:
        contrast = contrasts.get(code)
        groups.append(
            BackgroundGroup(
                answer=answers[code],
                rate=rates.get(code),
                n_annotators=int(sizes[code]),
                difference=None if contrast is None else contrast.difference,
                p_holm=None if contrast is None else contrast.p_holm,
            )
        )
    return Background(key, question, answers[order[0]], tuple(groups))
