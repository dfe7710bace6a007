"""Sides and levels are balanced, exactly in a full study and as far as possible for each person (invariant 4).

Studies of odd and even k, of one and two arms, of odd, even and long sets, are filled by people of whom some stop,
some go away and some withdraw, so that slots come back in every state of a study. At every arrival the slots that are
open just before are read from their table, and a linear program, which shares nothing with the way sets are planned,
says what the best set would be: first of the sides, then of the levels. The set that the person gets is as good. So a
person's sides are within one, and their levels too, wherever the open slots allow it. Once full, each pair has the
truthful response left as often as right (for odd k but once), and each level and each arm too.
"""

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.optimize import linprog

from app.terms import Side, SlotState
from tests.proofs.conftest import Say
from tests.study.people import People, people_of

SEED = 23
PER_LEVEL = 3
MOST_PEOPLE = 400
BOTH_ARMS = ({"truthful_kind": "helpful"}, {"truthful_kind": "baseline"})
ONE_ARM = BOTH_ARMS[:1]


class Open(NamedTuple):
    """A pair with open slots in an arm."""

    pair_id: int
    level: int
    left: bool
    right: bool


class Given(NamedTuple):
    """A pair that a person was given."""

    pair_id: int
    level: int
    side: str


class Fit(NamedTuple):
    """How far a set is from even: the difference of its sides, and the squares of its levels' counts, summed."""

    sides: int
    levels: int


def fit_of(given: Sequence[Given]) -> Fit:
    left = sum(pair.side == Side.LEFT for pair in given)
    return Fit(abs(2 * left - len(given)), sum(n * n for n in Counter(pair.level for pair in given).values()))


def best_fit(open_pairs: Sequence[Open], n: int) -> Fit:
    """Return the best fit that any n of the open pairs can have."""
    n = min(n, len(open_pairs))
    most_left = min(n, sum(pair.left for pair in open_pairs))
    least_left = n - min(n, sum(pair.right for pair in open_pairs))
    sides = min(abs(2 * left - n) for left in range(least_left, most_left + 1))
    lefts = {left for left in range(least_left, most_left + 1) if abs(2 * left - n) == sides}
    return Fit(sides, min(_most_even(open_pairs, left, n - left) for left in lefts))


def _most_even(open_pairs: Sequence[Open], n_left: int, n_right: int) -> int:
    """Return the least sum of squares of the levels' counts, with so many pairs taken on each side.

    A flow from sides over pairs to levels, in which each further pair of a level costs two more than the one before:
    the linear program of a flow has whole numbers as its solution.
    """
    levels = sorted({pair.level for pair in open_pairs})
    n_pairs, n_steps = len(open_pairs), n_left + n_right
    left, right = np.arange(n_pairs), n_pairs + np.arange(n_pairs)
    steps = 2 * n_pairs + np.arange(len(levels) * n_steps).reshape(len(levels), n_steps)
    n_variables = 2 * n_pairs + steps.size
    cost = np.zeros(n_variables)
    cost[steps] = 2 * np.arange(n_steps) + 1
    equal = np.zeros((2 + len(levels), n_variables))
    equal[0, left] = 1
    equal[1, right] = 1
    for row, level in enumerate(levels):
        of_level = [number for number, pair in enumerate(open_pairs) if pair.level == level]
        equal[2 + row, left[of_level]] = 1
        equal[2 + row, right[of_level]] = 1
        equal[2 + row, steps[row]] = -1
    once = np.zeros((n_pairs, n_variables))
    once[left, left] = 1
    once[left, right] = 1
    most = [float(pair.left) for pair in open_pairs] + [float(pair.right) for pair in open_pairs] + [1.0] * steps.size
    solved = linprog(
        cost,
        A_ub=once,
        b_ub=np.ones(n_pairs),
        A_eq=equal,
        b_eq=[n_left, n_right] + [0] * len(levels),
        bounds=list(zip([0.0] * n_variables, most, strict=True)),
    )
    assert solved.success, solved.message
    return round(float(solved.fun))


async def open_pairs_by_arm(people: People) -> dict[int, list[Open]]:
    """Read what is open from the slots themselves."""
    found: dict[int, list[Open]] = {}
    for arm_id, *pair in await people.rows(_OPEN, slug=people.slug):
        found.setdefault(arm_id, []).append(Open(*pair))
    return found


_OPEN = """
    SELECT slot.arm_id, pair.id, pair.difficulty_level,
           bool_or(side_truthful = 'left'), bool_or(side_truthful = 'right')
    FROM slot JOIN pair ON pair.id = slot.pair_id JOIN study ON study.id = pair.study_id
    WHERE study.slug = :slug AND slot.state = 'open'
    GROUP BY slot.arm_id, pair.id, pair.difficulty_level
"""


async def given_to(people: People, annotator: str) -> tuple[int, list[Given]]:
    rows = await people.rows(_GIVEN, annotator=annotator)
    return rows[0][0], [Given(*row[1:]) for row in rows]


_GIVEN = """
    SELECT p.arm_id, a.pair_id, pair.difficulty_level, a.side_truthful
    FROM participation p JOIN assignment a ON a.participation_id = p.id JOIN pair ON pair.id = a.pair_id
    WHERE p.public_id = :annotator ORDER BY a.position
"""


