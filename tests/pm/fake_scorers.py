"""A scorer without a model: words as tokens, a score that hangs on every one, and a memory that can be small."""

import asyncio
from collections.abc import Sequence
from random import Random
from zlib import crc32

import numpy as np

from app.pm.dialogs import Dialog, user
from app.pm.items import Item, ItemList, item
from app.pm.rendering import OverLong, Renderer
from app.pm.scorer import Batch, BatchTooLarge, Floats, ModelIdentity

WORDS = ("the", "earth", "is", "flat", "moon", "people", "believe", "water", "boils", "sugar", "hyper", "spin")


class Words:
    """Words as tokens; 1 begins each turn."""

    bos: int | None = None

    def encode(self, dialogs: Sequence[Dialog]) -> list[list[int]]:
        return [
            [
                token
                for turn in d
                for token in (1, *(crc32(word.encode()) % 30_000 + 2 for word in turn.content.split()))
            ]
            for d in dialogs
        ]

    def without_first(self, text: str, n_tokens: int) -> str:
        return " ".join(text.split()[n_tokens:])


def _token(word: str) -> int:
    return crc32(word.encode()) % 30_000 + 2


class FakeScorer:
    """Scores by a sum over tokens and places. `room`: tokens that fit; `die_at`: the batch at which it fails."""

    def __init__(
        self, *, packs: bool = True, room: int = 10**9, die_at: int | None = None, longest: int = 10**6
    ) -> None:
        self.packs = packs
        self.concurrency = 1
        self.rendering = Renderer(Words(), longest, OverLong.TRUNCATE)
        self.batches: list[Batch] = []
        self.scored = 0
        self._room = room
        self._die_at = die_at

    def identity(self) -> ModelIdentity:
        return ModelIdentity(scorer="reward", model="fake", backend="fake", random_weights=True)

    def score(self, batch: Batch) -> Floats:
        if len(self.batches) == self._die_at:
            raise KeyboardInterrupt
        if sum(map(len, batch.sequences)) > self._room:
            raise BatchTooLarge("no room")
        self.batches.append(batch)
        self.scored += len(batch.sequences)
        return np.array([value(ids) for ids in batch.sequences], dtype=np.float32)


class AsyncScorer(FakeScorer):
    """The same behind promises, several at once; remembers how many were under way together."""

    def __init__(self) -> None:
        super().__init__()
        self.concurrency = 3
        self.at_once = 0
        self._under_way = 0

    async def score(self, batch: Batch) -> Floats:  # type: ignore[override]
        self._under_way += 1
        self.at_once = max(self.at_once, self._under_way)
        await asyncio.sleep(0.001)
        self._under_way -= 1
        return FakeScorer.score(self, batch)


def value(ids: Sequence[int] | Floats | np.ndarray) -> float:
    """The score of one sequence."""
    tokens = np.asarray(ids, dtype=np.float64)
    return float(np.float32((np.sin(tokens) * np.cos(np.arange(len(tokens)))).sum()))


def texts(random: Random, least: int, most: int) -> str:
    return " ".join(random.choice(WORDS) for _ in range(random.randint(least, most)))


def pairs(n: int, seed: int = 1, longest: int = 40) -> ItemList:
    """Pairs of random words, of mixed lengths."""
    random = Random(seed)
    made: list[Item] = []
    for number in range(n):
        responses = {
            "baseline_truthful": texts(random, 1, 10),
            "helpful_truthful": texts(random, 5, longest),
            "sycophantic": texts(random, 5, longest),
        }
        made.append(item(f"k{number}", (user(texts(random, 3, 30)),), responses))
    return ItemList(tuple(made), {"set_hash": "0" * 64, "study": "s"})
