"""Declared rules that leave choices out, on arrays: for a whole study at once, and for what holds without one of them.

The rules and their order are those of `app.study.exclusions`, which asks them of single choices in SQL; a test holds
the two together.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from app.analysis.arrays import Bools, Floats, Ints
from app.results.facts import Arm, Declared
from app.results.observed import CODES, REASONS, Annotators, Observed, Pairs, Stored

_EASIEST = 1
_MS_A_MINUTE = 60_000.0


def with_rules(
    declared: Declared,
    pairs: Pairs,
    annotators: Annotators,
    stored: Stored,
    arms: tuple[Arm, ...],
    by_person: Mapping[str, Bools],
) -> Stored:
    """Return the choices with the reason that excludes each: a retired pair, or the first declared rule that holds.

    `by_person` tells, for rules that the arrays cannot, whom they hold for, shape (A,). No rule speaks of what was
    withdrawn.
    """
    reason = np.where(pairs.retired[stored.pair], CODES["retired_pair"], 0)
    seen = _Seen(pairs, annotators, stored, arms)
    for rule, value in declared.exclusions.items():
        holds = by_person[rule][stored.annotator] if rule in by_person else seen.holds(rule, value)
        reason = np.where((reason == 0) & holds, CODES[rule], reason)
    return replace(stored, reason=np.where(stored.withdrawn, 0, reason))


def reasons_without(observed: Observed, *dropped: str) -> Ints:
    """Return why each choice would be excluded if these rules had not been declared, shape (n,): codes of `REASONS`.

    Only for rules that the arrays can tell what comes after: every one from `looked_up` on.
    """
    stored, declared = observed.stored, observed.facts.declared
    rules = {} if declared is None else declared.exclusions
    reason = stored.reason
    seen = _Seen(observed.pairs, observed.annotators, stored, observed.facts.arms)
    for rule in sorted(dropped, key=CODES.__getitem__):
        freed = reason == CODES[rule]
        if not freed.any():
            continue
        reason = np.where(freed, 0, reason)
        for later in REASONS[CODES[rule] + 1 :]:
            if later in rules and later not in dropped:
                reason = np.where(freed & (reason == 0) & seen.holds(later, rules[later]), CODES[later], reason)
    return reason


class _Seen:
    """What the arrays tell of the rules."""

    def __init__(self, pairs: Pairs, annotators: Annotators, stored: Stored, arms: tuple[Arm, ...]) -> None:
        self._pairs, self._annotators, self._stored, self._arms = pairs, annotators, stored, arms

    def holds(self, rule: str, value: int) -> Bools:
        """Tell for which choices a rule holds, shape (n,)."""
        stored = self._stored
        match rule:
            case "looked_up":
                return np.asarray(self._annotators.looked_up == 1)[stored.annotator]
            case "easy_pairs":
                return self._easy(value)[stored.annotator]
            case "fastest_ms":
                return np.less(stored.decision_ms, value)
            case "words_a_minute":
                return np.less(stored.decision_ms, self._words() * _MS_A_MINUTE / value)
            case _:
                return stored.left_page

    def _easy(self, most: int) -> Bools:
        stored = self._stored
        easiest = self._pairs.level[stored.pair] == _EASIEST
        fooled = (stored.prefers_sycophantic == 1) & (stored.repeat_of == 0) & easiest
        return np.bincount(stored.annotator[fooled], minlength=len(self._annotators)) >= most

    def _words(self) -> Floats:
        stored, pairs = self._stored, self._pairs
        arm = self._annotators.arm[stored.annotator]
        words = pairs.words_sycophantic[stored.pair]
        for index, each in enumerate(self._arms):
            mask = arm == index
            words[mask] += pairs.words_truthful[each.truthful_kind][stored.pair[mask]]
        return words
