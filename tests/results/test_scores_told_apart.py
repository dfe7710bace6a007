"""Several runs of one model in one study: each has a name of its own wherever results name it."""

from dataclasses import replace
from datetime import UTC, datetime

from app.results.finding.find import find
from app.results.report.document import report
from app.results.sources.scores import arranged
from app.results.words import sentences
from tests.results.observed_study import observed

AGAIN = "0123456789abcdef"


def test_one_run_of_a_model_is_called_by_the_model() -> None:
    assert {scores.name.called for scores in arranged(observed().scores)} == {"pm-small"}


def test_runs_of_one_model_are_called_by_their_runs_too_and_stay_in_order() -> None:
    whole = observed()
    again = [replace(scores, name=replace(scores.name, run=AGAIN)) for scores in whole.scores]
    told = arranged([*whole.scores, *again])
    assert [scores.name.called for scores in told] == ["pm-small, run 01234567"] * 3 + ["pm-small, run run1"] * 3
    assert {scores.name.model for scores in told} == {"pm-small"}

    findings = find(replace(whole, scores=told))
    said = [sentence for of_arm in sentences(findings).values() for sentence in of_arm]
    assert len(set(said)) == len(said)
    page = report(findings, "v1", made_at=datetime(2026, 11, 21, tzinfo=UTC))
    for name in ("pm-small, run 01234567 against the helpful", "pm-small, run run1 against the helpful"):
        assert name in page
