"""Servers that speak the interfaces of vLLM and of OpenAI's chat over real HTTP, and can be told to do it wrongly."""

import json
import math
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
BOS = 1
MODEL = "made-up/reward-model"


@dataclass
class Stub:
    """What a server does, and what it was asked. `refusals` are answered first: (status, headers)."""

    answers: dict[str, Callable[[Json], Json]]
    refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    asked: list[tuple[str, Json]] = field(default_factory=list)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def bodies(self, path: str) -> list[Json]:
        return [body for at, body in self.asked if at == path]


class Refused(Exception):
    """A request that the interface does not allow."""


class _Left(BaseHTTPRequestHandler):
    """Whoever gives up an answer goes away in the middle of it."""

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()


@contextmanager
def serving(stub: Stub) -> Iterator[Stub]:
    class Handler(_Left):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: Json) -> None:
            with stub.lock:
                stub.asked.append((self.path, body))
                refusal = stub.refusals.pop(0) if stub.refusals and self.command == "POST" else None
            if refusal:
                self._send(refusal[0], {"error": {"message": "not now"}}, refusal[1])
            elif self.path not in stub.answers:
                self._send(404, {"detail": "Not Found"}, {})
            else:
                try:
                    self._send(200, stub.answers[self.path](body), {})
                except Refused as refused:
                    self._send(400, {"error": {"message": str(refused)}}, {})

        def _send(self, status: int, content: Json, headers: dict[str, str]) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(data)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# vLLM.


def raw_score(ids: list[int]) -> float:
    """A score of tokens, between -4 and 4, that any one of them changes."""
    return zlib.crc32(json.dumps(ids).encode()) / 2**32 * 8 - 4


def rendered(messages: list[Json]) -> list[int]:
    """The stub's chat template: BOS, then a code point a token."""
    return [BOS, *(ord(letter) for turn in messages for letter in f"<{turn['role']}>{turn['content']}")]


def _tokenize(body: Json) -> Json:
    if "messages" in body:
        ids = rendered(body["messages"])
        if body.get("add_special_tokens", False):
            ids = [BOS, *ids]
    else:
        ids = [BOS] * bool(body.get("add_special_tokens", True)) + [ord(letter) for letter in body["prompt"]]
    return {"count": len(ids), "max_model_len": 4096, "tokens": ids}


def _scored(body: Json, allowed: set[str]) -> list[float]:
    if body["model"] != MODEL:
        raise Refused(f"The model {body['model']!r} does not exist.")
    if set(body) - allowed:
        raise Refused(f"Extra inputs are not permitted: {sorted(set(body) - allowed)}")
    given = [[BOS] * bool(body.get("add_special_tokens", False)) + ids for ids in body["input"]]
    scores = [raw_score(ids) for ids in given]
    return scores if body.get("use_activation", True) is False else [1 / (1 + math.exp(-score)) for score in scores]


def _usage(body: Json) -> Json:
    n = sum(map(len, body["input"]))
    return {"prompt_tokens": n, "total_tokens": n, "completion_tokens": 0}


def _classify(body: Json) -> Json:
    scores = _scored(body, {"model", "input", "use_activation", "add_special_tokens", "truncate_prompt_tokens"})
    data = [{"index": n, "label": "LABEL_0", "probs": [s], "num_classes": 1} for n, s in enumerate(scores)]
    return {"id": "classify-1", "object": "list", "created": 1, "model": MODEL, "data": data, "usage": _usage(body)}


def _pooling(body: Json) -> Json:
    scores = _scored(body, {"model", "input", "use_activation", "task"})
    data = [{"index": n, "object": "pooling", "data": [s]} for n, s in enumerate(scores)]
    return {"id": "pool-1", "object": "list", "created": 1, "model": MODEL, "data": data, "usage": _usage(body)}


def vllm() -> Stub:
    """A vLLM server with one reward model."""
    return Stub(
        {
            "/v1/models": lambda _: {"object": "list", "data": [{"id": MODEL, "max_model_len": 4096}]},
            "/version": lambda _: {"version": "0.33.0"},
            "/tokenize": _tokenize,
            "/detokenize": lambda body: {"prompt": "".join(map(chr, body["tokens"]))},
            "/classify": _classify,
            "/pooling": _pooling,
        }
    )


# An endpoint.


def chat(logits: Callable[[str], dict[str, float]]) -> Stub:
    """An endpoint whose next token has these log-probabilities, by what the last turn says."""

    def complete(body: Json) -> Json:
        found = sorted(logits(body["messages"][-1]["content"]).items(), key=lambda one: -one[1])
        top = [{"token": token, "logprob": p, "bytes": list(token.encode())} for token, p in found]
        content = [{**top[0], "top_logprobs": top[: body["top_logprobs"]]}] if body.get("logprobs") else None
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": top[0]["token"]},
            "logprobs": {"content": content} if content else None,
            "finish_reason": "length",
        }
        return {"id": "chat-1", "object": "chat.completion", "model": body["model"], "choices": [choice]}

    return Stub({"/v1/chat/completions": complete})
