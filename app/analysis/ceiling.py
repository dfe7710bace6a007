"""How well one more person foretells the majority of the others: what a judge can at best be held to."""

from dataclasses import dataclass

import numpy as np

from app.analysis.arrays import Bools, Floats, dense, floats, same_length, totals
from app.analysis.choices import Choices
from app.analysis.margins import Coded
from app.analysis.rates import Rate, clustered_rate


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Leave one out: each choice against the majority of the other choices on its pair.

    Attributes
    ----------
    human
        Share of choices that agree with that majority, every pair counting the same, two-way clustered.
    judge
        The same for a judge's choice put in the place of each person's; None where no judge was given, or it ties.
    n_rest_ties
        Choices whose pair's other votes tie; they are left out.
    """

    human: Rate
    judge: Rate | None
    n_rest_ties: int


def human_ceiling(choices: Choices, judge: Floats | None = None, confidence: float = 0.95) -> Ceiling | None:
    """Agreement of one person with the majority of the rest, and of a judge with the same majorities.

    Choices without a majority of the rest (an equal vote, or no other vote) are left out for both. Weights 1/n of the
    choices that remain on a pair.

    Parameters
    ----------
    judge
        The judge's answer on each choice's pair: 1 sycophantic, 0 truthful, ½ or nan none; shape (n,).

    Returns
    -------
    Ceiling or None
        None where no choice has a majority of others.
    """
    answers = np.full(len(choices), np.nan) if judge is None else floats("judge", judge, 0, 1, missing=True)
    same_length({"judge": answers, "pair": choices.pair})
    answers = answers[choices.decided]
    decided = choices.without_ties
    lead = _lead_of_the_rest(decided)
    clear = lead != 0
    human = _agreement(decided, decided.prefers_sycophantic, lead, clear, confidence)
    if human is None:
        return None
    answered = clear & ((answers == 0) | (answers == 1))
    return Ceiling(human, _agreement(decided, answers, lead, answered, confidence), int((~clear).sum()))


def _lead_of_the_rest(choices: Choices) -> Floats:
    pairs, of_pair = dense(choices.pair)
    lead = 2 * choices.prefers_sycophantic - 1
    return totals(of_pair, lead, len(pairs))[of_pair] - lead


def _agreement(choices: Choices, answers: Floats, lead: Floats, used: Bools, confidence: float) -> Rate | None:
    agrees = ((answers == 1) == (lead > 0)).astype(np.float64)
    sums = Coded(agrees, choices.pair, choices.annotator, choices.level, used).margins()
    return clustered_rate(sums, "pairs", confidence)
