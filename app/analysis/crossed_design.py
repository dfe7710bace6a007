"""The design of the crossed random-effects logistic model: its columns, and who and what its intercepts are of."""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from app.analysis.arrays import Floats, Ints, dense
from app.analysis.choices import Choices

Matrix = NDArray[np.float64]

_SAME = 1e-12  # A spread of log ratios below this is rounding.


@dataclass(frozen=True, slots=True, eq=False)
class CrossedDesign:
    """logit P(choice n prefers the sycophantic response) = a + x_n · b + s_pair u[pair_n] + s_annotator v[annotator_n].

    u and v are standard normal. Ties are not in it.

    Attributes
    ----------
    prefers_sycophantic
        0 or 1, shape (n,).
    terms
        Names of the columns of x that there are: of `level`, `side`, `length`.
    x
        Shape (n, len(terms)). `level`: difficulty level less its mean over pairs. `side`: +½ where the truthful
        response was left, -½ where it was right. `length`: ln(words sycophantic / words truthful), less its mean over
        pairs, over its standard deviation (n-1) over pairs.
    pair, annotator
        Codes 0 … P-1 and 0 … A-1, shape (n,).
    level_of_pair
        Shape (P,), 0 where a pair has none.
    level_mean, length_mean, length_sd
        What was taken off and divided by; None where the term is left out.
    left_out
        Name of a term to why the model does without it.
    """

    prefers_sycophantic: Floats
    terms: tuple[str, ...]
    x: Matrix
    pair: Ints
    annotator: Ints
    level_of_pair: Ints
    level_mean: float | None
    length_mean: float | None
    length_sd: float | None
    left_out: dict[str, str]

    def __len__(self) -> int:
        return len(self.prefers_sycophantic)

    @property
    def n_pairs(self) -> int:
        """P."""
        return len(self.level_of_pair)

    @property
    def n_annotators(self) -> int:
        """A."""
        return int(self.annotator.max(initial=-1)) + 1


def crossed_design(choices: Choices) -> CrossedDesign:
    """Return the design of these choices, of one arm.

    A term that does not vary is left out, and so is a level that only some pairs have: their difficulty is not known.
    """
    decided = choices.where(choices.decided)
    _, pair = dense(decided.pair)
    _, annotator = dense(decided.annotator)
    level_of_pair = np.zeros(int(pair.max(initial=-1)) + 1, dtype=np.int64)
    level_of_pair[pair] = decided.level
    found = {
        "level": _level(decided, level_of_pair),
        "side": _side(decided),
        "length": _length(decided, pair),
    }
    used = {name: term for name, term in found.items() if isinstance(term, _Term)}
    return CrossedDesign(
        prefers_sycophantic=decided.prefers_sycophantic,
        terms=tuple(used),
        x=np.column_stack([term.column for term in used.values()]) if used else np.zeros((len(decided), 0)),
        pair=pair,
        annotator=annotator,
        level_of_pair=level_of_pair,
        level_mean=used["level"].mean if "level" in used else None,
        length_mean=used["length"].mean if "length" in used else None,
        length_sd=used["length"].sd if "length" in used else None,
        left_out={name: term for name, term in found.items() if isinstance(term, str)},
    )


@dataclass(frozen=True, slots=True)
class _Term:
    column: Floats
    mean: float = 0.0
    sd: float = 1.0


def _level(choices: Choices, level_of_pair: Ints) -> _Term | str:
    if (level_of_pair == 0).any():
        return "some pairs have no difficulty level"
    if len(np.unique(level_of_pair)) < 2:
        return "fewer than two difficulty levels have choices"
    mean = float(level_of_pair.mean())
    return _Term(np.asarray(choices.level - mean, dtype=np.float64), mean)


def _side(choices: Choices) -> _Term | str:
    if len(np.unique(choices.truthful_left)) < 2:
        return "the truthful response was shown on one side only"
    return _Term(np.where(choices.truthful_left, 0.5, -0.5).astype(np.float64))


def _length(choices: Choices, pair: Ints) -> _Term | str:
    if choices.words_truthful is None or choices.words_sycophantic is None:
        return "the lengths of the responses are not known"
    ratio = np.log(choices.words_sycophantic / choices.words_truthful)
    n = np.bincount(pair)
    by_pair = np.asarray(np.bincount(pair, weights=ratio) / n, dtype=np.float64)
    sd = float(by_pair.std(ddof=1)) if len(n) > 1 else 0.0
    if sd < _SAME:
        return "all pairs have the same ratio of lengths"
    mean = float(by_pair.mean())
    column: Floats = np.asarray((ratio - mean) / sd, dtype=np.float64)
    return _Term(column, mean, sd)


def choices_hash(choices: Choices) -> str:
    """Return the SHA-256 of what the model is told of these choices; whoever chose is known by their order alone."""
    decided = choices.where(choices.decided)
    told = (
        dense(decided.pair)[1], dense(decided.annotator)[1], decided.level, decided.prefers_sycophantic,
        decided.truthful_left, decided.words_truthful, decided.words_sycophantic,
    )  # fmt: skip
    found = sha256(str(len(decided)).encode())
    for column in told:
        found.update(b"-" if column is None else np.asarray(column, dtype="<f8").tobytes())
    return found.hexdigest()
