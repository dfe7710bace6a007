"""What a backend must offer: token sequences in, scores or comparisons out, and who it is."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from app.errors import CandorError
from app.pm.requests import Request

Tokens = NDArray[np.int32]
Floats = NDArray[np.float32]


class ScoringFailed(CandorError):
    """A backend could not score; says what and how to mend it."""


class BatchTooLarge(ScoringFailed):
    """A batch does not fit into the memory of the device; smaller ones may."""


class SequenceRefused(ScoringFailed):
    """A model has nothing to say of one sequence, `ids`; who knows which row that is names it."""

    def __init__(self, ids: "Tokens", why: str) -> None:
        super().__init__(why)
        self.ids = ids


class PackingUnfit(ScoringFailed):
    """A model cannot compute a batch packed; it can compute it padded."""


@dataclass(frozen=True, slots=True)
class SharedPrefix:
    """Sequences of a batch, by their places in it, of which the first `length` tokens are the same; 0: nothing is."""

    length: int
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences to compute at once. Every sequence is in one group; a backend may use the groups or leave them."""

    sequences: tuple[Tokens, ...]
    groups: tuple[SharedPrefix, ...]


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """All that decides which scores come out. `settled` enters the fingerprint of a run; `told` is recorded only."""

    scorer: Literal["reward", "judge", "oracle"]
    model: str
    backend: str
    revision: str | None = None
    file_hashes: dict[str, str] = field(default_factory=dict)
    template_hash: str | None = None
    dtype: str = "float32"
    attention: str = "none"
    device: str = "cpu"
    random_weights: bool = False
    settled: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A request as tokens; `truncated` where the prompt was cut."""

    ids: Tokens
    truncated: bool = False


class Rendering(Protocol):
    """Turns requests into tokens, once."""

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """Return the tokens of each request, in order; requests of one group are cut alike or not at all."""
        ...


@runtime_checkable
class Sized(Protocol):
    """A backend that can say what its work costs at least, and what the machine can do at most."""

    def flops(self, tokens: int, attended: int) -> float:
        """Return the floating-point operations that so many tokens need, attending to so many in all."""
        ...

    def peak(self) -> float:
        """Return the operations a second that the machine reaches in a plain matrix product."""
        ...


@runtime_checkable
class Stoppable(Protocol):
    """A backend whose rendering waits for a server, and can be told from another thread to wait no longer."""

    def stop(self) -> None:
        """End what is being rendered now, if anything; it ends with an error."""
        ...


class Backend(Protocol):
    """What scorers and judges share."""

    @property
    def rendering(self) -> Rendering: ...

    @property
    def packs(self) -> bool:
        """Whether batches are computed without padding, so that shared prefixes are computed once."""
        ...

    @property
    def concurrency(self) -> int:
        """How many batches may be under way at once, where `score` is asynchronous; else 1."""
        ...

    def identity(self) -> ModelIdentity: ...


class Scorer(Backend, Protocol):
    """Gives a score for each sequence: a float32 array of shape (n,), or a promise of one."""

    def score(self, batch: Batch) -> Floats | Awaitable[Floats]: ...


class Judge(Backend, Protocol):
    """Gives log P(A) and log P(B) of the next token after each sequence: float32 of shape (n, 2), or a promise.

    A third column, where there is one, is 0, or says which answer (1: A, 2: B) is not among the tokens that a server
    lists: of that one, the probability is at most what is given.
    """

    def compare(self, batch: Batch) -> Floats | Awaitable[Floats]: ...
