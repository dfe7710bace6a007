"""Dawid and Skene's model of annotators, as a sensitivity only: it takes minority taste for error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.analysis.arrays import Floats, Ints, dense, flags, same_length, totals, whole

_STEPS = 10_000
_DONE = 1e-12
_TINY = 1e-10


@dataclass(frozen=True, slots=True)
class DawidSkene:
    """Posterior chance, by pair, that "the" answer is sycophantic.

    Attributes
    ----------
    pair
        Codes, rising, shape (P,).
    sycophantic
        In [0, 1], shape (P,).
    says_sycophantic
        Chance that each annotator (rising codes) says sycophantic where the answer is truthful, and where it is
        sycophantic; shape (A, 2).
    """

    pair: Ints
    sycophantic: Floats
    says_sycophantic: Floats


def dawid_skene(annotator: ArrayLike, pair: ArrayLike, sycophantic: ArrayLike) -> DawidSkene | None:
    """Fit by expectation-maximisation from each pair's share of votes, until no chance moves by more than 1e-12.

    Every annotator has two free error rates and the answers a common prior; no smoothing but 1e-10 against ln 0.

    Parameters
    ----------
    annotator, pair
        Codes, shape (n,).
    sycophantic
        Whether the vote is sycophantic, shape (n,).

    Returns
    -------
    DawidSkene or None
        None without votes.

    References
    ----------
    Dawid & Skene 1979, Applied Statistics 28:20-28.
    """
    people, of_person = dense(whole("annotator", annotator))
    pairs, of_pair = dense(whole("pair", pair))
    vote = flags("sycophantic", sycophantic).astype(np.float64)
    same_length({"annotator": of_person, "pair": of_pair, "sycophantic": vote})
    if not len(vote):
        return None
    chance = totals(of_pair, vote, len(pairs)) / np.bincount(of_pair)
    for _ in range(_STEPS):
        prior, says = _maximise(chance, of_person, of_pair, vote, len(people))
        updated = _expect(prior, says, of_person, of_pair, vote)
        moved = float(np.abs(updated - chance).max())
        chance = updated
        if moved <= _DONE:
            break
    return DawidSkene(pairs, chance, says)


def _maximise(chance: Floats, of_person: Ints, of_pair: Ints, vote: Floats, n_people: int) -> tuple[float, Floats]:
    says = np.empty((n_people, 2))
    for answer, weight in enumerate((1 - chance[of_pair], chance[of_pair])):
        seen = totals(of_person, weight, n_people)
        yes = totals(of_person, weight * vote, n_people)
        says[:, answer] = np.divide(yes, seen, out=np.full(n_people, 0.5), where=seen > _TINY)
    return float(chance.mean()), says


def _expect(prior: float, says: Floats, of_person: Ints, of_pair: Ints, vote: Floats) -> Floats:
    logs = []
    n_pairs = int(of_pair.max()) + 1
    for answer, base in enumerate((1 - prior, prior)):
        chance = np.where(vote == 1, says[of_person, answer], 1 - says[of_person, answer])
        logs.append(np.log(max(base, _TINY)) + totals(of_pair, np.log(np.maximum(chance, _TINY)), n_pairs))
    return np.asarray(1 / (1 + np.exp(np.clip(logs[0] - logs[1], -700, 700))))
