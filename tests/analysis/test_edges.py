"""No nan, no infinity and no warning leaves the package, whatever comes in: everything is plain enough for JSON."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from app.analysis.aggregation import aggregation_curve
from app.analysis.agreement import agreement
from app.analysis.ceiling import human_ceiling
from app.analysis.choices import Choices
from app.analysis.contrasts import compare_arms, compare_groups, group_rates, rate_difference
from app.analysis.curves import curve
from app.analysis.exclusions import looked_up_in_and_out, results_of
from app.analysis.judges import (
    Judge,
    fooled_by_level,
    human_minus_judge,
    human_minus_judge_by_level,
    judge_minus_judge,
    judge_rate,
    judge_rate_by_level,
    likeness,
    on_same_pairs,
)
from app.analysis.length import length_adjusted_rate
from app.analysis.majority import majority_by_level, majority_rates
from app.analysis.position import position_bias
from app.analysis.rates import rates_by_arm
from app.analysis.resampling import Bootstrap
from app.analysis.response_times import Threshold, by_threshold
from app.analysis.trend import isotonic_by_level
from app.analysis.votes import votes_of
from tests.analysis.examples import any_choices, choices_from_rows, choices_from_votes, simulated

Analysis = Callable[[Choices], Any]


def _how() -> Bootstrap:
    return Bootstrap(np.random.default_rng(1), 30)


def _judge(choices: Choices, seed: int = 1) -> Judge:
    pairs, first = np.unique(choices.pair, return_index=True)
    margin = np.random.default_rng(seed).integers(-1, 2, len(pairs)).astype(np.float64)
    return Judge(pairs, choices.level[first], margin)


ANALYSES: dict[str, Analysis] = {
    "results": results_of,
    "arms": rates_by_arm,
    "arms compared": lambda choices: compare_arms(choices, 0),
    "groups": lambda choices: group_rates(choices, choices.annotator % 2),
    "groups compared": lambda choices: compare_groups(choices, choices.annotator % 2, 0),
    "levels compared": lambda choices: rate_difference(choices, choices.level == 2, choices.level == 1),
    "isotonic": isotonic_by_level,
    "majority": majority_rates,
    "majority by level": majority_by_level,
    "aggregation": lambda choices: aggregation_curve(choices, 3),
    "agreement": lambda choices: agreement(votes_of(choices), _how()),
    "position": position_bias,
    "length": length_adjusted_rate,
    "ceiling": lambda choices: human_ceiling(choices, _judge(choices).prefers_sycophantic[_places(choices)]),
    "confidence": lambda choices: curve(choices, choices.column("confidence")),
    "belief": lambda choices: curve(choices, choices.column("prior_belief"), edges=[0, 50, 100]),
    "looked up": looked_up_in_and_out,
    "response times": lambda choices: by_threshold(choices, Threshold(3000, 1000)),
    "judge": lambda choices: judge_rate(_judge(choices)),
    "judge by level": lambda choices: judge_rate_by_level(_judge(choices)),
    "people against a judge": lambda choices: human_minus_judge(choices, _judge(choices), _how()),
    "people against a judge by level": lambda choices: human_minus_judge_by_level(choices, _judge(choices), _how()),
    "likeness": lambda choices: likeness(on_same_pairs(votes_of(choices), _judge(choices))),
    "fooled": lambda choices: fooled_by_level(on_same_pairs(votes_of(choices), _judge(choices))),
    "judges": lambda choices: judge_minus_judge(_judge(choices, 1), _judge(choices, 2), _how()),
}


def _places(choices: Choices) -> Any:
    return np.unique(choices.pair, return_inverse=True)[1]


def _with_everything(choices: Choices) -> Choices:
    rng, n = np.random.default_rng(len(choices)), len(choices)
    words = rng.integers(20, 60, size=(2, 100)).astype(np.float64)
    return Choices(
        choices.pair,
        choices.annotator,
        choices.level,
        choices.prefers_sycophantic,
        choices.truthful_left,
        arm=choices.annotator % 2,
        words_truthful=words[0][choices.pair % 100],
        words_sycophantic=words[1][choices.pair % 100],
        decision_ms=np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(8, 1, n)),
        confidence=rng.choice([1, 2, 3, np.nan], n),
        prior_belief=rng.choice([0, 50, 100, np.nan], n),
        looked_up=rng.choice([0, 1, np.nan], n),
    )


def _plain(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _plain(value) for key, value in found.items()}
    if isinstance(found, tuple):
        return [_plain(value) for value in found]
    return None if found is None else asdict(found) if hasattr(found, "__dataclass_fields__") else found


def _is_defined(found: Any) -> bool:
    """Say whether an answer is made of finite numbers, words and None alone: JSON without NaN takes nothing else."""
    try:
        json.dumps(_plain(found), allow_nan=False)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", ANALYSES)
@settings(max_examples=60)
@given(any_choices())
def test_any_choices_have_a_defined_answer(name: str, choices: Choices) -> None:
    assert _is_defined(ANALYSES[name](_with_everything(choices)))


EDGES = {
    "empty": choices_from_rows([]),
    "one choice": choices_from_rows([(1, 1, 1, 1, True)]),
    "one tie": choices_from_rows([(1, 1, 1, float("nan"), True)]),
    "all ties": choices_from_rows([(pair, who, pair, float("nan"), True) for pair in (1, 2) for who in (1, 2)]),
    "rate 0": choices_from_votes([(0, 5)] * 6, levels=[1, 1, 2, 2, 3, 3]),
    "rate 1": choices_from_votes([(5, 5)] * 6, levels=[1, 1, 2, 2, 3, 3]),
    "every pair splits alike": choices_from_votes([(2, 4)] * 6, levels=[1, 1, 2, 2, 3, 3]),
    "one level": choices_from_votes([(1, 5), (4, 5), (3, 5)]),
    "one annotator": choices_from_rows([(pair, 1, pair, pair % 2, True) for pair in range(1, 9)]),
    "one pair": choices_from_rows([(1, who, 3, who % 2, who % 3 == 0) for who in range(9)]),
    "no levels": choices_from_votes([(1, 5), (4, 5), (3, 5)], levels=[0, 0, 0]),
    "everybody once": choices_from_rows([(who % 7, who, who % 7 + 1, who % 2, who % 3 == 0) for who in range(35)]),
    "a study": simulated(1, pairs_per_level=4),
}


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("name", ANALYSES)
def test_every_analysis_has_a_defined_answer_at_every_edge(name: str, edge: str) -> None:
    assert _is_defined(ANALYSES[name](_with_everything(EDGES[edge])))
