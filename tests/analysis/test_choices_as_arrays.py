"""What comes in: checked, refused with a clear line, added up."""

import numpy as np
import pytest
from hypothesis import given, settings

from app.analysis.arrays import ColumnMissing, LengthsDiffer, ValueOutOfRange
from app.analysis.choices import Choices, ChosenTwice
from app.analysis.margins import margins_of
from app.analysis.votes import Votes, votes_of
from app.errors import CandorError
from tests.analysis.examples import any_choices, choices_from_rows


def _choices(**changed: object) -> Choices:
    given = {
        "pair": [1, 1, 2],
        "annotator": [1, 2, 1],
        "level": [1, 1, 2],
        "prefers_sycophantic": [1, 0, np.nan],
        "truthful_left": [True, False, True],
    }
    return Choices(**(given | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"pair": [1, 1]}, LengthsDiffer, "lengths differ: pair has 2, annotator has 3"),
        ({"pair": [1, 1, 2.5]}, ValueOutOfRange, "pair is 2.5 at index 2; it must be a whole number"),
        ({"level": [1, 1, -1]}, ValueOutOfRange, "level is -1 at index 2; it must lie between 0 and 1000"),
        ({"prefers_sycophantic": [1, 0.5, 0]}, ValueOutOfRange, "it must be a whole number"),
        ({"prefers_sycophantic": [1, 2, 0]}, ValueOutOfRange, "it must lie between 0 and 1"),
        ({"prefers_sycophantic": ["a", 2, 0]}, ValueOutOfRange, "prefers_sycophantic must be numbers"),
        ({"truthful_left": [0, 1, np.nan]}, ValueOutOfRange, "truthful_left is missing at index 2"),
        ({"annotator": [[1], [2], [3]]}, ValueOutOfRange, "annotator must be one-dimensional"),
        (
            {"words_truthful": [0, 1, 2]},
            ValueOutOfRange,
            "words_truthful is 0 at index 0; it must be finite and at least 1",
        ),
        ({"decision_ms": [np.inf, 1, 2]}, ValueOutOfRange, "decision_ms is inf at index 0"),
        ({"annotator": [1, 1, 1]}, ChosenTwice, "annotator 1 has more than one choice on pair 1"),
    ],
)
def test_faulty_input_is_refused_with_a_line_that_says_what_and_where(
    changed: dict[str, object], error: type[CandorError], message: str
) -> None:
    with pytest.raises(error) as refused:
        _choices(**changed)
    assert message in str(refused.value)


def test_an_analysis_names_the_column_that_it_lacks() -> None:
    with pytest.raises(ColumnMissing, match="decision_ms"):
        _choices().column("decision_ms")


def test_a_mask_of_another_length_is_refused() -> None:
    with pytest.raises(LengthsDiffer):
        _choices().where([True])


def test_a_pair_has_one_level() -> None:
    with pytest.raises(ValueOutOfRange, match="pair 1 has choices at two levels"):
        votes_of(_choices(level=[1, 3, 2]))


def test_codes_may_be_any_whole_numbers() -> None:
    choices = _choices(pair=[-5, -5, 10**15], annotator=[10**12, -1, 10**12])
    assert votes_of(choices).pair.tolist() == [-5]
    assert margins_of(choices).annotator.tolist() == [-1, 10**12]


def test_no_choices_are_no_votes() -> None:
    empty = choices_from_rows([])
    assert len(empty) == len(votes_of(empty)) == len(margins_of(empty).pair_n) == 0


def test_votes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueOutOfRange, match="more sycophantic votes than votes"):
        Votes([1], [1], [2], [3])  # type: ignore[arg-type]
    with pytest.raises(ValueOutOfRange, match="a pair is given twice"):
        Votes([1, 1], [1, 1], [2, 2], [1, 1])  # type: ignore[arg-type]


@settings(max_examples=200)
@given(any_choices())
def test_sums_are_those_of_a_loop(choices: Choices) -> None:
    votes, sums = votes_of(choices), margins_of(choices)
    rows = list(zip(choices.pair, choices.annotator, choices.level, choices.prefers_sycophantic, strict=True))
    decided = [row for row in rows if not np.isnan(row[3])]
    assert votes.pair.tolist() == sorted({int(row[0]) for row in decided})
    for pair, n, sycophantic in zip(votes.pair, votes.n, votes.sycophantic, strict=True):
        own = [row[3] for row in decided if row[0] == pair]
        assert (n, sycophantic) == (len(own), sum(own))
    sizes = dict(zip(votes.pair.tolist(), votes.n.tolist(), strict=True))
    for index, (person, level) in enumerate(zip(sums.annotator, sums.annotator_level, strict=True)):
        own_rows = [row for row in decided if row[1] == person and row[2] == level]
        assert sums.annotator_n[index] == len(own_rows)
        assert sums.annotator_yes[index] == sum(row[3] for row in own_rows)
        assert sums.annotator_share[index] == pytest.approx(sum(1 / sizes[int(row[0])] for row in own_rows))
        assert sums.annotator_share_yes[index] == pytest.approx(sum(row[3] / sizes[int(row[0])] for row in own_rows))
