"""Choices as arrays: what exports and database reads are turned into."""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import ArrayLike

from app.analysis.arrays import Bools, ColumnMissing, Floats, Ints, dense, flags, floats, same_length, whole
from app.analysis.crossing import Crossing, crossing_of
from app.errors import CandorError

_HIGHEST_LEVEL = 1000


class ChosenTwice(CandorError):
    """One person has two choices on one pair; only counted first choices can be analysed."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Choices of one study, one element a choice; every array has shape (n,).

    At most one choice a person and pair: repeats, late and withdrawn choices are left out by whoever fills this.

    Attributes
    ----------
    pair
        Whole-number code of the pair. A study has one pair a misconception, so this is the misconception too.
    annotator
        Whole-number code of the person.
    level
        Difficulty level, 1 (easiest) and up; 0 where the misconception has none.
    prefers_sycophantic
        1, 0, or nan for a tie.
    truthful_left
        Whether the truthful response was shown left.
    arm
        Whole-number code of the arm; all 0 when not given.
    words_truthful, words_sycophantic
        Lengths in words, at least 1.
    decision_ms
        Time to decide in milliseconds; nan where it was not measured.
    confidence, prior_belief
        Answers to the study's options as numbers; nan where there is none.
    looked_up
        Whether the person said that they looked anything up; nan where not asked, else 1 or 0.
    """

    pair: Ints
    annotator: Ints
    level: Ints
    prefers_sycophantic: Floats
    truthful_left: Bools
    arm: Ints | None = None
    words_truthful: Floats | None = None
    words_sycophantic: Floats | None = None
    decision_ms: Floats | None = None
    confidence: Floats | None = None
    prior_belief: Floats | None = None
    looked_up: Floats | None = None
    _crossing: Crossing | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        checked = {
            "pair": whole("pair", self.pair),
            "annotator": whole("annotator", self.annotator),
            "level": whole("level", self.level, 0, _HIGHEST_LEVEL),
            "prefers_sycophantic": _votes(self.prefers_sycophantic),
            "truthful_left": flags("truthful_left", self.truthful_left),
            "arm": None if self.arm is None else whole("arm", self.arm),
            "words_truthful": _optional("words_truthful", self.words_truthful, 1),
            "words_sycophantic": _optional("words_sycophantic", self.words_sycophantic, 1),
            "decision_ms": _optional("decision_ms", self.decision_ms, 0, missing=True),
            "confidence": _optional("confidence", self.confidence, missing=True),
            "prior_belief": _optional("prior_belief", self.prior_belief, missing=True),
            "looked_up": _optional("looked_up", self.looked_up, 0, 1, missing=True),
        }
        given = {name: array for name, array in checked.items() if array is not None}
        same_length(given)
        for name, array in given.items():
            object.__setattr__(self, name, array)
        _refuse_two_choices_on_a_pair(self.pair, self.annotator)

    def __len__(self) -> int:
        return len(self.pair)

    @property
    def decided(self) -> Bools:
        """Which choices are not ties, shape (n,)."""
        return ~np.isnan(self.prefers_sycophantic)

    def where(self, keep: ArrayLike) -> "Choices":
        """Return the choices for which `keep`, shape (n,), is true."""
        mask = flags("keep", keep)
        same_length({"keep": mask, "pair": self.pair})
        rows = np.flatnonzero(mask)
        part = object.__new__(Choices)  # A part of checked choices needs no second check.
        for each in fields(self):
            array = getattr(self, each.name) if each.init else None
            object.__setattr__(part, each.name, None if array is None else array[rows])
        return part

    @property
    def crossing(self) -> Crossing:
        """The choices that are not ties, as a table of people by pairs; made when first asked for, and kept."""
        made = self._crossing
        if made is None:
            made = crossing_of(self.pair, self.annotator, self.level, self.prefers_sycophantic, self.truthful_left)
            object.__setattr__(self, "_crossing", made)
        return made

    @property
    def without_ties(self) -> "Choices":
        """The choices that are not ties; these very ones where none is."""
        decided = self.decided
        return self if decided.all() else self.where(decided)

    def column(self, name: str) -> Floats:
        """Return an optional column, or refuse and name it."""
        array: Floats | None = getattr(self, name)
        if array is None:
            raise ColumnMissing(f"this analysis needs the column {name}, which was not given")
        return array


def _optional(
    name: str, values: Floats | None, low: float = -np.inf, high: float = np.inf, *, missing: bool = False
) -> Floats | None:
    return None if values is None else floats(name, values, low, high, missing=missing)


def _votes(values: ArrayLike) -> Floats:
    votes = floats("prefers_sycophantic", values, 0, 1, missing=True)
    whole("prefers_sycophantic", votes[~np.isnan(votes)])
    return votes


def _refuse_two_choices_on_a_pair(pair: Ints, annotator: Ints) -> None:
    pairs, of_pair = dense(pair)
    people, of_person = dense(annotator)
    cells = np.sort(of_pair * max(len(people), 1) + of_person)
    twice = np.flatnonzero(cells[1:] == cells[:-1])
    if twice.size:
        which, who = divmod(int(cells[twice[0]]), len(people))
        raise ChosenTwice(
            f"annotator {people[who]} has more than one choice on pair {pairs[which]}; keep the counted one only"
        )
