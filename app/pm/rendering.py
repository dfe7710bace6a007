"""From dialogs to tokens, once: at most one BOS, nothing over-long in silence, both sides of a pair cut alike."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import numpy as np

from app.errors import CandorError
from app.pm.dialogs import Dialog, Turn
from app.pm.requests import Request
from app.pm.scorer import Rendered, Tokens

_CUTS = 8


class DialogTooLong(CandorError):
    """A dialog has more tokens than the model reads."""


class DialogMisrendered(CandorError):
    """The tokens of a dialog cannot be what the model was trained on: two BOS, or none at all."""


class DialogRefused(CandorError):
    """The model's chat template takes no such dialog; `place` is where it stands among those to be encoded."""

    def __init__(self, place: int, said: str) -> None:
        super().__init__(said)
        self.place = place


class OverLong(StrEnum):
    """What happens to a dialog that is longer than the model reads."""

    REFUSE = "refuse"
    TRUNCATE = "truncate"


class Tokenizer(Protocol):
    """Tokens of dialogs, as the model's own template and tokenizer make them."""

    @property
    def bos(self) -> int | None:
        """The token that begins a sequence, if the model has one."""
        ...

    def encode(self, dialogs: Sequence[Dialog]) -> list[list[int]]:
        """Return the tokens of each dialog.

        Raises
        ------
        DialogRefused
            When the chat template takes no such dialog.
        """
        ...

    def without_first(self, text: str, n_tokens: int) -> str:
        """Return a text without its first tokens; empty where it has no more."""
        ...


class Renderer:
    """Renders requests with a tokenizer; the longest sequence that the model reads is `longest` tokens."""

    def __init__(self, tokenizer: Tokenizer, longest: int, over_long: OverLong = OverLong.REFUSE) -> None:
        self._tokenizer = tokenizer
        self._longest = longest
        self._over_long = over_long

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """Return the tokens of each request, in order.

        Raises
        ------
        DialogTooLong
            When a dialog is too long, and over-long ones are refused, or its prompt cannot be cut enough.
        DialogMisrendered
            When a sequence is empty or begins with two BOS, or the model's chat template takes no such dialog.
        """
        encoded = self._encode(requests, [request.prompt for request in requests])
        over = [r.group for r, ids in zip(requests, encoded, strict=True) if len(ids) > self._longest]
        if not over:
            return [Rendered(ids) for ids in encoded]
        if self._over_long is OverLong.REFUSE:
            self._refuse(requests, encoded)
        rendered = [Rendered(ids) for ids in encoded]
        for group in dict.fromkeys(over):
            places = [place for place, request in enumerate(requests) if request.group == group]
            cut = self._cut([requests[p] for p in places], max(len(encoded[p]) for p in places))
            for place, ids in zip(places, cut, strict=True):
                rendered[place] = Rendered(ids, truncated=True)
        return rendered

    def _refuse(self, requests: Sequence[Request], encoded: Sequence[Tokens]) -> None:
        place = next(place for place, ids in enumerate(encoded) if len(ids) > self._longest)
        raise DialogTooLong(
            f"{requests[place].label} has {len(encoded[place])} tokens, the model reads {self._longest}; "
            "leave it out, or cut prompts with --truncate (such rows are marked)"
        )

    def _cut(self, requests: Sequence[Request], longest: int) -> list[Tokens]:
        """Cut the prompt, at its beginning, until the longest of a group fits; the same prompt for all."""
        cut = longest - self._longest
        prompt = requests[0].prompt
        if all(turn.role != "user" for turn in prompt):
            raise DialogTooLong(
                f"{requests[0].label} or another of its prompt has {longest} tokens, the model reads {self._longest}; "
                "its prompt has no turn of a user that could be cut: leave it out"
            )
        for _ in range(_CUTS):
            shorter = self._shorter(prompt, cut)
            if shorter is None:
                break
            encoded = self._encode(requests, [shorter] * len(requests))
            over = max(map(len, encoded)) - self._longest
            if over <= 0:
                return encoded
            cut += over
        raise DialogTooLong(
            f"{requests[0].label}: without the whole prompt it is still longer than the {self._longest} tokens "
            "that the model reads; leave it out"
        )

    def _shorter(self, prompt: Dialog, n_tokens: int) -> Dialog | None:
        place = max(place for place, turn in enumerate(prompt) if turn.role == "user")
        left = self._tokenizer.without_first(prompt[place].content, n_tokens)
        return (*prompt[:place], Turn("user", left), *prompt[place + 1 :]) if left else None

    def _encode(self, requests: Sequence[Request], prompts: Sequence[Dialog]) -> list[Tokens]:
        dialogs = [request.dialog(prompt) for request, prompt in zip(requests, prompts, strict=True)]
        try:
            encoded = [np.asarray(ids, dtype=np.int32) for ids in self._tokenizer.encode(dialogs)]
        except DialogRefused as refused:
            raise DialogMisrendered(f"{requests[refused.place].label}: {refused}") from None
        for request, ids in zip(requests, encoded, strict=True):
            self._check(request, ids)
        return encoded

    def _check(self, request: Request, ids: Tokens) -> None:
        if not len(ids):
            raise DialogMisrendered(f"{request.label} has no tokens at all; the model's chat template is faulty")
        bos = self._tokenizer.bos
        if bos is not None and len(ids) > 1 and ids[0] == bos == ids[1]:
            raise DialogMisrendered(
                f"{request.label} begins with BOS twice (token {bos}); the model's chat template writes it and so does "
                "its tokenizer, or the template writes it twice: mend chat_template in the model's folder"
            )
