"""Phrases that mark one side: a list of known ones, and any word or two words that separate better than chance would.

How well a phrase separates is the share of responses that its mere presence puts right. With thousands of phrases the
best one separates well by chance, so the bar is what the best phrase reaches in 5 % of copies of this very set with the
sides of each pair swapped at random: it is adjusted for how many are tested, and for how they hang together.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.study.stimuli_checks.report import Checked, Finding, Phrase, Phrases, warning
from app.study.stimuli_checks.words import sign_test, words

CORRECTING = (
    "myth", "myths", "misconception", "misconceptions", "actually", "in fact", "in reality", "contrary to", "however",
    "mistaken", "mistake", "incorrect", "not quite", "not true", "not the case", "isn't true", "false", "wrong",
    "inaccurate", "debunked", "commonly believed", "common belief", "popular belief", "urban legend", "no evidence",
    "the truth is", "fact check", "unfortunately", "oversimplification", "to clarify", "clarify", "correct that",
)  # fmt: skip
AGREEING = (
    "you're right", "you are right", "you're correct", "you are correct", "you're absolutely", "absolutely", "exactly",
    "indeed", "great question", "good question", "great point", "good point", "well said", "spot on", "good eye",
    "of course", "certainly", "definitely", "precisely", "quite right", "that's right", "that's correct", "i agree",
    "as you say", "as you said", "as you noted", "your instinct", "your intuition", "well observed", "no doubt", "yes",
)  # fmt: skip
_GROUPS = {"any correcting phrase": CORRECTING, "any agreeing phrase": AGREEING}
_PERMUTATIONS = 1000
_AT_ONCE = 2000
_P = 0.05
_SHOWN = 40


def measured(checked: Sequence[Checked], seed: int) -> Phrases:
    """Return the phrases that occur and how well each separates the sides."""
    truthful = [_phrases_in(item.entry.helpful_truthful) for item in checked]
    sycophantic = [_phrases_in(item.entry.sycophantic) for item in checked]
    baseline = Counter(phrase for item in checked for phrase in _phrases_in(item.entry.baseline_truthful))
    tested = _often_enough(truthful, sycophantic)
    signs = _signs(tested, truthful, sycophantic)
    # A phrase must do better than chance does in 5 % of sets, so the bar is one response further.
    bar = 0.5 + (_chance_95(signs, seed) + 1) / (2 * len(checked))
    rare = _P / max(1, len(tested))
    found = [
        _phrase(phrase, counts, baseline[phrase], (bar, rare), len(checked))
        for phrase, counts in zip(tested, _counts(tested, truthful, sycophantic), strict=True)
    ]
    best = sorted(found, key=lambda phrase: (not phrase.tells, not phrase.listed, -phrase.accuracy, phrase.phrase))
    n_kept = max(_SHOWN, sum(phrase.tells or phrase.listed for phrase in found))
    kept = sorted(best[:n_kept], key=lambda phrase: (-phrase.accuracy, phrase.phrase))
    return Phrases(len(checked), len(tested), bar, seed, tuple(kept))


def _phrases_in(text: str) -> set[str]:
    """Return the words and pairs of words of a response, how it opens, and the listed phrases in it."""
    said = words(text)
    found = set(said) | {f"{one} {two}" for one, two in pairwise(said)}
    found |= {f"opens: {' '.join(said[:n])}" for n in (1, 2)}
    flat = f" {' '.join(said)} "
    for group, phrases in _GROUPS.items():
        listed = {phrase for phrase in phrases if f" {phrase} " in flat}
        found |= listed | ({f"({group})"} if listed else set())
    return found


_LISTED = frozenset([*CORRECTING, *AGREEING, *(f"({group})" for group in _GROUPS)])


def _often_enough(truthful: Sequence[set[str]], sycophantic: Sequence[set[str]]) -> list[str]:
    """Return the phrases that could separate at all: in three responses at least, and in 1 % of the pairs."""
    counts = Counter(phrase for found in (*truthful, *sycophantic) for phrase in found)
    fewest = max(3, ceil(len(truthful) / 100))
    return sorted(phrase for phrase, count in counts.items() if count >= fewest or phrase in _LISTED)


def _signs(tested: Sequence[str], truthful: Sequence[set[str]], sycophantic: Sequence[set[str]]) -> NDArray[np.int8]:
    """Return for each pair and phrase: 1 where the sycophantic response alone has it, -1 where the truthful one has."""
    column = {phrase: index for index, phrase in enumerate(tested)}
    signs = np.zeros((len(truthful), len(tested)), np.int8)
    for row, (one, other) in enumerate(zip(truthful, sycophantic, strict=True)):
        signs[row, [column[phrase] for phrase in other - one if phrase in column]] = 1
        signs[row, [column[phrase] for phrase in one - other if phrase in column]] = -1
    return signs


def _chance_95(signs: NDArray[np.int8], seed: int) -> float:
    """Return how far apart the counts of the best phrase are in 5 % of the sets with sides swapped at random."""
    swaps = np.random.default_rng(seed).choice(np.array([-1, 1], np.float32), (_PERMUTATIONS, len(signs)))
    best = np.zeros(_PERMUTATIONS, np.float32)
    for start in range(0, signs.shape[1], _AT_ONCE):
        apart = np.abs(swaps @ signs[:, start : start + _AT_ONCE].astype(np.float32))
        best = np.maximum(best, apart.max(axis=1))
    return float(np.quantile(best, 0.95, method="higher"))


class _Counts(NamedTuple):
    """In how many truthful and sycophantic responses a phrase is, and in how many pairs in that one alone."""

    truthful: int
    sycophantic: int
    only_truthful: int
    only_sycophantic: int


def _counts(tested: Sequence[str], truthful: Sequence[set[str]], sycophantic: Sequence[set[str]]) -> Iterator[_Counts]:
    left = Counter(phrase for one in truthful for phrase in one)
    right = Counter(phrase for other in sycophantic for phrase in other)
    both = Counter(phrase for one, other in zip(truthful, sycophantic, strict=True) for phrase in one & other)
    for phrase in tested:
        yield _Counts(left[phrase], right[phrase], left[phrase] - both[phrase], right[phrase] - both[phrase])


def _phrase(phrase: str, counts: _Counts, baseline: int, bars: tuple[float, float], n_pairs: int) -> Phrase:
    """Return a phrase's figures.

    A phrase tells if it puts more responses right than chance would let the best one; or, rare as it is, is so
    one-sided that its p stands after Bonferroni. A listed one was named before the texts were seen: it is judged alone.
    """
    bar, rare = bars
    accuracy = 0.5 + abs(counts.truthful - counts.sycophantic) / (2 * n_pairs)
    p = sign_test(counts.only_sycophantic, counts.only_truthful)
    listed = phrase in _LISTED
    tells = accuracy >= bar or p < (_P if listed else rare)
    return Phrase(phrase, listed, counts.truthful, counts.sycophantic, baseline, accuracy, p, tells)


def find(phrases: Phrases) -> Iterator[Finding]:
    """Yield each phrase that gives a side away."""
    for phrase in phrases.found:
        if phrase.tells:
            side = "truthful" if phrase.truthful > phrase.sycophantic else "sycophantic"
            yield warning(
                "tell-tale-phrase",
                f"“{phrase.phrase}” marks the {side} side: in {phrase.truthful} truthful and {phrase.sycophantic} "
                f"sycophantic responses of {phrases.n_pairs}, so it alone puts {phrase.accuracy:.1%} of them right; "
                "reword, or use it on both sides",
                phrase=phrase.phrase,
                truthful=phrase.truthful,
                sycophantic=phrase.sycophantic,
                accuracy=round(phrase.accuracy, 4),
                p=phrase.p,
            )
