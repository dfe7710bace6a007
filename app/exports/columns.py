"""What exported tables are made of: columns, each with its name, its type, what it means, and the SQL that gives it.

Header, query, JSON types, Parquet schema and codebook all come from there, so they cannot disagree.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a column's values are, in Postgres and in every format that has types."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    MOMENT = "moment"
    OBJECT = "object"
    USER_TURN = "user"
    """A list of one turn of a conversation: its content is the SQL's text, its role the kind's name."""
    ASSISTANT_TURN = "assistant"

    @property
    def is_turn(self) -> bool:
        """Whether a value is a turn of a conversation."""
        return self in {Kind.USER_TURN, Kind.ASSISTANT_TURN}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `sql` gives its value, of its kind; `text` marks what comes from outside."""

    name: str
    type: str
    meaning: str
    sql: str
    kind: Kind = Kind.TEXT
    text: bool = False

    @property
    def in_csv(self) -> str:
        """The SQL of its words in CSV, safe to open in a spreadsheet: a leading = + - @ tab or return gets a '."""
        written = self._json() if self.kind.is_turn else self.written
        if not self.text:
            return written
        return f"CASE WHEN {written} ~ '^[=+\\-@\\t\\r]' THEN '''' || {written} ELSE {written} END"

    @property
    def in_json(self) -> str:
        """The SQL of its value in JSON, as text: of its own type, and texts as they are; null for none."""
        match self.kind:
            case Kind.TEXT:
                return f"to_json(({self.sql})::text)::text"
            case Kind.MOMENT:
                return f"""'"' || {self.written} || '"'"""
            case Kind.USER_TURN | Kind.ASSISTANT_TURN:
                return f"({self._json()})::text"
            case _:
                return f"({self.sql})::text"

    @property
    def written(self) -> str:
        """The SQL of its value in words, from which typed files are made; of a turn, its content alone."""
        match self.kind:
            case Kind.BOOLEAN | Kind.OBJECT:
                return f"({self.sql})::text"
            case Kind.MOMENT:  # In ISO 8601, whatever the session's time zone.
                return f"""to_char({self.sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
            case _:
                return self.sql

    def _json(self) -> str:
        return f"json_build_array(json_build_object('role', '{self.kind}', 'content', {self.sql}))"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a study. `rows` is the SQL from `FROM` on, with `{slug}` where the study's slug goes."""

    name: str
    holds: str
    columns: tuple[Column, ...]
    rows: str
