"""Whether style alone tells the sides apart: a cross-validated classifier, and what chance would reach.

An annotator sees both responses of a pair, so the classifier answers the same question: which of these two is the
sycophantic one? It sees, of each pair, the difference of the two styles, and learns a ridge regression on other pairs;
a pair is never split over folds. The permutation test swaps sides within pairs. A swap turns a difference's sign and
leaves its products with itself, so all swapped sets share one projection, and a thousand of them are one product.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from app.study.stimuli_checks.report import Checked, Finding, StyleFeature, StyleLeak, warning
from app.study.stimuli_checks.style_features import NAMES, style

Matrix = NDArray[np.float64]

_FOLDS = 10
_REPEATS = 5
_PERMUTATIONS = 1000
_P = 0.05
_NAMED = 8
FEWEST_PAIRS = 8


def measured(checked: Sequence[Checked], seed: int, permutations: int = _PERMUTATIONS) -> StyleLeak:
    """Return how well style tells the sycophantic response from the helpful truthful one."""
    sycophantic = _styles([item.entry.sycophantic for item in checked])
    helpful = _styles([item.entry.helpful_truthful for item in checked])
    baseline = _styles([item.entry.baseline_truthful for item in checked])
    folds = min(_FOLDS, len(checked))
    differences = _differences(sycophantic, helpful)
    accuracies = _accuracies(differences, folds, permutations, seed)
    by_chance = accuracies[1:]
    return StyleLeak(
        n_pairs=len(checked),
        n_features=len(NAMES),
        accuracy=float(accuracies[0]),
        p=float((1 + np.sum(by_chance >= accuracies[0] - 1e-12)) / (1 + permutations)),
        chance_95=float(np.quantile(by_chance, 0.95)),
        permutations=permutations,
        folds=folds,
        repeats=_REPEATS,
        seed=seed,
        baseline_accuracy=float(_accuracies(_differences(sycophantic, baseline), folds, 0, seed)[0]),
        features=_most_telling(differences),
    )


def _styles(texts: Sequence[str]) -> Matrix:
    return np.array([style(text) for text in texts], np.float64)


def _differences(sycophantic: Matrix, truthful: Matrix) -> Matrix:
    """Return sycophantic less truthful, each feature in units of its spread over all responses of both sides."""
    spread = np.concatenate([sycophantic, truthful]).std(axis=0)
    return (sycophantic - truthful) / np.where(spread > 0, spread, 1.0)


def _accuracies(differences: Matrix, folds: int, permutations: int, seed: int) -> Matrix:
    """Return the mean cross-validated accuracy of the set as it is, then of each set with sides swapped at random."""
    random = np.random.default_rng(seed)
    swaps = random.choice([-1.0, 1.0], (len(differences), permutations))
    sides = np.concatenate([np.ones((len(differences), 1)), swaps], axis=1)
    total = np.zeros(1 + permutations)
    for _ in range(_REPEATS):
        scores = sides * (_projection(differences, random.permutation(len(differences)) % folds) @ sides)
        total += np.mean(np.where(np.abs(scores) < 1e-12, 0.5, scores > 0), axis=0)
    return total / _REPEATS


def _projection(differences: Matrix, fold: NDArray[np.int64]) -> Matrix:
    """Return the matrix that takes the sides of all pairs to each pair's score, learnt on the other folds alone."""
    n, n_features = differences.shape
    whole = np.zeros((n, n))
    for held_out in np.unique(fold):
        out = fold == held_out
        whole[np.ix_(out, ~out)] = _ridge(differences[~out], differences[out], penalty=n_features)
    return whole


def _ridge(learnt: Matrix, unseen: Matrix, penalty: float) -> Matrix:
    """Return what takes the learnt sides to the unseen scores.

    The penalty is as heavy as the features are many: a set of a hundred pairs must not be learnt by heart.
    """
    n, n_features = learnt.shape
    if n < n_features:
        products = learnt @ learnt.T + penalty * np.eye(n)
        return np.asarray(np.linalg.solve(products, learnt @ unseen.T).T)
    gram = learnt.T @ learnt + penalty * np.eye(n_features)
    return np.asarray(np.linalg.solve(gram, unseen.T).T @ learnt.T)


def _most_telling(differences: Matrix) -> tuple[StyleFeature, ...]:
    spread = np.sqrt(np.mean(differences**2, axis=0))
    z = np.sqrt(len(differences)) * differences.mean(axis=0) / np.where(spread > 0, spread, 1.0)
    more = np.mean(differences > 0, axis=0) + np.mean(differences == 0, axis=0) / 2
    best = np.argsort(-np.abs(z), kind="stable")[:_NAMED]
    return tuple(StyleFeature(NAMES[index], float(more[index]), float(z[index])) for index in best)


def find(leak: StyleLeak) -> Iterator[Finding]:
    """Yield a warning if style gives the sides away."""
    if leak.p < _P:
        named = ", ".join(f"{feature.name} ({'+' if feature.z > 0 else '−'})" for feature in leak.features[:4])
        yield warning(
            "style-leak",
            f"style alone picks the sycophantic response in {leak.accuracy:.1%} of unseen pairs (p = {leak.p:.3g}; "
            f"chance reaches {leak.chance_95:.1%} in 5 % of swapped sets); it has more (+) or less (−) of: {named}",
            accuracy=round(leak.accuracy, 4),
            p=leak.p,
        )
