"""Guessing on which side the truthful response is, from everything but the texts.

Each page becomes a row of features: n-grams of its bytes, every piece of markup with its place in the page, lengths,
and the bits of all ids and tokens. A linear classifier (ridge regression on the labels, in its dual form, as there are
more features than pages) learns from some studies and guesses in others. Its share of right guesses is held against
that for labels permuted within each study; because the solution is linear in the labels, one fit serves them all.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from tests.proofs.received import JudgingPage, hexadecimals, stripped, without_hexadecimals

N_PERMUTATIONS = 1999
_N_FOLDS = 5
_PENALTY = 300.0
_N_HASHES = 2**12
_PIECE = re.compile(r"<[^>]*>|[^<\n]+|\n")

Matrix = NDArray[np.float64]


class Guesses(NamedTuple):
    """How often the side was guessed, and how probable so many right guesses are where nothing tells it."""

    share_right: float
    p: float
    n: int


def guess_sides(pages: Sequence[JudgingPage], seed: int = 1) -> Guesses:
    """Guess the side of every page from the pages of other studies."""
    features = StandardScaler().fit_transform(features_of(pages))
    alike = features @ features.T
    truth = np.where([page.truthful_left for page in pages], 1.0, -1.0)
    studies = np.array([page.study for page in pages])
    labels = np.column_stack([truth, _permuted_within(studies, truth, seed)])
    right = np.zeros(labels.shape[1])
    for train, test in GroupKFold(_N_FOLDS).split(alike, groups=studies):
        learned = KernelRidge(alpha=_PENALTY, kernel="precomputed").fit(alike[np.ix_(train, train)], labels[train])
        guessed = learned.predict(alike[np.ix_(test, train)])
        right += (np.sign(guessed) == labels[test]).sum(axis=0)
    p = (1 + np.sum(right[1:] >= right[0])) / (1 + N_PERMUTATIONS)
    return Guesses(float(right[0]) / len(pages), float(p), len(pages))


def _permuted_within(studies: NDArray[np.str_], truth: Matrix, seed: int) -> Matrix:
    rng = np.random.default_rng(seed)
    permuted = np.empty((len(truth), N_PERMUTATIONS))
    for study in np.unique(studies):
        rows = np.flatnonzero(studies == study)
        permuted[rows] = rng.permuted(np.tile(truth[rows, None], N_PERMUTATIONS), axis=0)
    return permuted


def features_of(pages: Sequence[JudgingPage]) -> Matrix:
    """Return a row of features a page, without the columns that are the same for all."""
    payloads = [[stripped(received, page.texts) for received in page.received] for page in pages]
    written = [without_hexadecimals(b"\n".join(payload)).decode("latin-1") for payload in payloads]
    ids = [hexadecimals(b"\n".join(payload)) for payload in payloads]
    columns = np.hstack(
        [
            _ngrams(written),
            _hashed(_pieces).transform(written).toarray(),
            np.array([[len(payload[0]), sum(map(len, payload[1:]))] for payload in payloads]),
            _bits(ids),
            _bits_at_position(pages),
        ]
    )
    return columns[:, columns.std(axis=0) > 0]


def _ngrams(written: Sequence[str]) -> Matrix:
    """Return how often each n-gram of up to four bytes occurs, counted once for each line that pages share."""
    lines = CountVectorizer(analyzer=lambda text: text.splitlines(keepends=True))
    on_pages = lines.fit_transform(written)
    counts: Matrix = (on_pages @ _hashed("char").transform(lines.get_feature_names_out())).toarray()
    return counts


def _hashed(analyzer: str | Callable[[str], list[str]]) -> HashingVectorizer:
    return HashingVectorizer(
        analyzer=analyzer,
        ngram_range=(1, 4),
        n_features=_N_HASHES,
        norm=None,
        alternate_sign=False,
        lowercase=False,
    )


def _pieces(written: str) -> list[str]:
    """Cut a page into tags, texts and lines, each with its place."""
    return [f"{place} {piece}" for place, piece in enumerate(_PIECE.findall(written))]


def _bits(hexadecimal: Sequence[bytes]) -> Matrix:
    """Return the bits of hexadecimal strings, the shorter ones filled up with halves."""
    width = 4 * max(map(len, hexadecimal))
    bits = np.full((len(hexadecimal), width), 0.5)
    for row, digits in enumerate(hexadecimal):
        bits[row, : 4 * len(digits)] = _bits_of(digits)
    return bits


def _bits_of(digits: bytes) -> list[float]:
    return [float(bit) for digit in digits.decode() for bit in f"{int(digit, 16):04b}"]


def _bits_at_position(pages: Sequence[JudgingPage]) -> Matrix:
    """Return, counted from every digit that a browser was given before its first pair, the bit of the pair's position.

    A side for each pair could be hidden there: in the cookie, or in the token of the consent.
    """
    bits = np.full((len(pages), max(len(page.before) for page in pages)), 0.5)
    for row, page in enumerate(pages):
        counted = _bits_of(page.before)[page.position - 1 :: 4]
        bits[row, : len(counted)] = counted
    return bits