async def take_part(people: People, annotator: str, n: int, rng: Random) -> None:
    """Go to the end, or stop, or go away midway, or withdraw at the end."""
    await people.to_judging(annotator)
    leaves = rng.random() < 0.3
    await people.judge(annotator, rng.randrange(n) if leaves else n)
    if leaves and rng.random() < 0.5:
        await people.stop(annotator)
    elif leaves:
        await people.expire([annotator])
    else:
        await people.finish(annotator, withdraw=rng.random() < 0.1)


async def arrive(people: People, person: str, n: int) -> tuple[str, Fit] | None:
    """Let somebody enter, and hold what they are given against the best there was; None where there was no place."""
    await people.sweep()
    offered = await open_pairs_by_arm(people)
    annotator = await people.try_to_enter(person)
    if annotator is None:
        assert not offered
        return None
    arm_id, given = await given_to(people, annotator)
    assert len(given) == min(n, len(offered[arm_id]))
    fit = fit_of(given)
    assert fit == best_fit(offered[arm_id], n), (given, offered[arm_id])
    return annotator, fit


async def counted_sides(people: People) -> list[tuple[int, int, int, int, int]]:
    """Return arm, level, pair, and how many counted choices had the truthful response left and right."""
    rows = await people.rows(_COUNTED, slug=people.slug)
    return [(arm_id, level, pair_id, left, right) for arm_id, level, pair_id, left, right in rows]


_COUNTED = """
    SELECT p.arm_id, pair.difficulty_level, pair.id, count(*) FILTER (WHERE a.side_truthful = 'left'),
           count(*) FILTER (WHERE a.side_truthful = 'right')
    FROM choice c JOIN assignment a USING (participation_id, position) JOIN participation p ON p.id = c.participation_id
    JOIN pair ON pair.id = a.pair_id JOIN study ON study.id = p.study_id
    WHERE study.slug = :slug AND c.counted
    GROUP BY p.arm_id, pair.difficulty_level, pair.id
"""


async def assert_exact(people: People, k: int, n_arms: int) -> None:
    """Hold a full study against what its slots promise: for every pair, every level of an arm, and every arm."""
    counted = await counted_sides(people)
    assert len(counted) == n_arms * 8 * PER_LEVEL
    differences: Counter[tuple[int, ...]] = Counter()
    for arm_id, level, _, left, right in counted:
        assert (left + right, abs(left - right)) == (k, k % 2)
        differences[arm_id, level] += left - right
        differences[(arm_id,)] += left - right
    assert max(map(abs, differences.values())) <= k % 2


DESIGNS = [
    pytest.param(1, 8, ONE_ARM, id="k=1 n=8"),
    pytest.param(2, 7, ONE_ARM, id="k=2 n=7"),
    pytest.param(3, 12, BOTH_ARMS, id="k=3 n=12 two arms"),
    pytest.param(4, 9, BOTH_ARMS, id="k=4 n=9 two arms"),
    pytest.param(5, 20, ONE_ARM, id="k=5 n=20"),
    pytest.param(9, 10, ONE_ARM, id="k=9 n=10"),
    pytest.param(10, 5, ONE_ARM, id="k=10 n=5"),
]


@pytest.mark.parametrize(("k", "n", "arms"), DESIGNS)
async def test_every_set_is_as_even_as_can_be_and_a_full_study_exactly(
    own_database_url: str, k: int, n: int, arms: tuple[dict[str, Any], ...], say: Say
) -> None:
    rng = Random(f"{SEED}/{k}/{n}")
    design: dict[str, Any] = {
        "ratings_per_pair": k,
        "pairs_per_annotator": n,
        "arms": arms,
        "seed": rng.randrange(2**31),
    }
    fits: list[Fit] = []
    async with people_of(own_database_url, "even", per_level=PER_LEVEL, bare=True, **design) as people:
        for number in range(MOST_PEOPLE):
            arrived = await arrive(people, f"person-{number}", n)
            if arrived is None:
                break
            annotator, fit = arrived
            fits.append(fit)
            await take_part(people, annotator, n, rng)
        assert await people.n_slots(SlotState.FILLED) == len(arms) * 8 * PER_LEVEL * k
        await assert_exact(people, k, len(arms))
        await people.assert_sound(k)
    n_even = sum(fit.sides <= 1 for fit in fits)
    say(f"balance, k = {k}, n = {n}: {len(fits)} sets, each the best there was; sides within one in {n_even}")


async def test_whoever_meets_a_new_study_gets_sides_and_levels_within_one(own_database_url: str) -> None:
    """While slots abound nothing stands in the way, so the promise holds to the letter."""
    design: dict[str, Any] = {"ratings_per_pair": 9, "pairs_per_annotator": 13, "entry_holds": 8, "seed": SEED}
    async with people_of(own_database_url, "newly-opened", per_level=PER_LEVEL, **design) as people:
        for number in range(8):
            annotator = await people.enter(f"person-{number}")
            _, given = await given_to(people, annotator)
            levels = Counter(pair.level for pair in given)
            assert fit_of(given).sides <= 1
            assert max(levels.values()) - min(levels.get(level, 0) for level in range(1, 9)) <= 1
