"""A light HTTP/1.1 client: one connection, kept alive. Light, because it shares the machine with what it measures."""

import asyncio
import time
from typing import NamedTuple
from urllib.parse import urlencode


class Answer(NamedTuple):
    status: int
    location: str
    cookie: str
    body: bytes
    seconds: float


class Connection:
    """One browser's connection. Cookies are one string, as only one is ever set."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.cookie = ""

    async def get(self, path: str) -> Answer:
        return await self._send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self._cookies()}\r\n".encode())

    async def post(self, path: str, fields: dict[str, str]) -> Answer:
        body = urlencode(fields).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n{self._cookies()}\r\n"
        )
        return await self._send(head.encode() + body)

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _cookies(self) -> str:
        return f"Cookie: {self.cookie}\r\n" if self.cookie else ""

    async def _send(self, request: bytes) -> Answer:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader is not None
        start = time.perf_counter()
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        lower = {name.lower(): value for name, value in headers.items()}
        body = await self._reader.readexactly(int(lower.get("content-length", "0")))
        seconds = time.perf_counter() - start
        if "set-cookie" in lower:
            self.cookie = lower["set-cookie"].split(";")[0]
        return Answer(int(head.split(" ", 2)[1]), lower.get("location", ""), self.cookie, body, seconds)
