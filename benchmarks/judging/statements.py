"""How many SQL statements one judgement takes: counted, not timed, in one process."""

from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import TextClause, event, text
from sqlalchemy.engine import Engine

from app.db import Database
from app.main import create_app
from app.settings import Settings
from app.study.tokens import synthetic_proof
from benchmarks.judging.load import token_of

_JUDGED = 10


async def statements_a_judgement(url: str) -> float:
    """Judge ten pairs and return the mean number of statements for a POST and the GET that follows."""
    seen: list[str] = []
    event.listen(Engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    _count_single(seen)
    app = create_app(Settings(database_url=url, pool_size=2))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        key = await _key(app)
        proof = synthetic_proof(key, "counted")
        page = await client.get(f"/s/small?pid=counted&synthetic={proof}", follow_redirects=True)
        for fields in ({"consent": "yes"}, {}, {"side": "left"}):
            page = await client.post(page.url, data=fields | {"token": token_of(page.content)}, follow_redirects=True)
        seen.clear()
        for _ in range(_JUDGED):
            fields = {"token": token_of(page.content), "side": "left"}
            page = await client.post(page.url, data=fields, follow_redirects=True)
    return len(seen) / _JUDGED


def _count_single(seen: list[str]) -> None:
    """Count what runs without a session too."""
    plain = Database.fetch

    async def counting(self: Database, statement: TextClause, params: Any) -> Any:
        seen.append(statement.text)
        return await plain(self, statement, params)

    Database.fetch = counting  # type: ignore[method-assign]


async def _key(app: FastAPI) -> bytes:
    async with app.state.database.sessions() as session:
        return bytes(await session.scalar(text("SELECT key FROM study WHERE slug = 'small'")))
