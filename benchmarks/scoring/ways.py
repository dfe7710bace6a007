"""Ways to score the same sequences with the same network: from a naive loop to packed rows with shared prefixes."""

from collections.abc import Callable, Sequence

import numpy as np

from app.pm import planning
from app.pm.local_models import Network
from app.pm.scorer import Batch, Floats, Tokens

Way = Callable[[Network, Sequence[Tokens]], Floats]


def naive(network: Network, sequences: Sequence[Tokens]) -> Floats:
    """Eight at a time, in the order given, padded on the right; of pairs, first all of one side, then the other."""
    scores = np.empty(len(sequences), dtype=np.float32)
    for side in range(2):
        places = list(range(side, len(sequences), 2))
        for start in range(0, len(places), 8):
            chosen = places[start : start + 8]
            scores[chosen] = network.padded(Batch(tuple(sequences[place] for place in chosen), ()))
    return scores


def in_slices(size: int) -> Way:
    """So many at a time, in the order given, padded on the right."""

    def way(network: Network, sequences: Sequence[Tokens]) -> Floats:
        parts = [Batch(tuple(sequences[at : at + size]), ()) for at in range(0, len(sequences), size)]
        return np.concatenate([network.padded(part) for part in parts])

    return way


def planned(budget: int, *, packed: bool, shared: bool = True) -> Way:
    """As Candor does: sorted, a token budget a batch; packed, with shared prefixes or without."""

    def way(network: Network, sequences: Sequence[Tokens]) -> Floats:
        made = planning.plan(sequences, budget, packed=packed and shared)
        found = np.empty(len(made.unique), dtype=np.float32)
        for number in range(len(made.batches)):
            batch = made.batch(number)
            found[made.members(number)] = network.packed(batch) if packed else network.padded(batch)
        return found[made.place]

    return way
