"""Tables as Parquet, by batches. pyarrow is the extra `parquet`: it is imported here alone, and only when it is used.

Postgres writes each value in words, pyarrow reads a batch of them as CSV into the column's type. Both work on whole
batches, in a thread, so that people who judge meanwhile do not wait.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from importlib.util import find_spec
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import CandorError
from app.exports import codebook
from app.exports.columns import Column, Kind, Table
from app.exports.copying import Chunks, Tally, copied, csv_query
from app.exports.outlet import Outlet

# Measured together (benchmarks/export). A row group costs memory to the file's end, about a kilobyte a column, so there
# must be few; and what is read and written at once must be small beside what they cost, or a large file peaks higher.
_BATCH_BYTES = 256 * 1024
_GROUP_BYTES = 11 * 256 * 1024
_TURN = ("role", "content")
# Numbers as differences: smaller than a dictionary of them, and nothing to keep while a row group is written.
_PACKED = dict.fromkeys((Kind.INTEGER, Kind.MOMENT), "DELTA_BINARY_PACKED")


class ParquetMissing(CandorError):
    """The extra that writes Parquet is not installed."""

    def __init__(self) -> None:
        super().__init__("Parquet needs pyarrow: pip install 'candor[parquet]'; csv and jsonl need nothing more")


def is_there() -> bool:
    """Whether Parquet can be written, found out without importing anything."""
    return find_spec("pyarrow") is not None


def refuse_without() -> None:
    """Refuse to write Parquet before anything is sent.

    Raises
    ------
    ParquetMissing
        When pyarrow is not installed.
    """
    if not is_there():
        raise ParquetMissing


async def table_parquet(session: AsyncSession, table: Table, slug: str, tally: Tally | None = None) -> Chunks:
    """Yield a table of a study, a row group at a time."""
    tally = tally or Tally()
    batch = bytearray()
    # One thread for all of it: memory that a thread has given back is kept for that thread alone.
    with ThreadPoolExecutor(1) as thread:
        inside = partial(asyncio.get_running_loop().run_in_executor, thread)
        file = await inside(_File, table.columns)
        query = csv_query(table, [column.written for column in table.columns])
        async with aclosing(copied(session, query, slug)) as rows:
            async for row in rows:
                batch += row
                tally.rows += 1
                if len(batch) >= _BATCH_BYTES:
                    if done := await inside(file.add, batch):
                        yield done
                    batch = bytearray()
        yield await inside(file.add, batch)
        yield await inside(file.end)


async def codebook_parquet(tally: Tally | None = None) -> Chunks:
    """Yield the description of every column of every table."""
    columns = tuple(Column(name, "text", f"of a column: its {name}", "") for name in codebook.COLUMNS)
    yield await asyncio.to_thread(_described, columns, list(codebook.rows(tally)))


def _described(columns: tuple[Column, ...], rows: list[tuple[str, ...]]) -> bytes:
    file = _File(columns)
    file.hold([list(values) for values in zip(*rows, strict=True)])
    return file.end()


def _paths(column: Column) -> list[str]:
    """Return what Parquet calls the values of a column."""
    return [f"{column.name}.list.element.{part}" for part in _TURN] if column.kind.is_turn else [column.name]


class _File:
    """A Parquet file in the making; what is written of it is handed on at once."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import csv, parquet  # noqa: PLC0415

        self._pa, self._csv = pa, csv
        self._columns = columns
        self._words = {column.name: self._type(column.kind) for column in columns}
        self._schema = pa.schema([self._field(column) for column in columns])
        self._sink = Outlet()
        self._held: list[Any] = []
        self._writer = parquet.ParquetWriter(
            self._sink,
            self._schema,
            compression="zstd",
            use_dictionary=[path for column in columns if column.kind not in _PACKED for path in _paths(column)],
            column_encoding={column.name: _PACKED[column.kind] for column in columns if column.kind in _PACKED},
            write_statistics=False,  # They would be kept in memory to the end.
        )

    def _type(self, kind: Kind) -> Any:
        """Return the type that a value in words is read as."""
        types = {
            Kind.INTEGER: self._pa.int64(),
            Kind.DECIMAL: self._pa.float64(),
            Kind.BOOLEAN: self._pa.bool_(),
            Kind.MOMENT: self._pa.timestamp("ms", tz="UTC"),
        }
        return types.get(kind, self._pa.string())

    def _field(self, column: Column) -> Any:
        kept = self._words[column.name]
        if column.kind.is_turn:
            kept = self._pa.list_(self._turn())
        return self._pa.field(column.name, kept, metadata={"type": column.type, "meaning": column.meaning})

    def _turn(self) -> Any:
        return self._pa.struct([(part, self._pa.string()) for part in _TURN])

    def add(self, batch: bytearray) -> bytes:
        """Add rows in CSV, and return what of the file is done."""
        if batch:
            self.hold(self._read(batch).columns)
        if sum(held.nbytes for held in self._held) >= _GROUP_BYTES:
            self._write()
        return self._sink.take()

    def hold(self, arrays: list[Any]) -> None:
        """Hold rows until there are enough for a row group: each costs memory to the file's end."""
        self._held.append(self._pa.Table.from_arrays(arrays, schema=self._schema))

    def _write(self) -> None:
        if self._held:
            self._writer.write_table(self._pa.concat_tables(self._held))
            self._held.clear()
            self._pa.default_memory_pool().release_unused()  # Else the peak grows with the file by as much again.

    def end(self) -> bytes:
        """End the file, and return the rest of it."""
        self._write()
        self._writer.close()
        return self._sink.take()

    def _read(self, batch: bytearray) -> Any:
        names = list(self._words)
        read = self._csv.read_csv(
            self._pa.BufferReader(self._pa.py_buffer(batch)),
            read_options=self._csv.ReadOptions(column_names=names, use_threads=False, block_size=len(batch) + 1),
            parse_options=self._csv.ParseOptions(newlines_in_values=True),
            # An empty text is quoted; what is not there is not.
            convert_options=self._csv.ConvertOptions(
                column_types=self._words, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )
        for number, column in enumerate(self._columns):
            if column.kind.is_turn:
                read = read.set_column(number, self._schema.field(number), self._turns(column, read[number]))
        return read

    def _turns(self, column: Column, contents: Any) -> Any:
        content = contents.combine_chunks()
        role = self._pa.repeat(self._pa.scalar(str(column.kind)), len(content))
        turns = self._pa.StructArray.from_arrays([role, content], fields=list(self._turn()))
        starts = self._pa.array(range(len(content) + 1), self._pa.int32())
        return self._pa.ListArray.from_arrays(starts, turns)
