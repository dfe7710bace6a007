"""Answers to background questions as codes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from app.analysis.arrays import Ints
from app.results.observed import NO_ANSWER


def coded(
    said: Sequence[Mapping[str, Any] | None], keys: Iterable[str] | None
) -> tuple[dict[str, Ints], dict[str, tuple[str, ...]]]:
    """Return, for each question, each person's answer as an index, shape (A,), and the answers by alphabet.

    Parameters
    ----------
    said
        Each person's answers by the key of the question; None where there are none.
    keys
        The questions; None takes every one that anybody answered.
    """
    asked = sorted({key for each in said if each for key in each}) if keys is None else list(keys)
    codes: dict[str, Ints] = {}
    answers: dict[str, tuple[str, ...]] = {}
    for key in asked:
        given = [_answer(each, key) for each in said]
        answers[key] = tuple(sorted({answer for answer in given if answer is not None}))
        place = {answer: index for index, answer in enumerate(answers[key])}
        codes[key] = np.array([NO_ANSWER if answer is None else place[answer] for answer in given], dtype=np.int64)
    return codes, answers


def _answer(said: Mapping[str, Any] | None, key: str) -> str | None:
    answer = None if said is None else said.get(key)
    return answer if isinstance(answer, str) else None
