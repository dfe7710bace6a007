"""The check at load: what would be silently wrong is refused before anything is scored, and the noise is measured.

A few canaries of different lengths are scored alone, by the model's own plain forward, and then as the run will score
them: batched, padded or packed, with shared prefixes. The largest difference is the run's noise floor.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from app.errors import CandorError
from app.pm import planning
from app.pm.scorer import Batch, Floats, SharedPrefix, Tokens

EXACT = 1e-4
"""In float32 a batch may move a score by this much, times the largest score where that is above one."""
CLOSE = 1e-3
"""Nor by more than this share of the canaries' standard deviation, where scores lie close together."""
ROUNDING = 1e-6
"""Less than this, times the largest score where that is above one, is rounding, however close together they lie."""
ROUGH = 0.5
"""In 16 bits it may move by this share of the canaries' standard deviation."""
_SHORT, _LONG = 9, 1024
_AT_ONCE = 1024


class ModelUnfit(CandorError):
    """A model would give wrong scores; says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check found: the noise floor, the spread of the canaries, and how many there were."""

    noise_floor: float
    spread: float
    canaries: int
    repeat: float

    def record(self) -> dict[str, Any]:
        """Return the check as a run record holds it."""
        return asdict(self)


def canaries(
    allowed: Sequence[int], longest: int, last: int | None, n: int = 8, edges: Sequence[int] = (), *, far: bool = False
) -> list[Tokens]:
    """Return canaries: pairs with a common beginning, of many lengths; the last one ends with `last`, an EOS or a pad.

    Parameters
    ----------
    allowed
        Ordinary token ids to draw from.
    longest
        The most tokens the model reads.
    last
        A special token that a real sequence may end with.
    edges
        Lengths above which the model computes otherwise: for each two canaries with one beginning, as long and longer.
    far
        Whether a very short one follows, and two long ones to be padded beside one another: some encoders let padding
        in only from near, or compute otherwise only where there is much to compute.
    """
    draw = np.random.default_rng(20260101)
    pool = np.asarray(allowed, dtype=np.int32)
    most = max(4, min(longest, 96) - 1)
    made = []
    for number in range(n):
        if number % 2 == 0:
            head = draw.choice(pool, size=max(2, most * (number + 2) // (2 * n + 2)))
        tail = draw.choice(pool, size=max(1, (most - len(head)) * (n - number) // n))
        made.append(np.concatenate([head, tail]).astype(np.int32))
    if last is not None:
        made[-1] = np.append(made[-1], np.int32(last)).astype(np.int32)
    if far:
        made.append(draw.choice(pool, size=min(longest, _SHORT)))
    if far and longest > 2 * most:
        longer = draw.choice(pool, size=min(longest, _LONG) - 1)
        made += [longer, draw.choice(pool, size=len(longer) * 3 // 4)]
    for edge in edges:
        if edge < longest:
            longer = draw.choice(pool, size=edge + 1)
            made += [longer[:-1], longer]
    return made


def check(
    sequences: Sequence[Tokens],
    alone: Callable[[Tokens], Floats],
    batched: Callable[[Batch], Floats],
    *,
    packed: bool,
    exact: bool,
    apart: planning.Apart = planning.TOGETHER,
) -> Checked:
    """Score canaries alone and as a run would, and hold the two together.

    Raises
    ------
    ModelUnfit
        When a score is not finite, or batching moves scores by more than rounding does.
    """
    one_by_one = np.stack([alone(ids) for ids in sequences])
    # Large enough that canaries stand beside one another, small enough that the short ones are not padded to the long.
    budget = max(_AT_ONCE, 2 * max(map(len, sequences)))
    planned = planning.plan(sequences, budget, packed=packed, apart=apart)
    together, again = (_batched(planned, batched)[planned.place] for _ in range(2))
    if not (np.isfinite(one_by_one).all() and np.isfinite(together).all()):
        raise ModelUnfit("the model gives scores that are no finite numbers; use --dtype float32, or another model")
    noise = float(np.abs(one_by_one - together).max())
    spread = float(one_by_one.std(axis=0).max())
    largest = max(1.0, float(np.abs(one_by_one).max()))
    allowed = min(EXACT * largest, max(CLOSE * spread, ROUNDING * largest)) if exact else ROUGH * spread
    # Where all scores lie close together, even what passes for rounding could turn a preference.
    if noise > allowed or noise > ROUGH * spread:
        raise ModelUnfit(
            f"padding changes scores: one by one and batched differ by {noise:.2g}, while scores spread by "
            f"{spread:.2g}; use --dtype float32, --attention padded, or another model"
        )
    return Checked(noise, spread, len(sequences), float(np.abs(again - together).max()))


def _batched(planned: planning.Plan, batched: Callable[[Batch], Floats]) -> Floats:
    """Return the scores of a plan's distinct sequences."""
    numbers = range(len(planned.batches))
    scored = np.concatenate([batched(planned.batch(number)) for number in numbers])
    together = np.empty_like(scored)
    together[[member for number in numbers for member in planned.members(number)]] = scored
    return together


def check_last_token(sequence: Tokens, last: int, batched: Callable[[Batch], Floats]) -> None:
    """Refuse a model that takes a token that ends dialogs for padding, and scores the token before it.

    Raises
    ------
    ModelUnfit
        When the score with that token is the score without it.
    """
    with_it = np.append(sequence, np.int32(last)).astype(np.int32)
    both = batched(Batch((sequence, with_it), (SharedPrefix(0, (0,)), SharedPrefix(0, (1,)))))
    if np.array_equal(both[0], both[1]):
        raise ModelUnfit(
            f"the model takes a real token {last} at the end for padding (it is the pad too): scores would be of "
            "another token; give the tokenizer and config.json a pad token that ends no dialog"
        )
