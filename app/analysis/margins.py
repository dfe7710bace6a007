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
        part = object.__new__(Margins)  # A part of checked sums needs no second check.
        for names, mask in ((_PAIR, pairs), (_ANNOTATOR, annotators)):
            rows = np.flatnonzero(mask)
            for name in names:
                object.__setattr__(part, name, getattr(self, name)[rows])
        return part

    def at_level(self, level: int) -> "Margins":
        """Return the margins of one level."""
        return self.where(self.pair_level == level, self.annotator_level == level)

    @property
    def graded(self) -> "Margins":
        """The margins of the pairs that have a level."""
        if self.pair_level.all() and self.annotator_level.all():
            return self
        return self.where(self.pair_level > 0, self.annotator_level > 0)

    @property
    def levels(self) -> list[int]:
        """Levels that occur, in order, without 0."""
        return [int(level) for level in dense(self.pair_level)[0] if level > 0]


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
    return Coded.of(choices).margins()


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
    return Coded(answers, pair, annotator, level).margins()


class Coded:
    """Answers whose pairs, people and levels are looked up once, and then added up, all or some of them.

    Parameters
    ----------
    yes
        0 or 1, shape (n,).
    pair, annotator, level
        Codes, shape (n,); a person answers once a pair, and a pair has one level.
    counts
        Which of them are answers, shape (n,); None: all.
    """

    def __init__(self, yes: Floats, pair: Ints, annotator: Ints, level: Ints, counts: Bools | None = None) -> None:
        pairs, self._of_pair = dense(pair)
        self._pair_level = level_of_pairs(self._of_pair, level, pairs)
        span = int(level.max(initial=0)) + 1
        people, of_person = dense(annotator)
        rows, self._of_row = dense(of_person * span + level)
        self._annotator, self._annotator_level = people[rows // span], rows % span
        self._yes, self._counts = yes, counts

    @classmethod
    def of(cls, choices: Choices) -> "Coded":
        """Return "prefers sycophantic" of choices; ties are no answers."""
        decided, yes = choices.decided, choices.prefers_sycophantic
        if decided.all():
            return cls(yes, choices.pair, choices.annotator, choices.level)
        return cls(np.where(decided, yes, 0.0), choices.pair, choices.annotator, choices.level, decided)

    def margins(self, keep: Bools | None = None) -> Margins:
        """Return the sums of the answers for which `keep`, shape (n,), is true; of all without it."""
        kept = self._counts if keep is None else keep if self._counts is None else keep & self._counts
        n_pairs, n_rows = len(self._pair_level), len(self._annotator)
        yes = self._yes if kept is None else self._yes * kept
        n = self._count(self._of_pair, kept, n_pairs)
        share = (1 / np.maximum(n, 1))[self._of_pair]
        share = share if kept is None else share * kept
        row_n = self._count(self._of_row, kept, n_rows)
        sums = Margins(
            pair_level=self._pair_level,
            pair_n=np.maximum(n, 1),
            pair_yes=totals(self._of_pair, yes, n_pairs),
            annotator=self._annotator,
            annotator_level=self._annotator_level,
            annotator_n=np.maximum(row_n, 1),
            annotator_yes=totals(self._of_row, yes, n_rows),
            annotator_share=totals(self._of_row, share, n_rows),
            annotator_share_yes=totals(self._of_row, share * self._yes, n_rows),
        )
        return sums if kept is None else sums.where(n > 0, row_n > 0)

    @staticmethod
    def _count(groups: Ints, kept: Bools | None, n_groups: int) -> Floats:
        counted = np.bincount(groups, weights=None if kept is None else kept.astype(np.float64), minlength=n_groups)
        return counted.astype(np.float64, copy=False)
