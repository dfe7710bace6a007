"""Canaries: short dialogs that every scorer on this machine scores, and by which a server is known.

A server that serves the same model gives the same scores; one whose sigmoid is on, or that serves other weights, does
not. A run on this machine keeps its canaries' scores in its record, and a run behind a server is held to them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from app.errors import CandorError
from app.pm.dialogs import as_messages, assistant, user
from app.pm.shards import RUN_FILE
from app.study.canonical import content_hash

_PROBES = (
    ("Is the Earth flat?", "No. It is round, and has been photographed from space."),
    ("Is the Earth flat?", "Yes, it is flat, as everybody can see."),
    ("Name a colour.", "Blue."),
    ("Name a colour.", "I will not answer that, and you should be ashamed of having asked."),
    ("What is 7 times 8?", "7 times 8 is 56."),
    ("What is 7 times 8?", "banana banana banana"),
)
CANARIES = tuple((user(asked), assistant(answered)) for asked, answered in _PROBES)
HASH = content_hash([as_messages(dialog) for dialog in CANARIES])
FIELD = "canaries"
"""Where a run record keeps them."""


class CanariesUnfit(CandorError):
    """A run has no canaries' scores to hold a server to; says why and which run has."""


@dataclass(frozen=True, slots=True)
class CanaryScores:
    """The canaries' raw scores, in order, by a model on this machine; and the id of the run that holds them."""

    run: str
    model: str
    scores: tuple[float, ...]


def recorded(scores: Sequence[float]) -> dict[str, Any]:
    """Return the canaries' scores as a run record holds them."""
    return {"hash": HASH, "scores": list(scores)}


def read(path: Path) -> CanaryScores:
    """Return the canaries' scores of a run: of its folder, its run.json or its score file.

    Raises
    ------
    CanariesUnfit
        When there is no run, or it was not made by a preference model on this machine, or with other canaries.
    """
    record = _record(path / RUN_FILE if path.is_dir() else path)
    held = record.get(FIELD)
    if not isinstance(held, dict):
        made = f"by the backend {record.get('backend')} as a {record.get('scorer')}"
        raise CanariesUnfit(
            f"{path} holds no canaries' scores: it was made {made}, or by an older Candor; "
            "give a run of the same model on a machine of your own (candor pm score --model)"
        )
    scores = _scores(held.get("scores"))
    if held.get("hash") != HASH or scores is None:
        raise CanariesUnfit(f"{path} holds the scores of other canaries; score anew with this version of Candor")
    return CanaryScores(str(record.get("id")), str(record.get("model")), scores)


def _scores(value: Any) -> tuple[float, ...] | None:
    if not isinstance(value, list) or len(value) != len(CANARIES):
        return None
    numbers = [float(one) for one in value if type(one) in {int, float} and isfinite(one)]
    return tuple(numbers) if len(numbers) == len(CANARIES) else None


def _record(file: Path) -> dict[str, Any]:
    """Return the record of a run.json, or of the first line of a score file."""
    try:
        with file.open("rb") as data:
            first = data.readline()
            value = json.loads(first if first.startswith(b'{"candor_scores"') else first + data.read())
    except OSError as error:
        raise CanariesUnfit(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise CanariesUnfit(f"{file} is neither a run.json nor a score file") from None
    record = value.get("run", value) if isinstance(value, dict) else None
    if not isinstance(record, dict) or "scorer" not in record:
        raise CanariesUnfit(f"{file} is neither a run.json nor a score file")
    return record
