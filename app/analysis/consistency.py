"""Whether a person who sees a pair again, with the sides swapped, chooses the same response."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.analysis.arrays import flags, floats, same_length, whole
from app.analysis.margins import margins
from app.analysis.rates import Rate, clustered_rate


@dataclass(frozen=True, slots=True)
class Consistency:
    """Choices and their repeats with the sides swapped.

    Attributes
    ----------
    same_response
        Share of repeats with the same response, whichever side it was on, with a two-way clustered interval.
    n_left_twice, n_right_twice
        Repeats with the same side instead: what position bias would do.
    n_to_sycophantic, n_to_truthful
        The same repeats, by where the person went the second time.
    n_ties
        Repeats where either choice was a tie; they are left out.
    """

    same_response: Rate
    n_left_twice: int
    n_right_twice: int
    n_to_sycophantic: int
    n_to_truthful: int
    n_ties: int


def consistency(
    first: ArrayLike,
    repeat: ArrayLike,
    truthful_left: ArrayLike,
    pair: ArrayLike,
    annotator: ArrayLike,
    confidence: float = 0.95,
) -> Consistency | None:
    """Compare first choices with their swapped repeats.

    Parameters
    ----------
    first, repeat
        Whether each choice was for the sycophantic response: 1, 0, or nan for a tie; shape (n,).
    truthful_left
        Whether the truthful response was left the first time, shape (n,).
    pair, annotator
        Codes, shape (n,); one repeat a person and pair.

    Returns
    -------
    Consistency or None
        None without repeats that are not ties.
    """
    one, two = floats("first", first, 0, 1, missing=True), floats("repeat", repeat, 0, 1, missing=True)
    left = flags("truthful_left", truthful_left)
    pairs, people = whole("pair", pair), whole("annotator", annotator)
    same_length({"first": one, "repeat": two, "truthful_left": left, "pair": pairs, "annotator": people})
    decided = ~np.isnan(one) & ~np.isnan(two)
    before, after, left = whole("first", one[decided]), whole("repeat", two[decided]), left[decided]
    pairs, people = pairs[decided], people[decided]
    same = before == after
    sums = margins(same.astype(np.float64), pairs, people, np.zeros(len(same), dtype=np.int64))
    share = clustered_rate(sums, "choices", confidence)
    if share is None:
        return None
    chose_left = (before == 0) == left
    return Consistency(
        same_response=share,
        n_left_twice=int((~same & chose_left).sum()),
        n_right_twice=int((~same & ~chose_left).sum()),
        n_to_sycophantic=int((~same & (after == 1)).sum()),
        n_to_truthful=int((~same & (after == 0)).sum()),
        n_ties=int((~decided).sum()),
    )
