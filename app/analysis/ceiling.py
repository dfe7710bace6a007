"""How well one more person foretells the majority of the others: what a judge can at best be held to."""

from dataclasses import dataclass

import numpy as np

from app.analysis.arrays import Bools, Floats, floats, same_length
from app.analysis.choices import Choices
from app.analysis.crossing import Crossing
from app.analysis.margins import Margins
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
    crossing = choices.crossing
    if judge is None:
        return crossing_ceiling(crossing, None, confidence)
    answers = floats("judge", judge, 0, 1, missing=True)
    same_length({"judge": answers, "pair": choices.pair})
    return crossing_ceiling(crossing, answers[crossing.row], confidence)


def crossing_ceiling(crossing: Crossing, judge: Floats | None, confidence: float = 0.95) -> Ceiling | None:
    """Return `human_ceiling` of votes that are a table already; the judge's answer is on each pair, shape (P,).

    Of n votes, s of them sycophantic, the others of a sycophantic one lead by 2 s - n - 1, those of a truthful one by
    2 s - n + 1; so whether a vote, or a judge's answer in its place, agrees is a matter of its pair and of what it is
    for.
    """
    lead = 2 * crossing.n_sycophantic - crossing.n
    leads = lead + 1, lead - 1
    human, n_clear = _agreement(crossing, (leads[0] < 0, leads[1] > 0), (leads[0] != 0, leads[1] != 0), confidence)
    if human is None:
        return None
    n_rest_ties = len(crossing) - n_clear
    if judge is None:
        return Ceiling(human, None, n_rest_ties)
    answered = (judge == 0) | (judge == 1)
    clear = answered & (leads[0] != 0), answered & (leads[1] != 0)
    agrees = ((judge == 1) == (leads[0] > 0)) & clear[0], ((judge == 1) == (leads[1] > 0)) & clear[1]
    return Ceiling(human, _agreement(crossing, agrees, clear, confidence)[0], n_rest_ties)


def _agreement(
    crossing: Crossing, agrees: tuple[Bools, Bools], clear: tuple[Bools, Bools], confidence: float
) -> tuple[Rate | None, int]:
    """Return how often there is agreement among votes that are clear, and how many are.

    Each is of a truthful and of a sycophantic vote on each pair, shape (P,).
    """
    right = agrees[0].astype(np.float64), agrees[1].astype(np.float64)
    counts = clear[0].astype(np.float64), clear[1].astype(np.float64)
    yes = crossing.n_sycophantic.astype(np.float64)
    no = crossing.n - yes
    n = no * counts[0] + yes * counts[1]
    weight = 1 / np.maximum(n, 1)
    row_n = crossing.by_vote(*counts)
    sums = Margins(
        pair_level=crossing.level,
        pair_n=np.maximum(n, 1),
        pair_yes=no * right[0] + yes * right[1],
        annotator=crossing.person,
        annotator_level=np.zeros_like(crossing.person),  # A rate of all levels does not ask for it.
        annotator_n=np.maximum(row_n, 1),
        annotator_yes=crossing.by_vote(*right),
        annotator_share=crossing.by_vote(*(weight * each for each in counts)),
        annotator_share_yes=crossing.by_vote(*(weight * each for each in right)),
    ).where(n > 0, row_n > 0)
    return clustered_rate(sums, "pairs", confidence), round(n.sum())
