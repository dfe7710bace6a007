"""The JSON of findings, and the page that describes its keys."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np

from app.analysis.response_times import Threshold
from app.results import findings
from app.results.finding.find import find
from app.results.json_keys import classes, described, meanings, plain
from tests.results.planted import planted, scored

PAGE = Path(__file__).parents[2] / "docs" / "analysis-keys.md"

_DESCRIBED = {f"app.results.{name}" for name in ("findings", "facts", "judged", "crossed.fit")}


def test_the_page_is_what_the_docstrings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == described(), "write it with `python -m app.results.json_keys`"


def test_every_key_of_the_findings_is_described() -> None:
    told = [kind for kind in classes() if kind.__module__ in _DESCRIBED]
    assert len(told) > 15
    for kind in told:
        assert set(meanings(kind)) == {each.name for each in fields(kind)}, kind
    assert findings.ArmFindings in told


def test_findings_are_json_with_nothing_that_json_does_not_have() -> None:
    found = find(scored(planted(per_level=4), {"standard": np.linspace(-1, 1, 32)}))
    written = json.dumps(plain(found), allow_nan=False)
    read = json.loads(written)
    assert list(read) == [each.name for each in fields(found)]
    assert read["arms"][0]["rates"]["by_level"]["8"]["n_pairs"] == 4
    assert isinstance(read["exploratory"], list)


def test_what_is_infinite_is_null() -> None:
    assert plain(Threshold(100, np.inf)) == {"floor_ms": 100, "words_per_minute": None}
