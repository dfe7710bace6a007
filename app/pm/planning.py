"""Planning batches: each distinct sequence once, shared prefixes together, longest first, so many tokens at a time.

Pure and deterministic: the same sequences give the same plan, in whatever order they come, up to their places.
"""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.pm.scorer import Batch, SharedPrefix, Tokens

VERSION = 1
LEAST_SHARED = 8
"""Fewer tokens in common than this are not worth a group."""


@dataclass(frozen=True, slots=True)
class Group:
    """Distinct sequences, by their numbers, that share their first `shared` tokens. `cost` is what they compute."""

    shared: int
    members: tuple[int, ...]
    cost: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Distinct sequences, where each given one is among them, and the batches that compute them.

    `n_tokens` counts the tokens of the given sequences; `unique_tokens` those that must be computed (packed: each
    shared prefix once), and `attended` the sum over them of how many tokens each attends to; `computed_tokens` those
    that are, with padding and repeats.
    """

    unique: tuple[Tokens, ...]
    place: NDArray[np.int64]
    batches: tuple[tuple[Group, ...], ...]
    n_tokens: int
    unique_tokens: int
    attended: int
    computed_tokens: int

    def batch(self, number: int) -> Batch:
        """Return a batch's sequences and groups, as a backend takes them."""
        groups = self.batches[number]
        sequences = tuple(self.unique[member] for group in groups for member in group.members)
        shared, start = [], 0
        for group in groups:
            shared.append(SharedPrefix(group.shared, tuple(range(start, start + len(group.members)))))
            start += len(group.members)
        return Batch(sequences, tuple(shared))

    def members(self, number: int) -> list[int]:
        """Return the numbers of a batch's sequences, in its order."""
        return [member for group in self.batches[number] for member in group.members]


def plan(sequences: Sequence[Tokens], budget: int, *, packed: bool) -> Plan:
    """Plan batches of at most `budget` computed tokens; a longer sequence has a batch to itself.

    Parameters
    ----------
    sequences
        Token ids, each of shape (length,), length ≥ 1.
    budget
        Tokens a batch, ≥ 1; where batches are padded, padding counts.
    packed
        Whether batches are computed without padding: then shared prefixes are computed once a batch.
    """
    unique, place = _distinct(sequences)
    lengths = [len(ids) for ids in unique]
    groups = _groups(unique) if packed else [Group(0, (number,), length) for number, length in enumerate(lengths)]
    parts = [part for group in groups for part in _split(group, lengths, budget)]
    parts.sort(key=lambda group: (-group.cost, group.members))
    batches = _fill(parts, budget) if packed else _fill_padded(parts, budget)
    return Plan(
        unique,
        place,
        batches,
        sum(len(ids) for ids in sequences),
        sum(group.cost for group in groups),
        sum(_attended(group, lengths) for group in groups),
        sum(group.cost for group in parts) if packed else sum(len(batch) * batch[0].cost for batch in batches),
    )


def _distinct(sequences: Sequence[Tokens]) -> tuple[tuple[Tokens, ...], NDArray[np.int64]]:
    """Return the distinct sequences, in the order of their tokens, and the place of each given one among them."""
    keyed: dict[bytes, Tokens] = {}
    digests = []
    for ids in sequences:
        digest = hashlib.sha256(ids.astype(np.int32).tobytes()).digest()
        digests.append(digest)
        keyed.setdefault(digest, ids)
    # Big-endian bytes sort as the tokens do, so that sequences with a common prefix are neighbours.
    ordered = sorted(keyed, key=lambda digest: keyed[digest].astype(">u4").tobytes())
    number = {digest: place for place, digest in enumerate(ordered)}
    places = np.array([number[digest] for digest in digests], dtype=np.int64)
    return tuple(keyed[digest] for digest in ordered), places


def _common(first: Tokens, second: Tokens) -> int:
    """Return how many leading tokens two sequences share, leaving at least one to each."""
    n = min(len(first), len(second))
    differ = np.flatnonzero(first[:n] != second[:n])
    return int(min(differ[0] if differ.size else n, n - 1))


