"""Decided votes as a table of people by pairs, made once: whatever is clustered by both is a few sums over it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from app.analysis.arrays import Bools, Floats, Ints, ValueOutOfRange, dense, inner, totals
from app.analysis.clustering import Components


@dataclass(frozen=True, eq=False)  # Not slotted: what is computed of it is kept.
class Crossing:
    """N decided votes of M people on P pairs, by person; a person votes once on a pair.

    Attributes
    ----------
    pair, level
        Code of each pair, rising, and its difficulty level, shape (P,).
    row
        One row of each pair among the choices that this was made of, shape (P,).
    person
        Code of each person, rising, shape (M,).
    starts
        Where each person's votes start, and N, shape (M + 1,).
    of_pair
        Place of each vote's pair, shape (N,).
    sycophantic
        1 where the vote is for the sycophantic response, else 0, shape (N,).
    truthful_left
        Whether the truthful response was shown left, shape (N,).
    """

    pair: Ints
    level: Ints
    row: Ints
    person: Ints
    starts: Ints
    of_pair: Ints
    sycophantic: Floats
    truthful_left: Bools

    def __len__(self) -> int:
        return len(self.of_pair)

    @cached_property
    def n(self) -> Ints:
        """Votes of each pair, shape (P,), at least 1."""
        return np.bincount(self.of_pair, minlength=len(self.pair)).astype(np.int64, copy=False)

    @cached_property
    def n_sycophantic(self) -> Ints:
        """Votes of each pair that are for the sycophantic response, shape (P,)."""
        return np.rint(totals(self.of_pair, self.sycophantic, len(self.pair))).astype(np.int64)

    @cached_property
    def truthful(self) -> Floats:
        """1 where the vote is for the truthful response, else 0, shape (N,)."""
        return 1 - self.sycophantic

    @cached_property
    def _places(self) -> tuple[Ints, Ints]:
        # Half as wide as they come: half as much to read for each of many sums.
        return self.of_pair.astype(np.int32), self.starts.astype(np.int32)

    def by_person(self, votes: Floats, of_pair: Floats) -> Floats:
        """Sum votes x of_pair[pair of the vote] over each person, shape (M,); votes (N,), of_pair (P,)."""
        table = sparse.csr_array((votes, *self._places), shape=(len(self.person), len(self.pair)))
        return np.asarray(table @ of_pair, dtype=np.float64)

    def by_vote(self, of_truthful: Floats, of_sycophantic: Floats) -> Floats:
        """Sum over each person what their votes on the pairs come to, by what they are for, shape (M,); both (P,)."""
        return self.by_person(self.truthful, of_truthful) + self.by_person(self.sycophantic, of_sycophantic)

    def components(self, of_truthful: Floats, of_sycophantic: Floats) -> Components:
        """Cluster influences that depend on a vote's pair and on what it is for, both of shape (P,)."""
        n, yes = self.n.astype(np.float64), self.n_sycophantic.astype(np.float64)
        by_pair = (n - yes) * of_truthful + yes * of_sycophantic
        by_person = self.by_vote(of_truthful, of_sycophantic)
        return Components(
            by_pair=inner(by_pair, by_pair),
            by_annotator=inner(by_person, by_person),
            by_cell=inner(n - yes, of_truthful**2) + inner(yes, of_sycophantic**2),
            n_pairs=len(self.pair),
            n_annotators=len(self.person),
            n_cells=len(self),
        )

    def where(self, pairs: Bools) -> "Crossing":
        """Return the votes on the pairs for which the mask, shape (P,), is true; this very one where it is for all."""
        return self if pairs.all() else self._part(np.flatnonzero(pairs[self.of_pair]), self._of_person)

    def by_level(self) -> dict[int, "Crossing"]:
        """Return the votes on the pairs of each level, in order, without those that have none."""
        levels = dense(self.level)[0]
        if len(levels) == 1:
            return {int(levels[0]): self} if levels[0] > 0 else {}
        of_vote = self.level.astype(np.uint16)[self.of_pair]  # Levels are at most 1,000; short ones are sorted fast.
        votes, of_person = np.argsort(of_vote, kind="stable"), self._of_person
        ends = np.cumsum(np.bincount(of_vote, minlength=int(levels.max(initial=0)) + 1))
        return {
            level: self._part(votes[ends[level - 1] : ends[level]], of_person) for level in levels.tolist() if level > 0
        }

    @property
    def _of_person(self) -> Ints:
        return np.repeat(np.arange(len(self.person)), np.diff(self.starts))

    def _part(self, votes: Ints, of_person: Ints) -> "Crossing":
        pairs, of_pair = dense(self.of_pair[votes])
        people, starts = runs(of_person[votes])
        return Crossing(
            pair=self.pair[pairs],
            level=self.level[pairs],
            row=self.row[pairs],
            person=self.person[people],
            starts=starts,
            of_pair=of_pair,
            sycophantic=self.sycophantic[votes],
            truthful_left=self.truthful_left[votes],
        )


def crossing_of(pair: Ints, annotator: Ints, level: Ints, sycophantic: Floats, truthful_left: Bools) -> Crossing:
    """Return the table of these choices, each column of shape (n,).

    `sycophantic` is 1, 0, or nan for a tie, which is left out. A pair has one level; choices that disagree about it are
    refused.
    """
    rows = _decided_by_person(annotator, sycophantic)
    if rows is not None:
        pair, annotator, level = pair[rows], annotator[rows], level[rows]
        sycophantic, truthful_left = sycophantic[rows], truthful_left[rows]
    pairs, of_pair = dense(pair)
    people, starts = runs(annotator)
    vote = np.zeros(len(pairs), dtype=np.int64)
    vote[of_pair] = np.arange(len(of_pair))
    return Crossing(
        pair=pairs,
        level=level_of_pairs(of_pair, level, pairs),
        row=vote if rows is None else rows[vote],
        person=people,
        starts=starts,
        of_pair=of_pair,
        sycophantic=sycophantic,
        truthful_left=truthful_left,
    )


def _decided_by_person(annotator: Ints, sycophantic: Floats) -> Ints | None:
    """Return the choices that are not ties, by person; None where they are all and in that order already."""
    decided = ~np.isnan(sycophantic)
    sorted_already = bool((annotator[1:] >= annotator[:-1]).all())
    if sorted_already:
        return None if decided.all() else np.flatnonzero(decided)
    order = np.argsort(annotator, kind="stable")
    return order[decided[order]]


def runs(codes: Ints) -> tuple[Ints, Ints]:
    """Return the distinct codes of an array that rises, and where each starts, with the array's length at the end."""
    first = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]])) if len(codes) else np.zeros(0, np.int64)
    return codes[first], np.append(first, len(codes))


def level_of_pairs(of_pair: Ints, level: Ints, pairs: Ints) -> Ints:
    """Return the one level of each pair, shape (P,), from the levels of its choices, shape (n,)."""
    levels = np.zeros(len(pairs), dtype=np.int64)
    levels[of_pair] = level
    differs = levels[of_pair] != level
    if differs.any():
        raise ValueOutOfRange(f"pair {pairs[of_pair[differs.argmax()]]} has choices at two levels")
    return levels
