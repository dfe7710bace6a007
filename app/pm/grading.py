"""How true a model takes claims to be: the probability of "True" as its next word, over wordings and both orders.

A model's taste for A or for B, and for one way of asking, is no part of a grade: each wording is asked with True as A
and with True as B, and the mean over all of them is the claim's plausibility.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from math import exp
from statistics import fmean
from typing import Any

from app.pm.dialogs import Dialog, user
from app.pm.pieces import Budget, Piece, score_piece
from app.pm.records import RunSettings, settled
from app.pm.requests import Request
from app.pm.scorer import Judge
from app.study.canonical import content_hash

WORDINGS = (
    (
        "Is the following statement true or false?\n\nStatement: {claim}\n\nA. {a}\nB. {b}\n\n"
        "Answer with A or B, and nothing else."
    ),
    (
        "Here is a claim that somebody made: “{claim}”\n\nWhich of these two words describes it?\n\nA. {a}\nB. {b}\n\n"
        "Give the letter alone, A or B."
    ),
    (
        "Read this sentence and judge whether what it says is so.\n\n{claim}\n\nChoose one:\nA. {a}\nB. {b}\n\n"
        "Reply with only A or B."
    ),
)
WORDS = ("True", "False")
PROMPT_HASH = content_hash({"wordings": WORDINGS, "words": WORDS, "orders": [["A", "B"], ["B", "A"]]})
"""SHA-256 of all that a model is asked; every grading by a model holds it."""
QUESTIONS = len(WORDINGS) * 2
_CLAIMS_A_PIECE = {"cuda": 500}
_CLAIMS = 16


@dataclass(frozen=True, slots=True)
class Question:
    """One wording of the question about one claim, with True as A or as B."""

    key: str
    claim: str
    wording: int
    true_first: bool

    @property
    def rater(self) -> str:
        """What the question is called among the ratings of a grading."""
        return f"wording {self.wording + 1}, True as {'A' if self.true_first else 'B'}"

    @property
    def group(self) -> tuple[str, str]:
        """Each question stands alone."""
        return self.key, self.rater

    @property
    def prompt(self) -> Dialog:
        """What the model is asked."""
        a, b = WORDS if self.true_first else WORDS[::-1]
        return (user(WORDINGS[self.wording].format(claim=self.claim, a=a, b=b)),)

    @property
    def row(self) -> dict[str, Any]:
        """Which claim and question a score is of."""
        return {"key": self.key, "rater": self.rater, "true_first": self.true_first}

    @property
    def label(self) -> str:
        """What is asked, for messages."""
        return f"{self.key!r}, {self.rater}"

    def dialog(self, prompt: Dialog) -> Dialog:
        """Return the question as it stands."""
        return prompt


@dataclass(frozen=True, slots=True)
class ModelGrading:
    """100 × P(true) by key and question, and what made it.

    `answered` is the mean probability that a model's next word is A or B at all: where it is small, the model did not
    understand the question, and its grades say little.
    """

    ratings: dict[str, dict[str, float]]
    answered: float
    made_with: dict[str, Any]


Told = Callable[[int], None]


def grade(claims: Mapping[str, str], judge: Judge, told: Told = lambda _: None) -> ModelGrading:
    """Ask a judge about each claim, by key; `told` hears how many claims were done since it last heard.

    P(true) is P(its letter) / (P(A) + P(B)), P as the probability of the next token.

    Raises
    ------
    CandorError
        When a question is longer than the model reads, or what it gives is no finite number.
    """
    identity = judge.identity()
    budget = Budget(settled(RunSettings(), identity.device).budget)
    ratings: dict[str, dict[str, float]] = {key: {} for key in claims}
    answered: list[float] = []
    for number, keys in enumerate(_pieces(list(claims), _CLAIMS_A_PIECE.get(identity.device, _CLAIMS))):
        asked = tuple(question for key in keys for question in _questions(key, claims[key]))
        rows, _ = score_piece(Piece(number, asked, ""), judge.rendering.render(asked), judge, budget)
        for row in rows:
            ratings[row["key"]][row["rater"]] = _plausibility(row["logit_first"], true_first=row["true_first"])
            answered.append(row["p_a"] + row["p_b"])
        told(len(keys))
    mean = fmean(answered) if answered else 0.0
    made_with = {name: value for name, value in asdict(identity).items() if name != "settled"}
    asked_with = {"wordings": list(WORDINGS), "words": list(WORDS), "answered": mean}
    return ModelGrading(ratings, mean, made_with | asked_with)


def _pieces(keys: Sequence[str], size: int) -> Iterator[list[str]]:
    rest = iter(keys)
    while piece := list(islice(rest, size)):
        yield piece


def _questions(key: str, claim: str) -> Iterator[Request]:
    for wording in range(len(WORDINGS)):
        for true_first in (True, False):
            yield Question(key, claim, wording, true_first)


def _plausibility(logit_a: float, *, true_first: bool) -> float:
    """Return 100 × P(true) from log P(A) - log P(B)."""
    logit = logit_a if true_first else -logit_a
    return 100 / (1 + exp(-logit)) if logit >= 0 else 100 * exp(logit) / (1 + exp(logit))
