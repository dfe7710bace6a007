"""The baseline: the least that a web application can do for one judgement.

GET renders one Jinja page of the same size; POST inserts one row and commits, on a raw psycopg pool. No study, no
slots, no tokens, no checks: nothing that makes a judgement trustworthy.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment
from psycopg_pool import AsyncConnectionPool

TABLE = "CREATE TABLE IF NOT EXISTS bare_choice (id bigserial PRIMARY KEY, person text, position int, side text)"
PAGE = Environment(autoescape=True).from_string(
    "<!doctype html><title>Pair {{ n }}</title><main><h1>Pair {{ n }}</h1><p>{{ filler }}</p>"
    '<form method="post"><input type="hidden" name="token" value="{{ token }}">'
    '<button name="side" value="left">1</button><button name="side" value="right">2</button></form></main>'
)
pool = AsyncConnectionPool(
    os.environ["CANDOR_DATABASE_URL"].replace("+psycopg", ""),
    min_size=int(os.environ.get("CANDOR_POOL_SIZE", "8")),
    max_size=int(os.environ.get("CANDOR_POOL_SIZE", "8")),
    open=False,
)
filler = "x" * int(os.environ.get("BARE_PAGE_BYTES", "3000"))


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    await pool.open(wait=True)
    async with pool.connection() as connection:
        await connection.execute(TABLE)
    yield
    await pool.close()


app = FastAPI(lifespan=_lifespan, openapi_url=None)


@app.get("/healthz")
async def health() -> Response:
    return Response("ok")


@app.get("/bare/{position}")
async def show(position: int) -> Response:
    return HTMLResponse(PAGE.render(n=position, filler=filler, token=f"{position}-token"))


@app.post("/bare/{position}")
async def choose(position: int, request: Request) -> Response:
    form = await request.form()
    async with pool.connection() as connection:
        await connection.execute(
            "INSERT INTO bare_choice (person, position, side) VALUES (%s, %s, %s)",
            ("person", position, str(form.get("side"))),
        )
    return RedirectResponse(f"/bare/{position + 1}", 303)
