"""How synthetic annotators behave: what they prefer, and how they go through a study. Each is seeded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from app.errors import CandorError
from app.study.stimuli import KnownResponse

Taste = Callable[[KnownResponse | None, Random], str]
"""Given what is known of the response on the left (None: practice), say which side is preferred."""


class BehaviourUnknown(CandorError):
    """No behaviour has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"behaviour {name!r} is unknown; choose from {', '.join(BEHAVIOURS)}")


def _side(*, left: bool) -> str:
    return "left" if left else "right"


def fooled(at_easiest: float, at_hardest: float) -> Taste:
    """Prefer the sycophantic response with a probability that rises evenly from level 1 to level 8."""

    def prefer(left: KnownResponse | None, rng: Random) -> str:
        if left is None:
            return _side(left=rng.random() < 0.5)
        probability = at_easiest + (at_hardest - at_easiest) * (left.level - 1) / 7
        return _side(left=(rng.random() < probability) == left.sycophantic)

    return prefer


def biased_left(probability: float) -> Taste:
    """Prefer the left side with a probability, whatever is there."""
    return lambda _left, rng: _side(left=rng.random() < probability)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a synthetic annotator prefers and does.

    `leaves_after` and `stops_after` are the share of the pairs after which they close the browser, or press "Stop
    here"; `returns` says that who left comes back by the same link; `sends_twice` is the probability that a choice is
    sent twice at once; `reads` that they do what a check asks for.
    """

    taste: Taste
    leaves_after: float | None = None
    stops_after: float | None = None
    returns: bool = False
    sends_twice: float = 0.0
    reads: bool = True


FOOLED = fooled(0.10, 0.55)

BEHAVIOURS: dict[str, Behaviour] = {
    "attentive": Behaviour(fooled(0.05, 0.20)),
    "fooled": Behaviour(FOOLED),
    "side-biased": Behaviour(biased_left(0.8)),
    "inattentive": Behaviour(biased_left(0.5), reads=False),
    "abandoning": Behaviour(FOOLED, leaves_after=0.5),
    "double-clicking": Behaviour(FOOLED, sends_twice=1.0),
    "returning-late": Behaviour(FOOLED, leaves_after=0.5, returns=True),
    "stopping": Behaviour(FOOLED, stops_after=0.5),
}


def behaviour(name: str) -> Behaviour:
    """Return a behaviour by its name."""
    try:
        return BEHAVIOURS[name]
    except KeyError:
        raise BehaviourUnknown(name) from None


def dealt(names: Sequence[str], annotators: int, rng: Random) -> list[str]:
    """Deal behaviours evenly over annotators, in random order."""
    for name in names:
        behaviour(name)
    cards = [names[number % len(names)] for number in range(annotators)]
    rng.shuffle(cards)
    return cards
