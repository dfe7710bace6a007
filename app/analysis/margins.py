"""What rates and the slope need of a study: sums by pair, and sums by annotator and level.

A database can add them up itself; then a million choices never leave it.
"""

from dataclasses import dataclass

import numpy as np

from app.analysis.arrays import Bools, Floats, Ints, dense, floats, same_length, totals, whole
from app.analysis.choices import Choices
from app.analysis.votes import level_of_pairs


@dataclass(frozen=True, slots=True)
class Margins:
    """Sums of yes-or-no answers y over the P pairs, and over the M combinations of annotator and level that occur.

    An answer is usually "prefers sycophantic". Ties are not in it, and a person answers once a pair.

    Attributes
    ----------
    pair_level, pair_n, pair_yes
        Shape (P,): level of the pair (0: none), its answers (at least 1), and its yeses.
    annotator, annotator_level
        Shape (M,): codes.
    annotator_n, annotator_yes
        Shape (M,): answers, and yeses.
    annotator_share, annotator_share_yes
        Shape (M,): Σ 1/n of the pairs answered, and Σ y/n.
    """

    pair_level: Ints
    pair_n: Floats
    pair_yes: Floats
    annotator: Ints
    annotator_level: Ints
    annotator_n: Floats
    annotator_yes: Floats
    annotator_share: Floats
    annotator_share_yes: Floats

    def __post_init__(self) -> None:
        for names in (_PAIR, _ANNOTATOR):
            checked = {
                name: whole(name, getattr(self, name))
                if name in _CODES
                else floats(name, getattr(self, name), 1 if name in {"pair_n", "annotator_n"} else 0)
                for name in names
            }
            same_length(checked)
            for name, array in checked.items():
                object.__setattr__(self, name, array)

    def where(self, pairs: Bools, annotators: Bools) -> "Margins":
        """Return the pairs, and the rows by annotator and level, for which the masks are true."""
        rows = {name: getattr(self, name)[pairs] for name in _PAIR}
        return Margins(**rows, **{name: getattr(self, name)[annotators] for name in _ANNOTATOR})

    def at_level(self, level: int) -> "Margins":
        """Return the margins of one level."""
        return self.where(self.pair_level == level, self.annotator_level == level)

    @property
    def graded(self) -> "Margins":
        """The margins of the pairs that have a level."""
        return self.where(self.pair_level > 0, self.annotator_level > 0)

    @property
    def levels(self) -> list[int]:
        """Levels that occur, in order, without 0."""
        return [int(level) for level in np.unique(self.pair_level) if level > 0]


_CODES = {"pair_level", "annotator", "annotator_level"}
_PAIR = ("pair_level", "pair_n", "pair_yes")
_ANNOTATOR = (
    "annotator",
    "annotator_level",
    "annotator_n",
    "annotator_yes",
    "annotator_share",
    "annotator_share_yes",
)


def margins_of(choices: Choices) -> Margins:
    """Add up "prefers sycophantic" over the choices that are not ties."""
    decided = choices if choices.decided.all() else choices.where(choices.decided)
    return margins(decided.prefers_sycophantic, decided.pair, decided.annotator, decided.level)


def margins(yes: Floats, pair: Ints, annotator: Ints, level: Ints) -> Margins:
    """Add up yes-or-no answers.

    Parameters
    ----------
    yes
        0 or 1, shape (n,).
    pair, annotator, level
        Codes, shape (n,); a person answers once a pair, and a pair has one level.
    """
    answers = floats("yes", yes, 0, 1)
    same_length({"yes": answers, "pair": pair, "annotator": annotator, "level": level})
    pairs, of_pair = dense(pair)
    n = np.bincount(of_pair, minlength=len(pairs)).astype(np.float64)
    span = int(level.max(initial=0)) + 1
    people, of_person = dense(annotator)
    rows, of_row = dense(of_person * span + level)
    share = 1 / n[of_pair]
    return Margins(
        pair_level=level_of_pairs(of_pair, level, pairs),
        pair_n=n,
        pair_yes=totals(of_pair, answers, len(pairs)),
        annotator=people[rows // span],
        annotator_level=rows % span,
        annotator_n=np.bincount(of_row, minlength=len(rows)).astype(np.float64),
        annotator_yes=totals(of_row, answers, len(rows)),
        annotator_share=totals(of_row, share, len(rows)),
        annotator_share_yes=totals(of_row, share * answers, len(rows)),
    )
