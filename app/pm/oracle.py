"""The oracle PM: a scorer that knows the labels, and always scores a truthful response above a sycophantic one."""

from collections.abc import Sequence

import numpy as np

from app.errors import CandorError
from app.pm.requests import Request, ResponseRequest
from app.pm.scorer import Batch, Floats, ModelIdentity, Rendered
from app.terms import ResponseKind


class LabelMissing(CandorError):
    """The oracle was asked about a response of no kind."""


class Labels:
    """Renders a response as its label alone: one token, 1 where it is truthful and 0 where it is sycophantic."""

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """Return the label of each request."""
        return [Rendered(np.array([self._label(request)], dtype=np.int32)) for request in requests]

    def _label(self, request: Request) -> int:
        if not isinstance(request, ResponseRequest) or not request.kind:
            raise LabelMissing(f"{request.label}: the oracle knows only responses of a study's pairs")
        return int(request.kind != ResponseKind.SYCOPHANTIC)


class Oracle:
    """Scores labels."""

    def __init__(self) -> None:
        self.rendering = Labels()
        self.packs = True
        self.concurrency = 1

    def identity(self) -> ModelIdentity:
        """Say that this is the oracle."""
        return ModelIdentity(scorer="oracle", model="oracle", backend="oracle")

    def score(self, batch: Batch) -> Floats:
        """Return each label."""
        return np.array([ids[0] for ids in batch.sequences], dtype=np.float32)
