"""A local stand-in for Prolific's API, WRITTEN FROM ITS DOCUMENTATION, not recorded from Prolific itself.

It lists submissions by `study`, `page` and `page_size` with `Authorization: Token …`, as
https://docs.prolific.com/api-reference/submissions/get-submissions says, and answers 429 where a test wants it busy
(https://docs.prolific.com/documentation/core-concepts/managing-high-loads). What is not documented, the answer to a
page beyond the last, can be any of several.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-7f3a91c0"


class StubApi:
    """What the stand-in holds, what it was asked, and how it misbehaves.

    `first` answers are given before it works: a status, and the headers that go with it. `beyond` is the status of a
    page beyond the last; `largest_page` is how many entries it gives at most, whatever is asked for.
    """

    def __init__(self) -> None:
        self.submissions: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[dict[str, str]] = []
        self.first: list[tuple[int, dict[str, str]]] = []
        self.beyond = 200
        self.largest_page = 100
        self.body: bytes | None = None
        self.url = ""

    def answer(self, path: str, token: str) -> tuple[int, dict[str, str], bytes]:
        """Answer one request."""
        parts = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append(asked)
        if self.first:
            status, headers = self.first.pop(0)
            return status, headers, b""
        if token != f"Token {TOKEN}":
            return 401, {}, b"{}"
        if parts.path != "/api/v1/submissions/" or asked.get("study") not in self.submissions:
            return 404, {}, b"{}"
        size, page = min(int(asked["page_size"]), self.largest_page), int(asked["page"])
        results = self.submissions[asked["study"]][(page - 1) * size : page * size]
        if not results and page > 1 and self.beyond != 200:
            return self.beyond, {}, b"{}"
        return 200, {}, json.dumps({"results": results}).encode() if self.body is None else self.body


@contextmanager
def stub_api() -> Iterator[StubApi]:
    """Serve the stand-in on a port of its own."""
    stub = StubApi()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = stub.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in {
                **headers,
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
