"""Words in a drawing: how wide they are, roughly, and how they are broken into lines."""

import textwrap

_WIDE = 0.51
"""The width of a letter of a sans serif, as a share of its height: an upper mean over common faces."""


def width_of(words: str, letter: float = 14.0) -> float:
    """Return about how wide words are."""
    return len(words) * letter * _WIDE


def broken(words: str, width: float, letter: float = 14.0) -> tuple[str, ...]:
    """Break words into lines of at most a width; a word that is too long itself is broken too."""
    n = max(4, int(width / (letter * _WIDE)))
    return tuple(textwrap.wrap(words, n, break_on_hyphens=True)) or ("",)


def apart(places: list[float], heights: list[float], low: float, high: float) -> list[float]:
    """Move the middles of things apart until none lies on another, within [low, high] where all of them have room.

    They keep their order; those that already have room stay where they are.
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    tall = [heights[i] for i in order]
    moved = [places[i] for i in order]
    edge = low
    for i, height in enumerate(tall):
        moved[i] = max(moved[i], edge + height / 2)
        edge = moved[i] + height / 2
    edge = max(high, low + sum(tall))
    for i in reversed(range(len(tall))):
        moved[i] = min(moved[i], edge - tall[i] / 2)
        edge = moved[i] - tall[i] / 2
    back = [0.0] * len(places)
    for place, i in zip(moved, order, strict=True):
        back[i] = round(place, 1)
    return back
