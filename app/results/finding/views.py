"""Which of an arm's choices a number is of: those that the preregistration analyses, and those that it leaves out."""

from copy import copy
from dataclasses import dataclass, fields

import numpy as np

from app.analysis.arrays import Bools, Ints
from app.analysis.choices import Choices
from app.analysis.exclusions import Flow, Results, Step
from app.analysis.margins import Coded, Margins
from app.analysis.rates import rates_of
from app.analysis.trend import slope_of
from app.results.finding.seeds import CONFIDENCE
from app.results.observed import CODES, REASONS, Observed, choices_of
from app.results.rules import reasons_without

WITHDRAWN, REPEAT, SURPLUS = "withdrawn", "repeat", "surplus"
"""Why a choice is left out, beside the rules: the person withdrew; a swapped repeat; it filled no slot."""


def _first_of_pair(observed: Observed) -> Bools:
    stored = observed.stored
    return np.asarray(~stored.withdrawn & (stored.repeat_of == 0))


def reached(observed: Observed) -> Bools:
    """Tell which choices would be analysed if no rule had been declared, shape (n,).

    First choices on a pair that were not withdrawn and filled a slot; an excluded one counts as having filled the slot
    that was opened again for others, unless it came late.
    """
    stored = observed.stored
    return np.asarray(_first_of_pair(observed) & (stored.counted | ((stored.reason != 0) & ~stored.late)))


def analysed(observed: Observed) -> Bools:
    """Tell which choices the main results are of, shape (n,): counted, not withdrawn, not excluded, no repeats."""
    stored = observed.stored
    return np.asarray(_first_of_pair(observed) & stored.counted & (stored.reason == 0))


def arms_together(observed: Observed) -> Choices:
    """Return the analysed choices of all arms, with their arm as a code."""
    return choices_of(observed, analysed(observed), range(len(observed.facts.arms)))


def slim(choices: Choices) -> Choices:
    """Return the choices without the columns that rates do not need: there is less to copy for each part of them."""
    unneeded = {each.name: None for each in fields(Choices) if each.init and each.default is None}
    part = copy(choices)  # Checked choices need no second check.
    for name, nothing in unneeded.items():
        object.__setattr__(part, name, nothing)
    return part


@dataclass(frozen=True, slots=True)
class _Known:
    mask: Bools
    results: Results


class View:
    """One arm's choices: all that reached the analysis, and masks over them.

    Attributes
    ----------
    rows
        Which stored choices `all` are, shape (n,).
    all
        Choices that would be analysed if no rule had been declared.
    main
        Which of them are analysed, a mask over `all`.
    choices, slim
        The analysed ones, with every column and with the few that rates need.
    crossing
        Those of them that are not ties, as a table of people by pairs.
    sums
        Their margins.
    """

    def __init__(self, observed: Observed, arm: int) -> None:
        self.observed, self.arm = observed, arm
        self.in_arm = observed.annotators.arm[observed.stored.annotator] == arm
        self.rows = reached(observed) & self.in_arm
        self.all = choices_of(observed, self.rows, [arm])
        self.main = analysed(observed)[self.rows]
        self.choices = self.all if self.main.all() else self.all.where(self.main)
        self.crossing = self.choices.crossing  # Made here, so that the slim ones have it too.
        self.slim = slim(self.choices)
        self._coded = Coded.of(self.all)
        self.sums: Margins = self._coded.margins(None if self.main.all() else self.main)
        self._known = [_Known(self.main, self._results(len(self.choices), self.sums))]

    @property
    def main_results(self) -> Results:
        """The primary numbers."""
        return self._known[0].results

    def results(self, mask: Bools) -> Results:
        """Return the primary numbers of other choices of `all`; nothing is computed twice."""
        for known in self._known:
            if np.array_equal(known.mask, mask):
                return known.results
        found = self._results(int(mask.sum()), self._coded.margins(mask))
        self._known.append(_Known(mask, found))
        return found

    @staticmethod
    def _results(n: int, sums: Margins) -> Results:
        n_ties = n - round(sums.pair_n.sum())
        return Results(n, rates_of(sums, n_ties, CONFIDENCE), slope_of(sums, CONFIDENCE))

    def without_rules(self, *dropped: str) -> Bools:
        """Tell which of `all` would be analysed if these rules had not been declared."""
        return np.asarray(reasons_without(self.observed, *dropped)[self.rows] == 0)

    def flow(self) -> Flow:
        """Return the flow from all stored choices of the arm to those analysed."""
        stored = self.observed.stored
        reason = np.where(stored.counted, 0, _OF[SURPLUS])
        reason = np.where(stored.reason > 0, stored.reason, reason)
        reason = np.where(stored.repeat_of > 0, _OF[REPEAT], reason)
        reason = np.where(stored.withdrawn, _OF[WITHDRAWN], reason)[self.in_arm]
        people, pairs = stored.annotator[self.in_arm], stored.pair[self.in_arm]
        n_people, n_pairs = len(self.observed.annotators), len(self.observed.pairs)

        def step(name: str, mask: Bools) -> Step:
            whole = mask.all()
            who, what = (people, pairs) if whole else (people[mask], pairs[mask])
            return Step(name, int(mask.sum()), _distinct(who, n_people), _distinct(what, n_pairs))

        declared = self.observed.facts.declared
        asked = {WITHDRAWN, SURPLUS, *(() if declared is None else declared.exclusions)}
        lines = ((name, reason == code) for name, code in _OF.items() if name)
        return Flow(
            total=step("", np.ones(len(reason), dtype=np.bool_)),
            excluded=tuple(step(name, mask) for name, mask in lines if name in asked or mask.any()),
            kept=step("", reason == 0),
        )


_BESIDE = {name: len(REASONS) + index for index, name in enumerate((WITHDRAWN, REPEAT, SURPLUS))}
_OF = {name: (CODES | _BESIDE)[name] for name in ("", WITHDRAWN, REPEAT, *REASONS[1:], SURPLUS)}
"""Each reason, in the order of the flow, to its code."""
LEFT_OUT = tuple(reason for reason in _OF if reason)
"""Each reason for which a choice is left out, in the order of the flow."""


def _distinct(codes: Ints, n: int) -> int:
    return int((np.bincount(codes, minlength=n) > 0).sum())
