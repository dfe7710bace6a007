"""Who sees which pair, on which side, in which order. Pure: all chance comes from the generator that is passed in.

A person's set is balanced in its sides within one, spread evenly over the difficulty levels, and made of the most open
pairs, in that order of importance, as far as the open slots allow. Nobody is refused for balance.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Literal

SideName = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pair that still has open slots: how many have the truthful response left, and right."""

    pair_id: int
    level: int
    open_left: int
    open_right: int

    @property
    def n_open(self) -> int:
        """Open slots on either side."""
        return self.open_left + self.open_right


@dataclass(frozen=True, slots=True)
class Planned:
    """A pair planned for a person, with the side of its truthful response."""

    pair_id: int
    level: int
    side_truthful: SideName


def deal_sides(pairs_by_level: Mapping[int, Sequence[int]], k: int, rng: Random) -> dict[int, list[SideName]]:
    """Return k sides for each pair: half left, half right, in random order.

    For odd k the extra side alternates over a level's pairs in random order, and goes on alternating from one level
    to the next, so it is split within each level, and overall, to within one.
    """
    dealt: dict[int, list[SideName]] = {}
    extra: SideName = rng.choice(("left", "right"))
    for level in sorted(pairs_by_level):
        pairs = list(pairs_by_level[level])
        rng.shuffle(pairs)
        for pair_id in pairs:
            sides: list[SideName] = ["left", "right"] * (k // 2)
            if k % 2:
                sides.append(extra)
                extra = "right" if extra == "left" else "left"
            rng.shuffle(sides)
            dealt[pair_id] = sides
    return dealt


def deal_more_sides(
    dealt: Mapping[int, Mapping[int, tuple[int, int]]], k: int, rng: Random
) -> dict[int, list[SideName]]:
    """Return the sides of the slots that pairs lack to k: old and new together are balanced as if dealt at once.

    Parameters
    ----------
    dealt
        Level -> pair -> slots dealt with the truthful response on the left, and on the right; at most k together, and
        at most (k + 1) // 2 on either side.
    k
        Slots that each pair is to have.
    """
    more: dict[int, list[SideName]] = {}
    extra: SideName = rng.choice(("left", "right"))
    for level in sorted(dealt):
        pairs = list(dealt[level].items())
        rng.shuffle(pairs)
        for pair_id, (left, right) in pairs:
            lefts = k // 2
            # An odd k has one slot more on some side: on the one that has it already, else alternating as at first.
            if k % 2 and left > k // 2:
                lefts = k // 2 + 1
            elif k % 2 and right <= k // 2:
                lefts += extra == "left"
                extra = "right" if extra == "left" else "left"
            sides: list[SideName] = []
            sides += ["left"] * (lefts - left)
            sides += ["right"] * (k - lefts - right)
            rng.shuffle(sides)
            more[pair_id] = sides
    return more


def plan(candidates: Iterable[Candidate], n: int, rng: Random, so_far: Sequence[Planned] = ()) -> list[Planned]:
    """Choose up to n pairs and their sides for one person.

    Parameters
    ----------
    candidates
        Pairs with at least one open slot, none of them in `so_far`.
    n
        Pairs wanted, at least 0. Fewer come back only when there are fewer candidates.
    rng
        The person's own generator.
    so_far
        What this person was given before; levels and sides are evened out together with it.
    """
    usable = [candidate for candidate in candidates if candidate.n_open > 0]
    counts = Counter(planned.level for planned in so_far)
    chosen, spare = _spread(usable, n, rng, counts)
    _allow_balance(chosen, spare, so_far, counts)
    planned = _choose_sides(chosen, rng, so_far)
    rng.shuffle(planned)
    return planned


def choose_repeats(n_planned: int, n_repeats: int, rng: Random) -> list[int]:
    """Choose which positions (1 … n_planned) are shown again, sides swapped, after all others; in the order shown.

    They come from the first half (rounded up), so that at least half of the pairs lie between a pair and its repeat.
    """
    first_half = range(1, (n_planned + 1) // 2 + 1)
    return rng.sample(first_half, min(n_repeats, len(first_half)))


Pools = dict[int, list[Candidate]]


def _spread(candidates: list[Candidate], n: int, rng: Random, counts: Counter[int]) -> tuple[Pools, Pools]:
    """Pick one pair at a time from the level with the fewest so far, the most open pair first; ties at random."""
    rng.shuffle(candidates)
    candidates.sort(key=lambda candidate: candidate.n_open, reverse=True)
    spare: Pools = {}
    for candidate in candidates:
        spare.setdefault(candidate.level, []).append(candidate)
    chosen: Pools = {level: [] for level in spare}
    order = {level: rng.random() for level in sorted(spare)}
    for _ in range(min(n, len(candidates))):
        level = min(
            (level for level, pool in spare.items() if pool),
            key=lambda level: (counts[level], -spare[level][0].n_open, order[level]),
        )
        chosen[level].append(spare[level].pop(0))
        counts[level] += 1
    return chosen, spare


def _offers(candidate: Candidate, side: SideName) -> bool:
    return (candidate.open_left if side == "left" else candidate.open_right) > 0


def _allow_balance(chosen: Pools, spare: Pools, so_far: Sequence[Planned], counts: Counter[int]) -> None:
    """Swap chosen pairs for spare ones until enough of them offer each side, or no swap is left.

    Each swap is the one that costs least; so, by the exchange property of matroids, is the outcome.
    """
    total = len(so_far) + sum(map(len, chosen.values()))
    sides: tuple[SideName, SideName] = ("left", "right")
    for side in sides:
        given = sum(planned.side_truthful == side for planned in so_far)
        able = sum(_offers(candidate, side) for candidate in chain.from_iterable(chosen.values()))
        for _ in range(total // 2 - given - able):
            if not _swap_for(side, chosen, spare, counts):
                break


def _swap_for(side: SideName, chosen: Pools, spare: Pools, counts: Counter[int]) -> bool:
    """Give up a pair that lacks `side` for a spare one that has it; say whether there was one.

    The levels are to stay as even as they can, then the pairs as open as they can; of equals, within a level.
    """
    givers = {level: [c for c in pool if not _offers(c, side)] for level, pool in chosen.items()}
    takers = {level: [c for c in pool if _offers(c, side)] for level, pool in spare.items()}
    moves = [(giver, taker) for giver in givers if givers[giver] for taker in takers if takers[taker]]
    if not moves:
        return False

    def cost(move: tuple[int, int]) -> tuple[int, int, bool]:
        giver, taker = move
        uneven = 0 if giver == taker else 1 + counts[taker] - counts[giver]
        loss = min(c.n_open for c in givers[giver]) - max(c.n_open for c in takers[taker])
        return (uneven, loss, giver != taker)

    giver, taker = min(moves, key=cost)
    out = min(givers[giver], key=lambda candidate: candidate.n_open)
    into = max(takers[taker], key=lambda candidate: candidate.n_open)
    chosen[giver].remove(out)
    spare[taker].remove(into)
    chosen[taker].append(into)
    spare[giver].append(out)
    counts[giver] -= 1
    counts[taker] += 1
    return True


def _choose_sides(chosen: Pools, rng: Random, so_far: Sequence[Planned]) -> list[Planned]:
    """Fix a side for each pair: half and half over the person, and where free the side that the pair has more of."""
    candidates = list(chain.from_iterable(chosen[level] for level in sorted(chosen)))
    rng.shuffle(candidates)
    candidates.sort(key=_leaning, reverse=True)
    given_left = sum(planned.side_truthful == "left" for planned in so_far)
    total = len(so_far) + len(candidates)
    wanted_left = total // 2 + (rng.randrange(2) if total % 2 else 0) - given_left
    forced_left = sum(candidate.open_right == 0 for candidate in candidates)
    able_left = sum(candidate.open_left > 0 for candidate in candidates)
    n_left = min(max(wanted_left, forced_left), able_left)
    return [
        Planned(candidate.pair_id, candidate.level, "left" if index < n_left else "right")
        for index, candidate in enumerate(candidates)
    ]


def _leaning(candidate: Candidate) -> float:
    """How much a pair wants its left slot taken: infinite where only one side is open."""
    if candidate.open_right == 0:
        return float("inf")
    if candidate.open_left == 0:
        return float("-inf")
    return candidate.open_left - candidate.open_right
