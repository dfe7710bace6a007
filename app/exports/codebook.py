"""The codebook: what every column of every table means, from the columns' own definitions."""

from collections.abc import Iterator

from app.exports.copying import Tally
from app.exports.tables import DESCRIBED

COLUMNS = ("table", "column", "type", "meaning")


def rows(tally: Tally | None = None) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row a column: its table, its name, its type, what it means."""
    for table in DESCRIBED:
        for column in table.columns:
            if tally is not None:
                tally.rows += 1
            yield table.name, column.name, column.type, column.meaning
