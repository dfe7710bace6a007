"""Who is left out by which declared rule, and what the results are with and without them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.analysis.arrays import Ints, LengthsDiffer, flags, same_length
from app.analysis.choices import Choices
from app.analysis.rates import Rates, preference_rates
from app.analysis.trend import Slope, preference_slope


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the flow: the reason, and what it left out; "" is what was kept.

    `n_choices` add up over all lines. `n_annotators` and `n_pairs` are those with a choice on this line; one person or
    pair can be on several.
    """

    reason: str
    n_choices: int
    n_annotators: int
    n_pairs: int


@dataclass(frozen=True, slots=True)
class Flow:
    """From all choices to those analysed: total = kept + Σ excluded."""

    total: Step
    excluded: tuple[Step, ...]
    kept: Step


def exclusion_flow(pair: ArrayLike, annotator: ArrayLike, reason: Sequence[str], order: Sequence[str] = ()) -> Flow:
    """Count choices, annotators and pairs by the reason that excluded them.

    Parameters
    ----------
    pair, annotator
        Codes of any kind, shape (n,).
    reason
        The one reason that each choice is left out for, "" where it is kept, shape (n,).
    order
        Reasons in the order that the study declared; these are listed even where nobody was excluded. Others follow
        by alphabet.
    """
    pairs, people = (np.unique(np.asarray(each), return_inverse=True)[1] for each in (pair, annotator))
    reasons = np.asarray(reason, dtype=np.str_) if len(reason) else np.empty(0, dtype=np.str_)
    same_length({"pair": pairs, "annotator": people, "reason": reasons})
    others = sorted(set(reasons.tolist()) - set(order) - {""})

    def step(name: str, mask: ArrayLike) -> Step:
        chosen = np.asarray(mask, dtype=np.bool_)
        return Step(name, int(chosen.sum()), _distinct(people[chosen]), _distinct(pairs[chosen]))

    return Flow(
        total=step("", np.ones(len(reasons))),
        excluded=tuple(step(name, reasons == name) for name in (*order, *others)),
        kept=step("", reasons == ""),
    )


def _distinct(codes: Ints) -> int:
    return len(np.unique(codes))


@dataclass(frozen=True, slots=True)
class Results:
    """The primary numbers of one set of choices."""

    n_choices: int
    rates: Rates
    slope: Slope | None


def results_of(choices: Choices, confidence: float = 0.95) -> Results:
    """Return rates and slope of a set of choices."""
    return Results(len(choices), preference_rates(choices, confidence), preference_slope(choices, confidence))


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The same numbers with and without some choices. Nothing is tested between them: they share most of the data."""

    with_them: Results
    without: Results


def with_and_without(choices: Choices, left_out: ArrayLike, confidence: float = 0.95) -> Sensitivity:
    """Return results of all choices, and of those for which `left_out`, shape (n,), is false."""
    mask = flags("left_out", left_out)
    if len(mask) != len(choices):
        raise LengthsDiffer(f"lengths differ: left_out has {len(mask)}, choices have {len(choices)}")
    return Sensitivity(results_of(choices, confidence), results_of(choices.where(~mask), confidence))


def looked_up_in_and_out(choices: Choices, confidence: float = 0.95) -> Sensitivity:
    """Return results with everybody, and without those who said that they looked something up; not asked: they stay."""
    return with_and_without(choices, choices.column("looked_up") == 1, confidence)
