"""What rates and the slope need of a study: sums by pair, and sums by annotator and level.

A database can add them up itself; then a million choices never leave it.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from app.analysis.arrays import Bools, Floats, Ints, dense, floats, same_length, totals, whole
from app.analysis.choices import Choices
from app.analysis.crossing import level_of_pairs, runs


@dataclass(frozen=True, slots=True)
class Margins:
    """Sums of yes-or-no answers y over the P pairs, and over the M combinations of annotator and level that occur.

    An answer is usually "prefers sycophantic". Ties are not in it, and a person answers once a pair.

    Attributes
    ----------
    pair_level, pair_n, pair_yes
        Shape (P,): level of the pair (0: none), its answers (at least 1), and its yeses.
    annotator, annotator_level
        Shape (M,): codes, in any order; sums by `Coded` have them by level and person.
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
        return self._part(*(slice(None) if mask.all() else np.flatnonzero(mask) for mask in (pairs, annotators)))

    def _part(self, pairs: slice | Ints, annotators: slice | Ints) -> "Margins":
        of_pairs = {name: getattr(self, name)[pairs] for name in _PAIR}
        return unchecked(**of_pairs, **{name: getattr(self, name)[annotators] for name in _ANNOTATOR})

    def at_level(self, level: int) -> "Margins":
        """Return the margins of one level."""
        return self.where(self.pair_level == level, self.annotator_level == level)

    def by_level(self) -> dict[int, "Margins"]:
        """Return the margins of each level, in order."""
        level = self.annotator_level
        if (level[1:] < level[:-1]).any():
            return {each: self.at_level(each) for each in self.levels}
        return {
            each: self._part(np.flatnonzero(self.pair_level == each), slice(*np.searchsorted(level, (each, each + 1))))
            for each in self.levels
        }

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


def unchecked(**sums: Ints | Floats) -> Margins:
    """Return sums that need no check: they were added up of checked answers, or are a part of checked ones."""
    made = object.__new__(Margins)
    for name, array in sums.items():
        object.__setattr__(made, name, array)
    return made


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
        pairs, of_pair = dense(pair)
        self._pair_level = level_of_pairs(of_pair, level, pairs)
        people, of_person = dense(annotator)
        order = _by_level_and_person(level, of_person)
        self._order, self._counts = order, counts
        self._of_pair, self._yes = of_pair[order], yes[order]
        rows, starts = runs(level[order] * len(people) + of_person[order])
        self._annotator, self._annotator_level = people[rows % max(len(people), 1)], rows // max(len(people), 1)
        self._of_row = np.repeat(np.arange(len(rows)), np.diff(starts))
        # Half as wide as they come: half as much to read for each sum.
        self._places = self._of_pair.astype(np.int32), starts.astype(np.int32)

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
        each = np.ones(len(self._yes)) if kept is None else kept[self._order].astype(np.float64)
        yes = self._yes if kept is None else self._yes * each
        n, pair_yes = (totals(self._of_pair, answers, len(self._pair_level)) for answers in (each, yes))
        row_n, row_yes = (totals(self._of_row, answers, len(self._annotator)) for answers in (each, yes))
        weight = 1 / np.maximum(n, 1)
        sums = unchecked(
            pair_level=self._pair_level,
            pair_n=n,
            pair_yes=pair_yes,
            annotator=self._annotator,
            annotator_level=self._annotator_level,
            annotator_n=row_n,
            annotator_yes=row_yes,
            annotator_share=self._weighted(each, weight),
            annotator_share_yes=self._weighted(yes, weight),
        )
        return sums if kept is None else sums.where(n > 0, row_n > 0)

    def _weighted(self, answers: Floats, of_pair: Floats) -> Floats:
        """Sum answers x of_pair[their pair] over each level and person."""
        table = sparse.csr_array((answers, *self._places), shape=(len(self._annotator), len(self._pair_level)))
        return np.asarray(table @ of_pair, dtype=np.float64)


def _by_level_and_person(level: Ints, of_person: Ints) -> Ints:
    """Return the order of the answers by level and, within it, by person."""
    short = level.astype(np.uint16) if level.max(initial=0) < 2**16 else level  # Short ones are sorted much faster.
    if (of_person[1:] >= of_person[:-1]).all():
        return np.argsort(short, kind="stable")
    order = np.argsort(of_person, kind="stable")
    return order[np.argsort(short[order], kind="stable")]
