"""What a vLLM server serves, and its tokenizer: dialogs become token ids there, by the model's own template."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

import httpx

from app.pm.at_once import together
from app.pm.backends.http_calls import Pause, Server, ServerFailed, ask
from app.pm.dialogs import Dialog, as_messages

T = TypeVar("T")


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
    """The tokenizer of a served model, as the renderer needs it; `at_once` dialogs are asked for at a time."""

    def __init__(self, server: Server, served: Served, pause: Pause, at_once: int) -> None:
        self._server = server
        self._model = served.name
        self._pause = pause
        self._at_once = at_once
        self._under_way: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None
        self._bos = asyncio.run(self._first_special())

    @property
    def bos(self) -> int | None:
        """The token with which the tokenizer begins a text by itself; None where it adds none."""
        return self._bos

    def encode(self, dialogs: Sequence[Dialog]) -> list[list[int]]:
        """Return the tokens of each dialog. Called from a thread without an event loop."""
        return self._run(self.encoded(dialogs))

    async def encoded(self, dialogs: Sequence[Dialog]) -> list[list[int]]:
        """Return the tokens of each dialog, a few asked for at once."""
        gate = asyncio.Semaphore(self._at_once)

        async def one(client: httpx.AsyncClient, dialog: Dialog) -> list[int]:
            async with gate:
                body = {"messages": as_messages(dialog), "add_generation_prompt": False, "add_special_tokens": False}
                return await self._tokens(client, body)

        async with self._server.client() as client:
            return await together(one(client, dialog) for dialog in dialogs)

    def without_first(self, text: str, n_tokens: int) -> str:
        """Return a text without its first tokens; empty where it has no more."""
        return self._run(self._shortened(text, n_tokens))

    def stop(self) -> None:
        """End what another thread waits for here, however long the server wants it to wait."""
        under_way = self._under_way
        if under_way:
            with suppress(RuntimeError):  # It ended meanwhile, and its event loop with it.
                under_way[0].call_soon_threadsafe(under_way[1].cancel)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        async def known() -> T:
            task = asyncio.ensure_future(work)
            self._under_way = asyncio.get_running_loop(), task
            return await task

        try:
            return asyncio.run(known())
        finally:
            self._under_way = None

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
