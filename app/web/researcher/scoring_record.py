"""A run's record in words: what is known of every run first, then whatever else it says."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from app.models import ScoringRun
from app.web.researcher.scoring_pages import RecordFact

SCORERS = {
    "reward": "Reward model: a score for each response",
    "judge": "Generative judge: both responses compared, in both orders",
    "oracle": "Oracle: the labels themselves, no model",
}
_LONGEST = 400
_MOST_LINES = 40


def _plain(value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        return tuple(f"{name}: {_written(held)}" for name, held in value.items()) or ("none",)
    return (_written(value),)


def _written(value: Any) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6g}"
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"


def _seconds(value: Any) -> tuple[str, ...]:
    return (f"{value:,.1f} s",) if isinstance(value, int | float) else _plain(value)


def _share(value: Any) -> tuple[str, ...]:
    return (f"{100 * value:.1f} %",) if isinstance(value, int | float) else ("not measured",)


def _scorer(value: Any) -> tuple[str, ...]:
    return (SCORERS.get(str(value), str(value)),)


def _random(value: Any) -> tuple[str, ...]:
    return ("Random: made for a test, it has learnt nothing",) if value else ("Trained",)


def _variants(value: Any) -> tuple[str, ...]:
    lines: list[str] = []
    for variant in value if isinstance(value, list) else []:
        turns = variant.get("turns", [])
        lines.append(f"{variant.get('name')}: {len(turns)} turns in front of each dialog, hash {variant.get('hash')}")
        lines += [f"{turn.get('role')}: {_written(turn.get('content'))}" for turn in turns if isinstance(turn, Mapping)]
    return tuple(lines)


def _number_as_is(value: Any) -> tuple[str, ...]:
    return (str(value),) if isinstance(value, int) else _plain(value)


# In the order of a methods section: the model, what it read, on what it ran, how much, and how exact it is.
_KNOWN: dict[str, tuple[str, Callable[[Any], tuple[str, ...]]]] = {
    "model": ("Model", _plain),
    "model_revision": ("Revision", _plain),
    "random_weights": ("Weights", _random),
    "scorer": ("Scorer", _scorer),
    "file_hashes": ("Files (SHA-256)", _plain),
    "template_hash": ("Chat template (SHA-256)", _plain),
    "variants": ("Variants", _variants),
    "set_hash": ("Set (content hash)", _plain),
    "study": ("Study", _plain),
    "backend": ("Backend", _plain),
    "dtype": ("Number format", _plain),
    "attention": ("Attention", _plain),
    "device": ("Device", _plain),
    "n_items": ("Items", _plain),
    "tokens": ("Tokens", _plain),
    "computed_tokens": ("Tokens computed", _plain),
    "wall_s": ("Wall time", _seconds),
    "fraction_of_ceiling": ("Share of the machine’s ceiling", _share),
    "noise_floor": ("Noise floor (unit of the scores)", _plain),
    "self_check": ("Self-check", _plain),
    "plan": ("Plan", _plain),
    "seed": ("Seed", _number_as_is),
    "started_at": ("Started", _plain),
    "finished_at": ("Finished", _plain),
    "versions": ("Versions", _plain),
    "code_version": ("Code", _plain),
}


def record_facts(run: ScoringRun) -> tuple[RecordFact, ...]:
    """Return all that a run's record says."""
    record = run.record
    facts = [RecordFact(name="Run", lines=(run.public_id,))]
    facts += [
        RecordFact(name=name, lines=_few(told(record[key]))) for key, (name, told) in _KNOWN.items() if key in record
    ]
    facts += [
        RecordFact(name=key.replace("_", " ").capitalize(), lines=_few(_plain(value)))
        for key, value in record.items()
        if key not in _KNOWN and key != "id"
    ]
    return tuple(facts)


def _few(lines: tuple[str, ...]) -> tuple[str, ...]:
    if len(lines) <= _MOST_LINES:
        return lines
    return (*lines[:_MOST_LINES], f"and {len(lines) - _MOST_LINES} more lines, in the score file")
