"""What changed between two sets, by key and field."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from app.study.set_files import MisconceptionEntry


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field with another value than before."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """A misconception of which something changed."""

    key: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class SetDiff:
    """Keys that are new, keys that are gone, and what changed under the same key; each in the order of keys."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Change, ...]
    unchanged: int


def diff(before: Iterable[MisconceptionEntry], after: Iterable[MisconceptionEntry]) -> SetDiff:
    """Compare two sets. The order of misconceptions says nothing; that of a misconception's sources does."""
    old, new = ({entry.key: entry for entry in entries} for entries in (before, after))
    shared = sorted(old.keys() & new.keys())
    changed = [Change(key, fields) for key in shared if (fields := tuple(_changes(old[key], new[key])))]
    return SetDiff(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(changed),
        unchanged=len(shared) - len(changed),
    )


def _changes(before: MisconceptionEntry, after: MisconceptionEntry) -> Iterator[FieldChange]:
    new = after.model_dump()
    for field, value in before.model_dump().items():
        if value != new[field]:
            yield FieldChange(field, value, new[field])
