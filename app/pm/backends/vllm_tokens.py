"""What a vLLM server serves, and its tokenizer: dialogs become token ids there, by the model's own template."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx

from app.pm.backends.http_calls import Pause, Server, ServerFailed, ask
from app.pm.dialogs import Dialog, as_messages

_AT_ONCE = 16


class Served(NamedTuple):
    """A model that a server serves: its name, the most tokens that it reads, and the server's version."""

    name: str
    longest: int
    version: str | None


async def model_of(server: Server, wanted: str, pause: Pause) -> Served:
    """Return the model that is wanted, or the only one that is served.

    Raises
    ------
    ServerFailed
        When the server serves no such model, or several and none is named.
    """
    async with server.client() as client:
        listed = (await ask(client, server, "/v1/models", pause=pause)).get("data")
        models = {str(one.get("id")): one for one in listed or () if isinstance(one, dict)}
        if wanted not in models and (wanted or len(models) != 1):
            named = ", ".join(models) or "none"
            raise ServerFailed(f"{server.url} serves {named}; name one of them as the model")
        name = wanted or next(iter(models))
        longest = models[name].get("max_model_len")
        try:
            version = (await ask(client, server, "/version", pause=pause)).get("version")
        except ServerFailed:  # Some gateways pass on nothing but what they know.
            version = None
    if not isinstance(longest, int):
        raise ServerFailed(f"{server.url} does not say how many tokens {name} reads (max_model_len); is it vLLM?")
    return Served(name, longest, str(version) if version else None)


class ServerTokenizer:
    """The tokenizer of a served model, as the renderer needs it."""

    def __init__(self, server: Server, served: Served, pause: Pause) -> None:
        self._server = server
        self._model = served.name
        self._pause = pause
        self._bos = asyncio.run(self._first_special())

    @property
    def bos(self) -> int | None:
        """The token with which the tokenizer begins a text by itself; None where it adds none."""
        return self._bos

    def encode(self, dialogs: Sequence[Dialog]) -> list[list[int]]:
        """Return the tokens of each dialog. Called from a thread without an event loop."""
        return asyncio.run(self.encoded(dialogs))

    async def encoded(self, dialogs: Sequence[Dialog]) -> list[list[int]]:
        """Return the tokens of each dialog, a few asked for at once."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(client: httpx.AsyncClient, dialog: Dialog) -> list[int]:
            async with gate:
                body = {"messages": as_messages(dialog), "add_generation_prompt": False, "add_special_tokens": False}
                return await self._tokens(client, body)

        async with self._server.client() as client:
            return list(await asyncio.gather(*(one(client, dialog) for dialog in dialogs)))

    def without_first(self, text: str, n_tokens: int) -> str:
        """Return a text without its first tokens; empty where it has no more."""
        return asyncio.run(self._shortened(text, n_tokens))

    async def _shortened(self, text: str, n_tokens: int) -> str:
        async with self._server.client() as client:
            ids = await self._tokens(client, {"prompt": text, "add_special_tokens": False})
            if len(ids) <= n_tokens:
                return ""
            body = {"model": self._model, "tokens": ids[n_tokens:]}
            answer = await ask(client, self._server, "/detokenize", body, self._pause)
        return str(answer.get("prompt", "")).strip()

    async def _first_special(self) -> int | None:
        async with self._server.client() as client:
            plain = await self._tokens(client, {"prompt": "a", "add_special_tokens": False})
            whole = await self._tokens(client, {"prompt": "a", "add_special_tokens": True})
        return whole[0] if len(whole) > len(plain) and whole[:1] != plain[:1] else None

    async def _tokens(self, client: httpx.AsyncClient, body: dict[str, Any]) -> list[int]:
        answer = await ask(client, self._server, "/tokenize", {"model": self._model} | body, self._pause)
        ids = answer.get("tokens")
        if not isinstance(ids, list) or not all(type(token) is int for token in ids):
            raise ServerFailed(f"{self._server.url}/tokenize answers without tokens; is it vLLM?")
        return ids
