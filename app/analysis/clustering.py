"""Two-way clustered variances: by misconception (pair) and by annotator, who are crossed."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from app.analysis.arrays import Floats, Ints, dense, floats, inner, same_length, totals, whole


@dataclass(frozen=True, slots=True)
class Components:
    """The three one-way variances of one estimate, without small-sample factors, and what they were summed over.

    Each is Σ over clusters of (sum of the cluster's influences)²; an influence is what one choice adds to the
    estimate's error, so its unit is the estimate's.

    Attributes
    ----------
    by_pair, by_annotator, by_cell
        Clustered by pair, by annotator, and by their intersection. At least 0.
    n_pairs, n_annotators, n_cells
        Numbers of clusters. At least 0.
    """

    by_pair: float
    by_annotator: float
    by_cell: float
    n_pairs: int
    n_annotators: int
    n_cells: int

    @property
    def df(self) -> int:
        """Degrees of freedom: the smaller number of clusters, less 1."""
        return min(self.n_pairs, self.n_annotators) - 1

    @property
    def plain(self) -> float:
        """V_pair + V_annotator - V_cell without small-sample factors; with few clusters it can be negative.

        References
        ----------
        Cameron, Gelbach & Miller 2011, Journal of Business & Economic Statistics 29:238-249.
        """
        return self.by_pair + self.by_annotator - self.by_cell

    def variance(self, n_parameters: int = 1) -> float | None:
        """Variance that intervals use, or None where it cannot be estimated.

        V_pair + V_annotator - V_cell, each multiplied by G/(G-1) of its own G clusters and, for a fit of q > 1
        parameters to the pairs, by (P-1)/(P-q), as CR1 is. With few clusters the difference can come out near 0 or
        negative: where it is less than half the larger of V_pair and V_annotator, that one is used. To use the largest
        of the three always would be too cautious: everybody sees all levels, so what a person adds to every answer
        cancels in the slope, and V_annotator - V_cell is rightly negative, though by far less than half.

        None with fewer than two pairs or annotators, with no more than q pairs, or where it is 0.

        References
        ----------
        Cameron, Gelbach & Miller 2011.
        """
        if self.df < 1 or self.n_pairs <= n_parameters:
            return None
        pair = self.by_pair * self.n_pairs / (self.n_pairs - 1)
        annotator = self.by_annotator * self.n_annotators / (self.n_annotators - 1)
        cell = self.by_cell * self.n_cells / (self.n_cells - 1)
        fit = (self.n_pairs - 1) / (self.n_pairs - n_parameters)
        both, larger = pair + annotator - cell, max(pair, annotator)
        variance = fit * (both if both >= _LEAST_SHARE * larger else larger)
        return variance if variance > _ROUNDING else None


_LEAST_SHARE = 0.5 * (1 - 1e-9)  # So that a difference of just half is one whatever order its sums were added in.
_ROUNDING = 1e-24  # Sums of squared influences that cancel exactly leave about this much; no real variance is as small.


def two_way(influence: ArrayLike, pair: ArrayLike, annotator: ArrayLike, *, one_a_cell: bool = False) -> Components:
    """Sum squared influences by pair, by annotator and by cell.

    Parameters
    ----------
    influence
        Shape (n,): what each choice adds to the estimate's error; for a mean of y with weights w that sum to 1 it is
        w (y - mean).
    pair, annotator
        Codes, shape (n,).
    one_a_cell
        Whether nobody is on a pair twice, as in `Choices`: then each influence is a cell, and none are looked for.
    """
    part = floats("influence", influence)
    pairs, of_pair = dense(whole("pair", pair))
    people, of_person = dense(whole("annotator", annotator))
    same_length({"influence": part, "pair": of_pair, "annotator": of_person})
    if one_a_cell:
        by_cell, n_cells = inner(part, part), len(part)
    else:
        cells, of_cell = dense(of_pair * max(len(people), 1) + of_person)
        by_cell, n_cells = _squares(part, of_cell, len(cells)), len(cells)
    return Components(
        by_pair=_squares(part, of_pair, len(pairs)),
        by_annotator=_squares(part, of_person, len(people)),
        by_cell=by_cell,
        n_pairs=len(pairs),
        n_annotators=len(people),
        n_cells=n_cells,
    )


def _squares(influence: Floats, groups: Ints, n_groups: int) -> float:
    sums = totals(groups, influence, n_groups)
    return inner(sums, sums)


def one_way_variance(influence: ArrayLike, groups: ArrayLike, *, corrected: bool) -> float | None:
    """Variance clustered one way: CR0, or with `corrected` CR1, which is CR0 × G/(G-1). None with G < 2 clusters.

    References
    ----------
    Liang & Zeger 1986, Biometrika 73:13-22.
    """
    part = floats("influence", influence)
    distinct, places = dense(whole("groups", groups))
    same_length({"influence": part, "groups": places})
    n_groups = len(distinct)
    if n_groups < 2:
        return None
    return _squares(part, places, n_groups) * (n_groups / (n_groups - 1) if corrected else 1.0)


def anova_icc(n: ArrayLike, successes: ArrayLike) -> float | None:
    """Intraclass correlation of yes-or-no answers within clusters, by one-way analysis of variance.

    (MSB - MSW) / (MSB + (m₀-1) MSW), with m₀ = (N - Σm²/N) / (G-1). In [-1/(m₀-1), 1].

    Parameters
    ----------
    n, successes
        Answers and yeses of each cluster, shape (G,); 0 ≤ successes ≤ n; empty clusters are passed over.

    Returns
    -------
    float or None
        None with fewer than two clusters, no cluster of two or more, or all answers equal.

    References
    ----------
    Donner & Klar 2000, Design and Analysis of Cluster Randomization Trials; Ridout, Demétrio & Firth 1999,
    Biometrics 55:137-148.
    """
    sizes = floats("n", n, 0)
    yes = floats("successes", successes, 0)
    if not sizes.all():
        sizes, yes = sizes[sizes > 0], yes[sizes > 0]
    total, groups = sizes.sum(), len(sizes)
    if groups < 2 or total <= groups:
        return None
    within = float((yes * (sizes - yes) / sizes).sum()) / (total - groups)
    mean = yes.sum() / total
    between = float((sizes * (yes / sizes - mean) ** 2).sum()) / (groups - 1)
    m0 = (total - (sizes**2).sum() / total) / (groups - 1)
    spread = between + (m0 - 1) * within
    return float((between - within) / spread) if mean * (1 - mean) > 0 and spread > 0 else None


def design_effect(n: ArrayLike, icc: float) -> float:
    """Variance of a mean of clustered answers over that of as many independent ones: 1 + (m-1) ICC.

    m = Σn²/Σn, the cluster size that an answer meets; with equal clusters it is their size.

    Parameters
    ----------
    n
        Cluster sizes, shape (G,), G ≥ 1.
    icc
        Intraclass correlation.

    References
    ----------
    Kish 1965, Survey Sampling.
    """
    sizes = floats("n", n, 0)
    return float(1 + ((sizes**2).sum() / sizes.sum() - 1) * icc)