def _groups(unique: Sequence[Tokens]) -> list[Group]:
    """Partition neighbours so that most tokens are shared.

    A run of n neighbours, any two of which share at least p tokens, saves (n - 1) p as one group. It is kept whole
    where that saves no less than the best of its two parts, cut where neighbours share least.
    """
    common = [_common(a, b) for a, b in itertools.pairwise(unique)]
    lengths = [len(ids) for ids in unique]
    groups: list[Group] = []
    for first, last, shared in _best_runs(common, len(unique)):
        length = shared if last > first and shared >= LEAST_SHARED else 0
        if length:
            members = tuple(range(first, last + 1))
            groups.append(Group(length, members, length + sum(lengths[m] - length for m in members)))
        else:
            groups.extend(Group(0, (m,), lengths[m]) for m in range(first, last + 1))
    return groups


@dataclass(frozen=True, slots=True)
class _Run:
    """The best way to cut neighbours first … last: what it saves, and the groups that it makes."""

    first: int
    last: int
    saved: int
    parts: "tuple[_Run, _Run] | None"
    shared: int


def _best_runs(common: Sequence[int], n: int) -> list[tuple[int, int, int]]:
    """Return runs (first, last, tokens shared); built bottom up, joining where most is shared first."""
    runs: list[_Run] = []
    joins: list[int] = []

    def join() -> None:
        right, left, least = runs.pop(), runs.pop(), joins.pop()
        whole = (right.last - left.first) * least
        parts = left.saved + right.saved
        runs.append(_Run(left.first, right.last, max(whole, parts), None if whole >= parts else (left, right), least))

    for number in range(n):
        if number:
            while joins and joins[-1] > common[number - 1]:
                join()
            joins.append(common[number - 1])
        runs.append(_Run(number, number, 0, None, 0))
    while joins:
        join()
    found, waiting = [], list(runs)
    while waiting:
        run = waiting.pop()
        if run.parts is None:
            found.append((run.first, run.last, run.shared))
        else:
            waiting.extend(reversed(run.parts))
    return found


def _attended(group: Group, lengths: Sequence[int]) -> int:
    """Return the sum, over the computed tokens of a causal model, of how many tokens each attends to."""
    before = group.shared * (group.shared + 1) // 2
    return before + sum(lengths[m] * (lengths[m] + 1) // 2 - before for m in group.members)


def _split(group: Group, lengths: Sequence[int], budget: int) -> list[Group]:
    """Cut a group that is over the budget; each part computes the prefix again."""
    if group.cost <= budget or len(group.members) == 1:
        return [group]
    parts: list[Group] = []
    members: list[int] = []
    cost = group.shared
    for member in sorted(group.members, key=lambda m: (-lengths[m], m)):
        own = lengths[member] - group.shared
        if members and cost + own > budget:
            parts.append(_part(group, members, cost))
            members, cost = [], group.shared
        members.append(member)
        cost += own
    parts.append(_part(group, members, cost))
    return parts


def _part(group: Group, members: Sequence[int], cost: int) -> Group:
    return Group(group.shared if len(members) > 1 else 0, tuple(members), cost)


def _fill(groups: Sequence[Group], budget: int) -> tuple[tuple[Group, ...], ...]:
    """Take groups in order while they fit."""
    batches: list[tuple[Group, ...]] = []
    taken: list[Group] = []
    cost = 0
    for group in groups:
        if taken and cost + group.cost > budget:
            batches.append(tuple(taken))
            taken, cost = [], 0
        taken.append(group)
        cost += group.cost
    return (*batches, tuple(taken)) if taken else tuple(batches)


def _fill_padded(groups: Sequence[Group], budget: int) -> tuple[tuple[Group, ...], ...]:
    """Take sequences, longest first, while their number times the longest fits."""
    batches: list[tuple[Group, ...]] = []
    taken: list[Group] = []
    for group in groups:
        if taken and (len(taken) + 1) * taken[0].cost > budget:
            batches.append(tuple(taken))
            taken = []
        taken.append(group)
    return (*batches, tuple(taken)) if taken else tuple(batches)
