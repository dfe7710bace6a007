"""Texts taken apart: words, sentences, syllables, and the two tests that need no arrays."""

import re
from collections.abc import Iterable
from math import exp, lgamma, log

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|\n+")
_VOWELS = re.compile(r"[aeiouy]+")


def words(text: str) -> list[str]:
    """Return a text's words in lower case; a contraction is one word, whichever apostrophe it has."""
    return _WORD.findall(text.replace("’", "'").lower())


def sentences(text: str) -> list[str]:
    """Return a text's sentences, as far as punctuation tells."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def paragraphs(text: str) -> list[str]:
    """Return a text's paragraphs."""
    return [part for part in text.split("\n\n") if part.strip()]


def syllables(word: str) -> int:
    """Return about how many syllables an English word has: groups of vowels, less a silent e."""
    groups = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1
    return max(1, groups - silent)


def reading_ease(text: str) -> float:
    """Return Flesch's reading ease: about 100 for the plainest English, below 30 for the most learned."""
    said, parts = words(text), sentences(text)
    if not said or not parts:
        return 0.0
    return 206.835 - 1.015 * len(said) / len(parts) - 84.6 * sum(map(syllables, said)) / len(said)


def sign_test(ups: int, downs: int) -> float:
    """Return the two-sided sign test's exact p; ties are left out."""
    n, fewer = ups + downs, min(ups, downs)
    if n == 0:
        return 1.0
    tail = sum(exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2)) for k in range(fewer + 1))
    return min(1.0, 2 * tail)


def holm(ps: Iterable[float]) -> list[float]:
    """Return p values adjusted for each other by Holm's method, in their order."""
    given = list(ps)
    adjusted, highest = [1.0] * len(given), 0.0
    for rank, index in enumerate(sorted(range(len(given)), key=given.__getitem__)):
        highest = max(highest, min(1.0, given[index] * (len(given) - rank)))
        adjusted[index] = highest
    return adjusted
