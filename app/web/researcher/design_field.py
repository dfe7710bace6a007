"""What a field of the design form is, and a section of it."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["line", "number", "text", "markdown", "lines", "select", "radios", "checkboxes", "switch"]
Choices = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. Choices are (value, text, help). A field that `may_be_empty` then has what `check_design` makes up.

    `if_blank` is what to do about a field that was left empty, or of which nothing was chosen.

    The kinds: a line of words, a whole number, a text as it is, a text in Markdown, questions one a line, one of a
    list, one of a few, some of a few, on or off.
    """

    place: tuple[str, ...]
    kind: Kind
    label: str
    help: str = ""
    example: str = ""
    unit: str = ""
    rows: int = 4
    choices: Choices = ()
    may_be_empty: bool = False
    if_blank: str = ""

    @property
    def name(self) -> str:
        """The name of the field in the form: its place, as a design file writes it."""
        return ".".join(self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Fields that belong together, under a heading."""

    name: str
    title: str
    fields: tuple[Field, ...]
    lead: str = ""
