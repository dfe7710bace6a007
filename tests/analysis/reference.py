"""The reference cases: inputs and expected figures on which two independent implementations agree."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Case:
    id: str
    inputs: Any
    expected: Any
    tolerance: float


def _read() -> dict[str, Case]:
    stored = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return {
        case["id"]: Case(case["id"], case["inputs"], case["expected"], case["tolerance"]) for case in stored["cases"]
    }


CASES = _read()
