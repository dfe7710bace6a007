"""What is scored: token sequences of mixed lengths, as pairs or as many responses to one prompt."""

import numpy as np

from app.pm.scorer import Tokens

LEAST = 8


def _ids(draw: np.random.Generator, n: int, vocabulary: int) -> Tokens:
    return draw.integers(10, vocabulary, n).astype(np.int32)


def _length(draw: np.random.Generator, middle: float, most: int) -> int:
    """A length as dialogs have: many short, a few long."""
    return int(np.clip(draw.lognormal(np.log(middle), 0.8), LEAST, most))


def mixed_pairs(n: int, vocabulary: int, prompt: float = 150, response: float = 200) -> list[Tokens]:
    """Return two responses to each of n prompts, one after the other."""
    draw = np.random.default_rng(1)
    made = []
    for _ in range(n):
        said = _ids(draw, _length(draw, prompt, 1200), vocabulary)
        made += [np.append(said, _ids(draw, _length(draw, response, 800), vocabulary)) for _ in range(2)]
    return made


def even_pairs(n: int, vocabulary: int, prompt: int = 150, response: int = 150) -> list[Tokens]:
    """Return two responses of one length to each of n prompts of one length."""
    draw = np.random.default_rng(2)
    made = []
    for _ in range(n):
        said = _ids(draw, prompt, vocabulary)
        made += [np.append(said, _ids(draw, response, vocabulary)) for _ in range(2)]
    return made


def one_prompt(n: int, vocabulary: int, prompt: int, response: float) -> list[Tokens]:
    """Return n responses to one long prompt."""
    draw = np.random.default_rng(3)
    said = _ids(draw, prompt, vocabulary)
    return [np.append(said, _ids(draw, _length(draw, response, 4 * int(response)), vocabulary)) for _ in range(n)]
