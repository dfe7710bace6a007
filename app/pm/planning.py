"""Planning batches: each distinct sequence once, shared prefixes together, longest first, so many tokens at a time.

Pure and deterministic: the same sequences give the same plan, in whatever order they come, up to their places.
"""

import hashlib
import itertools
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from app.pm.scorer import Batch, SharedPrefix, Tokens

VERSION = 2
LEAST_SHARED = 8
"""Fewer tokens in common than this are not worth a group."""


@dataclass(frozen=True, slots=True)
class Apart:
    """The lengths from which on a model computes otherwise, so that longer sequences are planned apart from others.

    Attributes
    ----------
    edges
        Lengths, rising. A sequence of at most such a length is never computed together with a longer one and shares no
        prefix with it: the longer would change what the model takes a position for.
    window
        Where batches are packed, sequences longer than this are padded; None: none are.
    """

    edges: tuple[int, ...] = ()
    window: int | None = None

    def kind(self, length: int) -> tuple[int, bool]:
        """Return what sequences of a length may be computed with: those of which this is the same."""
        return bisect_left(self.edges, length), self.beyond(length)

    def beyond(self, length: int) -> bool:
        """Return whether a sequence is too long to be packed."""
        return self.window is not None and length > self.window


TOGETHER = Apart()
"""All lengths may be computed together."""


@runtime_checkable
class Parting(Protocol):
    """A backend that says which lengths are planned apart."""

    apart: Apart


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
    shared prefix once), and `attended` the sum over them of how many tokens each attends to where none attends to a
    later one; `computed_tokens` those that are, with padding and repeats. `unpacked` are the numbers of batches to be
    padded though others are packed.
    """

    unique: tuple[Tokens, ...]
    place: NDArray[np.int64]
    batches: tuple[tuple[Group, ...], ...]
    n_tokens: int
    unique_tokens: int
    attended: int
    computed_tokens: int
    unpacked: frozenset[int] = frozenset()

    def batch(self, number: int) -> Batch:
        """Return a batch's sequences and groups, as a backend takes them; one to be padded has no groups."""
        groups = self.batches[number]
        sequences = tuple(self.unique[member] for group in groups for member in group.members)
        if number in self.unpacked:
            return Batch(sequences, ())
        shared, start = [], 0
        for group in groups:
            shared.append(SharedPrefix(group.shared, tuple(range(start, start + len(group.members)))))
            start += len(group.members)
        return Batch(sequences, tuple(shared))

    def members(self, number: int) -> list[int]:
        """Return the numbers of a batch's sequences, in its order."""
        return [member for group in self.batches[number] for member in group.members]


def plan(sequences: Sequence[Tokens], budget: int, *, packed: bool, apart: Apart = TOGETHER) -> Plan:
    """Plan batches of at most `budget` computed tokens; a longer sequence has a batch to itself.

    Parameters
    ----------
    sequences
        Token ids, each of shape (length,), length ≥ 1.
    budget
        Tokens a batch, ≥ 1; where batches are padded, padding counts.
    packed
        Whether batches are computed without padding: then shared prefixes are computed once a batch.
    apart
        Which lengths are planned apart from one another.
    """
    unique, place = _distinct(sequences)
    lengths = [len(ids) for ids in unique]
    kinds: dict[tuple[int, bool], list[int]] = {}
    for number, length in enumerate(lengths):
        kinds.setdefault(apart.kind(length), []).append(number)
    # The longest first, as within each kind.
    parts = [
        _planned(unique, numbers, budget, packed=packed and not beyond)
        for (_, beyond), numbers in sorted(kinds.items(), reverse=True)
    ]
    batches = [(batch, part.packed) for part in parts for batch in part.batches]
    return Plan(
        unique,
        place,
        tuple(batch for batch, _ in batches),
        sum(len(ids) for ids in sequences),
        sum(group.cost for part in parts for group in part.groups),
        sum(_attended(group, lengths) for part in parts for group in part.groups),
        sum(part.computed for part in parts),
        frozenset(number for number, (_, laid) in enumerate(batches) if packed and not laid),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """The groups of the sequences of one kind, the batches that they make, and how many tokens these compute."""

    groups: list[Group]
    batches: tuple[tuple[Group, ...], ...]
    computed: int
    packed: bool


def _planned(unique: Sequence[Tokens], numbers: Sequence[int], budget: int, *, packed: bool) -> _Part:
    lengths = [len(ids) for ids in unique]
    groups = _groups(unique, numbers) if packed else [Group(0, (number,), lengths[number]) for number in numbers]
    parts = [part for group in groups for part in _split(group, lengths, budget)]
    parts.sort(key=lambda group: (-group.cost, group.members))
    if packed:
        return _Part(groups, _fill(parts, budget), sum(group.cost for group in parts), packed)
    batches = _fill_padded(parts, budget)
    return _Part(groups, batches, sum(len(batch) * batch[0].cost for batch in batches), packed)


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


def _groups(unique: Sequence[Tokens], numbers: Sequence[int]) -> list[Group]:
    """Partition the sequences of these numbers, neighbours by their tokens, so that most tokens are shared.

    A run of n neighbours, any two of which share at least p tokens, saves (n - 1) p as one group. It is kept whole
    where that saves no less than the best of its two parts, cut where neighbours share least.
    """
    common = [_common(unique[a], unique[b]) for a, b in itertools.pairwise(numbers)]
    groups: list[Group] = []
    for first, last, shared in _best_runs(common, len(numbers)):
        length = shared if last > first and shared >= LEAST_SHARED else 0
        members = tuple(numbers[first : last + 1])
        if length:
            groups.append(Group(length, members, length + sum(len(unique[m]) - length for m in members)))
        else:
            groups.extend(Group(0, (m,), len(unique[m])) for m in members)
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
