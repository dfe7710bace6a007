"""Rows of a Parquet file. Needs pyarrow, which is an extra: its wheel is larger than all of Candor's other ones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.errors import CandorError
from app.study.importers.rows import Row
from app.study.set_files import Fault, SetFileFaulty

_MOST_ROWS = 10_000_000
_LARGEST_COLUMN = 256 * 2**20
_AT_ONCE = 64


class ParquetNeedsExtra(CandorError):
    """The file is Parquet, and nothing here reads it."""

    def __init__(self, file: str) -> None:
        super().__init__(f"{file} is a Parquet file; install pyarrow to read it: pip install 'candor[parquet]'")


def parquet_rows(path: Path) -> Iterator[Row | Fault]:
    """Yield the rows, a few at a time; row 1 is the first one.

    Columns are kept as dictionaries while they are decoded, so that a file in which one long text stands for a million
    rows does not fill the memory; and a column that unpacks to more than 256 MiB in one row group is refused.
    """
    file = _opened(path)
    import pyarrow as pa  # noqa: PLC0415

    number = 0
    try:
        for batch in file.iter_batches(batch_size=_AT_ONCE):
            columns = batch.schema.names
            for place in range(batch.num_rows):
                number += 1
                yield Row("row", number, {name: _value(batch, name, place) for name in columns})
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        yield Fault("row", number + 1, "", f"the Parquet file is damaged ({_one_line(error)})", damage=True)


def parquet_columns(path: Path) -> list[str]:
    """Return the column names."""
    return list(_opened(path).schema_arrow.names)


def _opened(path: Path) -> Any:
    try:
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise ParquetNeedsExtra(path.name) from error
    try:
        names = pq.ParquetFile(path).schema_arrow.names
        file = pq.ParquetFile(path, read_dictionary=names, buffer_size=2**20)
    except OSError as error:
        raise SetFileFaulty(path.name, [f"cannot be read: {error.strerror or _one_line(error)}"]) from error
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise SetFileFaulty(path.name, [f"is no Parquet file, or a damaged one ({_one_line(error)})"]) from error
    _refuse_bombs(path, file)
    return file


def _refuse_bombs(path: Path, file: Any) -> None:
    about = file.metadata
    if about.num_rows > _MOST_ROWS:
        raise SetFileFaulty(path.name, [f"holds {about.num_rows} rows; at most {_MOST_ROWS} are read"])
    for group in range(about.num_row_groups):
        for column in range(about.num_columns):
            chunk = about.row_group(group).column(column)
            if chunk.total_uncompressed_size > _LARGEST_COLUMN:
                said = (
                    f"column {chunk.path_in_schema} unpacks to {chunk.total_uncompressed_size} bytes in one row group, "
                    f"more than {_LARGEST_COLUMN}; write it again with smaller row groups"
                )
                raise SetFileFaulty(path.name, [said])


def _value(batch: Any, name: str, place: int) -> Any:
    return batch.column(name)[place].as_py()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
