"""Tables as JSON Lines: UTF-8, an object a row, with real numbers, booleans and objects, and texts as they are."""

import json
from contextlib import aclosing

from sqlalchemy.ext.asyncio import AsyncSession

from app.exports import codebook
from app.exports.columns import Table
from app.exports.copying import CHUNK_BYTES, Chunks, Tally, copied, json_query


async def table_jsonl(session: AsyncSession, table: Table, slug: str, tally: Tally | None = None) -> Chunks:
    """Yield a table of a study in chunks of about 64 KB."""
    tally = tally or Tally()
    buffer = bytearray()
    async with aclosing(copied(session, json_query(table), slug)) as rows:
        async for row in rows:
            buffer += row
            tally.rows += 1
            if len(buffer) >= CHUNK_BYTES:
                yield bytes(buffer)
                buffer.clear()
    yield bytes(buffer)


async def codebook_jsonl(tally: Tally | None = None) -> Chunks:
    """Yield the description of every column of every table."""
    lines = (dict(zip(codebook.COLUMNS, row, strict=True)) for row in codebook.rows(tally))
    yield "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
