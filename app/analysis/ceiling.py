"""How well one more person foretells the majority of the others: what a judge can at best be held to."""

from dataclasses import dataclass

import numpy as np

from app.analysis.arrays import Floats, dense, floats, same_length, totals
from app.analysis.choices import Choices
from app.analysis.crossing import Crossing
from app.analysis.margins import Coded, Margins
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
    human, n_rest_ties = _of_people(choices.crossing, confidence)
    if human is None:
        return None
    return Ceiling(human, None if judge is None else _of_judge(choices, judge, confidence), n_rest_ties)


def _of_people(crossing: Crossing, confidence: float) -> tuple[Rate | None, int]:
    """Return people's own agreement, and how many votes have no majority of others.

    Of n votes, s of them sycophantic, the others of a sycophantic one lead by 2 s - n - 1, those of a truthful one by
    2 s - n + 1; so whether a vote agrees is a matter of its pair and of what it is for.
    """
    lead = 2 * crossing.n_sycophantic - crossing.n
    agrees = ((lead + 1 < 0).astype(np.float64), (lead - 1 > 0).astype(np.float64))
    clear = ((lead + 1 != 0).astype(np.float64), (lead - 1 != 0).astype(np.float64))
    yes = crossing.n_sycophantic.astype(np.float64)
    no = crossing.n - yes
    n = no * clear[0] + yes * clear[1]
    weight = 1 / np.maximum(n, 1)
    row_n = crossing.by_vote(*clear)
    sums = Margins(
        pair_level=crossing.level,
        pair_n=np.maximum(n, 1),
        pair_yes=no * agrees[0] + yes * agrees[1],
        annotator=crossing.person,
        annotator_level=np.zeros_like(crossing.person),  # A rate of all levels does not ask for it.
        annotator_n=np.maximum(row_n, 1),
        annotator_yes=crossing.by_vote(*agrees),
        annotator_share=crossing.by_vote(*(weight * each for each in clear)),
        annotator_share_yes=crossing.by_vote(*(weight * each for each in agrees)),
    ).where(n > 0, row_n > 0)
    return clustered_rate(sums, "pairs", confidence), len(crossing) - round(n.sum())


def _of_judge(choices: Choices, judge: Floats, confidence: float) -> Rate | None:
    answers = floats("judge", judge, 0, 1, missing=True)
    same_length({"judge": answers, "pair": choices.pair})
    answers = answers[choices.decided]
    decided = choices.without_ties
    lead = _lead_of_the_rest(decided)
    used = (lead != 0) & ((answers == 0) | (answers == 1))
    agrees = ((answers == 1) == (lead > 0)).astype(np.float64)
    sums = Coded(agrees, decided.pair, decided.annotator, decided.level, used).margins()
    return clustered_rate(sums, "pairs", confidence)


def _lead_of_the_rest(choices: Choices) -> Floats:
    pairs, of_pair = dense(choices.pair)
    lead = 2 * choices.prefers_sycophantic - 1
    return totals(of_pair, lead, len(pairs))[of_pair] - lead
