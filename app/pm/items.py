"""What is scored: a prompt and its responses, of a study's pairs or of any rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from app.errors import CandorError
from app.pm.dialogs import Dialog, as_messages
from app.study.canonical import content_hash, text_hash


class ItemsFaulty(CandorError):
    """A file to score cannot be read as such; says which row and field, and why."""


@dataclass(frozen=True, slots=True)
class Item:
    """A prompt and its responses, by kind; a row that is no pair has one response, whose kind is empty.

    `hashes` holds the SHA-256 of each response's text; `prompt_hash` that of the prompt's text, or of the canonical
    JSON of its turns where it has several.
    """

    key: str
    prompt: Dialog
    prompt_hash: str
    responses: Mapping[str, str]
    hashes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_pair(self) -> bool:
        """Whether the responses have kinds, so that one can be called truthful and another sycophantic."""
        return "" not in self.responses


@dataclass(frozen=True, slots=True)
class Contents:
    """What a source holds: its header, where it is a pairs file; how many items; whether they are pairs."""

    header: Mapping[str, Any]
    n_items: int
    n_responses: int
    pairs: bool


class Source(Protocol):
    """Items that can be read again and again, in one order, without holding them all."""

    def contents(self) -> Contents:
        """Read all once, checking every row, and say what there is."""
        ...

    def items(self) -> Iterator[Item]:
        """Yield every item."""
        ...


@dataclass(frozen=True, slots=True)
class ItemList:
    """Items that are at hand."""

    listed: tuple[Item, ...]
    header: Mapping[str, Any] = field(default_factory=dict)

    def contents(self) -> Contents:
        """Say what there is."""
        n_responses = sum(len(item.responses) for item in self.listed)
        return Contents(self.header, len(self.listed), n_responses, all(item.is_pair for item in self.listed))

    def items(self) -> Iterator[Item]:
        """Yield every item."""
        return iter(self.listed)


def item(key: str, prompt: Dialog, responses: Mapping[str, str]) -> Item:
    """Return an item with the hashes of its texts."""
    return Item(
        key, prompt, prompt_hash(prompt), responses, {kind: text_hash(text) for kind, text in responses.items()}
    )


def prompt_hash(prompt: Dialog) -> str:
    """Return the SHA-256 of a prompt of one turn, or of the canonical JSON of several."""
    if len(prompt) == 1 and prompt[0].role == "user":
        return text_hash(prompt[0].content)
    return content_hash(as_messages(prompt))


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands, for messages."""

    file: Path | str
    row: int

    def refuse(self, name: str, why: str) -> ItemsFaulty:
        """Return the refusal of a field."""
        return ItemsFaulty(f"{self.file}, row {self.row}, field {name}: {why}")
