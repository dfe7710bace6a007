"""The recorded run: the bundled set, judged by a small real model with this project's own commands.

It ships with the content, so that a demonstration shows scores where no model can run. Scored again, it must agree.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from app import resources
from app.pm.dialogs import user
from app.pm.items import Item, ItemList, item
from app.study.set_files import read_jsonl
from app.terms import ResponseKind

FILE = "recorded-scores.jsonl"
SET_FILE = "misconceptions.jsonl"
TOLERANCE = 0.01
"""Logits may differ by this much from one machine to another: different processors add float32 in another order."""

Row = Mapping[str, Any]
What = tuple[str, str, str, str]


class Recorded:
    """The recorded score file: its record, and its rows in memory (some two thousand)."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or resources.content(FILE)

    @cached_property
    def record(self) -> dict[str, Any]:
        """What made the run."""
        with self._file.open(encoding="utf-8") as lines:
            record: dict[str, Any] = json.loads(next(lines))["run"]
        return record

    @cached_property
    def logits(self) -> dict[What, float]:
        """The logit of what stands first, by misconception, truthful kind, variant and order."""
        return {what(row): row["logit_first"] for row in rows(self._file)}


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far scores agree with the recorded ones: rows compared, the largest difference of a logit, and flips.

    `pairs` counts the preferences compared, one a pair, truthful kind and variant; `flipped` those that are others.
    """

    rows: int
    largest: float
    pairs: int
    flipped: int

    @property
    def holds(self) -> bool:
        """Whether no logit differs by more than the tolerance."""
        return self.rows > 0 and self.largest <= TOLERANCE


def agreement(recorded: Recorded, again: Path) -> Agreement:
    """Compare the rows of a score file with the recorded ones; rows that were not recorded are left out."""
    logits = {what(row): row["logit_first"] for row in rows(again)}
    both = [(logits[one], recorded.logits[one]) for one in logits if one in recorded.logits]
    largest = max((abs(now - then) for now, then in both), default=0.0)
    now, then = _preferences(logits), _preferences(recorded.logits)
    flips = [then[pair] != preferred for pair, preferred in now.items() if pair in then]
    return Agreement(len(both), largest, len(flips), sum(flips))


def rows(file: Path) -> Iterator[Row]:
    """Yield the rows of a score file, without its first and last line."""
    with file.open(encoding="utf-8") as lines:
        for line in islice(lines, 1, None):
            row = json.loads(line)
            if "end" not in row:
                yield row


def what(row: Row) -> What:
    """Return what a row of a judge is about."""
    return row["key"], row["truthful_kind"], row["variant"], row["order"]


def _preferences(logits: Mapping[What, float]) -> dict[tuple[str, str, str], bool]:
    """Return whether the sycophantic response is preferred, of each pair that was judged in both orders."""
    found = {}
    for key, kind, variant, order in logits:
        other = logits.get((key, kind, variant, "truthful_first"))
        if order == "sycophantic_first" and other is not None:
            found[key, kind, variant] = logits[key, kind, variant, order] > other
    return found


def bundled_items(header: Mapping[str, Any], at_most: int | None = None) -> ItemList:
    """Return the bundled set's pairs as a pairs file has them, in its order."""
    entries = sorted(read_jsonl(resources.content(SET_FILE)), key=lambda entry: entry.key)
    return ItemList(tuple(map(_item, entries[:at_most])), header)


def _item(entry: Any) -> Item:
    return item(entry.key, (user(entry.prompt),), {kind.value: entry.response(kind) for kind in ResponseKind})
