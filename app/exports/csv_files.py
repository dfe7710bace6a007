"""Tables as CSV: UTF-8, RFC 4180, one header, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Sequence
from contextlib import aclosing

from sqlalchemy.ext.asyncio import AsyncSession

from app.exports import codebook
from app.exports.columns import Table
from app.exports.copying import CHUNK_BYTES, Chunks, Tally, copied, csv_query


def _header(names: Sequence[str]) -> bytes:
    return (",".join(names) + "\r\n").encode()


async def table_csv(session: AsyncSession, table: Table, slug: str, tally: Tally | None = None) -> Chunks:
    """Yield a table of a study in chunks of about 64 KB."""
    tally = tally or Tally()
    buffer = bytearray(_header([column.name for column in table.columns]))
    # A row ends in a bare line feed; RFC 4180 wants a carriage return before it.
    async with aclosing(copied(session, csv_query(table, [column.in_csv for column in table.columns]), slug)) as rows:
        async for row in rows:
            buffer += row[:-1]
            buffer += b"\r\n"
            tally.rows += 1
            if len(buffer) >= CHUNK_BYTES:
                yield bytes(buffer)
                buffer.clear()
    yield bytes(buffer)


async def codebook_csv(tally: Tally | None = None) -> Chunks:
    """Yield the description of every column of every table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(codebook.COLUMNS)
    for row in codebook.rows(tally):
        writer.writerow(row)
    yield text.getvalue().encode()
